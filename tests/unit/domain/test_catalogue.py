"""The catalogue's files: what we ship loads, and what is wrong does not.

A wrong catalogue is written into a folder of its own, beside a copy of the loader, which reads the
files that it lies with.
"""

import importlib.util
import re
import shutil
from collections.abc import Callable, Sequence
from datetime import date
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from shared import catalogue, fitting, models, pricing
from shared.errors import ModelUnavailable, UnsupportedSetting
from shared.jobs import Settings
from shared.models import IMAGE_ROLES, Catalogue, Condition, PictureNeed, Pool, Rates
from shared.vendor_accounts import VendorAccount
from tests.unit.domain.values import NOW_MS

GOOD = """
provider = "sandbox"

[[pools]]
name = "sandbox"
slots = 4

[[models]]
id = "sandbox-video"
name = "Sandbox Video"
kind = "video"
vendor_model = "v1"
pool = "sandbox"
expected_seconds = 5
run_limit_seconds = 60
result_max_bytes = 1000

[models.capabilities]
durations_seconds = [2, 4]
resolutions = ["480p", "720p"]
aspect_ratios = ["16:9"]

[models.price]
per_second = { "480p" = 10, "720p" = 15 }

[models.cost_microusd]
base = 20000
"""

OTHER = (
    GOOD.replace('provider = "sandbox"', 'provider = "zeta"')
    .replace('name = "sandbox"', 'name = "zeta"')
    .replace('pool = "sandbox"', 'pool = "zeta"')
    .replace('id = "sandbox-video"', 'id = "zeta-video"')
)


def loader(folder: Path, **files: str) -> Callable[[Sequence[VendorAccount] | None], Catalogue]:
    """The loader, as it lies beside these files."""
    shutil.copy(str(catalogue.__file__), folder / "__init__.py")
    for provider, text in files.items():
        (folder / f"{provider}.toml").write_text(text)
    spec = importlib.util.spec_from_file_location("copied_catalogue", folder / "__init__.py")
    assert spec is not None
    assert spec.loader is not None
    module: Any = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)

    def read(accounts: Sequence[VendorAccount] | None) -> Catalogue:
        loaded = module.load(accounts)
        assert isinstance(loaded, Catalogue)
        return loaded

    return read


def load(folder: Path, accounts: Sequence[VendorAccount] | None = None, **files: str) -> Catalogue:
    """What the loader makes of these files."""
    return loader(folder, **files)(accounts)


FULL = """
provider = "sandbox"
home = "eu.example"

[[pools]]
name = "sandbox"
slots = 4
submits_per_minute = 30
extra_answer_seconds = 120
unit = "picture"

[[models]]
id = "sandbox-picture"
name = "Sandbox Picture"
kind = "image"
vendor_model = "v1"
pool = "sandbox"
state = "retiring"
retires_on = 2027-01-31
successor = "sandbox-next"
equal = "sandbox-next"
hosts = ["eu.example", "us.example"]
expected_seconds = 5
run_limit_seconds = 60
result_max_bytes = 1000

[models.capabilities]
durations_seconds = [5, 10]
resolutions = ["1k", "2k"]
aspect_ratios = ["1:1", "16:9", "9:16"]
images = { start = "required", end = "optional" }
negative_prompt = true
audio = true
prompt_chars_min = 0
prompt_chars_max = 0
counts = [1, 2, 4]

[[models.capabilities.conditions]]
when = { resolution = ["1k"], end = [true] }
then = { duration_seconds = [5] }

[[models.capabilities.conditions]]
when = {}
then = { aspect_ratio = ["1:1", "16:9"] }

[models.capabilities.picture]
types = ["image/jpeg"]
side_min_px = 300
side_max_px = 4000
ratio_min_percent = 40
ratio_max_percent = 250
max_bytes = 5000000
crop = true

[models.price]
base = 2
per_choice = { "1k" = 5, "2k/5" = 7, "/10" = 9 }
audio_percent = 50

[[models]]
id = "sandbox-next"
name = "Sandbox Next"
kind = "image"
vendor_model = "v2"
pool = "sandbox"
expected_seconds = 5
run_limit_seconds = 60
result_max_bytes = 1000
capabilities = { counts = [1, 3] }
price = { base = 5 }
"""


def changed(old: str, new: str, text: str = GOOD) -> str:
    """The good file with one thing wrong."""
    assert text.count(old) == 1, f"{old!r} is there {text.count(old)} times"
    return text.replace(old, new)


def without(line: str) -> str:
    """The full file without one of its lines."""
    return changed(f"{line}\n", "", FULL)


# ---------------------------------------------------------------- what we ship


