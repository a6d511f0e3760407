"""The product as it is deployed, on this machine: emulators, one process per function, a router."""
