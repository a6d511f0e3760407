"""What stands around Reelmint and is not Terraform: stand-ins, bundling, deployment data."""
