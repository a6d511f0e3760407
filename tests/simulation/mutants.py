"""The protocol with one thing left out, many times: what a simulator worth its name must notice.

Each mutant is a replacement in the text of one module, made in memory when the module is imported.
Its text must stand there exactly once, so that a mutant never goes stale in silence.
"""

from typing import NamedTuple


class Mutant(NamedTuple):
    """One mistake. `survives` explains why nothing can notice it, where that is so. `pairs` names
    the scenario that notices it, where it takes two faults at once, and `seeds` who notice what is
    rarer than that."""

    name: str
    module: str
    before: str
    after: str
    survives: str = ""
    pairs: str = ""
    seeds: tuple[int, ...] = ()


_USECASES = "shared.usecases"

_UNKNOWN_OUTCOME = (
    '_log.warning("submit outcome unknown", extra={"job_id": job.id, "detail": unknown.detail})'
)

_UNSENT_AS_SEEN = """\
        if claim is None:
            is_unsent = current.state in _UNSENT
        else:
            is_unsent = current.state in _NEVER_ACCEPTED and current.claim == claim
        is_as_seen = current.epoch == job.epoch and current.model == job.model
"""
_NOT_MINE = "        if current.claim != claim:\n            return None\n"
_QUARANTINED = (
    "        if current.state is State.QUARANTINED:\n            return Choice(Event.REJECTED)\n"
)