def test_the_shipped_files_load() -> None:
    shipped = catalogue.load()
    assert shipped.models
    assert shipped.pools


def test_the_files_are_read_once(tmp_path: Path) -> None:
    load_again = loader(tmp_path, sandbox=GOOD)
    first = load_again(None)
    (tmp_path / "sandbox.toml").unlink()
    assert load_again(None) == first
    assert load_again([VendorAccount("sandbox")]) == first


@pytest.mark.parametrize("model_id", sorted(catalogue.load().models))
def test_a_shipped_model_makes_sense(model_id: str) -> None:
    shipped = catalogue.load()
    model = shipped.models[model_id]
    can = model.capabilities
    assert model.id == model_id
    assert re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", model_id)
    assert shipped.pools[model.pool].provider == model.provider
    assert model.expected_seconds < model.run_limit_seconds
    assert 0 <= can.prompt_chars_min <= can.prompt_chars_max
    assert can.prompt_chars_max or "required" in can.images.values(), "it is told what to make"
    assert set(can.images) <= set(IMAGE_ROLES)
    assert all(seconds > 0 for seconds in can.durations_seconds)
    for rates in (model.price, model.cost_microusd):
        assert all(amount > 0 for amount in rates.per_second.values())
        assert all(amount > 0 for amount in rates.per_choice.values())
    for choices in (can.durations_seconds, can.resolutions, can.aspect_ratios, can.counts):
        assert len(set(choices)) == len(choices)
    if model.kind == "video" and not can.durations_seconds:
        assert set(model.price.per_second) | set(model.price.per_choice) <= set(can.resolutions)
    if model.successor is not None:
        assert shipped.models[model.successor].state == "live"
    if model.state == "retired":
        assert model.successor is not None
    if model.equal is not None:
        assert shipped.models[model.equal].kind == model.kind
        assert model.equal != model_id


@pytest.mark.parametrize("model_id", sorted(catalogue.load().models))
def test_whatever_is_asked_of_a_shipped_model_some_of_it_can_be_made(model_id: str) -> None:
    """Every value that it lists is part of some combination that keeps its conditions."""
    model = catalogue.load().models[model_id]
    can = model.capabilities
    plain = fitting.plainest(model)
    roles = [role for role, need in can.images.items() if need != "none"]
    for name, values in (
        ("duration_seconds", can.durations_seconds),
        ("resolution", can.resolutions),
        ("aspect_ratio", can.aspect_ratios),
        ("count", can.counts),
        ("audio", (False, True) if can.audio else (False,)),
    ):
        for value in values:
            said: dict[str, Any] = {name: value}
            assert _is_made(model, plain.prompt, Settings(**said), roles), (name, value)


def _is_made(model: models.Model, prompt: str, settings: Settings, roles: Sequence[str]) -> bool:
    """Whether it is, with some of these pictures."""
    for count in range(len(roles) + 1):
        for some in combinations(roles, count):
            try:
                fitting.fit(model, prompt, settings, dict.fromkeys(some, "img_1"), None)
            except UnsupportedSetting:
                continue
            return True
    return False


@pytest.mark.parametrize("name", sorted(catalogue.load().pools))
def test_a_shipped_pool_has_places_and_somebody_to_use_them(name: str) -> None:
    shipped = catalogue.load()
    pool = shipped.pools[name]
    users = [model for model in shipped.models.values() if model.pool == name]
    assert pool.name == name
    assert pool.slots >= 1
    assert pool.submits_per_minute > 0
    assert users
    most = max(max(model.capabilities.counts) for model in users)
    assert pool.units(most) <= pool.units_max <= min(pool.places.values())


def test_the_default_model_is_shipped() -> None:
    shipped = catalogue.load()
    assert shipped.models[shipped.default_model].state == "live"


# ---------------------------------------------------------------- what is right


def test_a_good_file_becomes_models_and_pools(tmp_path: Path) -> None:
    loaded = load(tmp_path, sandbox=GOOD)
    model = loaded.models["sandbox-video"]
    assert (model.provider, model.pool, model.state) == ("sandbox", "sandbox", "live")
    assert model.capabilities.durations_seconds == (2, 4)
    assert model.price == Rates(per_second={"480p": 10, "720p": 15})
    assert model.cost_microusd == Rates(base=20_000)
    assert loaded.pools == {"sandbox": Pool("sandbox", "sandbox", {"sandbox": 4}, 600)}
    assert loaded.pools["sandbox"].slots == 4
    fitted = fitting.fit(model, "a red fox", Settings(), {}, None)
    assert pricing.price(fitted).total_tokens == 20
    assert pricing.cost_microusd(fitted) == 20_000


