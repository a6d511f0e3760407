"""MiniMax (Hailuo) as its documentation describes it: V1, V2, templates and images on one host."""

from infra.sandbox.generations import Status
from infra.sandbox.settings import Settings
from infra.vendors import _minimax_v1, _minimax_v2
from infra.vendors._minimax_tasks import event, refuse_v1
from infra.vendors.desk import Wire

WIRE = Wire(
    name="minimax",
    routes=(*_minimax_v1.ROUTES, *_minimax_v2.ROUTES),
    refuse=refuse_v1,
    settings=Settings(port=8101, api_key="minimax-key", concurrency=10),
    event=event,
    news=frozenset(Status),
    submits_per_minute=5,
)
