"""The product as it is deployed, on this machine: emulators, one process per function, a router."""

AUDIT_SETTINGS = "cloud.json"  # in DATA_DIR: how `make audit` finds the database
