"""Reading requests as strictly as the vendors do: unknown fields and loose types are refused."""

import json
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from starlette.requests import Request

from infra.sandbox.api import read_body
from infra.sandbox.refusals import Refusal, refuse_field

_Body = TypeVar("_Body", bound=BaseModel)


class Strict(BaseModel):
    """A body with exactly these fields, in exactly these types."""

    model_config = ConfigDict(extra="forbid", strict=True)


async def read_json(request: Request, kind: type[_Body]) -> _Body:
    """The body of a request as a value. Raises `Refusal` that names the first field at fault."""
    if not request.headers.get("content-type", "").startswith("application/json"):
        raise Refusal("invalid_request", "the content type is not application/json")
    try:
        raw: Any = json.loads(await read_body(request))
    except ValueError as error:
        raise Refusal("invalid_request", "the body is not JSON") from error
    return checked(raw, kind)


def checked(raw: object, kind: type[_Body]) -> _Body:
    """A value out of JSON. Raises `Refusal` that names the first field at fault."""
    try:
        return kind.model_validate(raw)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "body"
        raise refuse_field(where, f"{where}: {first['msg']}") from error
