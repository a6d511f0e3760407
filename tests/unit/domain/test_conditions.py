"""What goes together and what does not: combinations of settings, and the same request for another
model.
"""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, strategies as st

from shared import fitting, models
from shared.errors import PromptLength, UnsupportedSetting
from shared.fitting import Generation
from shared.jobs import Settings
from shared.models import CHOSEN, IMAGE_ROLES, Capabilities, Condition, Model, PictureNeed
from tests.unit.domain.values import CAPABILITIES, model

PROMPT = "a red fox"

# As real vendors have it: the sharpest videos are short, the coarsest need a picture to start from,
# an end needs a start, and sound is made for sharp videos only.
PICKY = replace(
    CAPABILITIES,
    durations_seconds=(6, 10),
    resolutions=("768p", "512p", "1080p"),
    aspect_ratios=("16:9", "9:16"),
    images={"start": "optional", "end": "optional"},
    conditions=(
        Condition({"resolution": ("1080p",)}, {"duration_seconds": (6,)}),
        Condition({"resolution": ("512p",)}, {"start": (True,), "end": (False,)}),
        Condition({"end": (True,)}, {"start": (True,)}),
        Condition({"audio": (True,)}, {"resolution": ("1080p",)}),
    ),
)


def fit(can: Capabilities = PICKY, images: Sequence[str] = (), **asked: Any) -> Generation:
    """Ask with these settings and pictures in these roles."""
    pictures = {role: f"img_{role}" for role in images}
    return fitting.fit(model(capabilities=can), PROMPT, Settings(**asked), pictures, None)


def chosen(generation: Generation) -> tuple[int | None, str | None, str | None]:
    settings = generation.settings
    return settings.duration_seconds, settings.resolution, settings.aspect_ratio


# ---------------------------------------------------------------- refused

IMPOSSIBLE: list[tuple[dict[str, Any], str]] = [
    ({"resolution": "1080p", "duration_seconds": 10}, "duration_seconds"),
    ({"resolution": "1080p", "duration_seconds": 10, "aspect_ratio": "9:16"}, "duration_seconds"),
    ({"resolution": "512p"}, "images.start"),
    ({"resolution": "512p", "duration_seconds": 10}, "images.start"),
    ({"images": ["end"], "resolution": "768p"}, "images.start"),
    ({"audio": True, "resolution": "768p"}, "resolution"),
    ({"audio": True, "resolution": "512p", "images": ["start"]}, "resolution"),
]


@pytest.mark.parametrize(("asked", "param"), IMPOSSIBLE, ids=range(len(IMPOSSIBLE)))
def test_a_combination_that_a_model_does_not_have_is_refused_by_the_name_of_a_field(
    asked: dict[str, Any], param: str
) -> None:
    with pytest.raises(UnsupportedSetting) as refused:
        fit(**asked)
    assert refused.value.param == param
    assert (refused.value.code, refused.value.status) == ("unsupported_setting", 422)
    assert refused.value.message.startswith("Lumen Video with ")


def test_a_refusal_is_about_what_was_asked_for() -> None:
    """Neither a resolution nor a length was asked for: what is wrong is the end without a start."""
    with pytest.raises(UnsupportedSetting) as refused:
        fit(images=["end"])
    assert refused.value.param == "images.start"


def test_a_refusal_says_what_does_not_go_with_what() -> None:
    with pytest.raises(UnsupportedSetting) as refused:
        fit(resolution="1080p", duration_seconds=10)
    assert refused.value.message == (
        "Lumen Video with resolution 1080p takes duration_seconds 6 only."
    )
    with pytest.raises(UnsupportedSetting) as refused:
        fit(resolution="512p")
    assert refused.value.message == (
        "Lumen Video with resolution 512p takes a start picture and no end picture only."
    )


def test_a_value_that_does_not_exist_is_refused_before_any_combination() -> None:
    with pytest.raises(UnsupportedSetting, match="takes 6, 10 as duration_seconds"):
        fit(resolution="1080p", duration_seconds=7)


