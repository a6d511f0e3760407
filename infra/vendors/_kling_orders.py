"""What can be ordered of Kling: which model takes what, and a body as an order of the machinery."""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass

from starlette.requests import Request

from infra.sandbox.orders import Order
from infra.sandbox.refusals import Refusal, refuse_field
from infra.vendors._kling_bodies import (
    Common,
    FromPicture,
    FromText,
    NewFromPicture,
    NewFromText,
    OlderFilm,
    Picture,
    Settings,
)
from infra.vendors.bodies import read_json
from infra.vendors.desk import Desk

PICTURE_MAX_BYTES = 10_000_000

# The nearest that can be made here.
_FRAMES = {"std": "720p", "pro": "1080p", "4k": "1080p", "1k": "720p", "2k": "1080p"}
_SHAPES = {"3:2": "4:3", "2:3": "3:4", "21:9": "16:9"}


@dataclass(frozen=True, slots=True)
class _Film:
    """What a model can do: `sound` and `tail` are the modes, or resolutions, that have it."""

    modes: tuple[str, ...]
    seconds: tuple[int, ...]
    sound: tuple[str, ...] = ()
    tail: tuple[str, ...] = ()
    has_cfg_scale: bool = False


# What was withdrawn on 2026-09-15 is not there any more.
_SHORT, _LONG = (5, 10), tuple(range(3, 16))
_OLDER_FILMS: Mapping[str, _Film] = {
    "kling-v2-5-turbo": _Film(("std", "pro"), _SHORT, tail=("pro",)),
    "kling-v2-6": _Film(("std", "pro"), _SHORT, sound=("pro",), tail=("pro",)),
    "kling-v3": _Film(("std", "pro", "4k"), _LONG, sound=("std", "pro"), has_cfg_scale=True),
}
_NEW_FILMS: Mapping[str, _Film] = {
    "kling-2.5-turbo": _Film(("720p", "1080p"), _SHORT, tail=("1080p",)),
    "kling-2.6": _Film(("720p", "1080p"), _SHORT, sound=("1080p",), tail=("1080p",)),
    "kling-3.0": _Film(("720p", "1080p"), _LONG, sound=("720p", "1080p"), tail=("1080p",)),
    "kling-3.0-turbo": _Film(("720p", "1080p"), _LONG, sound=("720p", "1080p"), tail=("1080p",)),
}
_PICTURES = ("kling-v2-1", "kling-v3")


async def older_film(request: Request, desk: Desk) -> Order:
    """The order in a body of text2video or image2video. Raises `Refusal`."""
    if request.url.path.endswith("/text2video"):
        text = await read_json(request, FromText)
        _check_older(text, "")
        return _older_order(desk, text, text.prompt, aspect_ratio=text.aspect_ratio)
    body = await read_json(request, FromPicture)
    _check_older(body, body.image_tail)
    if not body.image:
        raise refuse_field("image", "an image is needed")
    start, end = _address("image", body.image), _address("image_tail", body.image_tail)
    return _older_order(desk, body, body.prompt, start_image_url=start, end_image_url=end)


def _older_order(desk: Desk, body: OlderFilm, prompt: str, **details: object) -> Order:
    return desk.order(
        "video",
        body.model_name,
        prompt,
        negative_prompt=body.negative_prompt or None,
        duration_seconds=int(body.duration),
        resolution=_FRAMES[body.mode],
        **_own(body),
        **details,
    )


def _check_older(body: OlderFilm, tail: str) -> None:
    film = _known(_OLDER_FILMS, body.model_name)
    if body.duration not in map(str, film.seconds):
        raise refuse_field("duration", f"duration {body.duration!r} is not supported")
    _check(film, body.mode, is_loud=body.sound == "on", has_tail=bool(tail))
    if body.model_name == "kling-v2-6" and tail and body.sound == "on":
        raise refuse_field("sound", "a film with an end frame is silent")
    if body.cfg_scale is not None and not film.has_cfg_scale:
        raise refuse_field("cfg_scale", "cfg_scale is not supported by this model")
    if body.camera_control is not None and tail:
        raise refuse_field("camera_control", "image_tail and camera_control exclude each other")


