"""The whole product in one process, for a laptop and for tests."""
