"""Stored documents: every value comes back as it went, under names that do not change by chance."""

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import replace

import pytest
from hypothesis import given, settings, strategies as st

from shared import records
from shared.accounts import Account, Activity, Recent
from shared.failures import Failure, FailureCode
from shared.job_states import State
from shared.jobs import Job, Result, Settings
from shared.ledger import Posting, Row, RowKind, Wallet
from shared.ports import Create, Data, Document, Key, Put
from shared.slots import Slot
from shared.uploads import Upload
from shared.vendor_health import Pause, Stage, Switches
from tests.unit.domain.values import NOW_MS, any_value, job_in

SIZES = st.floats(allow_nan=False, allow_infinity=False)
RESULTS = any_value(Result, duration_seconds=st.none() | SIZES)
JOBS = any_value(
    Job,
    settings=any_value(Settings),
    results=st.lists(RESULTS, max_size=4).map(tuple),
    failure=st.none() | any_value(Failure),
)
TOKENS = st.integers(0, 10**15)
WALLETS = any_value(Wallet, available_tokens=TOKENS, held_tokens=TOKENS)
ROWS = any_value(
    Row, tokens=TOKENS, debit=st.just("a"), credit=st.text().filter(lambda t: t != "a")
)
ACTIVITIES = any_value(
    Activity,
    recent=st.lists(any_value(Recent), max_size=4).map(tuple),
    finish_tags=st.dictionaries(st.text(), st.integers()),
)


def stored(data: Data) -> Data:
    """The document as a store gives it back: through JSON, with nothing else in it."""
    text = json.dumps(data, allow_nan=False)
    read: Data = json.loads(text)
    assert read == data, "a document is plain JSON"
    return read


def document(data: Data) -> Document:
    return Document(Key("any", "id"), stored(data), version=1)


ABSENT = Document(Key("any", "id"), None, None)


# ---------------------------------------------------------------- there and back


@given(JOBS)
def test_a_job_comes_back_as_it_was_stored(job: Job) -> None:
    data = records.job_data(job)
    assert records.job(document(data)) == job
    assert data["status"] == job.status
    assert data["hidden"] is (job.deleted_at_ms is not None)
    assert data["images"] is not job.images


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("units", [1, 4])
def test_all_slots_and_all_results_of_a_job_come_back_in_their_order(
    state: State, units: int
) -> None:
    results = tuple(Result(f"k{n}", f"t{n}", "image/png", 1, n, 1, None) for n in range(units))
    fallbacks = ("nova-video", "third-video")
    job = job_in(state, units=units, results=results, fallback_models=fallbacks)
    read = records.job(document(records.job_data(job)))
    assert read is not None
    assert (read.slots, read.results, read.fallback_models) == (job.slots, results, fallbacks)
    assert read == job


@pytest.mark.parametrize("state", State)
def test_a_job_is_stored_under_its_own_id(state: State) -> None:
    job = job_in(state)
    assert records.put_job(job) == Put(Key("jobs", job.id), records.job_data(job))
    assert records.create_job(job) == Create(Key("jobs", job.id), records.job_data(job))


@given(WALLETS, ACTIVITIES)
def test_wallet_and_activity_come_back_from_their_one_document(
    wallet: Wallet, activity: Activity
) -> None:
    put = records.put_wallet(wallet, activity)
    assert put.key == records.wallet_key(wallet.user_id)
    documents = {put.key: document(put.data)}
    assert records.wallet(documents, wallet.user_id) == wallet
    assert records.wallet_of(stored(put.data)) == wallet
    assert records.activity(documents, wallet.user_id) == activity


@given(WALLETS)
def test_a_new_wallet_has_no_activity(wallet: Wallet) -> None:
    create = records.create_wallet(wallet)
    assert isinstance(create, Create)
    documents = {create.key: document(create.data)}
    assert records.wallet(documents, wallet.user_id) == wallet
    assert records.activity(documents, wallet.user_id) == replace(Activity(), finish_tags={})


def test_every_account_has_a_wallet() -> None:
    nothing = {records.wallet_key("usr_1"): Document(records.wallet_key("usr_1"), None, None)}
    with pytest.raises(AssertionError, match="every account has a wallet"):
        records.wallet(nothing, "usr_1")
    with pytest.raises(AssertionError, match="every account has a wallet"):
        records.activity(nothing, "usr_1")


@given(ROWS)
def test_a_ledger_row_comes_back_as_it_was_stored(row: Row) -> None:
    create = records.create_row(row)
    assert create.key == records.row_key(row.id)
    assert records.row(stored(create.data)) == row


@given(ROWS, ROWS)
def test_rows_are_only_ever_created(first: Row, second: Row) -> None:
    posting = Posting(Wallet("usr_1", 0, 0), (first, second))
    writes = records.create_rows(posting)
    assert [type(write) for write in writes] == [Create, Create]
    assert [write.key.id for write in writes] == [first.id, second.id]


@given(any_value(Slot))
def test_a_slot_comes_back_as_it_was_stored(slot: Slot) -> None:
    put = records.put_slot(slot)
    assert put.key == records.slot_key(slot.id)
    assert records.slot(document(put.data)) == slot
    assert put.data["busy"] is (slot.job_id is not None)


