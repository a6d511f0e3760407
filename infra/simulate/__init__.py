"""The command that runs the simulator: `python -m infra.simulate --help`."""
