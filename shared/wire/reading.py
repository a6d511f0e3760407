"""What a request says, validated by the models beside this file; what does not fit is refused."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from pydantic import TypeAdapter, ValidationError
from starlette.requests import Request

from shared.errors import InvalidJson, InvalidRequest
from shared.wire import requests


async def read(request: Request, kinds: Mapping[str, str]) -> dict[str, Any]:
    """The `body` and the `query`, each as the kind that its annotation names. Raises `InvalidJson`,
    `InvalidRequest`.
    """
    try:
        return {
            name: await _body(request, kind) if name == "body" else _query(request, kind)
            for name, kind in kinds.items()
        }
    except ValidationError as error:
        raise _refusal(error) from error


async def _body(request: Request, kind: str) -> Any:
    sent = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if sent != "application/json" and not sent.endswith("+json"):
        raise InvalidRequest("body: send it as application/json.")
    return _adapter(kind).validate_json(await request.body())


def _query(request: Request, kind: str) -> Any:
    return _adapter(kind).validate_python(dict(request.query_params))


@cache
def _adapter(kind: str) -> TypeAdapter[Any]:
    return TypeAdapter(getattr(requests, kind.removeprefix("requests.")))


def _refusal(error: ValidationError) -> InvalidJson | InvalidRequest:
    first = error.errors()[0]
    if first["type"] == "json_invalid":
        return InvalidJson(f"The body is not JSON: {first['ctx']['error']}.")
    where = ".".join(str(part) for part in first["loc"])
    return InvalidRequest(f"{where or 'body'}: {first['msg']}.", param=where or None)
