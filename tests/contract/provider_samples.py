"""The recorded exchanges in tests/fixtures/providers, as values, together with the vendor that they
are of. docs/adding-a-provider.md says what the files look like.
"""

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from shared.adapters import providers
from shared.adapters.providers.translator import Account, Ask, Provider
from shared.ports import (
    Accepted,
    HttpReply,
    HttpRequest,
    Outcome,
    Parcel,
    Picture,
    Ticket,
    Work,
)

SAMPLES = Path(__file__).parent.parent / "fixtures" / "providers"
JOB_ID = "job_0123456789abcdef"

Case = Mapping[str, Any]
"""One entry of a sample file."""

Read = Callable[[HttpReply], object]

# What an entry of each file must say, and what it may say.
FIELDS: Mapping[str, tuple[str, str]] = {
    "account": ("base_url api_key webhook_secrets", ""),
    "authorize": ("name now_ms request signed", ""),
    "submit": ("name work", "request raises code"),
    "submit_reply": ("name work reply accepted", ""),
    "errors": (
        "name call reply",
        "work ticket then raises code retry_after_seconds accepted",
    ),
    "working": ("name ticket request reply status_field outcome", "then"),
    "done": ("name ticket reply status_field outcome", "request then"),
    "failed": ("name ticket reply outcome", "request then"),
    "lookup": ("name ticket request task_id found absent foreign", ""),
    "cancel": ("name ticket request reply outcome", ""),
    "webhook": (
        "name headers body now_ms hint signed_headers",
        "secrets public_keys key_set_url covers stale_after_seconds",
    ),
}

# Where the ticket of a call is found when an entry has none.
_FIRST_TICKETS = {"poll": "working", "look_up": "lookup", "cancel": "cancel"}


@dataclass(frozen=True)
class Vendor:
    """A translator with its samples."""

    provider: Provider
    account: Account

    @property
    def name(self) -> str:
        return self.provider.name

    def cases(self, *files: str) -> list[Case]:
        """The entries of those of these files that this vendor has."""
        paths = [SAMPLES / self.name / f"{file}.json" for file in files]
        return [case for path in paths if path.exists() for case in _entries(path)]

    def ticket(self, case: Case) -> Ticket:
        return ticket_of(self.name, case["ticket"])

    def work(self, name: str) -> Work:
        """The work of this name in submit.json."""
        [found] = [case["work"] for case in self.cases("submit") if case["name"] == name]
        return work_of(self.name, found)

    def works(self) -> list[Work]:
        """All work that is not refused."""
        cases = self.cases("submit")
        return [work_of(self.name, case["work"]) for case in cases if "request" in case]

    def requests(self, account: Account) -> list[HttpRequest]:
        """Every first question of the samples, as the translator builds it."""
        provider = self.provider
        built = [provider.submit(work, account) for work in self.works()]
        for ability, files in (
            (provider.poll, ("working", "done", "failed")),
            (provider.lookup, ("lookup",)),
            (provider.cancel, ("cancel",)),
        ):
            if ability:
                tickets = map(self.ticket, self.cases(*files))
                built += [ability.request(ticket, account) for ticket in tickets]
        return built

    def later_requests(self) -> list[HttpRequest]:
        """Every further question of the samples; `exchanges` sees that these are what is asked."""
        polls = self.cases("working", "done", "failed", "errors")
        return [request_of(step["request"]) for case in polls for step in case.get("then", [])]

    def exchanges(self, case: Case) -> list[tuple[Read, Case]]:
        """What reads each reply of an entry, with that reply. A poll may need several."""
        exchanges = [(self._first_reader(case), case["reply"])]
        for step in case.get("then", []):
            read, reply = exchanges[-1]
            said = read(reply_of(reply))
            assert isinstance(said, Ask)
            assert said.request == request_of(step["request"])
            exchanges.append((said.read, step["reply"]))
        return exchanges

    def readers(self) -> Sequence[tuple[str, Read]]:
        """Everything that reads replies, each with the name of its call."""
        return _readers(self)

    def _first_reader(self, case: Case) -> Read:
        provider, account = self.provider, self.account
        call = case.get("call", "poll")
        if call == "submit":
            work = self.work(case["work"]) if "work" in case else self.works()[0]
            return lambda reply: provider.accepted(reply, work)
        ticket = self.ticket(case if "ticket" in case else self.cases(_FIRST_TICKETS[call])[0])
        if call == "poll":
            assert provider.poll
            poll = provider.poll.read
            return lambda reply: poll(reply, ticket, account)
        ability = provider.lookup if call == "look_up" else provider.cancel
        assert ability
        read = ability.read
        return lambda reply: read(reply, ticket)


@cache
def meet(name: str) -> Vendor:
    """A vendor whose samples have no problems."""
    account = json.loads((SAMPLES / name / "account.json").read_text())
    return Vendor(providers.load(name), _account_of(name, account))


