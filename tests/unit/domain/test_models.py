"""What a model can do decides what may be asked of it: every refusal names its field."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given, strategies as st

from shared import catalogue, fitting
from shared.errors import AppError, ModelUnavailable, PromptLength, UnknownModel, UnsupportedSetting
from shared.fitting import Generation
from shared.jobs import Settings
from shared.models import IMAGE_ROLES, Capabilities, Catalogue, Model, ModelState
from tests.unit.domain.values import CAPABILITIES, NOW_MS, model

PROMPT = "a red fox"
NOTHING = Capabilities((), (), (), {}, False, False, 3, 2000)


def fit(prompt: str = PROMPT, can: Capabilities = CAPABILITIES, **changes: Any) -> Generation:
    """Ask for a video with these settings and pictures."""
    images = changes.pop("images", {})
    return fitting.fit(model(capabilities=can), prompt, Settings(**changes), images, None)


# ---------------------------------------------------------------- prompts


LETTERS = {"Latin": "a", "Cyrillic": "й", "Chinese": "狐", "emoji": "🦊", "mathematical": "𝔣"}


@pytest.mark.parametrize("letter", LETTERS.values(), ids=LETTERS.keys())
@pytest.mark.parametrize("length", [3, 4, 1999, 2000])
def test_a_prompt_of_three_to_two_thousand_characters_is_taken(letter: str, length: int) -> None:
    assert fit(letter * length).prompt == letter * length


@pytest.mark.parametrize("letter", LETTERS.values(), ids=LETTERS.keys())
@pytest.mark.parametrize("length", [1, 2, 2001, 20_000])
def test_a_shorter_or_longer_prompt_is_refused_with_its_length(letter: str, length: int) -> None:
    with pytest.raises(PromptLength) as refused:
        fit(letter * length)
    assert (refused.value.code, refused.value.param) == ("prompt_length", "prompt")
    assert refused.value.message == f"The prompt has {length} characters; it takes 3 to 2000."


SPACES = [" ", "\n", "\t", "\r\n", "\u00a0", "\u3000", " \n "]


@pytest.mark.parametrize("space", SPACES, ids=[ascii(space) for space in SPACES])
def test_space_around_a_prompt_is_neither_counted_nor_kept(space: str) -> None:
    assert fit(f"{space}fox{space}").prompt == "fox"
    assert fit(space + "x" * 2000 + space).prompt == "x" * 2000
    with pytest.raises(PromptLength, match="has 2 characters"):
        fit(f"{space}ab{space}")


@pytest.mark.parametrize("prompt", ["", "   ", "\n\n\n\n", " \u00a0\u3000 "])
def test_a_prompt_of_space_alone_is_empty(prompt: str) -> None:
    with pytest.raises(PromptLength, match="has 0 characters"):
        fit(prompt)


def test_space_within_a_prompt_is_the_creators_own() -> None:
    assert fit("a  red\n\nfox").prompt == "a  red\n\nfox"


def test_the_limits_of_a_prompt_are_the_models_own() -> None:
    can = replace(CAPABILITIES, prompt_chars_min=5, prompt_chars_max=6)
    assert fit("12345", can).prompt == "12345"
    assert fit("123456", can).prompt == "123456"
    for prompt in ("1234", "1234567"):
        with pytest.raises(PromptLength, match="it takes 5 to 6"):
            fit(prompt, can)


SILENT = replace(
    CAPABILITIES, prompt_chars_min=0, prompt_chars_max=0, images={"source": "required"}
)


@pytest.mark.parametrize("prompt", ["", "  ", "\n"])
def test_a_model_that_takes_no_prompt_is_asked_with_a_picture_alone(prompt: str) -> None:
    fitted = fit(prompt, SILENT, images={"source": "img_1"})
    assert (fitted.prompt, dict(fitted.images)) == ("", {"source": "img_1"})


@pytest.mark.parametrize("prompt", ["x", "a red fox", " x "])
def test_a_prompt_that_a_model_does_not_take_is_refused_and_not_dropped(prompt: str) -> None:
    with pytest.raises(PromptLength) as refused:
        fit(prompt, SILENT, images={"source": "img_1"})
    assert refused.value.message == "Lumen Video takes no prompt."
    assert refused.value.param == "prompt"


def test_a_prompt_may_be_left_out_where_the_model_does_without() -> None:
    can = replace(CAPABILITIES, prompt_chars_min=0)
    assert fit("", can).prompt == ""
    assert fit("a red fox", can).prompt == "a red fox"


# ---------------------------------------------------------------- settings

REFUSED: list[tuple[dict[str, Any], Capabilities, str]] = [
    ({"duration_seconds": 5}, CAPABILITIES, "duration_seconds"),
    ({"duration_seconds": 0}, CAPABILITIES, "duration_seconds"),
    ({"duration_seconds": -4}, CAPABILITIES, "duration_seconds"),
    ({"duration_seconds": 4}, NOTHING, "duration_seconds"),
    ({"resolution": "480p"}, CAPABILITIES, "resolution"),
    ({"resolution": "720P"}, CAPABILITIES, "resolution"),
    ({"resolution": ""}, CAPABILITIES, "resolution"),
    ({"resolution": "720p"}, NOTHING, "resolution"),
    ({"aspect_ratio": "1:1"}, CAPABILITIES, "aspect_ratio"),
    ({"aspect_ratio": "16:9 "}, CAPABILITIES, "aspect_ratio"),
    ({"aspect_ratio": "16:9"}, NOTHING, "aspect_ratio"),
    ({"audio": True}, NOTHING, "audio"),
    ({"negative_prompt": "blur"}, NOTHING, "negative_prompt"),
    ({"count": 2}, CAPABILITIES, "count"),
    ({"count": 2}, NOTHING, "count"),
    ({"count": 0}, CAPABILITIES, "count"),
    ({"count": -1}, CAPABILITIES, "count"),
    ({"count": 3}, replace(CAPABILITIES, counts=(1, 2, 4)), "count"),
    ({"images": {"end": "img_1"}}, CAPABILITIES, "images.end"),
    ({"images": {"subject": "img_1"}}, CAPABILITIES, "images.subject"),
    ({"images": {"start": "img_1", "source": "img_2"}}, CAPABILITIES, "images.source"),
    ({"images": {"start": "img_1"}}, NOTHING, "images.start"),
    ({"images": {"hat": "img_1"}}, CAPABILITIES, "images.hat"),
    ({}, replace(CAPABILITIES, images={"source": "required"}), "images.source"),
    (
        {"images": {"start": "img_1"}},
        replace(CAPABILITIES, images={"start": "optional", "end": "required"}),
        "images.end",
    ),
]


@pytest.mark.parametrize(("asked", "can", "param"), REFUSED, ids=range(len(REFUSED)))
def test_what_a_model_cannot_do_is_refused_by_the_name_of_the_field(
    asked: dict[str, Any], can: Capabilities, param: str
) -> None:
    with pytest.raises(UnsupportedSetting) as refused:
        fit(PROMPT, can, **asked)
    assert refused.value.param == param
    assert (refused.value.code, refused.value.status) == ("unsupported_setting", 422)
    assert refused.value.message.startswith("Lumen Video ")


def test_a_refusal_lists_what_would_be_taken() -> None:
    with pytest.raises(UnsupportedSetting, match="takes 4, 8 as duration_seconds"):
        fit(duration_seconds=5)
    with pytest.raises(UnsupportedSetting, match="takes 720p, 1080p as resolution"):
        fit(resolution="8k")
    with pytest.raises(UnsupportedSetting, match="takes nothing as aspect_ratio"):
        fit(PROMPT, NOTHING, aspect_ratio="1:1")
    with pytest.raises(UnsupportedSetting, match="takes 1, 2, 4 as count"):
        fit(PROMPT, replace(CAPABILITIES, counts=(1, 2, 4)), count=3)


@pytest.mark.parametrize("count", [1, 2, 4])
def test_as_many_results_as_the_model_makes_can_be_asked_for(count: int) -> None:
    can = replace(CAPABILITIES, counts=(1, 2, 4))
    assert fit(PROMPT, can, count=count).settings.count == count


def test_one_result_is_made_when_nobody_says_how_many() -> None:
    assert fit(PROMPT, replace(CAPABILITIES, counts=(1, 2, 4))).settings.count == 1


def test_what_is_not_said_is_the_models_first_choice() -> None:
    assert fit().settings == Settings(
        negative_prompt=None,
        duration_seconds=4,
        resolution="720p",
        aspect_ratio="16:9",
        audio=False,
        count=1,
    )


def test_a_setting_that_a_model_does_not_have_stays_empty() -> None:
    assert fit(PROMPT, NOTHING).settings == Settings()


def test_what_is_said_stays() -> None:
    asked = Settings("blur", 8, "1080p", "9:16", audio=True, count=2)
    images = {"start": "img_1"}
    can = replace(CAPABILITIES, counts=(1, 2))
    fitted = fitting.fit(model(capabilities=can), PROMPT, asked, images, "prj_1")
    assert (fitted.settings, fitted.project_id) == (asked, "prj_1")
    assert dict(fitted.images) == {"start": "img_1"}


def test_an_empty_negative_prompt_is_none() -> None:
    assert fit(negative_prompt="").settings.negative_prompt is None
    assert fit(PROMPT, NOTHING, negative_prompt="").settings.negative_prompt is None


def test_a_request_does_not_follow_its_callers_pictures() -> None:
    images = {"start": "img_1"}
    fitted = fitting.fit(model(), PROMPT, Settings(), images, None)
    images["start"] = "img_2"
    assert dict(fitted.images) == {"start": "img_1"}


@given(
    prompt=st.text(max_size=30),
    asked=st.builds(
        Settings,
        negative_prompt=st.none() | st.text(max_size=5),
        duration_seconds=st.none() | st.sampled_from([0, 4, 5, 8]),
        resolution=st.none() | st.sampled_from(["720p", "1080p", "8k"]),
        aspect_ratio=st.none() | st.sampled_from(["16:9", "2:1"]),
        audio=st.booleans(),
        count=st.integers(0, 4),
    ),
    roles=st.sets(st.sampled_from(IMAGE_ROLES)),
    can=st.sampled_from(
        [
            CAPABILITIES,
            NOTHING,
            SILENT,
            replace(CAPABILITIES, images={"end": "required"}, counts=(1, 2, 4)),
        ]
    ),
)
def test_whatever_is_asked_either_fits_wholly_or_is_refused_by_a_field(
    prompt: str, asked: Settings, roles: set[str], can: Capabilities
) -> None:
    images = dict.fromkeys(roles, "img_1")
    answer = _fitted_or_refused(model(capabilities=can), prompt, asked, images)
    if isinstance(answer, AppError):
        assert answer.status == 422
        assert answer.param is not None
        return
    fitted, got = answer, answer.settings
    assert can.prompt_chars_min <= len(fitted.prompt) <= can.prompt_chars_max
    assert got.duration_seconds in (can.durations_seconds or (None,))
    assert got.resolution in (can.resolutions or (None,))
    assert got.aspect_ratio in (can.aspect_ratios or (None,))
    assert got.count == asked.count
    assert got.count in can.counts
    assert can.audio or not got.audio
    assert can.negative_prompt or got.negative_prompt is None
    assert {role for role, need in can.images.items() if need == "required"} <= roles
    assert all(can.images.get(role, "none") != "none" for role in roles)
    assert fitting.fit(fitted.model, fitted.prompt, got, fitted.images, None) == fitted


def _fitted_or_refused(
    asked: Model, prompt: str, settings: Settings, images: Mapping[str, str]
) -> Generation | AppError:
    try:
        return fitting.fit(asked, prompt, settings, images, None)
    except AppError as refused:
        return refused


# ---------------------------------------------------------------- what can be bought


def shop(state: ModelState, successor: str | None = None) -> Catalogue:
    sold = model(state=state, successor=successor)
    return Catalogue({sold.id: sold}, {}, sold.id)


@pytest.mark.parametrize("state", ["live", "retiring"])
def test_a_model_can_be_bought_until_it_is_retired(state: ModelState) -> None:
    assert shop(state).sellable("lumen-video", NOW_MS).id == "lumen-video"


@pytest.mark.parametrize(
    ("state", "why"),
    [("off", "is not available now"), ("retired", "was retired by its provider")],
)
def test_a_model_that_is_not_for_sale_is_refused_and_points_to_its_successor(
    state: ModelState, why: str
) -> None:
    with pytest.raises(ModelUnavailable) as refused:
        shop(state, "lumen-2").sellable("lumen-video", NOW_MS)
    assert (refused.value.status, refused.value.param) == (409, "model")
    assert refused.value.message == f"Lumen Video {why}. Use lumen-2 instead."
    with pytest.raises(ModelUnavailable) as refused:
        shop(state).sellable("lumen-video", NOW_MS)
    assert refused.value.message == f"Lumen Video {why}."


LAST_DAY = date(2026, 3, 31)
RETIRED_AT_MS = int(datetime(2026, 3, 31, tzinfo=UTC).timestamp() * 1000)


@pytest.mark.parametrize(
    ("before_ms", "state"),
    [
        (10**10, "retiring"),
        (1, "retiring"),
        (0, "retired"),
        (-1, "retired"),
        (-86_400_000, "retired"),
        (-(10**12), "retired"),
    ],
)
def test_a_model_retires_as_its_day_begins(before_ms: int, state: ModelState) -> None:
    retiring = model(state="retiring", retires_on=LAST_DAY)
    assert retiring.state_at(RETIRED_AT_MS - before_ms) == state


STATES: tuple[ModelState, ...] = ("live", "retiring", "retired", "off")


@pytest.mark.parametrize("state", STATES)
def test_a_model_without_a_day_stays_what_it_is(state: ModelState) -> None:
    for now_ms in (0, NOW_MS, 10**14):
        assert model(state=state).state_at(now_ms) == state


def test_a_model_is_sold_until_the_day_on_which_it_retires() -> None:
    sold = model(state="retiring", retires_on=LAST_DAY, successor="lumen-2")
    retiring = Catalogue({sold.id: sold}, {}, sold.id)
    assert retiring.sellable(sold.id, RETIRED_AT_MS - 1) is sold
    with pytest.raises(ModelUnavailable, match=r"Use lumen-2 instead\.$"):
        retiring.sellable(sold.id, RETIRED_AT_MS)


def test_from_that_day_on_it_is_told_that_the_provider_retired_it() -> None:
    sold = model(state="retiring", retires_on=LAST_DAY)
    with pytest.raises(ModelUnavailable, match="was retired by its provider"):
        Catalogue({sold.id: sold}, {}, sold.id).sellable(sold.id, RETIRED_AT_MS)


@pytest.mark.parametrize("model_id", ["", "lumen", "LUMEN-VIDEO", "lumen-video ", "x" * 200])
def test_a_model_that_does_not_exist_is_refused(model_id: str) -> None:
    with pytest.raises(UnknownModel) as refused:
        shop("live").sellable(model_id, NOW_MS)
    assert (refused.value.status, refused.value.param) == (422, "model")


def test_the_default_model_is_for_sale_and_needs_nothing_but_a_prompt() -> None:
    shipped = catalogue.load()
    sold = shipped.sellable(shipped.default_model, NOW_MS)
    assert fitting.fit(sold, "a red fox", Settings(), {}, None).model is sold