def test_a_condition_without_a_when_always_holds() -> None:
    always = replace(PICKY, conditions=(Condition({}, {"duration_seconds": (10,)}),))
    assert fit(always).settings.duration_seconds == 10
    with pytest.raises(UnsupportedSetting) as refused:
        fit(always, duration_seconds=6)
    assert refused.value.param == "duration_seconds"


# ---------------------------------------------------------------- completed

COMPLETED: list[tuple[dict[str, Any], tuple[int, str, str]]] = [
    ({}, (6, "768p", "16:9")),
    ({"aspect_ratio": "9:16"}, (6, "768p", "9:16")),
    ({"duration_seconds": 10}, (10, "768p", "16:9")),
    ({"resolution": "1080p"}, (6, "1080p", "16:9")),
    ({"audio": True}, (6, "1080p", "16:9")),
    ({"audio": True, "duration_seconds": 6}, (6, "1080p", "16:9")),
    ({"images": ["start"]}, (6, "768p", "16:9")),
    ({"images": ["start", "end"]}, (6, "768p", "16:9")),
    ({"resolution": "512p", "images": ["start"]}, (6, "512p", "16:9")),
]


@pytest.mark.parametrize(("asked", "expected"), COMPLETED, ids=range(len(COMPLETED)))
def test_what_is_left_open_becomes_the_first_combination_that_the_model_has(
    asked: dict[str, Any], expected: tuple[int, str, str]
) -> None:
    assert chosen(fit(**asked)) == expected


def test_the_first_choice_gives_way_only_where_a_condition_wants_it() -> None:
    """Sound wants 1080p, which wants 10 seconds here: the request says neither."""
    conditions = (
        Condition({"audio": (True,)}, {"resolution": ("1080p",)}),
        Condition({"resolution": ("1080p",)}, {"duration_seconds": (10,)}),
    )
    can = replace(PICKY, conditions=conditions)
    assert chosen(fit(can)) == (6, "768p", "16:9")
    assert chosen(fit(can, audio=True)) == (10, "1080p", "16:9")


def test_what_was_said_never_gives_way() -> None:
    with pytest.raises(UnsupportedSetting):
        fit(audio=True, duration_seconds=10)


VALUES: Mapping[str, tuple[Any, ...]] = {
    "duration_seconds": (6, 10),
    "resolution": ("768p", "1080p"),
    "aspect_ratio": ("16:9", "9:16"),
    "audio": (False, True),
    "start": (False, True),
    "end": (False, True),
}
SIDES = st.dictionaries(st.sampled_from(sorted(VALUES)), st.none(), max_size=2).flatmap(
    lambda names: st.fixed_dictionaries(
        {
            name: st.sampled_from([VALUES[name], *((value,) for value in VALUES[name])])
            for name in names
        }
    )
)
CONDITIONS = st.lists(st.builds(Condition, SIDES, SIDES.filter(bool)), max_size=5).map(tuple)


def keeps(conditions: Sequence[Condition], values: Mapping[str, Any]) -> bool:
    """Whether no condition is broken, read off the definition."""
    for condition in conditions:
        is_meant = all(values[name] in allowed for name, allowed in condition.when.items())
        is_kept = all(values[name] in allowed for name, allowed in condition.then.items())
        if is_meant and not is_kept:
            return False
    return True


