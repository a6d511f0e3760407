"""Every switch of the sandbox, defined once.

The command line, `PUT /control/behaviour`, the `behaviour` field of a request and the directive
inside a prompt all read the fields of `Behaviour`.
"""

# ruff: noqa: RUF009 - what _switch gives is a dataclass field with an immutable default

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

from infra.sandbox.grammars import Amount, Choice, Flag, Grammar, Number, Several, Words

SECONDS_MAX = 3600.0
HUGE_MEGABYTES_MAX = 100_000
DUPLICATES_MAX = 100
REDIRECTS_MAX = 20
RESULTS_MAX = 100
FAILURE_KINDS = ("render_failed", "out_of_capacity", "internal")

_SECONDS = Amount("seconds", 0, SECONDS_MAX)
_SECONDS_OR_LONG = Amount("seconds", 0, SECONDS_MAX, default=300)
_RETRY_AFTER = Amount("seconds", 0, SECONDS_MAX, default=2)
_BYTE_BY_BYTE = Amount("bytes_per_second", 0.1, 1e9, default=1)
_DIRECTIVE = re.compile(r" ?\[sandbox(?:\s([^\[\]]*))?\]")


class UnknownBehaviour(ValueError):
    """There is no such switch, or it cannot take this value. `name` is the switch as written."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(message)
        self.name = name


@dataclass(frozen=True, slots=True)
class Switch:
    """One row of the table: how it is written, what it is when nobody sets it, what it does."""

    name: str
    grammar: Grammar
    default: str | float | bool
    explanation: str
    alias: str | None

    @property
    def names(self) -> list[str]:
        """Every name that it goes by, its own first."""
        return [self.name, self.alias] if self.alias else [self.name]


def _switch(
    grammar: Grammar, default: str | float | bool, explanation: str, alias: str | None = None
) -> Any:
    row = {"grammar": grammar, "default": default, "explanation": explanation, "alias": alias}
    return field(default=grammar.read(default), metadata=row)


@dataclass(frozen=True, slots=True)
class Behaviour:
    """How the vendor behaves; the defaults are those of a vendor on a good day."""

    latency: Choice = _switch(
        Words(
            {
                "fixed": (_SECONDS,),
                "uniform": (Amount("from", 0, SECONDS_MAX), Amount("to", 0, SECONDS_MAX)),
                "lognormal": (Amount("median", 0, SECONDS_MAX), Amount("sigma", 0, 3)),
            },
            bare_number="fixed",
        ),
        "fixed:0",
        "seconds from acceptance to the end; rendering happens meanwhile and may take longer",
        alias="latency_seconds",
    )
    fail: Choice = _switch(
        Words(
            {"never": (), "render_failed": (), "out_of_capacity": (), "internal": ()},
            synonyms={"render": "render_failed", "capacity": "out_of_capacity"},
        ),
        "never",
        "end as failed with this code (render and capacity are short for the first two)",
    )
    failure_rate: float = _switch(
        Number("share", 0, 1), 0.0, "share of generations that end as failed, drawn by --seed"
    )
    failure_kinds: tuple[str, ...] = _switch(
        Several(FAILURE_KINDS), ",".join(FAILURE_KINDS), "codes that failure_rate draws from"
    )
    moderation: Choice = _switch(
        Words({"pass": (), "refuse": (), "late": ()}),
        "pass",
        "refuse: 422 at create; late: accepted, then failed with moderation_blocked",
    )
    hang: bool = _switch(
        Flag(), False, "the generation never ends and holds its place until cancelled"
    )
    create: Choice = _switch(
        Words(
            {
                "normal": (),
                "drop_after_accept": (),
                "drop_before_accept": (),
                "hang": (_SECONDS_OR_LONG,),
                "hang_before_accept": (_SECONDS_OR_LONG,),
                "drip": (_BYTE_BY_BYTE,),
                "http_500": (),
                "http_429": (_RETRY_AFTER,),
                "unauthorized": (),
                "no_credit": (),
                "model_gone": (),
                "html_502": (),
                "garbage_json": (),
            }
        ),
        "normal",
        "drop_*: close the connection without an answer; hang: accept, answer after the seconds; "
        "drip: accept, answer byte by byte; hang_before_accept: wait, then close without "
        "accepting; http_500, http_429 (0 seconds: without Retry-After), unauthorized, no_credit "
        "and model_gone: not accepted; html_502 and garbage_json: accepted, but the answer cannot "
        "be read",
    )
    status: Choice = _switch(
        Words(
            {
                "normal": (),
                "hang": (_SECONDS_OR_LONG,),
                "drip": (_BYTE_BY_BYTE,),
                "http_500": (),
                "http_429": (_RETRY_AFTER,),
                "unauthorized": (),
                "html": (),
                "foreign": (),
            }
        ),
        "normal",
        "what the status call and the lookup by client_id do; drip: byte by byte; html is a page "
        "with status 200; foreign answers for another generation",
    )
    lookup_lag_seconds: float = _switch(
        Number("seconds", 0, SECONDS_MAX),
        0.0,
        "how long an accepted generation stays invisible to the lookup by client_id",
    )
    webhook: Choice = _switch(
        Words(
            {
                "normal": (),
                "lost": (),
                "late": (_SECONDS,),
                "duplicated": (Amount("times", 1, DUPLICATES_MAX),),
                "reordered": (),
                "forged": (),
                "forged_foreign": (),
            }
        ),
        "normal",
        "reordered: a stale running event follows; forged: only a wrongly signed event comes; "
        "forged_foreign: only a wrongly signed event that names another generation comes",
    )
    result: Choice = _switch(
        Words(
            {
                "normal": (),
                "huge": (Amount("megabytes", 1, HUGE_MEGABYTES_MAX),),
                "corrupt": (),
                "html": (),
                "truncated": (),
                "empty": (),
                "expired": (),
                "http_403": (),
                "http_404": (),
                "slow": (Amount("bytes_per_second", 1, 1e9),),
                "hesitant": (),
                "redirect_private": (),
                "redirects": (Amount("times", 1, REDIRECTS_MAX),),
            }
        ),
        "normal",
        "what the result address serves; truncated: half of the bytes, then the connection closes; "
        "hesitant: one byte, and the rest a moment later; redirects: so many of them, then the "
        "file",
    )
    results: float = _switch(
        Number("count", 1, RESULTS_MAX),
        float(RESULTS_MAX),
        "how many results are made at most, however many were ordered",
    )
    render: Choice = _switch(
        Words({"real": (), "instant": ()}),
        "real",
        "instant: every generation gets the same tiny valid file, made once, for load tests",
    )

    def with_overrides(self, overrides: Mapping[str, object]) -> "Behaviour":
        """This behaviour with the values that `read_switches` made."""
        values: dict[str, Any] = dict(overrides)
        return replace(self, **values) if values else self

    def as_json(self) -> dict[str, object]:
        """Every switch as it would be written in a body."""
        return {
            name: switch.grammar.write(getattr(self, name)) for name, switch in SWITCHES.items()
        }


SWITCHES: Mapping[str, Switch] = {
    row.name: Switch(name=row.name, **row.metadata) for row in fields(Behaviour)
}
_NAMES = {alias: switch.name for switch in SWITCHES.values() for alias in switch.names}


def read_switches(raw: Mapping[str, object]) -> dict[str, object]:
    """Values by switch, read by the table; the first that does not fit is an UnknownBehaviour."""
    values: dict[str, object] = {}
    for written, value in raw.items():
        name = _NAMES.get(written, written)
        switch = SWITCHES.get(name)
        if switch is None:
            raise UnknownBehaviour(
                written, f"there is no switch {written!r}; there are {', '.join(SWITCHES)}"
            )
        if name in values:
            raise UnknownBehaviour(written, f"{written!r} sets {name!r} a second time")
        try:
            values[name] = switch.grammar.read(value)
        except ValueError as error:
            raise UnknownBehaviour(written, f"switch {written!r}: {error}") from error
    return values


def split_prompt(prompt: str) -> tuple[str, dict[str, object]]:
    """The caption and the raw switches of a prompt like `a red fox [sandbox latency=0.5 hang]`."""
    raw: dict[str, object] = {}
    for directive in _DIRECTIVE.findall(prompt):
        for word in directive.split():
            name, equals, value = word.partition("=")
            if name in raw:
                raise UnknownBehaviour(name, f"{name!r} stands twice in the directive")
            raw[name] = value if equals else True
    return _DIRECTIVE.sub("", prompt).strip(), raw
