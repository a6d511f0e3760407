"""Runs the sandbox vendor: `python -m infra.sandbox --port 8090 --latency uniform:1:3`."""

import argparse
import os
import sys
import threading
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from infra.children import wait_for_parent
from infra.sandbox.behaviour import SWITCHES, Behaviour, Switch
from infra.sandbox.grammars import Flag
from infra.sandbox.settings import Settings

if TYPE_CHECKING:
    from starlette.applications import Starlette

EXIT_GRACE_SECONDS = 3


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until a signal, or until stdin closes when that was asked for."""
    options = build_parser("sandbox", Settings()).parse_args(arguments)
    return serve(options, read_settings(options))


def serve(
    options: argparse.Namespace,
    settings: Settings,
    build: "Callable[[Settings, str], Starlette] | None" = None,
) -> int:
    """Serve the sandbox, or the vendor that `build` makes the app of."""
    from infra.sandbox.server import SandboxServer  # after the arguments, so that --help is quick

    try:
        server = SandboxServer(settings, announce=_say_ready, build=build)
    except OSError as error:
        print(f"cannot listen on {settings.host}:{settings.port}: {error}", file=sys.stderr)
        return 1

    def stop() -> None:
        server.should_exit = True

    if options.exit_with_stdin:
        threading.Thread(target=_stop_with_stdin, args=(stop,), daemon=True).start()
    server.serve_until_stopped()
    return 0 if server.started else 1


def build_parser(package: str, defaults: Settings) -> argparse.ArgumentParser:
    """The command line; the behaviour switches come from the one table."""
    parser = argparse.ArgumentParser(
        prog=f"python -m infra.{package}",
        description="A media vendor on this machine that can misbehave as real ones do.",
        epilog="Every behaviour switch can also be set for one request, in the body field "
        "`behaviour` or inside the prompt: a fox [sandbox latency=0.5 fail=render webhook=lost].",
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (%(default)s)")
    parser.add_argument("--port", type=int, default=defaults.port, help="0: any (%(default)s)")
    parser.add_argument("--api-key", default=defaults.api_key, help="(%(default)s)")
    parser.add_argument("--webhook-secret", default=defaults.webhook_secret, help="(%(default)s)")
    parser.add_argument(
        "--concurrency",
        type=_read_count,
        default=defaults.concurrency,
        help="how many generations may hold a place (%(default)s)",
    )
    parser.add_argument("--seed", type=int, help="makes latencies and failures repeat")
    parser.add_argument("--public-url", help="where result addresses point (the bound address)")
    parser.add_argument(
        "--exit-with-stdin", action="store_true", help="exit when stdin closes, as a child should"
    )
    group = parser.add_argument_group("behaviour switches")
    for switch in SWITCHES.values():
        _add_switch(group, switch)
    return parser


def read_settings(options: argparse.Namespace) -> Settings:
    """What was asked for on the command line."""
    given = {name: getattr(options, name) for name in SWITCHES if hasattr(options, name)}
    return Settings(
        host=options.host,
        port=options.port,
        api_key=options.api_key,
        webhook_secret=options.webhook_secret,
        concurrency=options.concurrency,
        seed=options.seed,
        public_url=options.public_url,
        behaviour=Behaviour().with_overrides(given),
    )


def _add_switch(group: "argparse._ArgumentGroup", switch: Switch) -> None:
    names = [f"--{name.replace('_', '-')}" for name in switch.names]
    help_text = f"{switch.explanation} ({str(switch.default).lower()})"
    if isinstance(switch.grammar, Flag):
        group.add_argument(
            *names,
            dest=switch.name,
            action="store_true",
            default=argparse.SUPPRESS,
            help=help_text,
        )
        return
    group.add_argument(
        *names,
        dest=switch.name,
        type=_reader(switch),
        default=argparse.SUPPRESS,
        metavar="VALUE",
        help=f"{switch.grammar.shape.replace('|', ' | ')} -- {help_text}",
    )


def _reader(switch: Switch) -> Callable[[str], object]:
    def read(text: str) -> object:
        try:
            return switch.grammar.read(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from error

    return read


def _read_count(text: str) -> int:
    count = int(text)
    if count < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return count


def _say_ready(url: str) -> None:
    print(f"vendor ready at {url}", flush=True)


def _stop_with_stdin(stop: Callable[[], None]) -> None:
    """Wait for the end of stdin; a request that hangs does not keep the process alive for long."""
    wait_for_parent()
    stop()
    time.sleep(EXIT_GRACE_SECONDS)
    os._exit(0)


if __name__ == "__main__":
    sys.exit(main())