@given(any_value(Pause))
def test_a_pause_comes_back_as_it_was_stored(pause: Pause) -> None:
    put = records.put_pause(pause)
    assert put.key == records.pause_key(pause.pool, pause.account)
    assert records.pause(document(put.data)) == pause


@pytest.mark.parametrize("stage", Stage)
def test_a_stored_pause_goes_on_where_it_was(stage: Stage) -> None:
    paused = Pause("lumen", "lumen_2", stage, "provider_failed", 2, NOW_MS, NOW_MS + 9)
    read = records.pause(document(records.put_pause(paused).data))
    assert read is not None
    assert read.places(7, 1) == paused.places(7, 1)
    assert Stage(read.stage) is stage


NAMED = st.frozensets(st.text())


@given(st.builds(Switches, NAMED, NAMED))
def test_switches_come_back_as_they_were_stored(switches: Switches) -> None:
    put = records.put_switches(switches)
    assert put.key == records.SWITCHES_KEY
    assert records.switches(document(put.data)) == switches


@given(st.lists(st.text(), unique=True))
def test_the_same_switches_are_the_same_document(names: list[str]) -> None:
    forwards, backwards = frozenset(names), frozenset(reversed(names))
    assert records.put_switches(Switches(forwards)) == records.put_switches(Switches(backwards))


def test_nothing_is_off_unless_it_is_written_down() -> None:
    assert records.switches(ABSENT) == Switches()


@given(any_value(Account))
def test_an_account_comes_back_as_it_was_stored(account: Account) -> None:
    assert records.account(document(records.account_data(account))) == account


@given(any_value(Upload))
def test_an_upload_comes_back_as_it_was_stored(upload: Upload) -> None:
    assert records.upload(document(records.upload_data(upload))) == upload


@given(st.lists(st.integers(0, 10**13), max_size=9), st.integers(0, 10**13))
def test_the_times_of_uploads_come_back_from_a_moment_on(
    times_ms: list[int], since_ms: int
) -> None:
    put = records.put_upload_times("usr_1", times_ms)
    read = records.upload_times_ms(document(put.data), since_ms)
    assert read == [at_ms for at_ms in times_ms if at_ms > since_ms]


def test_what_does_not_exist_is_nothing() -> None:
    assert records.job(ABSENT) is None
    assert records.slot(ABSENT) is None
    assert records.pause(ABSENT) is None
    assert records.account(ABSENT) is None
    assert records.upload(ABSENT) is None
    assert records.upload_times_ms(ABSENT, 0) == []


# ---------------------------------------------------------------- numbers


def _leaves(data: object, name: str = "") -> Iterator[tuple[str, object]]:
    if isinstance(data, Mapping):
        for key, value in data.items():
            yield from _leaves(value, f"{name}.{key}")
    elif isinstance(data, list):
        for value in data:
            yield from _leaves(value, name)
    else:
        yield name, data


WHOLE = "tokens _ms _tag epoch attempt _count .count units failures .times"


@settings(max_examples=40)
@given(JOBS, WALLETS, ACTIVITIES, ROWS, any_value(Slot), any_value(Pause))
def test_tokens_times_and_tags_are_never_stored_as_fractions(
    job: Job, wallet: Wallet, activity: Activity, row: Row, slot: Slot, pause: Pause
) -> None:
    documents: list[Data] = [
        records.job_data(job),
        records.put_wallet(wallet, activity).data,
        records.create_row(row).data,
        records.slot_data(slot),
        records.put_pause(pause).data,
    ]
    for data in documents:
        fractions = {name for name, value in _leaves(stored(data)) if isinstance(value, float)}
        assert fractions <= {".results.duration_seconds"}
        for name, value in _leaves({**stored(data), "images": None}):  # its keys may say anything
            if name.endswith(tuple(WHOLE.split())):
                assert value is None or type(value) is int, name


@pytest.mark.parametrize("seconds", [math.nan, math.inf])
def test_a_length_that_is_no_number_is_not_json(seconds: float) -> None:
    """The store refuses it, so the media adapter must never report one."""
    result = Result("k", "t", "video/mp4", 1, 1, 1, seconds)
    with pytest.raises(ValueError, match="JSON"):
        stored(records.job_data(job_in(State.DONE, results=(result,))))


# ---------------------------------------------------------------- names

