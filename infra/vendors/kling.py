"""Kling AI as its documentation describes it: older endpoints, new generation, pictures."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from infra.sandbox.faults import answer_status
from infra.sandbox.generations import Generation, Status
from infra.sandbox.orders import Order
from infra.sandbox.refusals import Refusal
from infra.sandbox.settings import Settings
from infra.sandbox.webhooks import Signer
from infra.vendors._kling_answers import event, is_older, no, receipt, refuse, task, told
from infra.vendors._kling_keys import admit
from infra.vendors._kling_orders import new_film, older_film, picture
from infra.vendors.desk import Desk, Unsigned, Wire
from infra.vendors.signers import StandardWebhooks

API_KEY = "api-key-kling-0123456789abcdef"
CALLBACK_KEY = "whsec_a2xpbmctc2ltdWxhdG9yLXNlY3JldC0wMTIzNDU2Nzg="
FILM_PLACES = 20
PICTURE_PLACES = 9


async def create_older_film(request: Request) -> Response:
    """POST /v1/videos/text2video and image2video."""
    desk = admit(request, takes_tokens=True)
    return await desk.take(request, await older_film(request, desk), _answer)


async def create_picture(request: Request) -> Response:
    """POST /v1/images/generations."""
    desk = admit(request, takes_tokens=True)
    return await desk.take(request, await picture(request, desk), _answer)


async def create_new_film(request: Request) -> Response:
    """POST /text-to-video/{model} and /image-to-video/{model}."""
    desk = admit(request, takes_tokens=False)
    return await desk.take(request, await new_film(request, desk), _answer)


async def show_older_task(request: Request) -> Response:
    """GET below the address where it was ordered, by the task's id or by the caller's."""
    desk = admit(request, takes_tokens=True)
    folder, given = request.url.path.rsplit("/", 1)
    ours = [each for each in _find(desk, given) if _folder(each.order) == folder]
    if not ours:
        raise no(1201, "Task not found")
    return await answer_status(desk, ours[0], lambda it: told(task(desk, it or ours[0])))


async def list_tasks(request: Request) -> Response:
    """GET /tasks by ids or by the caller's ids: those that there are."""
    desk = admit(request, takes_tokens=False)
    query = request.query_params
    if bool(query.get("task_ids")) == bool(query.get("external_task_ids")):
        raise no(1201, "task_ids or external_task_ids is required")
    if ids := query.get("task_ids"):
        found = [each for given in ids.split(",") for each in _find_by_id(desk, given)]
    else:
        ids = query["external_task_ids"]
        found = [each for given in ids.split(",") for each in desk.look_up(given)]
    tasks = [each for each in found if not is_older(each.order)]

    def describe(first: Generation | None) -> dict[str, object]:
        shown = [first, *tasks[1:]] if first else []
        return told([task(desk, each) for each in shown])

    return await answer_status(desk, tasks[0] if tasks else None, describe)


async def _answer(generation: Generation) -> Response:
    return JSONResponse(told(receipt(generation)))


def _find(desk: Desk, given: str) -> list[Generation]:
    return _find_by_id(desk, given) or desk.look_up(given)


def _find_by_id(desk: Desk, given: str) -> list[Generation]:
    try:
        return [desk.register.find(given)]
    except Refusal:
        return []


def _folder(order: Order) -> str:
    """The older address at which an order is asked for; none for the others."""
    if not is_older(order):
        return ""
    if order.kind == "image":
        return "/v1/images/generations"
    is_from_picture = order.start_image_url or order.end_image_url
    return "/v1/videos/image2video" if is_from_picture else "/v1/videos/text2video"


def _signer(secret: str) -> Signer:
    """Only those who have made a secret get signatures."""
    return StandardWebhooks(secret) if secret else Unsigned()


WIRE = Wire(
    name="kling",
    routes=(
        Route("/v1/videos/text2video", create_older_film, methods=["POST"]),
        Route("/v1/videos/image2video", create_older_film, methods=["POST"]),
        Route("/v1/videos/text2video/{id}", show_older_task, methods=["GET"]),
        Route("/v1/videos/image2video/{id}", show_older_task, methods=["GET"]),
        Route("/v1/images/generations", create_picture, methods=["POST"]),
        Route("/v1/images/generations/{id}", show_older_task, methods=["GET"]),
        Route("/text-to-video/{model}", create_new_film, methods=["POST"]),
        Route("/image-to-video/{model}", create_new_film, methods=["POST"]),
        Route("/tasks", list_tasks, methods=["GET"]),
    ),
    refuse=refuse,
    settings=Settings(
        port=8102,
        api_key=API_KEY,
        webhook_secret=CALLBACK_KEY,
        concurrency=FILM_PLACES,
    ),
    event=event,
    news=frozenset({Status.RUNNING, Status.SUCCEEDED, Status.FAILED}),
    signer=_signer,
    signs_with_secret=True,
    places_apart={"image": PICTURE_PLACES},
)
