"""A query of the port as Firestore's structured query."""

from typing import Any

from google.cloud.firestore_v1.types import query as wrapped

from shared.adapters.store.firestore_values import encode
from shared.ports import Order, Query, Where

_StructuredQuery = wrapped.StructuredQuery
_FieldFilter = wrapped.StructuredQuery.FieldFilter
_Unary = wrapped.StructuredQuery.UnaryFilter
_NAME = "__name__"

_OPERATORS = {
    "==": _FieldFilter.Operator.EQUAL,
    "<": _FieldFilter.Operator.LESS_THAN,
    "<=": _FieldFilter.Operator.LESS_THAN_OR_EQUAL,
    ">": _FieldFilter.Operator.GREATER_THAN,
    ">=": _FieldFilter.Operator.GREATER_THAN_OR_EQUAL,
    "in": _FieldFilter.Operator.IN,
}


def structured(query: Query, parent: str) -> Any:
    """The raw message. `parent` is the path that documents are named under."""
    message = _StructuredQuery.pb()()
    message.from_.add().collection_id = query.collection
    for where in query.where:
        _add_filter(message.where.composite_filter, where)
    for order in [*query.order, Order(_NAME, _last_descends(query))]:
        entry = message.order_by.add()
        entry.field.field_path = order.field
        entry.direction = (
            _StructuredQuery.Direction.DESCENDING
            if order.descending
            else _StructuredQuery.Direction.ASCENDING
        )
    if query.after is not None:
        *values, last_id = query.after
        message.start_at.before = False
        message.start_at.values.extend([encode(value) for value in values])
        name = f"{parent}/{query.collection}/{last_id}"
        message.start_at.values.add().reference_value = name
    message.limit.value = query.limit
    return message


def _add_filter(composite: Any, where: Where) -> None:
    composite.op = _StructuredQuery.CompositeFilter.Operator.AND
    entry = composite.filters.add()
    if where.value is None:
        entry.unary_filter.field.field_path = where.field
        entry.unary_filter.op = _Unary.Operator.IS_NULL
        return
    entry.field_filter.field.field_path = where.field
    entry.field_filter.op = _OPERATORS[where.op]
    value = list(where.value) if where.op == "in" else where.value
    entry.field_filter.value.CopyFrom(encode(value))


def _last_descends(query: Query) -> bool:
    return bool(query.order) and query.order[-1].descending
