"""Runs one simulated vendor: `python -m infra.vendors kling --port 8101 --latency uniform:1:3`."""

import sys
from collections.abc import Sequence

from infra import vendors
from infra.sandbox.__main__ import build_parser, read_settings, serve
from infra.vendors.server import build_app


def main(arguments: Sequence[str]) -> int:
    """Serve until a signal, or until stdin closes when that was asked for."""
    name = arguments[0] if arguments else ""
    if name not in vendors.NAMES:
        print(f"usage: python -m infra.vendors {{{'|'.join(vendors.NAMES)}}} [--help]")
        return 2
    wire = vendors.load(name)
    options = build_parser(f"vendors {name}", wire.settings).parse_args(arguments[1:])
    settings = read_settings(options)
    return serve(options, settings, lambda settings, url: build_app(wire, settings, url))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