def test_a_capability_that_is_not_written_does_not_exist(tmp_path: Path) -> None:
    can = load(tmp_path, sandbox=GOOD).models["sandbox-video"].capabilities
    assert (dict(can.images), can.negative_prompt, can.audio) == ({}, False, False)
    assert (can.prompt_chars_min, can.prompt_chars_max) == (3, 2000)
    assert (can.counts, can.conditions, can.picture) == ((1,), (), PictureNeed())
    assert can.camera_moves == ()


def test_every_camera_move_of_a_file_is_the_model_s(tmp_path: Path) -> None:
    text = changed(CAPABILITIES, f'{CAPABILITIES}camera_moves = ["Push in", "Shake"]\n')
    moves = load(tmp_path, sandbox=text).models["sandbox-video"].capabilities.camera_moves
    assert moves == ("Push in", "Shake")


def test_what_a_file_says_is_what_the_model_has(tmp_path: Path) -> None:
    loaded = load(tmp_path, sandbox=FULL)
    model, pool = loaded.models["sandbox-picture"], loaded.pools["sandbox"]
    can = model.capabilities
    assert (model.state, model.retires_on) == ("retiring", date(2027, 1, 31))
    assert (model.successor, model.equal) == ("sandbox-next", "sandbox-next")
    assert model.hosts == ("eu.example", "us.example")
    assert can.counts == (1, 2, 4)
    assert dict(can.images) == {"start": "required", "end": "optional"}
    assert (can.prompt_chars_min, can.prompt_chars_max) == (0, 0)
    assert can.conditions == (
        Condition({"resolution": ("1k",), "end": (True,)}, {"duration_seconds": (5,)}),
        Condition({}, {"aspect_ratio": ("1:1", "16:9")}),
    )
    assert can.conditions[0].when["end"][0] is True
    assert can.picture == PictureNeed(("image/jpeg",), 300, 4000, 40, 250, 5_000_000, crop=True)
    assert model.price == Rates(2, {}, {"1k": 5, "2k/5": 7, "/10": 9}, 50)
    assert (pool.submits_per_minute, pool.extra_answer_seconds) == (30, 120)
    assert (pool.unit, pool.units_max) == ("picture", 4)


@pytest.mark.parametrize(("unit", "units"), [("job", [1, 1, 1]), ("picture", [1, 2, 4])])
def test_a_job_takes_one_place_or_one_for_each_picture(
    unit: str, units: list[int], tmp_path: Path
) -> None:
    text = FULL.replace('unit = "picture"', f'unit = "{unit}"')
    pool = load(tmp_path, sandbox=text).pools["sandbox"]
    assert [pool.units(count) for count in (1, 2, 4)] == units
    assert pool.units_max == units[-1]


def test_every_provider_has_its_own_file(tmp_path: Path) -> None:
    loaded = load(tmp_path, sandbox=GOOD, zeta=OTHER)
    assert {model.id: model.provider for model in loaded.models.values()} == {
        "sandbox-video": "sandbox",
        "zeta-video": "zeta",
    }
    assert {pool.name: pool.provider for pool in loaded.pools.values()} == {
        "sandbox": "sandbox",
        "zeta": "zeta",
    }


# ---------------------------------------------------------------- what is wrong

SLOTS = "slots = 4"
RESOLUTIONS = 'resolutions = ["480p", "720p"]'
DURATIONS = "durations_seconds = [2, 4]"
PER_SECOND = 'per_second = { "480p" = 10, "720p" = 15 }'
BY_CHOICE = 'per_choice = { "1k" = 5, "2k/5" = 7, "/10" = 9 }'
COST = "base = 20000"
CAPABILITIES = "[models.capabilities]\n"
VIDEO = 'kind = "video"'
CONDITION = "then = { duration_seconds = [5] }"
SIDE = "side_min_px = 300"