async def new_film(request: Request, desk: Desk) -> Order:
    """The order in a body of text-to-video or image-to-video. Raises `Refusal`."""
    model = request.path_params["model"]
    film = _known(_NEW_FILMS, model)
    if request.url.path.startswith("/text-to-video/"):
        text = await read_json(request, NewFromText)
        _check_new(film, text.settings, has_tail=False)
        shape = text.settings.aspect_ratio
        return _new_order(desk, model, text, text.prompt, aspect_ratio=shape)
    body = await read_json(request, NewFromPicture)
    given = {each.type: each.url or each.text or "" for each in body.contents}
    if len(given) != len(body.contents) or "first_frame" not in given:
        raise refuse_field("contents", "a first_frame is needed, and each type at most once")
    _check_new(film, body.settings, has_tail="last_frame" in given)
    start = _address("first_frame", given["first_frame"], is_new=True)
    end = _address("last_frame", given.get("last_frame", ""), is_new=True)
    prompt = given.get("prompt", "")
    return _new_order(desk, model, body, prompt, start_image_url=start, end_image_url=end)


def _new_order(
    desk: Desk, model: str, body: NewFromText | NewFromPicture, prompt: str, **details: object
) -> Order:
    settings = body.settings
    return desk.order(
        "video",
        model,
        prompt,
        duration_seconds=settings.duration,
        resolution=settings.resolution,
        **_own(body.options),
        **details,
    )


def _check_new(film: _Film, settings: Settings, *, has_tail: bool) -> None:
    if settings.duration not in film.seconds:
        raise refuse_field("duration", f"duration {settings.duration} is not supported")
    _check(film, settings.resolution, is_loud=settings.audio == "native", has_tail=has_tail)


async def picture(request: Request, desk: Desk) -> Order:
    """The order in a body of images/generations: `n` pictures take `n` places. Raises `Refusal`."""
    body = await read_json(request, Picture)
    if body.model_name not in _PICTURES:
        raise _no_model(body.model_name)
    if body.image and body.negative_prompt:
        raise refuse_field("negative_prompt", "there is no negative_prompt beside an image")
    if body.model_name != "kling-v2-1" and body.image_fidelity is not None:
        raise refuse_field("image_fidelity", "image_fidelity is not supported by this model")
    return desk.order(
        "image",
        body.model_name,
        body.prompt,
        negative_prompt=body.negative_prompt or None,
        resolution=_FRAMES[body.resolution],
        aspect_ratio=_SHAPES.get(body.aspect_ratio, body.aspect_ratio),
        start_image_url=_address("image", body.image),
        count=body.n,
        units=body.n,
        **_own(body),
    )


# ---------------------------------------------------------------- what they have in common


def _own(common: Common) -> dict[str, object]:
    return {
        "client_id": common.external_task_id or None,
        "callback_url": common.callback_url or None,
    }


def _known(films: Mapping[str, _Film], model: str) -> _Film:
    if model not in films:
        raise _no_model(model)
    return films[model]


def _no_model(model: str) -> Refusal:
    return Refusal("unknown_model", f"model is not supported: {model}")


def _check(film: _Film, mode: str, *, is_loud: bool, has_tail: bool) -> None:
    if mode not in film.modes:
        raise refuse_field("mode", f"{mode} is not supported by this model")
    if is_loud and mode not in film.sound:
        raise refuse_field("sound", f"sound is not supported in {mode}")
    if has_tail and mode not in film.tail:
        raise refuse_field("image_tail", f"an end frame is not supported in {mode}")


def _address(field: str, given: str, *, is_new: bool = False) -> str | None:
    """Where the picture is: an address, or base64, which the older endpoints take bare alone."""
    if not given or given.startswith(("http://", "https://")):
        return given or None
    head, comma, payload = given.rpartition(",")
    if comma and not (is_new and head.startswith("data:image/") and head.endswith(";base64")):
        raise refuse_field(field, f"{field} is neither an address nor bare base64")
    try:
        content = base64.b64decode(payload, validate=True)
    except (binascii.Error, ValueError) as error:
        raise refuse_field(field, f"{field} is neither an address nor base64") from error
    if len(content) > PICTURE_MAX_BYTES:
        raise refuse_field(field, f"{field} is over {PICTURE_MAX_BYTES} bytes")
    return f"data:image/png;base64,{payload}"
