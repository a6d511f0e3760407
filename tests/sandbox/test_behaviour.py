"""The table of switches: every door reads it the same way and refuses what is not in it."""

from random import Random

import pytest

from infra.sandbox.__main__ import build_parser, read_settings
from infra.sandbox.behaviour import (
    SWITCHES,
    Behaviour,
    UnknownBehaviour,
    read_switches,
    split_prompt,
)
from infra.sandbox.chance import draw_fate
from infra.sandbox.grammars import Choice
from infra.sandbox.settings import Settings
from tests.sandbox.calls import Sandbox, read_error

SAMPLES: dict[str, object] = {
    "latency": "uniform:1:3",
    "fail": "render_failed",
    "failure_rate": 0.25,
    "failure_kinds": "render_failed,internal",
    "moderation": "late",
    "hang": True,
    "create": "hang:2.5",
    "status": "http_500",
    "lookup_lag_seconds": 20.0,
    "webhook": "duplicated:3",
    "result": "huge:900",
    "results": 3.0,
    "render": "instant",
}
MISTAKES = [
    ("wobble", True),
    ("latency", "sometimes"),
    ("latency", "uniform:1"),
    ("latency", -1),
    ("latency", "nan"),
    ("latency", True),
    ("latency", "fixed:1:2"),
    ("failure_rate", 1.5),
    ("failure_rate", True),
    ("failure_rate", "often"),
    ("failure_kinds", "render_failed,boredom"),
    ("failure_kinds", 3),
    ("hang", "maybe"),
    ("hang", 1),
    ("create", "explode"),
    ("webhook", "late"),
    ("webhook", "late:x"),
    ("result", "huge:0"),
    ("result", "redirects:0"),
    ("results", 0),
    ("create", "http_429:-1"),
    ("status", "drip:0"),
]


def test_the_samples_cover_the_table() -> None:
    assert SAMPLES.keys() == SWITCHES.keys()


@pytest.mark.parametrize("name", SAMPLES)
def test_a_switch_reads_the_same_through_every_door(sandbox: Sandbox, name: str) -> None:
    value = SAMPLES[name]
    flag = f"--{name.replace('_', '-')}"
    words = [flag] if value is True else [flag, str(value)]
    parsed = build_parser("sandbox", Settings()).parse_args(words)
    from_command_line = read_settings(parsed).behaviour

    sandbox.switch(render="real")
    from_put = sandbox.switch(**{"render": "real", name: value})
    assert from_command_line.as_json() == from_put
    assert from_put[name] == value

    directive = name if value is True else f"{name}={value}"
    assert read_switches(split_prompt(f"a fox [sandbox {directive}]")[1]) == read_switches(
        {name: value}
    )


@pytest.mark.parametrize(("name", "value"), MISTAKES)
def test_a_mistake_is_refused_by_its_name(sandbox: Sandbox, name: str, value: object) -> None:
    in_body = sandbox.order(behaviour={name: value})
    assert read_error(in_body) == (400, "invalid_request")
    assert in_body.json()["error"]["param"] == f"behaviour.{name}"
    process_wide = sandbox.http.put("/control/behaviour", json={name: value})
    assert read_error(process_wide) == (400, "invalid_request")
    assert name in process_wide.json()["error"]["message"]
    assert sandbox.stats()["accepted"] == 0


def test_a_mistake_in_a_directive_is_refused_too(sandbox: Sandbox) -> None:
    for directive in ("wobble", "latency", "webhook=late", "hang hang"):
        reply = sandbox.order(f"a fox [sandbox {directive}]")
        assert read_error(reply) == (400, "invalid_request")
        assert reply.json()["error"]["param"] == "prompt"


def test_a_directive_is_stripped_wherever_it_stands() -> None:
    assert split_prompt("a fox [sandbox hang]")[0] == "a fox"
    assert split_prompt("a fox [sandbox hang] in snow")[0] == "a fox in snow"
    assert split_prompt("[sandbox latency=1] лиса [sandbox hang]") == (
        "лиса",
        {"latency": "1", "hang": True},
    )
    assert split_prompt("a [sandboxed] fox") == ("a [sandboxed] fox", {})
    assert split_prompt("[sandbox]") == ("", {})


def test_short_words_and_aliases_mean_the_long_ones() -> None:
    assert read_switches({"fail": "render"}) == {"fail": Choice("render_failed")}
    assert read_switches({"latency_seconds": 0.5}) == {"latency": Choice("fixed", (0.5,))}
    with pytest.raises(UnknownBehaviour, match="second time"):
        read_switches({"latency": 1, "latency_seconds": 2})


def test_a_request_overrides_the_process_and_a_directive_overrides_the_request(
    sandbox: Sandbox,
) -> None:
    sandbox.switch(fail="internal")
    assert sandbox.finish()["error"]["code"] == "internal"
    own = {"fail": "out_of_capacity"}
    assert sandbox.finish(behaviour=own)["error"]["code"] == "out_of_capacity"
    again = sandbox.finish("a fox [sandbox fail=render]", behaviour=own)
    assert again["error"]["code"] == "render_failed"


def test_replacing_the_switches_forgets_the_ones_before(sandbox: Sandbox) -> None:
    at_start = sandbox.switch()
    sandbox.switch(webhook="lost", hang=True)
    assert sandbox.switch(webhook="forged")["hang"] is False
    assert sandbox.switch() == at_start
    assert sandbox.http.get("/control/behaviour").json() == at_start


def test_a_seed_repeats_every_latency_and_failure() -> None:
    switches = {"latency": "lognormal:2:0.5", "failure_rate": 0.5}
    behaviour = Behaviour().with_overrides(read_switches(switches))
    first, second = Random(3), Random(3)
    fates = [draw_fate(behaviour, first) for _ in range(200)]
    assert fates == [draw_fate(behaviour, second) for _ in range(200)]
    latencies = sorted(fate.latency_seconds for fate in fates)
    assert 1.7 < latencies[100] < 2.3
    assert {fate.failure_code for fate in fates} == {
        None,
        "render_failed",
        "out_of_capacity",
        "internal",
    }


def test_a_uniform_latency_stays_within_its_bounds() -> None:
    behaviour = Behaviour().with_overrides(read_switches({"latency": "uniform:1:3"}))
    chance = Random(1)
    drawn = [draw_fate(behaviour, chance).latency_seconds for _ in range(200)]
    assert 1 <= min(drawn) < 1.2
    assert 2.8 < max(drawn) <= 3
