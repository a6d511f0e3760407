"""The sandbox vendor: makes videos and images on this machine and misbehaves as real vendors do.

It is a separate service with its own wire protocol and shares no code with the rest of Reelmint.
`docs/sandbox-vendor.md` describes the wire and the switches; `python -m infra.sandbox --help`
lists them.
"""
