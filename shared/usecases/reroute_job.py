"""Let another model do a job whose vendor takes nothing: only what was surely never accepted moves,
only to a model that the creator or the operator has named, and the price never rises.
"""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from shared import fitting, pricing, records
from shared.app import App
from shared.errors import AppError
from shared.fitting import Generation
from shared.job_states import Event, State
from shared.jobs import Job
from shared.ports import Documents
from shared.usecases import tasks
from shared.usecases.apply_event import Choice, apply_event
from shared.usecases.open_slots import read_open_slots

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Route:
    """Another model, and who is left to try after it."""

    generation: Generation
    price_tokens: int
    left: tuple[str, ...]


async def reroute_job(app: App, job: Job, seen: Documents, claim: str | None = None) -> Job:
    """The job as it then stands: in the line of another pool, or as it was when nobody else may do
    it. With a `claim`, it moves only while it is claimed by it.
    """
    route = await _route(app, job)
    if route is None:
        return job
    changes = await _changes(app, job, route)

    def choose(current: Job) -> Choice | None:
        if claim is None:
            is_unsent = current.state in _UNSENT
        else:
            is_unsent = current.state in _NEVER_ACCEPTED and current.claim == claim
        is_as_seen = current.epoch == job.epoch and current.model == job.model
        return Choice(Event.REROUTED, changes) if is_unsent and is_as_seen else None

    after = await apply_event(app, job.id, seen, choose)
    if after.state is State.PARKED and after.model == route.generation.model.id:
        _log.warning("job rerouted", extra={"job_id": job.id, "pool": after.pool})
        await tasks.push_refill(app, after.pool, f"{after.id}:{after.epoch}:rerouted")
    return after


_UNSENT = frozenset({State.PARKED, State.READY})
# Whoever holds the claim has the vendor's no.
_NEVER_ACCEPTED = _UNSENT | {State.SUBMITTING, State.UNKNOWN}


async def _route(app: App, job: Job) -> _Route | None:
    if not job.fallback_models:
        return None
    key = records.SWITCHES_KEY
    switches = records.switches((await app.store.get([key]))[key])
    for route in _routes(app, job):
        model = route.generation.model
        if not switches.is_off(model.provider, model.id):
            return route
    return None


def _routes(app: App, job: Job) -> Iterator[_Route]:
    now_ms = app.clock.now_ms()
    asked = Generation(
        app.catalogue.models[job.model], job.prompt, job.settings, job.images, job.project_id
    )
    for place, name in enumerate(job.fallback_models):
        try:
            model = app.catalogue.sellable(name, now_ms)
            generation = fitting.fit_another(model, asked)
        except AppError:
            continue
        price_tokens = pricing.price(generation).total_tokens
        pool = app.catalogue.pools[model.pool]
        has_room = pool.units(generation.settings.count) <= pool.units_most
        if has_room and price_tokens <= job.hold_tokens:
            yield _Route(generation, price_tokens, job.fallback_models[place + 1 :])


async def _changes(app: App, job: Job, route: _Route) -> dict[str, Any]:
    model, pool = route.generation.model, app.catalogue.pools[route.generation.model.pool]
    expected_ms = model.expected_seconds * 1000
    return {
        "model": model.id,
        "provider": model.provider,
        "pool": model.pool,
        "settings": route.generation.settings,
        "price_tokens": min(route.price_tokens, job.price_tokens),
        "units": pool.units(route.generation.settings.count),
        "fallback_models": route.left,
        "expected_ms": expected_ms,
        "run_limit_ms": model.run_limit_seconds * 1000,
        "weighted_cost_ms": max(1, job.weighted_cost_ms * expected_ms // job.expected_ms),
        # Tags of one pool say nothing in another: it comes as somebody who has not used it.
        "start_tag": (await read_open_slots(app, model.pool)).virtual_time,
        "epoch": job.epoch + 1,
        "busy_count": 0,
        "due_at_ms": job.deadline_at_ms,
    }
