"""The only place with SDKs, files and sockets, behind the Protocols of `shared.ports`."""
