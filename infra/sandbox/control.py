"""The calls that no real vendor has: for tests and demos, from this machine only, without a key."""

import ipaddress

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from infra.sandbox.api import read_body
from infra.sandbox.generations import Generation
from infra.sandbox.orders import read_behaviour, read_object
from infra.sandbox.refusals import Refusal
from infra.sandbox.vendor import Vendor

LISTED_MAX = 1000


async def show_behaviour(request: Request) -> Response:
    """GET /control/behaviour: every switch as it holds for requests that set none."""
    return JSONResponse(_admit(request).defaults.as_json())


async def replace_behaviour(request: Request) -> Response:
    """PUT /control/behaviour: these switches over those of the start; `{}` is the start again."""
    vendor = _admit(request)
    switches = read_behaviour(read_object(await read_body(request)))
    vendor.defaults = vendor.settings.behaviour.with_overrides(switches)
    return JSONResponse(vendor.defaults.as_json())


async def show_stats(request: Request) -> Response:
    """GET /control/stats: what was counted since the start or the last reset."""
    register = _admit(request).register
    return JSONResponse({"concurrency": register.concurrency, **register.counts.as_json()})


async def reset(request: Request) -> Response:
    """POST /control/reset: no generations, no counts, the switches and the seed of the start."""
    await _admit(request).reset()
    return JSONResponse({"status": "ok"})


async def list_all(request: Request) -> Response:
    """GET /control/generations: the newest generations with what was ordered."""
    vendor = _admit(request)
    newest = vendor.register.newest(LISTED_MAX)
    return JSONResponse({"data": [_describe_fully(vendor, generation) for generation in newest]})


def _admit(request: Request) -> Vendor:
    if request.client is None or not _is_loopback(request.client.host):
        raise Refusal("loopback_only", "the control calls answer to this machine only")
    vendor: Vendor = request.app.state.vendor
    return vendor


def _is_loopback(host: str) -> bool:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (mapped or address).is_loopback


def _describe_fully(vendor: Vendor, generation: Generation) -> dict[str, object]:
    order = generation.order
    ordered = {
        "model": order.model,
        "prompt": order.prompt,
        "caption": order.caption,
        "negative_prompt": order.negative_prompt,
        "duration_seconds": order.duration_seconds,
        "resolution": order.resolution,
        "aspect_ratio": order.aspect_ratio,
        "callback_url": order.callback_url,
        "has_start_image": order.start_image_url is not None,
        "has_end_image": order.end_image_url is not None,
        "behaviour": vendor.behaviour_of(generation).as_json(),
    }
    return {**vendor.describe(generation), "order": ordered}


ROUTES = (
    Route("/control/behaviour", show_behaviour, methods=["GET"]),
    Route("/control/behaviour", replace_behaviour, methods=["PUT"]),
    Route("/control/stats", show_stats, methods=["GET"]),
    Route("/control/reset", reset, methods=["POST"]),
    Route("/control/generations", list_all, methods=["GET"]),
)
