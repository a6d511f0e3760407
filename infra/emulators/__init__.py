"""Stand-ins for Google Cloud's services on this machine, for tests and for `make cloud-local`."""
