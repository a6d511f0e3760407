"""Jobs of the simulated Eden AI: how they are ordered and called, and what is told of them."""

import json
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime

from starlette.requests import Request

from infra.sandbox.generations import Generation, Status
from infra.sandbox.orders import Order
from infra.sandbox.refusals import Refusal
from infra.sandbox.webhooks import Body
from infra.vendors._edenai_bodies import FILMS
from infra.vendors._shapes import nearest_ratio, nearest_resolution
from infra.vendors.desk import Desk

Words = dict[str, object]

WORDS: Mapping[Status, str] = {
    Status.QUEUED: "processing",
    Status.RUNNING: "processing",
    Status.SUCCEEDED: "success",
    Status.FAILED: "fail",
    Status.CANCELLED: "fail",
}
BLOCKED = "Content rejected due to the violation of the following policies: violence."
_FAILURES: Mapping[str, str] = {
    "render_failed": "Provider returned: the video could not be rendered.",
    "out_of_capacity": "Provider is overloaded, please retry later.",
    "internal": "Internal Server Error",
    "moderation_blocked": BLOCKED,
}


def event(desk: Desk, generation: Generation) -> Body:
    """What is signed and sent. That V2 calls alike is an assumption (facts E1)."""
    asked = generation.order.model.removeprefix("v2/").removeprefix(f"{FILMS}/")
    maker, _, model = asked.partition("/")
    parameters = json.loads(generation.order.client_id.rpartition("#")[0])
    words: Words = {
        "event": "async_job_completed",
        "job_id": public_id(generation),
        "status": WORDS[generation.status],
        "feature": "video",
        "subfeature": "generation_async",
        "provider": maker,
        "model": model or None,
        "created_at": _written(generation.accepted_at),
        "finished_at": _written(generation.completed_at or generation.accepted_at),
    }
    if parameters is not None:
        words["user_parameters"] = parameters
    if generation.status is Status.SUCCEEDED:
        words["output"] = {"video_resource_url": desk.addresses(generation)[0]}
    else:
        words["error"] = complaint(generation)
    return words


def _written(seconds: float) -> str:
    return datetime.fromtimestamp(int(seconds), UTC).isoformat()


def build_order(
    desk: Desk,
    kind: str,
    model: str,
    prompt: str,
    size: str | None,
    parameters: object = None,
    **details: object,
) -> Order:
    """An order in the machinery's terms; `parameters` are what the caller wants to hear again."""
    width, _, height = (size or "").partition("x")
    return desk.order(
        kind,
        model,
        prompt,
        # The same parameters may come again, so they get a tail.
        client_id=f"{json.dumps(parameters)}#{secrets.token_hex(8)}",
        resolution=nearest_resolution(f"{min(int(width), int(height))}p") if size else None,
        aspect_ratio=nearest_ratio(f"{width}:{height}") if size else None,
        **details,
    )


def find_job(desk: Desk, request: Request, api: str) -> Generation:
    """The job that a request names, of this API. Raises `Refusal`."""
    number = request.path_params["id"].replace("-", "")[:24]
    generation = desk.register.find(f"gen_{number}")
    is_here = generation.order.model.startswith(f"{api}/")
    if not is_here or generation.status is Status.CANCELLED:
        raise Refusal("not_found", "there is no such job")
    return generation


def public_id(generation: Generation) -> str:
    """A UUID, as jobs have."""
    number = f"{generation.id.removeprefix('gen_')}{'0' * 8}"
    return "-".join((number[:8], number[8:12], number[12:16], number[16:20], number[20:]))


def complaint(generation: Generation) -> Words:
    """What its maker said when it went wrong."""
    code = generation.error.code if generation.error else ""
    return {"message": _FAILURES.get(code, "The job has failed.")}