# Renaming or dropping a name here orphans what is stored already: raise SCHEMA, migrate on read.
NAMES = {
    "jobs": """
        id user_id model kind provider pool prompt settings images body_hash project_id hold_tokens
        price_tokens units fallback_models weighted_cost_ms expected_ms run_limit_ms state
        created_at_ms updated_at_ms deadline_at_ms epoch attempt busy_count account slots start_tag
        claim submitted_at_ms vendor_task_id delivered_count due_at_ms started_at_ms completed_at_ms
        quarantine_until_ms charged_tokens returned_tokens results failure deleted_at_ms status
        hidden schema
    """,
    "jobs.settings": "negative_prompt duration_seconds resolution aspect_ratio audio count",
    "jobs.results": """
        blob_key thumbnail_key content_type size_bytes width height duration_seconds
    """,
    "jobs.failure": "code message",
    "wallets": """
        user_id available_tokens held_tokens recent waiting_jobs finish_tags schema
    """,
    "wallets.recent": "at_ms body_hash job_id",
    "ledger": "id kind user_id tokens debit credit job_id note created_at_ms schema",
    "slots": """
        pool account index enabled is_kept on_trial job_id start_tag failures failed_user_ids
        judged_at_ms busy schema
    """,
    "pauses": "pool account stage reason times since_ms until_ms schema",
    "switches": "providers_off models_off schema",
    "accounts": "id email plan language sessions_epoch created_at_ms schema",
    "uploads": """
        id user_id filename content_type state created_at_ms width height error_code error_message
        schema
    """,
    "vendor_tasks": "job_id schema",
    "upload_rates": "times_ms schema",
}


def _documents() -> dict[str, Data]:
    """One full document of every collection."""
    failure = Failure(FailureCode.TIMED_OUT, "why")
    result = Result("k", "t", "video/mp4", 1, 1, 1, 4.0)
    job = records.job_data(job_in(State.DONE, failure=failure, results=(result,)))
    activity = Activity((Recent(NOW_MS, "b", "job_1"),), 1, {"lumen": 7})
    wallet = records.put_wallet(Wallet("usr_1", 1, 2), activity).data
    row = Row("r", RowKind.HOLD, "usr_1", 1, "a", "b", None, "", NOW_MS)
    return {
        "jobs": job,
        "jobs.settings": job["settings"],
        "jobs.results": job["results"][0],
        "jobs.failure": job["failure"],
        "wallets": wallet,
        "wallets.recent": wallet["recent"][0],
        "ledger": records.create_row(row).data,
        "slots": records.slot_data(Slot("lumen", "lumen", 0)),
        "pauses": records.put_pause(Pause("lumen", "lumen", "closed", "why", 1, 2, 3)).data,
        "switches": records.put_switches(Switches()).data,
        "accounts": records.account_data(Account("usr_1", "a@b.c", "free", "en", 1, NOW_MS)),
        "uploads": records.upload_data(
            Upload("img_1", "usr_1", "a.png", "image/png", "pending", NOW_MS)
        ),
        "vendor_tasks": records.vendor_task_data("job_1"),
        "upload_rates": records.put_upload_times("usr_1", []).data,
    }


@pytest.mark.parametrize("place", NAMES)
def test_stored_names_change_only_on_purpose(place: str) -> None:
    assert set(_documents()[place]) == set(NAMES[place].split())


def test_every_document_says_which_schema_it_has() -> None:
    for place, data in _documents().items():
        if "." not in place:
            assert data["schema"] == records.SCHEMA == 1


def test_every_collection_is_among_the_listed_ones() -> None:
    assert {place for place in NAMES if "." not in place} == set(records.COLLECTIONS)
    assert len(set(records.COLLECTIONS)) == len(records.COLLECTIONS)


# ---------------------------------------------------------------- indexes


@pytest.mark.parametrize("index", records.INDEXES, ids=range(len(records.INDEXES)))
def test_every_indexed_field_is_stored(index: records.Index) -> None:
    data = _documents()[index.collection]
    for order in index.fields:
        assert order.field in data
        assert data[order.field] is None or isinstance(data[order.field], str | int | bool)


def test_no_index_is_there_twice() -> None:
    assert len(set(records.INDEXES)) == len(records.INDEXES)


# ---------------------------------------------------------------- keys


def test_every_kind_of_document_has_its_own_collection() -> None:
    keys = [
        records.account_key("x"),
        records.wallet_key("x"),
        records.job_key("x"),
        records.slot_key("x"),
        records.row_key("x"),
        records.upload_key("x"),
        records.upload_rate_key("x"),
        records.vendor_task_key("x", "y"),
        records.pause_key("x", "y"),
        records.SWITCHES_KEY,
    ]
    assert {key.collection for key in keys} == set(records.COLLECTIONS)


@given(st.lists(st.tuples(st.sampled_from(["lumen", "kling"]), st.text(min_size=1)), unique=True))
def test_two_vendor_tasks_never_share_a_document(tasks: list[tuple[str, str]]) -> None:
    keys = {records.vendor_task_key(provider, task_id) for provider, task_id in tasks}
    assert len(keys) == len(tasks)


def test_every_account_in_every_pool_has_a_pause_and_slots_of_its_own() -> None:
    names = [(pool, account) for pool in ("a", "a_2", "b") for account in ("a", "a_2", "b")]
    assert len({records.pause_key(*name) for name in names}) == len(names)
    assert len({records.slot_key(Slot(*name, n).id) for name in names for n in (0, 1)}) == 18


@pytest.mark.parametrize("task_id", ["a/b", "..", ".", "__x__", "a:b", "é", " ", "x" * 200])
def test_a_vendor_may_name_its_tasks_as_it_likes(task_id: str) -> None:
    key = records.vendor_task_key("lumen", task_id)
    assert key.id.startswith("lumen:")
    assert key.id.isascii()
    assert "/" not in key.id
