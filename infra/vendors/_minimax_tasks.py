"""What MiniMax's calls have in common: tasks by number, callbacks that are tried with a challenge
while they are given, and how it says no in each of its two dialects.
"""

import secrets
from collections.abc import Awaitable, Callable, Mapping

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from infra.sandbox.api import authorise
from infra.sandbox.generations import Generation, Status
from infra.sandbox.orders import Order
from infra.sandbox.refusals import Refusal, refuse_field
from infra.sandbox.webhooks import Body
from infra.vendors.desk import Desk, desk_of

CHALLENGE_SECONDS = 3.0
KEPT_MAX = 5_000
SUCCESS: Mapping[str, object] = {"status_code": 0, "status_msg": "success"}

_CALLBACK_WORDS: Mapping[Status, str] = {
    Status.QUEUED: "processing",
    Status.RUNNING: "processing",
    Status.SUCCEEDED: "success",
    Status.FAILED: "failed",
    Status.CANCELLED: "failed",
}
_V2_WORDS: Mapping[Status, str] = {
    Status.QUEUED: "queued",
    Status.RUNNING: "running",
    Status.SUCCEEDED: "succeeded",
    Status.FAILED: "failed",
    Status.CANCELLED: "cancelled",
}
_V1_CODES: Mapping[str, tuple[int, str]] = {
    "unauthorized": (1004, "login fail: Please carry the API secret key in the request header"),
    "no_credit": (1008, "insufficient balance"),
    "moderation_blocked": (1026, "video description contains sensitive content"),
    "too_many_generations": (1002, "rate limit"),
    "too_many_requests": (1002, "rate limit"),
    "internal": (1033, "system error"),
}
_V2_TYPES: Mapping[str, tuple[int, str, int]] = {
    "unauthorized": (401, "authorized_error", 2049),
    "no_credit": (402, "insufficient_balance_error", 1008),
    "moderation_blocked": (422, "unprocessable_entity_error", 1026),
    "too_many_generations": (429, "rate_limit_error", 1002),
    "too_many_requests": (429, "rate_limit_error", 1002),
    "not_found": (404, "bad_request_error", 2013),
    "internal": (500, "server_error", 1000),
}


def known_desk(request: Request) -> Desk:
    """The desk, for a caller who has the key."""
    authorise(request)
    return desk_of(request)


async def take(
    request: Request,
    desk: Desk,
    order: Order,
    answer: Callable[[Generation], Awaitable[Response]],
) -> Response:
    """Take an order whose callback address echoes; raises `Refusal`."""
    if order.callback_url is not None:
        challenge = {"challenge": secrets.token_hex(16)}
        if await desk.call(order.callback_url, challenge, CHALLENGE_SECONDS) != challenge:
            raise refuse_field("callback_url", "fail to check callback url")
    return await desk.take(request, order, answer)


def find_task(desk: Desk, number: str) -> Generation | None:
    """The task of this number."""
    return next((g for g in desk.register.newest(KEPT_MAX) if task_number(g) == number), None)


def task_number(generation: Generation) -> str:
    """What a task is called: digits, in a text."""
    return str(int(generation.id.removeprefix("gen_")[:12], 16))


def file_number(generation: Generation) -> str:
    """What its file is called."""
    return str(int(generation.id.removeprefix("gen_")[12:], 16))


def is_v2(generation: Generation) -> bool:
    """Whether a task was ordered in the newer dialect."""
    return generation.order.model.startswith("MiniMax-H3")


def base_resp(generation: Generation) -> Mapping[str, object]:
    """The business code of a task. It is not documented whether a failure always has one (facts
    A6): here only a refused result has.
    """
    if generation.error is not None and generation.error.code == "moderation_blocked":
        return {"status_code": 1027, "status_msg": "output new_sensitive"}
    return SUCCESS


def v2_task(desk: Desk, generation: Generation) -> dict[str, object]:
    """A task in the newer dialect."""
    order = generation.order
    words: dict[str, object] = {
        "id": task_number(generation),
        "model": order.model,
        "status": _V2_WORDS[generation.status],
        "created_at": int(generation.accepted_at),
        "updated_at": int(generation.completed_at or generation.accepted_at),
        "duration": order.duration_seconds,
        "task_type": "generation",
        "modality": "video",
    }
    if generation.status is Status.SUCCEEDED:
        words["content"] = {"url": desk.addresses(generation)[0]}
    if generation.error is not None:
        is_refused = generation.error.code == "moderation_blocked"
        code = "1027" if is_refused else "1000"
        words["error"] = {"code": code, "message": generation.error.message}
    return words


def event(desk: Desk, generation: Generation) -> Body:
    """What a callback says: of V1 flat and in small letters, of V2 the task."""
    if is_v2(generation):
        return {"task": v2_task(desk, generation)}
    words: dict[str, object] = {
        "task_id": task_number(generation),
        "status": _CALLBACK_WORDS[generation.status],
    }
    if generation.status is Status.SUCCEEDED:
        words["file_id"] = file_number(generation)
    return {**words, "base_resp": base_resp(generation)}


def refuse_v1(refusal: Refusal) -> Response:
    """V1 says no with status 200 and a business code."""
    code, words = _V1_CODES.get(refusal.code, (2013, f"invalid params, {refusal.message}"))
    return JSONResponse({"task_id": "", "base_resp": {"status_code": code, "status_msg": words}})


def refuse_v2(refusal: Refusal) -> Response:
    """V2 says no with a status, a type, and the business code in brackets."""
    status, kind, code = _V2_TYPES.get(refusal.code, (400, "bad_request_error", 2013))
    message = f"{refusal.message} ({code})"
    error = {"type": kind, "message": message, "http_code": str(status)}
    body = {"type": "error", "error": error, "request_id": secrets.token_hex(16)}
    return JSONResponse(body, status)