def completions(asked: Settings, images: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Every way to fill in what is left open, the model's first choices first."""
    open_or_said = [
        VALUES[name] if getattr(asked, name) is None else (getattr(asked, name),) for name in CHOSEN
    ]
    for values in itertools.product(*open_or_said):
        pictures = {role: role in images for role in IMAGE_ROLES}
        yield {**dict(zip(CHOSEN, values, strict=True)), **pictures, "audio": asked.audio}


@given(
    conditions=CONDITIONS,
    asked=st.builds(
        Settings,
        negative_prompt=st.none(),
        duration_seconds=st.sampled_from([None, 6, 10]),
        resolution=st.sampled_from([None, "768p", "1080p"]),
        aspect_ratio=st.sampled_from([None, "16:9", "9:16"]),
        audio=st.booleans(),
        count=st.just(1),
    ),
    images=st.lists(st.sampled_from(["start", "end"]), unique=True),
)
def test_a_request_is_refused_only_when_nothing_completes_it_and_else_keeps_every_condition(
    conditions: tuple[Condition, ...], asked: Settings, images: list[str]
) -> None:
    can = replace(
        PICKY,
        resolutions=VALUES["resolution"],
        aspect_ratios=VALUES["aspect_ratio"],
        conditions=conditions,
    )
    possible = [way for way in completions(asked, images) if keeps(conditions, way)]
    pictures = {role: f"img_{role}" for role in images}
    answer = _fitted_or_refused(model(capabilities=can), asked, pictures)
    if isinstance(answer, UnsupportedSetting):
        assert possible == []
        named = {name for condition in conditions for name in condition.then}
        assert str(answer.param).removeprefix("images.") in named
        return
    assert dict(zip(CHOSEN, chosen(answer), strict=True)).items() <= possible[0].items()
    assert fitting.fit(answer.model, PROMPT, answer.settings, answer.images, None) == answer


def _fitted_or_refused(
    asked: Model, settings: Settings, images: Mapping[str, str]
) -> Generation | UnsupportedSetting:
    try:
        return fitting.fit(asked, PROMPT, settings, images, None)
    except UnsupportedSetting as refused:
        return refused


# ---------------------------------------------------------------- the least

NEEDY = replace(
    PICKY,
    images={"start": "required", "end": "optional", "subject": "none"},
    prompt_chars_min=5,
    counts=(1, 2),
)


def test_the_plainest_request_has_the_first_choices_and_only_what_is_needed() -> None:
    plain = fitting.plainest(model(capabilities=NEEDY))
    assert chosen(plain) == (6, "768p", "16:9")
    assert plain.settings == Settings(None, 6, "768p", "16:9", audio=False, count=1)
    assert set(plain.images) == {"start"}
    assert len(plain.prompt) == 5
    assert plain.project_id is None


def test_the_plainest_request_keeps_the_conditions_too() -> None:
    wants_end = (Condition({"duration_seconds": (6,)}, {"end": (True,)}),)
    plain = fitting.plainest(model(capabilities=replace(NEEDY, conditions=wants_end)))
    assert chosen(plain) == (10, "768p", "16:9")


def test_the_plainest_request_for_a_model_without_prompts_has_none() -> None:
    silent = replace(NEEDY, prompt_chars_min=0, prompt_chars_max=0)
    assert fitting.plainest(model(capabilities=silent)).prompt == ""


# ---------------------------------------------------------------- everything

WHOLE = replace(
    NEEDY,
    durations_seconds=(6, 10),
    resolutions=("768p", "1080p"),
    conditions=(
        Condition({"resolution": ("1080p",)}, {"duration_seconds": (6,)}),
        Condition({"audio": (True,)}, {"end": (False,)}),
    ),
)


def test_everything_that_can_be_asked_of_a_model_is_listed_once() -> None:
    listed = [
        (*chosen(each), each.settings.audio, frozenset(each.images))
        for each in fitting.possible(model(capabilities=WHOLE))
    ]
    expected = {
        (duration, resolution, aspect, audio, frozenset(images))
        for duration, resolution in ((6, "768p"), (10, "768p"), (6, "1080p"))
        for aspect in ("16:9", "9:16")
        for audio, images in ((False, ["start"]), (False, ["start", "end"]), (True, ["start"]))
    }
    assert len(listed) == len(set(listed))
    assert set(listed) == expected


@given(CONDITIONS)
def test_whatever_is_listed_is_taken_and_whatever_is_taken_is_listed(
    conditions: tuple[Condition, ...],
) -> None:
    can = replace(
        WHOLE,
        aspect_ratios=VALUES["aspect_ratio"],
        images={"start": "optional", "end": "optional"},
        conditions=conditions,
    )
    asked = model(capabilities=can)
    answer = _fitted_or_refused(asked, Settings(), {})
    if isinstance(answer, UnsupportedSetting):
        return  # there is no plainest request to begin with
    listed = list(fitting.possible(asked))
    for each in listed:
        again = fitting.fit(asked, each.prompt, each.settings, each.images, None)
        assert again == each
    ways = [
        dict(zip(VALUES, values, strict=True)) for values in itertools.product(*VALUES.values())
    ]
    nowhere = dict.fromkeys(IMAGE_ROLES, False)
    assert len(listed) == sum(keeps(conditions, nowhere | way) for way in ways)


# ---------------------------------------------------------------- another model


def other(**changes: Any) -> Model:
    """A model of another vendor, with these capabilities changed."""
    can = replace(CAPABILITIES, **changes)
    return model(id="nova-video", name="Nova Video", provider="nova", capabilities=can)


ASKED = fitting.fit(
    model(),
    "a red fox",
    Settings("blur", 8, "1080p", "9:16", audio=True),
    {"start": "img_1"},
    "prj_1",
)


def test_another_model_is_asked_for_the_same() -> None:
    moved = fitting.fit_another(other(), ASKED)
    assert moved == replace(ASKED, model=other())


def test_what_the_creator_named_to_do_it_instead_is_not_asked_again() -> None:
    named = replace(ASKED, fallback_models=("nova-video", "third-video"))
    assert fitting.fit_another(other(), named).fallback_models == ()


@pytest.mark.parametrize(
    ("resolutions", "expected"),
    [
        (("1080p", "720p"), "1080p"),
        (("720p", "1080p"), "1080p"),
        (("768p", "512p"), "768p"),
        ((), None),
    ],
)
def test_a_resolution_that_the_other_does_not_have_is_left_to_it(
    resolutions: tuple[str, ...], expected: str | None
) -> None:
    moved = fitting.fit_another(other(resolutions=resolutions), ASKED)
    assert moved.settings == replace(ASKED.settings, resolution=expected)


def test_a_model_that_has_no_shapes_takes_any() -> None:
    moved = fitting.fit_another(other(aspect_ratios=()), ASKED)
    assert moved.settings == replace(ASKED.settings, aspect_ratio=None)


def test_a_shape_that_follows_the_picture_is_left_to_a_model_that_cannot_follow() -> None:
    adapting = replace(ASKED, settings=replace(ASKED.settings, aspect_ratio="adaptive"))
    moved = fitting.fit_another(other(), adapting)
    assert moved.settings.aspect_ratio == CAPABILITIES.aspect_ratios[0]
    able = other(aspect_ratios=("1:1", "adaptive"))
    assert fitting.fit_another(able, adapting).settings.aspect_ratio == "adaptive"


def test_a_resolution_that_is_left_to_the_other_keeps_its_conditions() -> None:
    condition = Condition({"audio": (True,)}, {"resolution": ("4k",)})
    moved = fitting.fit_another(other(resolutions=("768p", "4k"), conditions=(condition,)), ASKED)
    assert moved.settings == replace(ASKED.settings, resolution="4k")


CANNOT: dict[str, tuple[dict[str, Any], str]] = {
    "the other is never as long": ({"durations_seconds": (4, 6)}, "duration_seconds"),
    "the other has no length": ({"durations_seconds": ()}, "duration_seconds"),
    "the other has shapes, and not this one": ({"aspect_ratios": ("16:9", "1:1")}, "aspect_ratio"),
    "the other makes no sound": ({"audio": False}, "audio"),
    "the other takes no negative prompt": ({"negative_prompt": False}, "negative_prompt"),
    "the other takes no such picture": ({"images": {"end": "optional"}}, "images.start"),
    "the other needs one more picture": (
        {"images": {"start": "optional", "end": "required"}},
        "images.end",
    ),
    "the other never does both": (
        {"conditions": (Condition({"audio": (True,)}, {"duration_seconds": (4,)}),)},
        "duration_seconds",
    ),
}


@pytest.mark.parametrize("case", CANNOT)
def test_what_was_asked_for_is_never_changed_to_please_another_model(case: str) -> None:
    changes, param = CANNOT[case]
    with pytest.raises(UnsupportedSetting) as refused:
        fitting.fit_another(other(**changes), ASKED)
    assert refused.value.param == param
    assert refused.value.message.startswith("Nova Video ")


def test_as_many_results_are_wanted_of_another_model() -> None:
    several = replace(ASKED, settings=replace(ASKED.settings, count=3))
    assert fitting.fit_another(other(counts=(1, 2, 3)), several).settings.count == 3
    with pytest.raises(UnsupportedSetting, match="takes 1, 2, 4 as count"):
        fitting.fit_another(other(counts=(1, 2, 4)), several)


@pytest.mark.parametrize(("least", "most"), [(0, 8), (0, 0), (10, 99)])
def test_a_prompt_that_another_model_does_not_take_stays_where_it_is(least: int, most: int) -> None:
    with pytest.raises(PromptLength):
        fitting.fit_another(other(prompt_chars_min=least, prompt_chars_max=most), ASKED)


def test_a_picture_is_no_video() -> None:
    picture = replace(other(), kind="image")
    with pytest.raises(UnsupportedSetting) as refused:
        fitting.fit_another(picture, ASKED)
    assert (refused.value.message, refused.value.param) == ("Nova Video makes no video.", "model")


# ---------------------------------------------------------------- pictures

NEED = PictureNeed(side_min_px=300, ratio_min_percent=40, ratio_max_percent=250)
TOO_SMALL = "The picture is too small: its shorter side needs 300 pixels."
TOO_NARROW = "The picture is too long and narrow for this model. Cut it closer to a square."


@pytest.mark.parametrize(
    ("width", "height", "wrong"),
    [
        (300, 300, None),
        (299, 2000, TOO_SMALL),
        (2000, 299, TOO_SMALL),
        (1, 1, TOO_SMALL),
        (400, 1000, None),
        (399, 1000, TOO_NARROW),
        (1000, 400, None),
        (1003, 400, None),  # 2.5 and less than a hundredth
        (1004, 400, TOO_NARROW),
        (300, 16_383, TOO_NARROW),
    ],
)
def test_a_picture_is_refused_for_its_size_or_its_shape_in_a_sentence(
    width: int, height: int, wrong: str | None
) -> None:
    assert models.wrong_with_picture(NEED, width, height, None) == wrong


@pytest.mark.parametrize(
    ("need", "is_made_anew"),
    [
        (PictureNeed(), False),
        (PictureNeed(side_min_px=300, ratio_min_percent=40, ratio_max_percent=250), False),
        (PictureNeed(types=("image/webp", "image/png", "image/jpeg")), False),
        (PictureNeed(types=("image/jpeg", "image/png")), True),
        (PictureNeed(side_max_px=16_382), True),
        (PictureNeed(max_bytes=9_999_999), True),
        (PictureNeed(max_bytes=20_000_000), False),
        (PictureNeed(crop=True), True),
    ],
)
def test_a_picture_is_made_anew_only_where_a_checked_one_may_not_do(
    need: PictureNeed, is_made_anew: bool
) -> None:
    assert need.wants_another is is_made_anew


@pytest.mark.parametrize(("width", "height"), [(300, 16_000), (16_000, 300)])
def test_a_picture_that_we_cut_may_have_any_shape_and_not_any_size(width: int, height: int) -> None:
    cut = replace(NEED, crop=True)
    assert models.wrong_with_picture(cut, width, height, None) is None
    assert models.wrong_with_picture(cut, width, 299, None) == TOO_SMALL


@pytest.mark.parametrize(
    ("aspect_ratio", "wrong"), [("1:1", None), ("4:3", None), ("16:9", TOO_SMALL)]
)
def test_a_picture_that_we_cut_must_be_large_enough_after_that(
    aspect_ratio: str, wrong: str | None
) -> None:
    cut = replace(NEED, crop=True)
    assert models.wrong_with_picture(cut, 400, 400, aspect_ratio) == wrong
    assert models.wrong_with_picture(NEED, 400, 400, aspect_ratio) is None


@given(st.integers(1, 16_383), st.integers(1, 16_383))
def test_a_model_without_needs_takes_every_picture_that_is_not_a_line(
    width: int, height: int
) -> None:
    is_line = width * 100 < height
    wrong = models.wrong_with_picture(PictureNeed(), width, height, None)
    assert (wrong is not None) == (is_line or width // height > 100)
