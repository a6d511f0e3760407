"""Runs simulated vendors: `python -m infra.vendors` all of them, each at its own port, or one of
them, with options: `python -m infra.vendors kling --port 8102 --latency uniform:1:3`.
"""

import signal
import sys
from collections.abc import Sequence
from contextlib import ExitStack

from infra import vendors
from infra.children import wait_for_parent
from infra.sandbox.__main__ import build_parser, read_settings, serve
from infra.vendors import accounts
from infra.vendors.server import build_app, simulated

_EXIT_WITH_STDIN = "--exit-with-stdin"


def main(arguments: Sequence[str]) -> int:
    """Serve until a signal, or until stdin closes when that was asked for."""
    if not set(arguments) - {_EXIT_WITH_STDIN}:
        return _serve_all(ends_with_stdin=_EXIT_WITH_STDIN in arguments)
    name = arguments[0]
    if name not in vendors.NAMES:
        print(f"usage: python -m infra.vendors [{'|'.join(vendors.NAMES)} [--help]]")
        return 2
    wire = vendors.load(name)
    options = build_parser(f"vendors {name}", wire.settings).parse_args(arguments[1:])
    settings = read_settings(options)
    return serve(options, settings, lambda settings, url: build_app(wire, settings, url))


def _serve_all(*, ends_with_stdin: bool) -> int:
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with ExitStack() as stack:
        for name in vendors.NAMES:
            wire = vendors.load(name)
            try:
                url = stack.enter_context(simulated(name, port=wire.settings.port))
            except OSError as error:
                print(f"{name} cannot listen at {wire.settings.port}: {error}", file=sys.stderr)
                return 1
            for key, value in accounts.environment(wire, url).items():
                print(f"{key}={value}", flush=True)
        try:
            wait_for_parent() if ends_with_stdin else signal.pause()
        except KeyboardInterrupt:
            print("stopped")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
