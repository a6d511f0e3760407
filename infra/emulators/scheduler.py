"""Cloud Scheduler for one machine: calls an address every few seconds, with an OIDC token.

`python -m infra.emulators.scheduler URL --audience … --service-account … --key FILE`. As with the
real one, a run does not begin before the last one ended, and a failed run is not repeated: the
next one is the retry.
"""

import argparse
import asyncio
import logging
import signal
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import httpx

from infra.emulators.cloud_tasks_identity import ISSUER, Identity, read_or_make_key

ATTEMPT_SECONDS = 60.0
_log = logging.getLogger(__name__)


async def call_every(
    seconds: float, url: str, identity: Identity, service_account: str, audience: str
) -> None:
    """Call for ever, at once and then each time so many seconds after the last call began."""
    clock = asyncio.get_running_loop().time
    async with httpx.AsyncClient(timeout=ATTEMPT_SECONDS, trust_env=False) as client:
        while True:
            next_call = clock() + seconds
            await _call(client, url, identity.token(service_account, audience))
            await asyncio.sleep(max(0.0, next_call - clock()))


async def _call(client: httpx.AsyncClient, url: str, token: str) -> None:
    headers = {
        "Authorization": f"Bearer {token}",
        "User-Agent": "Google-Cloud-Scheduler",
        "X-CloudScheduler": "true",
        "X-CloudScheduler-ScheduleTime": datetime.now(UTC).isoformat(),
    }
    try:
        reply = await client.post(url, headers=headers)
    except httpx.HTTPError as error:
        _log.warning("no answer from %s: %r", url, error)
        return
    if not reply.is_success:
        _log.warning("%s answered %d", url, reply.status_code)


def main(arguments: Sequence[str] | None = None) -> int:
    """Call until a signal."""
    options = _options(arguments)
    logging.basicConfig(level=logging.WARNING, format="scheduler: %(message)s")
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    identity = Identity(read_or_make_key(options.key), options.issuer)
    audience = options.audience or options.url
    try:
        asyncio.run(
            call_every(options.every, options.url, identity, options.service_account, audience)
        )
    except KeyboardInterrupt:
        print("stopped")
    return 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="infra.emulators.scheduler", description=__doc__)
    parser.add_argument("url", help="what to call, by POST")
    parser.add_argument("--every", type=float, default=60.0, metavar="SECONDS")
    parser.add_argument("--audience", help="of the tokens; the URL when it is not given")
    parser.add_argument("--service-account", required=True, help="who the caller is")
    parser.add_argument(
        "--key", type=Path, required=True, help="the file of the Cloud Tasks stand-in's key"
    )
    parser.add_argument("--issuer", default=ISSUER, help="who the tokens are from")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
