"""The product: domain, use cases, ports and adapters shared by every deployed function."""
