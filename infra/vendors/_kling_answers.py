"""What Kling answers: its envelope, its codes, and tasks in the words of either generation."""

import uuid
from collections.abc import Mapping

from starlette.responses import JSONResponse, Response

from infra.sandbox.generations import Generation, Status
from infra.sandbox.orders import Order
from infra.sandbox.refusals import Refusal
from infra.sandbox.webhooks import Body
from infra.vendors.desk import Desk

OLDER_MODELS = "kling-v"
STATUSES: Mapping[int, int] = {
    1001: 401,
    1002: 401,
    1003: 401,
    1004: 401,
    1102: 429,
    1201: 400,
    1202: 404,
    1203: 404,
    1301: 400,
    1302: 429,
    1303: 429,
    5000: 500,
}

Words = dict[str, object]

# Why the machinery refuses → code and words; without words, they are the machinery's.
_CODES: Mapping[str, tuple[int, str]] = {
    "unauthorized": (1002, "api key not found"),
    "no_credit": (1102, "Account balance not enough"),
    "unknown_model": (1203, ""),
    "moderation_blocked": (1301, "the content is against the content security policy"),
    "too_many_generations": (1303, "parallel task over resource pack limit"),
    "too_many_requests": (1302, "request is too frequent"),
    "not_found": (1202, "the requested method is invalid"),
    # What a second order under one id is told is not documented.
    "duplicate_client_id": (1201, "external_task_id already exists"),
    "internal": (5000, "internal error"),
}
_OLDER_STATES: Mapping[Status, str] = {
    Status.QUEUED: "submitted",
    Status.RUNNING: "processing",
    Status.SUCCEEDED: "succeed",
    Status.FAILED: "failed",
    Status.CANCELLED: "failed",
}
_NEW_STATES: Mapping[Status, str] = {**_OLDER_STATES, Status.SUCCEEDED: "succeeded"}

_BAD_PICTURE = (
    "The resolution or aspect ratio of the input image is invalid. "
    "Please ensure it meets the required specifications."
)
_FAILURES: Mapping[str, str] = {
    "moderation_blocked": "Failure to pass the risk control system",
    "out_of_capacity": "parallel task over resource pack limit",
    "image_unreadable": _BAD_PICTURE,
    "image_unavailable": _BAD_PICTURE,
}


def no(code: int, message: str) -> Refusal:
    """A refusal with this code of Kling's."""
    return Refusal("invalid_request", message, details={"code": str(code)})


def refuse(refusal: Refusal) -> Response:
    """An error: a status, and a code that says more."""
    code, message = _CODES.get(refusal.code, (1201, ""))
    code = int(refusal.details.get("code", code))
    body = {"code": code, "message": message or refusal.message, "request_id": str(uuid.uuid4())}
    return JSONResponse(body, STATUSES[code])


def told(data: object) -> Words:
    """The envelope of a yes."""
    return {"code": 0, "message": "SUCCEED", "request_id": str(uuid.uuid4()), "data": data}


def is_older(order: Order) -> bool:
    """Whether an older endpoint took it."""
    return order.model.startswith(OLDER_MODELS)


def receipt(generation: Generation) -> Words:
    """What is told of a task when it was ordered."""
    external_id, at_ms = _external_id(generation), int(generation.accepted_at * 1000)
    if is_older(generation.order):
        return {
            "task_id": generation.id,
            "task_status": "submitted",
            "task_info": {"external_task_id": external_id} if external_id else {},
            "created_at": at_ms,
            "updated_at": at_ms,
        }
    return {
        "id": generation.id,
        "status": "submitted",
        "create_time": at_ms,
        "update_time": at_ms,
        "external_id": external_id,
    }


def task(desk: Desk, generation: Generation) -> Words:
    """How a task stands. A callback has it bare, an answer in the envelope."""
    message = ""
    if generation.error is not None:
        message = _FAILURES.get(generation.error.code, "Generation failed")
    ended_ms = int((generation.completed_at or generation.accepted_at) * 1000)
    if is_older(generation.order):
        return receipt(generation) | {
            "task_status": _OLDER_STATES[generation.status],
            "task_status_msg": message,
            "task_result": _older_results(desk, generation),
            "updated_at": ended_ms,
        }
    return receipt(generation) | {
        "status": _NEW_STATES[generation.status],
        "message": message,
        "outputs": _outputs(desk, generation),
        "update_time": ended_ms,
    }


def event(desk: Desk, generation: Generation) -> Body:
    """What a callback says."""
    return task(desk, generation)


def _older_results(desk: Desk, generation: Generation) -> Words:
    urls = desk.addresses(generation)
    if not urls:
        return {}
    if generation.order.kind == "image":
        return {"images": [{"index": index, "url": url} for index, url in enumerate(urls)]}
    return {"videos": [_film(generation, url) for url in urls]}


def _outputs(desk: Desk, generation: Generation) -> list[Words]:
    urls = desk.addresses(generation)
    return [{"type": "video", "watermark_url": "", **_film(generation, url)} for url in urls]


def _film(generation: Generation, url: str) -> Words:
    duration = f"{generation.order.duration_seconds}.1"
    return {"id": f"v{generation.id}", "url": url, "duration": duration}


def _external_id(generation: Generation) -> str:
    """The caller's id, if it gave one."""
    given = generation.order.client_id
    return "" if given.startswith("none-") else given
