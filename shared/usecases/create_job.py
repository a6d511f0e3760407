"""Start one generation: hold its price and give it its places, or a place in the line."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from shared import accounts, ids, ledger, models, records, slots
from shared.app import App
from shared.errors import (
    AppError,
    IdempotencyKeyReused,
    ImageNotReady,
    InvalidRequest,
    UnsupportedSetting,
)
from shared.fitting import Generation
from shared.job_states import State
from shared.jobs import Job
from shared.models import Model, Pool
from shared.ports import Document, Documents, Put, Write
from shared.slots import Slot
from shared.uploads import Upload
from shared.usecases import tasks
from shared.usecases.open_slots import read_open_slots
from shared.usecases.price_job import CreateJob, fitted, price_of
from shared.usecases.read_session import check_session

_SLOTS_SPARE = 1


@dataclass(frozen=True, slots=True)
class _Plan:
    """Everything that is settled before the transaction."""

    command: CreateJob
    generation: Generation
    others: tuple[Model, ...]  # that may do it instead
    pool: Pool
    job_id: str
    body_hash: str
    hold_tokens: int
    virtual_time: int
    slot_ids: tuple[str, ...]
    came_ms: int  # when the request came: a twin of it may be faster
    now_ms: int
    wait_limit_ms: int
    ready_again_ms: int
    limits: accounts.Limits

    @property
    def units(self) -> int:
        """How many places the job takes."""
        return self.pool.units(self.generation.settings.count)


class _Repeated(Exception):
    """The same request started a job a moment ago."""

    def __init__(self, job_id: str) -> None:
        super().__init__(job_id)
        self.job_id = job_id


async def create_job(app: App, command: CreateJob) -> Job:
    """The new job, or the one that this request already started.

    Raises the errors of `fitted` and `pricing`, and `InsufficientTokens`, `RateLimited`,
    `TooManyWaiting`, `IdempotencyKeyReused`, `ImageNotReady`, `SessionRevoked`.
    """
    came_ms = app.clock.now_ms()
    user_id, key_given = command.session.user_id, command.idempotency_key
    job_id = ids.job_id(user_id, key_given) if key_given else f"job_{app.ids.token()}"
    generation, body_hash = fitted(app, command)
    try:
        hold_tokens = price_of(app, command, generation, body_hash)
    except AppError:
        # A repeated request gets its job even when its quote has run out since.
        earlier = records.job(
            (await app.store.get([records.job_key(job_id)]))[records.job_key(job_id)]
        )
        if earlier is None or earlier.body_hash != body_hash:
            raise
        return earlier
    plan = await _plan(app, command, generation, job_id, body_hash, hold_tokens, came_ms)
    key = records.job_key(plan.job_id)
    reads = [
        records.account_key(user_id),
        records.wallet_key(user_id),
        records.SWITCHES_KEY,
        key,
        *(records.slot_key(slot_id) for slot_id in plan.slot_ids),
        *(records.upload_key(image_id) for image_id in sorted(set(command.images.values()))),
    ]
    try:
        after = await app.store.transact(reads, lambda documents: _decide(plan, documents))
    except _Repeated as repeated:
        key = records.job_key(repeated.job_id)
        after = await app.store.get([key])
    job = records.job(after[key])
    assert job is not None
    if job.state is State.READY:
        await tasks.push_dispatch(app, job)
    elif job.state is State.PARKED:
        await tasks.push_refill(app, job.pool, f"{job.id}:created")
    return job


async def _plan(
    app: App,
    command: CreateJob,
    generation: Generation,
    job_id: str,
    body_hash: str,
    hold_tokens: int,
    came_ms: int,
) -> _Plan:
    pool = app.catalogue.pools[generation.model.pool]
    slot_ids, virtual_time = await _places(app, pool.name, pool.units(generation.settings.count))
    settings = app.settings
    return _Plan(
        command=command,
        generation=generation,
        others=tuple(app.catalogue.models[name] for name in generation.fallback_models),
        pool=pool,
        job_id=job_id,
        body_hash=body_hash,
        hold_tokens=hold_tokens,
        virtual_time=virtual_time,
        slot_ids=slot_ids,
        came_ms=came_ms,
        now_ms=app.clock.now_ms(),
        wait_limit_ms=settings.wait_limit_seconds * 1000,
        ready_again_ms=settings.ready_again_seconds * 1000,
        limits=accounts.Limits(
            jobs_per_minute=settings.jobs_per_minute,
            uploads_per_minute=settings.uploads_per_minute,
            waiting_jobs=settings.waiting_jobs_max,
            duplicate_window_ms=settings.duplicate_window_seconds * 1000,
            retry_window_ms=settings.retry_window_seconds * 1000,
        ),
    )


async def _places(app: App, pool: str, units: int) -> tuple[tuple[str, ...], int]:
    """Free slots enough, picked at random so that callers do not meet, and the pool's virtual time.

    One query gives both: free slots come first; when there is none, the busy one that started last
    does.
    """
    seen = await read_open_slots(app, pool)
    free = [slot for slot in seen.free if not slot.is_kept]
    first = app.ids.below(len(free)) if free else 0
    turned = free[first:] + free[:first]
    spare = turned[: units + _SLOTS_SPARE] if units == 1 else slots.together(turned, units)
    return tuple(slot.id for slot in spare), seen.virtual_time


def _decide(plan: _Plan, documents: Documents) -> list[Write]:
    command, user_id = plan.command, plan.command.session.user_id
    account = check_session(command.session, documents[records.account_key(user_id)])
    existing = records.job(documents[records.job_key(plan.job_id)])
    if existing is not None:
        if existing.body_hash != plan.body_hash:
            raise IdempotencyKeyReused("This Idempotency-Key already names another request.")
        return []
    activity = records.activity(documents, user_id)
    if command.idempotency_key is None:
        repeated = accounts.find_repeat(
            activity, plan.body_hash, command.is_retry, plan.limits, plan.came_ms
        )
        if repeated is not None:
            raise _Repeated(repeated)
    model = plan.generation.model
    if records.switches(documents[records.SWITCHES_KEY]).is_off(model.provider, model.id):
        raise models.unavailable(model, plan.now_ms)
    uploads = _checked_images(plan, documents)
    taken = _free(plan, documents)
    cost = slots.weighted_cost(model.expected_seconds * 1000, account.weight)
    tags = slots.tags(plan.virtual_time, activity.finish_tag(model.pool), cost)
    entry = accounts.Recent(plan.now_ms, plan.body_hash, plan.job_id)
    activity = accounts.started(activity, entry, model.pool, tags.finish, not taken, plan.limits)
    posting = ledger.hold(
        records.wallet(documents, user_id), plan.job_id, plan.hold_tokens, plan.now_ms
    )
    job = _job(plan, uploads, taken, tags.start, cost)
    return [
        records.put_wallet(posting.wallet, activity),
        *records.create_rows(posting),
        Put(records.job_key(job.id), records.job_data(job)),
        *(records.put_slot(slots.take(slot, job.id, tags.start)) for slot in taken),
    ]


def _checked_images(plan: _Plan, documents: Documents) -> Mapping[str, Upload]:
    return {
        role: _checked_image(plan, role, documents[records.upload_key(image_id)])
        for role, image_id in plan.command.images.items()
    }


def _checked_image(plan: _Plan, role: str, document: Document) -> Upload:
    upload = records.upload(document)
    if upload is None or upload.user_id != plan.command.session.user_id:
        raise InvalidRequest("There is no such picture.", param=f"images.{role}")
    if upload.state == "pending":
        raise ImageNotReady("The picture has not been checked yet.", param=f"images.{role}")
    if upload.state == "rejected":
        raise InvalidRequest("This picture was refused.", param=f"images.{role}")
    wrong = _wrong_with(plan.generation, plan.generation.model, upload)
    if wrong is not None:
        raise UnsupportedSetting(wrong, param=f"images.{role}")
    return upload


def _wrong_with(generation: Generation, model: Model, upload: Upload) -> str | None:
    assert upload.width is not None, "a checked picture has a size"
    assert upload.height is not None, "a checked picture has a size"
    return models.wrong_with_picture(
        model.capabilities.picture, upload.width, upload.height, generation.settings.aspect_ratio
    )


def _free(plan: _Plan, documents: Documents) -> tuple[Slot, ...]:
    """The slots that are still free, if they are enough."""
    found = [records.slot(documents[records.slot_key(slot_id)]) for slot_id in plan.slot_ids]
    free = [slot for slot in found if slot is not None and slot.is_free and not slot.is_kept]
    return slots.together(free, plan.units)


def _job(
    plan: _Plan, uploads: Mapping[str, Upload], taken: Sequence[Slot], start_tag: int, cost: int
) -> Job:
    model, generation = plan.generation.model, plan.generation
    others = [
        other.id
        for other in plan.others
        if not any(_wrong_with(generation, other, upload) for upload in uploads.values())
    ]
    deadline_at_ms = plan.now_ms + plan.wait_limit_ms
    return Job(
        id=plan.job_id,
        user_id=plan.command.session.user_id,
        model=model.id,
        kind=model.kind,
        provider=model.provider,
        pool=model.pool,
        prompt=generation.prompt,
        settings=generation.settings,
        images={role: upload.clean_key for role, upload in uploads.items()},
        body_hash=plan.body_hash,
        project_id=generation.project_id,
        hold_tokens=plan.hold_tokens,
        price_tokens=plan.hold_tokens,
        units=plan.units,
        fallback_models=tuple(others),
        weighted_cost_ms=cost,
        expected_ms=model.expected_seconds * 1000,
        run_limit_ms=model.run_limit_seconds * 1000,
        state=State.READY if taken else State.PARKED,
        created_at_ms=plan.now_ms,
        updated_at_ms=plan.now_ms,
        deadline_at_ms=deadline_at_ms,
        account=taken[0].account if taken else None,
        slots=tuple(slot.id for slot in taken),
        start_tag=start_tag,
        due_at_ms=plan.now_ms + plan.ready_again_ms if taken else deadline_at_ms,
    )
