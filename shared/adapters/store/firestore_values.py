"""JSON values as Firestore's wire values and back, on the raw messages: the wrapped ones cost five
times as much.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from google.cloud.firestore_v1.types import document as wrapped
from google.protobuf import struct_pb2

Value = wrapped.Value.pb()
_NULL = struct_pb2.NullValue.Value("NULL_VALUE")


def fill(fields: Any, data: Mapping[str, Any]) -> None:
    """Write a JSON object into a message's map of fields."""
    for name, value in data.items():
        _fill_value(fields[name], value)


def encode(value: Any) -> Any:
    """One JSON value."""
    message = Value()
    _fill_value(message, value)
    return message


def decode(fields: Mapping[str, Any]) -> dict[str, Any]:
    """A map of fields as a JSON object."""
    return {name: _decode_value(value) for name, value in fields.items()}


def _fill_value(message: Any, value: Any) -> None:
    if value is None:
        message.null_value = _NULL
    elif isinstance(value, bool):  # before int, which it is too
        message.boolean_value = value
    elif isinstance(value, int):
        message.integer_value = value
    elif isinstance(value, float):
        message.double_value = value
    elif isinstance(value, str):
        message.string_value = value
    elif isinstance(value, Mapping):
        message.map_value.SetInParent()
        fill(message.map_value.fields, value)
    elif isinstance(value, Sequence):
        message.array_value.SetInParent()
        for item in value:
            _fill_value(message.array_value.values.add(), item)
    else:
        raise TypeError(f"not a JSON value: {type(value).__name__}")


def _decode_value(message: Any) -> Any:
    kind = message.WhichOneof("value_type")
    if kind == "null_value":
        return None
    if kind == "map_value":
        return decode(message.map_value.fields)
    if kind == "array_value":
        return [_decode_value(item) for item in message.array_value.values]
    return getattr(message, kind)
