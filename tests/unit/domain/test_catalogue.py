"""The catalogue's files: what we ship loads, and what is wrong does not.

A wrong catalogue is written into a folder of its own, beside a copy of the loader, which reads the
files that it lies with.
"""

import importlib.util
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from shared import catalogue, models, pricing
from shared.jobs import Settings
from shared.models import IMAGE_ROLES, Catalogue

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
per_second_tokens = { "480p" = 10, "720p" = 15 }
"""

OTHER = (
    GOOD.replace('provider = "sandbox"', 'provider = "zeta"')
    .replace('name = "sandbox"', 'name = "zeta"')
    .replace('pool = "sandbox"', 'pool = "zeta"')
    .replace('id = "sandbox-video"', 'id = "zeta-video"')
)


def load(folder: Path, **files: str) -> Catalogue:
    """What the loader makes of these files."""
    shutil.copy(str(catalogue.__file__), folder / "__init__.py")
    for provider, text in files.items():
        (folder / f"{provider}.toml").write_text(text)
    spec = importlib.util.spec_from_file_location("copied_catalogue", folder / "__init__.py")
    assert spec is not None
    assert spec.loader is not None
    module: Any = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    loaded = module.load()
    assert isinstance(loaded, Catalogue)
    return loaded


def changed(old: str, new: str) -> str:
    """The good file with one thing wrong."""
    assert GOOD.count(old) == 1, f"{old!r} is there {GOOD.count(old)} times"
    return GOOD.replace(old, new)


# ---------------------------------------------------------------- what we ship


def test_the_shipped_files_load_and_are_read_once() -> None:
    shipped = catalogue.load()
    assert shipped.models
    assert shipped.pools
    assert catalogue.load() is shipped


@pytest.mark.parametrize("model_id", sorted(catalogue.load().models))
def test_a_shipped_model_makes_sense(model_id: str) -> None:
    shipped = catalogue.load()
    model = shipped.models[model_id]
    can = model.capabilities
    assert model.id == model_id
    assert re.fullmatch(r"[a-z0-9][a-z0-9.-]*", model_id)
    assert shipped.pools[model.pool].provider == model.provider
    assert model.expected_seconds < model.run_limit_seconds
    assert 1 <= can.prompt_chars_min < can.prompt_chars_max
    assert set(can.images) <= set(IMAGE_ROLES)
    assert all(seconds > 0 for seconds in can.durations_seconds)
    assert all(tokens > 0 for tokens in model.price.per_second_tokens.values())
    for choices in (can.durations_seconds, can.resolutions, can.aspect_ratios):
        assert len(set(choices)) == len(choices)
    if model.kind == "video":
        assert can.durations_seconds, "a video has a length"
    if model.successor is not None:
        assert shipped.models[model.successor].state == "live"
    if model.state == "retired":
        assert model.successor is not None


@pytest.mark.parametrize("name", sorted(catalogue.load().pools))
def test_a_shipped_pool_has_places_and_somebody_to_use_them(name: str) -> None:
    shipped = catalogue.load()
    pool = shipped.pools[name]
    assert pool.name == name
    assert pool.slots >= 1
    assert pool.submits_per_second > 0
    assert any(model.pool == name for model in shipped.models.values())


def test_the_default_model_is_shipped() -> None:
    shipped = catalogue.load()
    assert shipped.models[shipped.default_model].state == "live"


# ---------------------------------------------------------------- what is right


def test_a_good_file_becomes_models_and_pools(tmp_path: Path) -> None:
    loaded = load(tmp_path, sandbox=GOOD)
    model = loaded.models["sandbox-video"]
    assert (model.provider, model.pool, model.state) == ("sandbox", "sandbox", "live")
    assert model.capabilities.durations_seconds == (2, 4)
    assert dict(model.price.per_second_tokens) == {"480p": 10, "720p": 15}
    assert loaded.pools["sandbox"].slots == 4
    fitted = models.fit(model, "a red fox", Settings(), {}, None)
    assert pricing.price(fitted).total_tokens == 20


def test_a_capability_that_is_not_written_does_not_exist(tmp_path: Path) -> None:
    can = load(tmp_path, sandbox=GOOD).models["sandbox-video"].capabilities
    assert (dict(can.images), can.negative_prompt, can.audio) == ({}, False, False)
    assert (can.prompt_chars_min, can.prompt_chars_max) == (3, 2000)


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
PER_SECOND = 'per_second_tokens = { "480p" = 10, "720p" = 15 }'
CAPABILITIES = "[models.capabilities]\n"

REFUSED = {
    "an unknown field of the file": changed('provider = "sandbox"', 'provider = "sandbox"\nx = 1'),
    "an unknown field of a pool": changed(SLOTS, f"{SLOTS}\nx = 1"),
    "an unknown field of a model": changed('kind = "video"', 'kind = "video"\nx = 1'),
    "an unknown field of the capabilities": changed(CAPABILITIES, f"{CAPABILITIES}x = 1\n"),
    "an unknown field of the price": changed(PER_SECOND, f"{PER_SECOND}\nx = 1"),
    "an unknown role": changed(CAPABILITIES, f'{CAPABILITIES}images = {{ hat = "optional" }}\n'),
    "an unknown need": changed(CAPABILITIES, f'{CAPABILITIES}images = {{ start = "maybe" }}\n'),
    "an unknown kind": changed('kind = "video"', 'kind = "sound"'),
    "an unknown state": changed('kind = "video"', 'kind = "video"\nstate = "gone"'),
    "a missing field": changed("run_limit_seconds = 60\n", ""),
    "a missing price table": GOOD[: GOOD.index("[models.price]")],
    "a resolution without a price": changed(RESOLUTIONS, 'resolutions = ["480p", "720p", "4k"]'),
    "a price without a resolution": changed(RESOLUTIONS, 'resolutions = ["480p"]'),
    "a pool that is nowhere": changed('pool = "sandbox"', 'pool = "other"'),
    "another provider's name": changed('provider = "sandbox"', 'provider = "zeta"'),
    "no places": changed(SLOTS, "slots = 0"),
    "too many places": changed(SLOTS, "slots = 1001"),
    "half a place": changed(SLOTS, "slots = 1.5"),
    "no submits": changed(SLOTS, f"{SLOTS}\nsubmits_per_second = 0"),
    "half a token": changed('"480p" = 10', '"480p" = 10.5'),
    "a negative base price": changed(PER_SECOND, f"{PER_SECOND}\nbase_tokens = -1"),
    "a price in words": changed('"480p" = 10', '"480p" = "ten"'),
    "no time to run": changed("run_limit_seconds = 60", "run_limit_seconds = 0"),
    "an endless prompt": changed(CAPABILITIES, f"{CAPABILITIES}prompt_chars_max = 10001\n"),
    "the same model twice": GOOD + GOOD[GOOD.index("[[models]]") :],
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


UNSELLABLE = {
    "no price at all": changed(PER_SECOND, ""),
    "a price by the second of a model without seconds": changed("durations_seconds = [2, 4]", ""),
    "a negative price": changed('"480p" = 10', '"480p" = -10'),
    "a free resolution": changed('"480p" = 10', '"480p" = 0'),
    "a negative duration": changed("[2, 4]", "[2, -4]"),
    "a duration twice": changed("[2, 4]", "[2, 2]"),
    "a shortest prompt above the longest": changed(
        CAPABILITIES, f"{CAPABILITIES}prompt_chars_min = 50\nprompt_chars_max = 40\n"
    ),
    "a successor that does not exist": changed(
        'kind = "video"', 'kind = "video"\nstate = "retired"\nsuccessor = "sandbox-9"'
    ),
    "a default model that is not for sale": changed(
        'kind = "video"', 'kind = "video"\nstate = "off"'
    ),
    "no default model": changed('id = "sandbox-video"', 'id = "sandbox-other"'),
    "a number in quotes": changed(SLOTS, 'slots = "4"'),
    "a yes instead of a number": changed(SLOTS, "slots = true"),
    "an empty name": changed('id = "sandbox-video"', 'id = ""'),
}


@pytest.mark.parametrize("name", UNSELLABLE)
def test_a_file_that_cannot_be_sold_from_does_not_load(name: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"."):
        load(tmp_path, sandbox=UNSELLABLE[name])


@pytest.mark.parametrize(
    "name",
    ["an unknown field of a pool", "a resolution without a price", "a missing field", "no TOML"],
)
def test_a_refusal_names_the_file(name: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"sandbox\.toml"):
        load(tmp_path, sandbox=REFUSED[name])