_SENDING = (
    Mutant(
        "drop the claim check",
        f"{_USECASES}.dispatch_job",
        "if job is None or job.claim != claim or job.state is not State.SUBMITTING:",
        "if job is None or job.state is not State.SUBMITTING:",
    ),
    Mutant(
        "send without a claim",
        f"{_USECASES}.dispatch_job",
        "return [records.put_job(move.job)]",
        "return []",
    ),
    Mutant(
        "claim from any state",
        f"{_USECASES}.dispatch_job",
        "if job is None or job.state is not State.READY or job.epoch != epoch:",
        "if job is None:",
    ),
    Mutant(
        "no epoch check at dispatch",
        f"{_USECASES}.dispatch_job",
        "job.state is not State.READY or job.epoch != epoch:",
        "job.state is not State.READY:",
        survives="The claim alone decides who sends. The epoch only keeps a late delivery of an"
        " earlier epoch from cutting short the pause after a busy answer.",
    ),
    Mutant(
        "no epoch in dispatch names",
        f"{_USECASES}.tasks",
        'task_key("dispatch", job.id, job.epoch, job.attempt)',
        'task_key("dispatch", job.id, job.attempt)',
    ),
    Mutant(
        "no attempt in dispatch names",
        f"{_USECASES}.tasks",
        'task_key("dispatch", job.id, job.epoch, job.attempt)',
        'task_key("dispatch", job.id, job.epoch)',
    ),
    Mutant(
        "no send window",
        f"{_USECASES}.dispatch_job",
        "if app.clock.monotonic_ms() - started_ms > app.settings.send_window_seconds * 1000:",
        "if app.clock.monotonic_ms() - started_ms > 10**9:",
    ),
    Mutant(
        "resend after unknown",
        f"{_USECASES}.dispatch_job",
        _UNKNOWN_OUTCOME,
        "await _put_back(app, job, claim, seen, None)",
    ),
    Mutant(
        "refund after unknown",
        f"{_USECASES}.dispatch_job",
        _UNKNOWN_OUTCOME,
        "await _reject(app, job, claim, seen, FailureCode.TIMED_OUT)",
    ),
    Mutant(
        "put back without epoch",
        f"{_USECASES}.dispatch_job",
        '"epoch": current.epoch + 1,\n            "busy_count"',
        '"epoch": current.epoch,\n            "busy_count"',
    ),
    Mutant(
        "put back without claim check",
        f"{_USECASES}.dispatch_job",
        f"{_NOT_MINE}{_QUARANTINED}        if not jobs",
        f"{_QUARANTINED}        if not jobs",
        pairs="busy, then unknown",
    ),
    Mutant(
        "put back for ever",
        f"{_USECASES}.dispatch_job",
        "    if job.busy_count + 1 >= app.settings.busy_attempts_max:\n",
        "    if job.busy_count + 1 >= 10**6:\n",
    ),
    Mutant(
        "reject without claim check",
        f"{_USECASES}.dispatch_job",
        "if current.claim != claim or not jobs.can(current, Event.REJECTED):",
        "if not jobs.can(current, Event.REJECTED):",
        survives="Only the claimer moves its job back to ready, so nobody else can hold the claim"
        " by the time its refusal comes.",
    ),
    Mutant(
        "a timeout is a no",
        "shared.adapters.providers.driver",
        "            raise VendorUnknown(FailureCode.TIMED_OUT, str(error)) from error",
        "            raise VendorBusy(FailureCode.TIMED_OUT, str(error)) from error",
    ),
    Mutant(
        "an error page is a no",
        "shared.adapters.providers.sandbox",
        "    return VendorUnknown(code, _said(reply, error))",
        "    return VendorBusy(code, _said(reply, error))",
    ),
)
_SLOTS = (
    Mutant(
        "free the slot when the vendor says nothing",
        "shared.job_states",
        "(State.RUNNING, Event.GAVE_UP): Rule(State.QUARANTINED, Money.RELEASE),",
        "(State.RUNNING, Event.GAVE_UP): Rule(State.FAILED, Money.RELEASE, frees_slots=True),",
    ),
    Mutant(
        "no quarantine after an unknown submit",
        "shared.job_states",
        "(State.UNKNOWN, Event.GAVE_UP): Rule(State.QUARANTINED, Money.RELEASE),",
        "(State.UNKNOWN, Event.GAVE_UP): Rule(State.FAILED, Money.RELEASE, frees_slots=True),",
    ),
    Mutant(
        "a short quarantine",
        f"{_USECASES}.repair_job",
        '"quarantine_until_ms": now_ms + job.run_limit_ms + margin_ms,',
        '"quarantine_until_ms": now_ms + 120_000,',
    ),
    Mutant(
        "keep the slot for ever",
        f"{_USECASES}.repair_job",
        "return Choice(Event.QUARANTINE_ENDED) if current.state is State.QUARANTINED else None",
        "return None",
    ),
    Mutant(
        "create without writing the slot",
        f"{_USECASES}.create_job",
        "*(records.put_slot(slots.take(slot, job.id, tags.start)) for slot in taken),",
        "",
    ),
    Mutant(
        "take slots that are not free",
        "shared.slots",
        "return self.enabled and self.job_id is None",
        "return self.enabled",
    ),
    Mutant(
        "take slots that are switched off",
        "shared.slots",
        "return self.enabled and self.job_id is None",
        "return self.job_id is None",
        survives="Every query for places asks for enabled ones, and a place that is switched off"
        " between the query and the commit loses the race of the commit.",
    ),
    Mutant(
        "free a slot without asking whose it is",
        "shared.slots",
        '    assert slot.job_id == job_id, "a slot is freed only by its owner"\n',
        "",
        survives="A second guard: job and slot are read in one call and written in one commit, so"
        " a job that says it holds a slot holds it.",
    ),
    Mutant(
        "forget to free the slot",
        f"{_USECASES}.apply_event",
        "        writes.append(records.put_slot(freed))\n",
        "",
    ),
    Mutant(
        "grant without looking again",
        f"{_USECASES}.refill_pool",
        "if not is_free or not jobs.can(waiting, Event.SLOT_GRANTED) or waiting.pool != job.pool:",
        "if False:",
    ),
    Mutant(
        "no refill after a release",
        f"{_USECASES}.apply_event",
        'await tasks.push_refill(app, before.pool, f"{after.id}:{after.epoch}:{after.state}")',
        "pass",
    ),
    Mutant(
        "the last come is served first",
        f"{_USECASES}.refill_pool",
        '(Order("start_tag"),),',
        '(Order("start_tag", descending=True),),',
    ),
    Mutant(
        "no fair tags",
        "shared.slots",
        "start = max(virtual_time, last_finish)",
        "start = virtual_time",
    ),
    Mutant(
        "lower a limit by taking places away",
        f"{_USECASES}.open_pools",
        "after = replace(present, enabled=slot.enabled, on_trial=slot.on_trial)",
        "after = replace(slot, job_id=None)",
    ),
)
_MONEY = (
    Mutant(
        "capture before storing",
        "shared.job_states",
        "(State.RUNNING, Event.SUCCEEDED): Rule(State.STORING, frees_slots=True),",
        "(State.RUNNING, Event.SUCCEEDED): Rule(State.STORING, Money.CAPTURE, frees_slots=True),",
    ),
    Mutant(
        "charge for a late result",
        "shared.job_states",
        "(State.GIFTING, Event.STORED): Rule(State.GIFTED, Money.GIFT),",
        "(State.GIFTING, Event.STORED): Rule(State.GIFTED, Money.CAPTURE),",
    ),
    Mutant(
        "no refund when the vendor fails",
        "shared.job_states",
        "(State.RUNNING, Event.VENDOR_FAILED): _REFUND,",
        "(State.RUNNING, Event.VENDOR_FAILED): Rule(State.FAILED, frees_slots=True),",
    ),
    Mutant(
        "refund a second time after the quarantine",
        "shared.job_states",
        "(State.QUARANTINED, Event.VENDOR_FAILED): Rule(State.FAILED, frees_slots=True),",
        "(State.QUARANTINED, Event.VENDOR_FAILED): _REFUND,",
    ),
    Mutant(
        "rows named by the hour",
        "shared.ledger",
        'return f"{cause}:{kind}"',
        'return f"{cause}:{kind}:{id(cause)}"',
    ),
    Mutant(
        "spend more than there is",
        "shared.ledger",
        "    if wallet.available_tokens < tokens:\n",
        "    if wallet.available_tokens < 0 * tokens:\n",
    ),
    Mutant(
        "skip the look at the job as it is now",
        f"{_USECASES}.apply_event",
        "        choice = choose(job)\n        if choice is None:\n            return []\n",
        "        choice = first\n",
    ),
    Mutant(
        "store without looking at it",
        f"{_USECASES}.store_result",
        "    except BadMedia as error:\n"
        "        raise Unusable(FailureCode.RESULT_INVALID, error.detail) from error\n",
        '    except BadMedia:\n        info = MediaInfo("video/mp4", 1, 1, None, b"")\n',
    ),
    Mutant(
        "deliver what the bucket does not have",
        f"{_USECASES}.store_result",
        "    if len(stored) == wanted:\n        return stored\n",
        "    if len(stored) < wanted:\n"
        '        return [BlobInfo(result_key(job.id, 0), 1, "video/mp4")]\n'
        "    return stored\n",
    ),
    Mutant(
        "another body under the same key",
        f"{_USECASES}.create_job",
        "        if existing.body_hash != plan.body_hash:\n",
        "        if False:\n",
    ),
    Mutant(
        "a key names nothing",
        f"{_USECASES}.create_job",
        'ids.job_id(user_id, key_given) if key_given else f"job_{app.ids.token()}"',
        'f"job_{app.ids.token()}"',
    ),
    Mutant(
        "a double click is two wishes",
        f"{_USECASES}.create_job",
        "        if repeated is not None:\n",
        "        if False:\n",
    ),
    Mutant(
        "count the waiting wrongly",
        f"{_USECASES}.apply_event",
        "        activity = accounts.stopped_waiting(activity)\n",
        "        pass\n",
    ),
)
_TRUTH = (
    Mutant(
        "take webhooks from anybody",
        f"{_USECASES}.receive_webhook",
        "if not is_callback_mac(app.settings.hook_secret, provider, job_id, mac):",
        "if False:",
    ),
    Mutant(
        "skip the vendor's signature",
        "shared.adapters.providers._signing",
        "    if not any(matches):\n",
        "    if False:\n",
    ),
    Mutant(
        "trust the webhook's task",
        f"{_USECASES}.check_job",
        "        outcome = await app.vendors.poll(ticket(app, job, task_id))\n",
        '        outcome = Outcome(task_id, "running")\n',
    ),
    Mutant(
        "adopt whatever the vendor names",
        f"{_USECASES}.check_job",
        "    if outcome.job_id not in (None, job.id):\n",
        "    if False:\n",
    ),
    Mutant(
        "no binding of tasks",
        f"{_USECASES}.bind_task",
        "[records.put_job(accepted), Create(task_key, records.vendor_task_data(job.id))]",
        "[records.put_job(accepted)]",
    ),
    Mutant(
        "bind a second task",
        f"{_USECASES}.bind_task",
        "if is_taken or current.vendor_task_id is not None or not",
        "if is_taken or not",
        survives="A second guard: a job with a task adopts no other, and of two adoptions at once"
        " the vendor's echo or the other task's own binding stops the false one.",
    ),
    Mutant(
        "a webhook is forgotten when the vendor is busy",
        f"{_USECASES}.check_job",
        '        raise Unavailable("The vendor did not confirm the task yet.") from error\n',
        "        return job\n",
    ),
    Mutant(
        "absence counts from the claim",
        f"{_USECASES}.check_job",
        "asked_at_ms - (job.started_at_ms or job.submitted_at_ms or 0)",
        "asked_at_ms - (job.submitted_at_ms or 0)",
    ),
    Mutant(
        "absence counts to when it is thought about",
        f"{_USECASES}.check_job",
        "    since_ms = asked_at_ms - ",
        "    since_ms = app.clock.now_ms() - ",
    ),
    Mutant(
        "an old answer is enough to give up",
        f"{_USECASES}.repair_job",
        "    if asked_at_ms < after.deadline_at_ms:",
        "    if now_ms < after.deadline_at_ms:",
        survives="Only a process that froze between the answer and the deadline gives up by it; the"
        " place is kept, and what was finished meanwhile comes as a gift.",
    ),
    Mutant(
        "believe in absence at once",
        f"{_USECASES}.check_job",
        "    return since_ms > app.settings.unknown_after_seconds * 1000\n",
        "    return since_ms > -(10**9)\n",
    ),
    Mutant(
        "a timeout is a failure",
        f"{_USECASES}.repair_job",
        "    after = await apply_outcome(app, job, await ask_vendor(app, job), seen)\n"
        "    if after.state is not State.RUNNING:\n",
        "    after = job\n    if after.state is not State.RUNNING:\n",
    ),
    Mutant(
        "cancel without the vendor's word",
        f"{_USECASES}.cancel_job",
        "        outcome = await app.vendors.cancel(ticket(app, job))\n",
        "        asked = await app.vendors.poll(ticket(app, job))\n"
        '        outcome = type(asked)(job.vendor_task_id, "cancelled")\n',
    ),
    Mutant(
        "cancel what was sent",
        f"{_USECASES}.cancel_job",
        "_NOT_SENT = frozenset({State.PARKED, State.READY})",
        "_NOT_SENT = frozenset({State.PARKED, State.READY, State.RUNNING})",
    ),
)
_REPAIR = (
    Mutant(
        "no sweeper",
        f"{_USECASES}.sweep",
        "        await tasks.push_repair(app, job, number)\n",
        "        pass\n",
    ),
    Mutant(
        "the sweeper does not refill",
        f"{_USECASES}.sweep",
        '        await tasks.push_refill(app, pool, f"sweep:{number}")\n',
        "",
    ),
    Mutant(
        "no look-up of an unknown submit",
        f"{_USECASES}.repair_job",
        "if app.vendors.abilities(job.provider).can_look_up:",
        "if False:",
    ),
    Mutant(
        "an unknown submit is never given up",
        f"{_USECASES}.repair_job",
        "if current.state is State.UNKNOWN and is_over:",
        "if False:",
    ),
    Mutant(
        "repair without a new name",
        "shared.jobs",
        "due_at_ms=due_at_ms, attempt=job.attempt + 1)",
        "due_at_ms=due_at_ms)",
    ),
    Mutant(
        "waiting has no end",
        f"{_USECASES}.repair_job",
        "    if now_ms >= job.deadline_at_ms:\n\n        def expire",
        "    if now_ms >= job.deadline_at_ms + 10**9:\n\n        def expire",
    ),
    Mutant(
        "storing has no end",
        f"{_USECASES}.repair_job",
        "    if app.clock.now_ms() >= job.deadline_at_ms:\n        await give_up_storing",
        "    if app.clock.now_ms() >= job.deadline_at_ms + 10**9:\n        await give_up_storing",
        survives="Whoever tries to store after the deadline gives up too; the sweeper only sees to"
        " it when nobody tries.",
    ),
    Mutant(
        "a deleted job's media are removed once",
        "shared.jobs",
        "due_at_ms=now_ms + REMOVED_AGAIN_AFTER_MS if is_over else job.due_at_ms,",
        "due_at_ms=None if is_over else job.due_at_ms,",
    ),
    Mutant(
        "a failed push ends the step",
        f"{_USECASES}.tasks",
        '        _log.warning("task not queued, the sweeper will", extra=_labels(task))\n',
        "        raise\n",
        survives="The step is committed and the caller tries again, which finds it done: slower,"
        " never wrong.",
    ),
)
_PRIVACY = (
    Mutant(
        "read anybody's job",
        f"{_USECASES}.read_jobs",
        "if job is None or job.user_id != user_id or job.deleted_at_ms is not None:",
        "if job is None or job.deleted_at_ms is not None:",
    ),
    Mutant(
        "list everybody's jobs",
        f"{_USECASES}.read_jobs",
        'where = [Where("user_id", "==", user_id), Where("hidden", "==", False)]',
        'where = [Where("hidden", "==", False)]',
    ),
)
_ELSEWHERE = (
    Mutant(
        "go elsewhere after an unknown outcome",
        f"{_USECASES}.dispatch_job",
        _UNKNOWN_OUTCOME,
        "await _go_elsewhere(app, job, claim, seen, None)",
    ),
    Mutant(
        "move what somebody else has claimed",
        f"{_USECASES}.reroute_job",
        "is_unsent = current.state in _NEVER_ACCEPTED and current.claim == claim",
        "is_unsent = current.state in _NEVER_ACCEPTED",
        survives="Only the claimer moves its job out of `submitting`, and it moves before anybody"
        " else can claim it.",
    ),
    Mutant(
        "move what was sent since it was read",
        f"{_USECASES}.reroute_job",
        _UNSENT_AS_SEEN,
        "        is_unsent = current.state in _NEVER_ACCEPTED\n"
        "        is_as_seen = current.model == job.model\n",
        seeds=(1_061_722,),
    ),
    Mutant(
        "move what was sent, when its pool closes",
        f"{_USECASES}.refill_pool",
        'Where("state", "==", State.PARKED.value)',
        'Where("state", "==", State.SUBMITTING.value)',
    ),
    Mutant(
        "the other model's price is held against nothing",
        f"{_USECASES}.reroute_job",
        '"price_tokens": min(route.price_tokens, job.price_tokens),',
        '"price_tokens": 2 * job.price_tokens,',
    ),
    Mutant(
        "keep the old model's place",
        f"{_USECASES}.reroute_job",
        '"units": pool.units(route.generation.settings.count),',
        '"units": 1,',
    ),
    Mutant(
        "a pause never ends",
        f"{_USECASES}.sweep",
        "    await try_paused_vendors(app)\n",
        "",
    ),
    Mutant(
        "a trial opens every place",
        "shared.vendor_health",
        "return min(places, of_one_job)",
        "return places",
        survives="The pause only spares the vendor and the creators; places and money are as right"
        " with many trials as with one.",
    ),
    Mutant(
        "a job that did well ends no pause",
        f"{_USECASES}.pause_vendor",
        "        await resume_vendor(app, last.pool, last.account, last.judged_at_ms)\n",
        "        pass\n",
        survives="The one place that is open for trying serves the whole line: slower, not wrong.",
    ),
    Mutant(
        "a revoked key is refused for good",
        f"{_USECASES}.dispatch_job",
        "        await _go_elsewhere(app, job, claim, seen, None)\n",
        "        await _reject(app, job, claim, seen, code)\n",
    ),
)
_SEVERAL = (
    Mutant(
        "pay for what was not made",
        "shared.jobs",
        "job.price_tokens * min(delivered, job.settings.count) // job.settings.count",
        "job.price_tokens",
    ),
    Mutant(
        "several pictures take one place",
        "shared.models",
        'return count if self.unit == "picture" else 1',
        "return 1",
    ),
    Mutant(
        "places of different accounts",
        "shared.slots",
        "found = by_account.setdefault(slot.account, [])",
        'found = by_account.setdefault("any", [])',
    ),
    Mutant(
        "nothing is kept for whoever needs several places",
        f"{_USECASES}.refill_pool",
        "            await _keep(app, job, [slot for slot in left if slot.account in able])\n",
        "            pass\n",
        survives="Newcomers that pass the line need a free place each time; in plays of minutes the"
        " head of the line gets its places all the same.",
    ),
    Mutant(
        "record a delivery that is not stored",
        f"{_USECASES}.deliver_results",
        "            await store_parcel(app, job, parcel, index)\n",
        "            pass\n",
    ),
    Mutant(
        "nobody looks for a delivery that was not recorded",
        f"{_USECASES}.deliver_results",
        "    count = 0\n    while count <",
        "    count = 0\n    while False and count <",
        survives="The creator gets the tokens back although the vendor delivered: a test of its own"
        " looks at the job whose record was lost.",
    ),
    Mutant(
        "ask the other account",
        f"{_USECASES}.tickets",
        "account=job.account,",
        'account=job.account.partition("_")[0],',
    ),
)
MUTANTS: tuple[Mutant, ...] = (
    *_SENDING,
    *_SLOTS,
    *_MONEY,
    *_TRUTH,
    *_REPAIR,
    *_ELSEWHERE,
    *_SEVERAL,
    *_PRIVACY,
)
