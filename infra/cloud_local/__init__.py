"""The product as it is deployed, on this machine: emulators, one process per function, a router."""

# In DATA_DIR: how `make audit`, and whoever else works beside the functions, finds the database.
OPERATOR_SETTINGS = "cloud.json"