def problems_of(name: str) -> list[str]:
    """What keeps a vendor from being checked at all."""
    try:
        provider = providers.load(name)
    except Exception as error:  # noqa: BLE001 - one half-written file must not stop the others
        return [f"{name}.py does not load: {error!r}"]
    needed = {"account", "authorize", "submit", "submit_reply", "errors"}
    needed |= {"working", "done", "failed"} if provider.poll else set()
    needed |= {"lookup"} if provider.lookup else set()
    needed |= {"cancel"} if provider.cancel else set()
    needed |= {"webhook"} if provider.webhook else set()
    files = {path.stem for path in (SAMPLES / name).glob("*.json")}
    problems = [f"{file}.json is missing" for file in sorted(needed - files)]
    problems += [f"{file}.json is of no use" for file in sorted(files - needed)]
    for file in sorted(needed & files):
        problems += _problems_of_file(SAMPLES / name / f"{file}.json")
    return problems


def _problems_of_file(path: Path) -> list[str]:
    try:
        listed = json.loads(path.read_text())
        problems = problems_in(path.stem, [listed] if path.stem == "account" else listed)
        if path.stem == "account" and not problems:
            _account_of(path.parent.name, listed)
    except ValueError as error:
        return [f"{path.name}: {error}"]
    return problems


def problems_in(file: str, entries: Any) -> list[str]:
    """What is wrong with the entries of a file."""
    is_list = isinstance(entries, list) and all(isinstance(entry, dict) for entry in entries)
    if not is_list or not entries:
        return [f"{file}.json holds no list of entries"]
    must, may = (set(words.split()) for words in FIELDS[file])
    names = [(entry.get("call", ""), entry.get("name")) for entry in entries]
    return [
        *(f"{file}.json has {name} twice" for name in set(names) if names.count(name) > 1),
        *(
            f"{file}.json, {entry.get('name')}: without {sorted(must - set(entry))}"
            for entry in entries
            if must - set(entry)
        ),
        *(
            f"{file}.json, {entry.get('name')}: there is no field {sorted(set(entry) - must - may)}"
            for entry in entries
            if set(entry) - must - may
        ),
    ]


@cache
def _entries(file: Path) -> Sequence[Case]:
    entries: list[Case] = json.loads(file.read_text())
    return entries


@cache
def _readers(vendor: Vendor) -> Sequence[tuple[str, Read]]:
    calls = [{**case, "call": "submit"} for case in vendor.cases("submit_reply")]
    calls += [{**case, "call": "poll"} for case in vendor.cases("working", "done")]
    calls += [
        {**case, "call": "look_up", "reply": case["found"]} for case in vendor.cases("lookup")
    ]
    calls += [{**case, "call": "cancel"} for case in vendor.cases("cancel")]
    return [(call["call"], read) for call in calls for read, _reply in vendor.exchanges(call)]


# ---------------------------------------------------------------- the values in the files


def bytes_of(sample: Any) -> bytes:
    """A text, `{"base64": …}`, or a list of these."""
    if isinstance(sample, str):
        return sample.encode()
    if isinstance(sample, list):
        return b"".join(map(bytes_of, sample))
    return base64.b64decode(sample["base64"], validate=True)


def request_of(sample: Case) -> HttpRequest:
    body = {"body": bytes_of(sample["body"])} if "body" in sample else {}
    return HttpRequest(**{**sample, **body})


def reply_of(sample: Case) -> HttpReply:
    assert set(sample) <= {"status", "headers", "json", "body"}
    body = json.dumps(sample["json"]).encode() if "json" in sample else b""
    body += bytes_of(sample.get("body", ""))
    return HttpReply(sample["status"], sample.get("headers", {}), body)


def _account_of(name: str, sample: Case) -> Account:
    return Account(name, name, **{**sample, "webhook_secrets": tuple(sample["webhook_secrets"])})


def ticket_of(name: str, sample: Case) -> Ticket:
    whose = {"provider": name, "account": name, "job_id": JOB_ID}
    return Ticket(**{**whose, **sample, "roles": frozenset(sample.get("roles", []))})


def work_of(name: str, sample: Case) -> Work:
    images = {role: _picture_of(picture) for role, picture in sample.get("images", {}).items()}
    unsaid = {
        "negative_prompt": None,
        "duration_seconds": None,
        "resolution": None,
        "aspect_ratio": None,
        "audio": False,
        "count": 1,
        "callback_url": "",
    }
    ticket = replace(ticket_of(name, sample["ticket"]), roles=frozenset(images))
    return Work(**{**unsaid, **sample, "ticket": ticket, "images": images})


def accepted_of(sample: Case) -> Accepted:
    return Accepted(**{**sample, "parcels": parcels_of(sample)})


def outcome_of(sample: Case) -> Outcome:
    return Outcome(**{**sample, "parcels": parcels_of(sample)})


def parcels_of(sample: Case) -> tuple[Parcel, ...]:
    return tuple(
        Parcel(content=bytes_of(parcel["content"])) if "content" in parcel else Parcel(**parcel)
        for parcel in sample.get("parcels", [])
    )


def _picture_of(sample: Case) -> Picture:
    return Picture(sample["url"], sample["content_type"], bytes_of(sample.get("content", "")))