REFUSED = {
    "an unknown field of the file": changed('provider = "sandbox"', 'provider = "sandbox"\nx = 1'),
    "an unknown field of a pool": changed(SLOTS, f"{SLOTS}\nx = 1"),
    "an unknown field of a model": changed(VIDEO, f"{VIDEO}\nx = 1"),
    "an unknown field of the capabilities": changed(CAPABILITIES, f"{CAPABILITIES}x = 1\n"),
    "an unknown field of a condition": changed(CONDITION, f"{CONDITION}\nx = 1", FULL),
    "an unknown field of the picture": changed(SIDE, f"{SIDE}\nx = 1", FULL),
    "an unknown field of the price": changed(PER_SECOND, f"{PER_SECOND}\nx = 1"),
    "an unknown field of the cost": changed(COST, f"{COST}\nx = 1"),
    "a price as it was called before": changed(PER_SECOND, "base_tokens = 5"),
    "submits as they were counted before": changed(SLOTS, f"{SLOTS}\nsubmits_per_second = 1"),
    "an unknown role": changed(CAPABILITIES, f'{CAPABILITIES}images = {{ hat = "optional" }}\n'),
    "an unknown need": changed(CAPABILITIES, f'{CAPABILITIES}images = {{ start = "maybe" }}\n'),
    "an unknown kind": changed(VIDEO, 'kind = "sound"'),
    "an unknown state": changed(VIDEO, f'{VIDEO}\nstate = "gone"'),
    "an unknown unit": changed('unit = "picture"', 'unit = "video"', FULL),
    "an unknown type of pictures": changed('["image/jpeg"]', '["image/gif"]', FULL),
    "a missing field": changed("run_limit_seconds = 60\n", ""),
    "a missing price table": GOOD[: GOOD.index("[models.price]")],
    "a resolution without a price": changed(RESOLUTIONS, 'resolutions = ["480p", "720p", "4k"]'),
    "a price without a resolution": changed(RESOLUTIONS, 'resolutions = ["480p"]'),
    "a pool that is nowhere": changed('pool = "sandbox"', 'pool = "other"'),
    "another provider's name": changed('provider = "sandbox"', 'provider = "zeta"'),
    "no places": changed(SLOTS, "slots = 0"),
    "too many places": changed(SLOTS, "slots = 1001"),
    "half a place": changed(SLOTS, "slots = 1.5"),
    "no submits": changed(SLOTS, f"{SLOTS}\nsubmits_per_minute = 0"),
    "half a submit": changed(SLOTS, f"{SLOTS}\nsubmits_per_minute = 0.5"),
    "an answer before its time": changed(SLOTS, f"{SLOTS}\nextra_answer_seconds = -1"),
    "an answer that never comes": changed(SLOTS, f"{SLOTS}\nextra_answer_seconds = 601"),
    "half a token": changed('"480p" = 10', '"480p" = 10.5'),
    "a negative base price": changed(PER_SECOND, f"{PER_SECOND}\nbase = -1"),
    "a price in words": changed('"480p" = 10', '"480p" = "ten"'),
    "sound that makes it cheaper": changed(PER_SECOND, f"{PER_SECOND}\naudio_percent = -1"),
    "no time to run": changed("run_limit_seconds = 60", "run_limit_seconds = 0"),
    "no time to be expected": changed("expected_seconds = 5", "expected_seconds = 0"),
    "a result of no bytes": changed("result_max_bytes = 1000", "result_max_bytes = 0"),
    "an endless prompt": changed(CAPABILITIES, f"{CAPABILITIES}prompt_chars_max = 10001\n"),
    "a prompt shorter than none": changed(CAPABILITIES, f"{CAPABILITIES}prompt_chars_min = -1\n"),
    "a camera move in its brackets": changed(
        CAPABILITIES, f'{CAPABILITIES}camera_moves = ["[Shake]"]\n'
    ),
    "the same camera move twice": changed(
        CAPABILITIES, f'{CAPABILITIES}camera_moves = ["Shake", "Shake"]\n'
    ),
    "the same model twice": GOOD + GOOD[GOOD.index("[[models]]") :],
    "the same pool twice": GOOD.replace(
        "[[models]]", '[[pools]]\nname = "sandbox"\nslots = 1\n[[models]]'
    ),
    "no TOML": "provider = ",
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_wrong_file_does_not_load(name: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"."):
        load(tmp_path, sandbox=REFUSED[name])


def test_one_model_id_belongs_to_one_provider(tmp_path: Path) -> None:
    twice = OTHER.replace('id = "zeta-video"', 'id = "sandbox-video"')
    with pytest.raises(ValueError, match="sandbox-video is there twice"):
        load(tmp_path, sandbox=GOOD, zeta=twice)


def test_a_model_id_that_two_providers_have_does_not_load(tmp_path: Path) -> None:
    twice = OTHER.replace('id = "zeta-video"', 'id = "sandbox-video"')
    with pytest.raises(ValueError, match="twice"):
        load(tmp_path, sandbox=GOOD, zeta=twice)


def test_a_model_runs_in_a_pool_of_its_own_provider(tmp_path: Path) -> None:
    foreign = OTHER.replace('pool = "zeta"', 'pool = "sandbox"')
    with pytest.raises(ValueError, match="no pool of its own"):
        load(tmp_path, sandbox=GOOD, zeta=foreign)


def test_one_pool_name_belongs_to_one_provider(tmp_path: Path) -> None:
    same = OTHER.replace('name = "zeta"', 'name = "sandbox"').replace(
        'pool = "zeta"', 'pool = "sandbox"'
    )
    with pytest.raises(ValueError, match="twice"):
        load(tmp_path, sandbox=GOOD, zeta=same)


# What is wrong with each, and what the refusal must say of it.
UNSELLABLE = {
    "no price at all": (changed(PER_SECOND, ""), "it has no price"),
    "sound alone": (changed(PER_SECOND, "audio_percent = 50"), "it has no price"),
    "a price by the second of a model without seconds": (
        changed(DURATIONS, ""),
        "a rate by the second needs durations",
    ),
    "a cost by the second of a model without seconds": (
        changed("base = 5", 'base = 5 }\ncost_microusd = { per_second = { "" = 1 }', FULL),
        "a rate by the second needs durations",
    ),
    "a cost of half of the resolutions": (
        changed(COST, 'per_second = { "480p" = 1 }'),
        "exactly the resolutions",
    ),
    "a cost of another resolution": (
        changed(COST, 'per_second = { "480p" = 1, "720p" = 2, "4k" = 3 }'),
        "exactly the resolutions",
    ),
    "a price without a name": (changed(RESOLUTIONS, ""), "exactly the resolutions"),
    "a choice without a price": (
        changed(BY_CHOICE, 'per_choice = { "1k" = 5, "2k/5" = 7 }', FULL),
        "per_choice says nothing of 2k/10",
    ),
    "a choice without a cost": (
        changed(COST, 'per_choice = { "480p" = 1 }'),
        "per_choice says nothing of 720p/2",
    ),
    "a free choice": (changed('"1k" = 5', '"1k" = 0', FULL), r"price\.per_choice\.1k"),
    "a negative price": (changed('"480p" = 10', '"480p" = -10'), r"price\.per_second\.480p"),
    "a free resolution": (changed('"480p" = 10', '"480p" = 0'), r"price\.per_second\.480p"),
    "a negative duration": (changed("[2, 4]", "[2, -4]"), r"durations_seconds\.1"),
    "a duration twice": (changed("[2, 4]", "[2, 2]"), "durations_seconds has a value twice"),
    "a resolution twice": (
        changed(RESOLUTIONS, 'resolutions = ["480p", "480p", "720p"]'),
        "resolutions has a value twice",
    ),
    "a shape twice": (
        changed('["16:9"]', '["16:9", "16:9"]'),
        "aspect_ratios has a value twice",
    ),
    "a count twice": (changed("[1, 2, 4]", "[1, 2, 2]", FULL), "counts has a value twice"),
    "no count": (changed("[1, 2, 4]", "[]", FULL), r"capabilities\.counts"),
    "a count of none": (changed("[1, 2, 4]", "[1, 0]", FULL), r"capabilities\.counts\.1"),
    "counts that leave one out": (changed("[1, 2, 4]", "[2, 4]", FULL), "counts begin with 1"),
    "counts in another order": (changed("[1, 2, 4]", "[2, 1]", FULL), "counts begin with 1"),
    "more counts than anybody asks for": (
        changed("[1, 2, 4]", str(list(range(1, 12))), FULL),
        r"capabilities\.counts",
    ),
    "several videos at once": (
        changed(CAPABILITIES, f"{CAPABILITIES}counts = [1, 2]\n"),
        "videos are made one by one",
    ),
    "more durations than anybody lists": (
        changed("[2, 4]", str(list(range(1, 102)))),
        r"capabilities\.durations_seconds",
    ),
    "a shortest prompt above the longest": (
        changed(CAPABILITIES, f"{CAPABILITIES}prompt_chars_min = 50\nprompt_chars_max = 40\n"),
        "the shortest prompt is longer than the longest",
    ),
    "a condition of something else": (
        changed(CONDITION, "then = { count = [1] }", FULL),
        r"a condition speaks of \['count'\]",
    ),
    "a condition on something else": (
        changed("when = { resolution =", "when = { prompt =", FULL),
        r"a condition speaks of \['prompt'\]",
    ),
    "a condition that says nothing": (
        changed(CONDITION, "then = {}", FULL),
        r"conditions\.0\.then",
    ),
    "a condition without its end": (without(CONDITION), r"conditions\.0\.then"),
    "a condition with half a second": (
        changed(CONDITION, "then = { duration_seconds = [5.5] }", FULL),
        r"conditions\.0\.then\.duration_seconds",
    ),
    "a picture of no type": (changed('["image/jpeg"]', "[]", FULL), r"picture\.types"),
    "a picture without sides": (changed(SIDE, "side_min_px = 0", FULL), r"picture\.side_min_px"),
    "a picture of no bytes": (
        changed("max_bytes = 5000000", "max_bytes = 0", FULL),
        r"picture\.max_bytes",
    ),
    "a retiring model without a day": (without("retires_on = 2027-01-31"), "has a date"),
    "a day for a model that stays": (without('state = "retiring"'), "has a date"),
    "a day for a model that is gone": (
        changed('state = "retiring"', 'state = "retired"', FULL),
        "has a date",
    ),
    "a day that is a text": (changed("2027-01-31", '"2027-01-31"', FULL), r"models\.0\.retires_on"),
    "a day that does not exist": (changed("2027-01-31", "2027-02-30", FULL), r"sandbox\.toml"),
    "a successor that does not exist": (
        changed('successor = "sandbox-next"', 'successor = "sandbox-9"', FULL),
        "sandbox-picture names sandbox-9: not there",
    ),
    "an equal that does not exist": (
        changed('equal = "sandbox-next"', 'equal = "sandbox-9"', FULL),
        "sandbox-picture names sandbox-9: not there",
    ),
    "a model that the file switches off": (
        changed(VIDEO, f'{VIDEO}\nstate = "off"'),
        r"models\.0\.state",
    ),
    "a number in quotes": (changed(SLOTS, 'slots = "4"'), r"pools\.0\.slots"),
    "a yes instead of a number": (changed(SLOTS, "slots = true"), r"pools\.0\.slots"),
    "an empty name": (changed('id = "sandbox-video"', 'id = ""'), r"models\.0\.id"),
    "a pool without a name": (changed('name = "sandbox"', 'name = ""'), r"pools\.0\.name"),
    "a pool that no queue can be named after": (
        changed('name = "sandbox"', 'name = "Sand_box"'),
        r"pools\.0\.name",
    ),
    "a pool with a name without end": (
        changed('name = "sandbox"', f'name = "{"s" * 51}"'),
        r"pools\.0\.name",
    ),
}


@pytest.mark.parametrize("name", UNSELLABLE)
def test_a_file_that_cannot_be_sold_from_does_not_load_and_says_what_is_wrong(
    name: str, tmp_path: Path
) -> None:
    text, why = UNSELLABLE[name]
    with pytest.raises(ValueError, match=why):
        load(tmp_path, sandbox=text)


@pytest.mark.parametrize("text", [REFUSED[name] for name in REFUSED if "twice" not in name])
def test_a_refusal_names_the_file(text: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"sandbox\.toml"):
        load(tmp_path, sandbox=text)


def test_a_successor_may_be_another_vendors(tmp_path: Path) -> None:
    to_zeta = changed('equal = "sandbox-next"', 'equal = "zeta-video"', FULL)
    loaded = load(tmp_path, sandbox=to_zeta, zeta=OTHER)
    assert loaded.models["sandbox-picture"].equal == "zeta-video"


# ---------------------------------------------------------------- rates by choice

CHOICES: list[tuple[str, str, str]] = [  # resolutions, durations, per_choice
    ('["1k", "2k"]', "[]", '{ "1k" = 1, "2k" = 2 }'),
    ("[]", "[5, 10]", '{ "/5" = 1, "/10" = 2 }'),
    ('["1k", "2k"]', "[5, 10]", '{ "1k" = 1, "2k" = 2 }'),
    ('["1k", "2k"]', "[5, 10]", '{ "/5" = 1, "/10" = 2 }'),
    ('["1k", "2k"]', "[5, 10]", '{ "1k/5" = 1, "1k/10" = 2, "2k/5" = 3, "2k/10" = 4 }'),
    ('["1k", "2k"]', "[5, 10]", '{ "1k" = 1, "2k/5" = 3, "/10" = 4 }'),
]


def chosen_by(resolutions: str, durations: str, per_choice: str, more: str = "") -> str:
    """The good file with these choices and their rates."""
    text = changed(RESOLUTIONS, f"resolutions = {resolutions}")
    text = changed(DURATIONS, f"durations_seconds = {durations}{more}", text)
    return changed(PER_SECOND, f"per_choice = {per_choice}", text)


@pytest.mark.parametrize("choice", CHOICES, ids=range(len(CHOICES)))
def test_a_rate_may_stand_under_the_resolution_the_duration_or_both(
    choice: tuple[str, str, str], tmp_path: Path
) -> None:
    model = load(tmp_path, sandbox=chosen_by(*choice)).models["sandbox-video"]
    can = model.capabilities
    for duration in can.durations_seconds or (None,):
        for resolution in can.resolutions or (None,):
            asked = Settings(duration_seconds=duration, resolution=resolution)
            fitted = fitting.fit(model, "a red fox", asked, {}, None)
            assert pricing.price(fitted).total_tokens in model.price.per_choice.values()


IMPOSSIBLE = """
conditions = [{ when = { resolution = ["2k"] }, then = { duration_seconds = [5] } }]
"""


def test_what_the_model_cannot_do_needs_no_rate(tmp_path: Path) -> None:
    rates = '{ "1k" = 1, "2k/5" = 3 }'
    text = chosen_by('["1k", "2k"]', "[5, 10]", rates, IMPOSSIBLE)
    assert load(tmp_path, sandbox=text).models["sandbox-video"].price.per_choice == {
        "1k": 1,
        "2k/5": 3,
    }


def test_what_the_model_can_do_with_a_picture_needs_a_rate(tmp_path: Path) -> None:
    """A condition on a picture forbids nothing for good."""
    only_with_picture = IMPOSSIBLE.replace('["2k"]', '["2k"], start = [false]')
    text = chosen_by('["1k", "2k"]', "[5, 10]", '{ "1k" = 1, "2k/5" = 3 }', only_with_picture)
    with pytest.raises(ValueError, match="per_choice says nothing of 2k/10"):
        load(tmp_path, sandbox=text)


# ---------------------------------------------------------------- our accounts


def test_without_a_list_there_is_one_account_with_each_vendor(tmp_path: Path) -> None:
    loaded = load(tmp_path, sandbox=GOOD, zeta=OTHER)
    assert {name: pool.places for name, pool in loaded.pools.items()} == {
        "sandbox": {"sandbox": 4},
        "zeta": {"zeta": 4},
    }
    assert {model.state for model in loaded.models.values()} == {"live"}


def test_every_account_has_its_own_places_and_submits(tmp_path: Path) -> None:
    accounts = [
        VendorAccount("sandbox"),
        VendorAccount("sandbox_2", places={"sandbox": 7, "another": 99}),
        VendorAccount("sandbox_3"),
    ]
    pool = load(tmp_path, accounts, sandbox=FULL).pools["sandbox"]
    assert pool.places == {"sandbox": 4, "sandbox_2": 7, "sandbox_3": 4}
    assert (pool.slots, pool.submits_per_minute) == (15, 90)


def test_an_account_that_may_submit_more_or_less_counts_with_its_own_rate(tmp_path: Path) -> None:
    accounts = [
        VendorAccount("sandbox"),
        VendorAccount("sandbox_2", rates={"sandbox": 5, "another": 99}),
        VendorAccount("zeta", rates={"sandbox": 700}),
    ]
    loaded = load(tmp_path, accounts, sandbox=FULL, zeta=OTHER)
    assert loaded.pools["sandbox"].submits_per_minute == 35
    assert loaded.pools["zeta"].submits_per_minute == 600


def test_an_account_has_places_with_its_own_vendor_alone(tmp_path: Path) -> None:
    accounts = [VendorAccount("sandbox", places={"zeta": 9}), VendorAccount("zeta_2")]
    loaded = load(tmp_path, accounts, sandbox=GOOD, zeta=OTHER)
    assert loaded.pools["sandbox"].places == {"sandbox": 4}
    assert loaded.pools["zeta"].places == {"zeta_2": 4}


def test_the_models_of_a_vendor_that_is_not_connected_are_off(tmp_path: Path) -> None:
    load_with = loader(tmp_path, sandbox=GOOD, zeta=OTHER)
    ours = load_with([VendorAccount("sandbox")])
    assert set(ours.pools) == {"sandbox"}
    assert ours.sellable("sandbox-video", NOW_MS) is ours.models["sandbox-video"]
    assert ours.models["zeta-video"].state == "off"
    with pytest.raises(ModelUnavailable):
        ours.sellable("zeta-video", NOW_MS)
    both = load_with([VendorAccount("sandbox"), VendorAccount("zeta")])
    assert both == load_with(None)
    assert both.sellable("zeta-video", NOW_MS) is both.models["zeta-video"]


def test_a_retiring_model_of_a_vendor_that_is_not_connected_is_off_too(tmp_path: Path) -> None:
    loaded = load(tmp_path, [VendorAccount("zeta")], sandbox=FULL, zeta=OTHER)
    assert {loaded.models[name].state for name in ("sandbox-picture", "sandbox-next")} == {"off"}


@pytest.mark.parametrize("accounts", [[], [VendorAccount("sandbox")]])
def test_a_retired_model_is_retired_whoever_is_connected(
    accounts: list[VendorAccount], tmp_path: Path
) -> None:
    text = changed(VIDEO, f'{VIDEO}\nstate = "retired"')
    loaded = load(tmp_path, accounts, sandbox=text)
    assert loaded.models["sandbox-video"].state == "retired"
    with pytest.raises(ModelUnavailable, match="was retired by its provider"):
        loaded.sellable("sandbox-video", NOW_MS)


def test_an_account_with_a_vendor_that_we_do_not_know_changes_nothing(tmp_path: Path) -> None:
    load_with = loader(tmp_path, sandbox=GOOD)
    ours = VendorAccount("sandbox")
    assert load_with([ours, VendorAccount("nobody")]) == load_with([ours])


# ---------------------------------------------------------------- where a model exists

SOMEWHERE: list[tuple[str, list[str], bool]] = [
    ("no account", [], False),
    ("at home", [""], True),
    ("at home, said by its address", ["https://eu.example"], True),
    ("at home, with a path", ["https://eu.example/v1"], True),
    ("in another place where it is", ["https://us.example"], True),
    ("where only other models are", ["https://cn.example"], False),
    ("with a port", ["https://us.example:8443"], True),
    ("where nobody of the vendor is", ["http://127.0.0.1:9001"], True),
    ("one account here and one elsewhere", ["https://cn.example", "https://us.example"], True),
    ("two accounts elsewhere", ["https://cn.example", "https://cn.example/v1"], False),
]


@pytest.mark.parametrize(
    ("urls", "is_there"), [case[1:] for case in SOMEWHERE], ids=[case[0] for case in SOMEWHERE]
)
def test_a_model_is_on_where_one_of_our_accounts_is(
    urls: list[str], is_there: bool, tmp_path: Path
) -> None:
    text = changed('id = "sandbox-next"', 'id = "sandbox-next"\nhosts = ["cn.example"]', FULL)
    accounts = [VendorAccount(f"sandbox_{n}", url) for n, url in enumerate(urls, 1)]
    loaded = load(tmp_path, accounts, sandbox=text)
    expected = "retiring" if is_there else "off"
    assert loaded.models["sandbox-picture"].state == expected


def test_a_model_that_names_no_host_is_everywhere(tmp_path: Path) -> None:
    for url in ("", "https://cn.example", "http://127.0.0.1:9001"):
        loaded = load(tmp_path, [VendorAccount("sandbox", url)], sandbox=FULL)
        assert loaded.models["sandbox-next"].state == "live"


def test_an_account_of_another_vendor_is_nowhere_for_this_one(tmp_path: Path) -> None:
    text = changed('id = "sandbox-next"', 'id = "sandbox-next"\nhosts = ["cn.example"]', FULL)
    accounts = [VendorAccount("sandbox"), VendorAccount("zeta", "https://cn.example")]
    loaded = load(tmp_path, accounts, sandbox=text, zeta=OTHER)
    assert loaded.models["sandbox-next"].state == "off"


# ---------------------------------------------------------------- what a newcomer gets


def named(provider: str, model_id: str) -> str:
    """The good file as another provider's, with a model of this name."""
    return (
        GOOD.replace('provider = "sandbox"', f'provider = "{provider}"')
        .replace('name = "sandbox"', f'name = "{provider}"')
        .replace('pool = "sandbox"', f'pool = "{provider}"')
        .replace('id = "sandbox-video"', f'id = "{model_id}"')
    )


NEWCOMERS: list[tuple[list[str], str]] = [
    (["alpha", "kling", "minimax", "sandbox"], "MiniMax-Hailuo-02"),
    (["alpha", "kling", "sandbox"], "kling-v2-6"),
    (["alpha", "sandbox"], "sandbox-video"),
    (["alpha"], "alpha-video"),
    ([], ""),
]


@pytest.mark.parametrize(("connected", "expected"), NEWCOMERS)
def test_a_newcomer_gets_the_best_that_is_for_sale(
    connected: list[str], expected: str, tmp_path: Path
) -> None:
    files = {
        "alpha": named("alpha", "alpha-video"),
        "kling": named("kling", "kling-v2-6"),
        "minimax": named("minimax", "MiniMax-Hailuo-02"),
        "sandbox": GOOD,
    }
    accounts = [VendorAccount(name) for name in connected]
    assert load(tmp_path, accounts, **files).default_model == expected


def test_a_newcomer_never_gets_a_retired_model(tmp_path: Path) -> None:
    retired = changed(VIDEO, f'{VIDEO}\nstate = "retired"')
    loaded = load(tmp_path, sandbox=retired, zeta=OTHER)
    assert loaded.default_model == "zeta-video"
