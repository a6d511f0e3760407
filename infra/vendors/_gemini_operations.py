"""Veo by predictLongRunning, as gateways and Google Cloud still speak it."""

from collections.abc import Mapping
from typing import Literal

from pydantic import Field, model_validator
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from infra.sandbox.faults import answer_status
from infra.sandbox.generations import Generation, Media
from infra.sandbox.refusals import Refusal
from infra.vendors._gemini_files import file_uri
from infra.vendors._gemini_words import admit, data_url, find
from infra.vendors._shapes import nearest_ratio, nearest_resolution
from infra.vendors.bodies import Strict, read_json
from infra.vendors.desk import Desk

MODELS = ("veo-3.1-generate-001", "veo-3.1-fast-generate-001")

_RESPONSE = "type.googleapis.com/google.ai.generativelanguage.v1beta.PredictLongRunningResponse"
_FILTERED = (
    "Veo could not generate videos because the input violates Google's Responsible AI practices."
)
# The machinery's word → google.rpc.Code. A word that is absent is INTERNAL.
_CODES: Mapping[str, int] = {"image_unreadable": 3, "out_of_capacity": 8}
_INTERNAL = 13


class _Image(Strict):
    bytesBase64Encoded: str  # noqa: N815 - the vendor's names
    mimeType: Literal["image/png", "image/jpeg", "image/webp"]  # noqa: N815

    @property
    def url(self) -> str:
        return data_url(self.mimeType, self.bytesBase64Encoded)


class _Instance(Strict):
    prompt: str = Field(min_length=1)
    image: _Image | None = None
    lastFrame: _Image | None = None  # noqa: N815


class _Parameters(Strict):
    aspectRatio: Literal["16:9", "9:16"] = "16:9"  # noqa: N815
    resolution: Literal["720p", "1080p", "4k"] = "720p"
    durationSeconds: Literal[4, 6, 8] = 8  # noqa: N815
    negativePrompt: str | None = None  # noqa: N815
    personGeneration: Literal["allow_all", "allow_adult"] | None = None  # noqa: N815


class _Request(Strict):
    instances: list[_Instance] = Field(min_length=1, max_length=1)
    parameters: _Parameters = _Parameters()

    @model_validator(mode="after")
    def _fits_together(self) -> "_Request":
        instance, parameters = self.instances[0], self.parameters
        if instance.lastFrame and not instance.image:
            raise ValueError("lastFrame needs image")
        if parameters.resolution != "720p" and parameters.durationSeconds != 8:
            raise ValueError(f"{parameters.resolution} takes 8 seconds")
        allowed = "allow_adult" if instance.image else "allow_all"
        if parameters.personGeneration not in (None, allowed):
            raise ValueError(f"personGeneration is {allowed} here")
        return self


async def predict(request: Request) -> Response:
    """POST /v1beta/models/{model}:predictLongRunning."""
    desk, model = admit(request), request.path_params["model"]
    if model not in MODELS:
        raise Refusal("unknown_model", f"models/{model} is no longer available")
    body = await read_json(request, _Request)
    instance, parameters = body.instances[0], body.parameters
    order = desk.order(
        "video",
        model,
        instance.prompt,
        negative_prompt=parameters.negativePrompt,
        duration_seconds=parameters.durationSeconds,
        resolution=nearest_resolution(parameters.resolution),
        aspect_ratio=nearest_ratio(parameters.aspectRatio),
        start_image_url=instance.image.url if instance.image else None,
        end_image_url=instance.lastFrame.url if instance.lastFrame else None,
    )

    async def answer(generation: Generation) -> Response:
        return JSONResponse({"name": _name_of(generation)})

    return await desk.take(request, order, answer)


async def show(request: Request) -> Response:
    """GET /v1beta/models/{model}/operations/{id}."""
    desk = admit(request)
    generation = find(desk, request.path_params["id"], "video")
    if generation.order.model != request.path_params["model"]:
        raise Refusal("not_found", "there is no such operation of this model")

    def describe(found: Generation | None) -> Mapping[str, object]:
        return _operation(desk, found or generation)

    return await answer_status(desk, generation, describe)


def _operation(desk: Desk, generation: Generation) -> dict[str, object]:
    name = _name_of(generation)
    if not generation.is_terminal:
        return {"name": name}
    if isinstance(generation.media, Media):
        uri = f"{file_uri(desk, generation)}:download?alt=media"
        return _done(name, {"generatedSamples": [{"video": {"uri": uri}}]})
    assert generation.error is not None, "what was not made has a reason"
    code, message = generation.error.code, generation.error.message
    if code == "moderation_blocked":
        filtered = {"raiMediaFilteredCount": 1, "raiMediaFilteredReasons": [_FILTERED]}
        return _done(name, filtered)
    error = {"code": _CODES.get(code, _INTERNAL), "message": message}
    return {"name": name, "done": True, "error": error}


def _done(name: str, made: Mapping[str, object]) -> dict[str, object]:
    response = {"@type": _RESPONSE, "generateVideoResponse": made}
    return {"name": name, "done": True, "response": response}


def _name_of(generation: Generation) -> str:
    return f"models/{generation.order.model}/operations/{generation.id}"


ROUTES = (
    Route("/v1beta/models/{model}:predictLongRunning", predict, methods=["POST"]),
    Route("/v1beta/models/{model}/operations/{id}", show, methods=["GET"]),
)
