"""Prices, and quotes that promise them: exact, signed, bound to one request of one user."""

import hashlib
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import combinations, product
from typing import Any

import pytest
from hypothesis import given, strategies as st

from shared import catalogue, fitting, models, pricing
from shared.errors import (
    AppError,
    CostAboveMaximum,
    QuoteExpired,
    QuoteMismatch,
    UnsupportedSetting,
)
from shared.fitting import Generation
from shared.jobs import Settings
from shared.models import Capabilities, Model, Rates
from shared.pricing import Line, Quote
from tests.architecture.tree import ROOT
from tests.unit.domain.values import CAPABILITIES, NOW_MS, generation, model

SECRET = "quote-secret-" + "q" * 32
BODY = "ab" * 32
QUOTE = Quote("usr_1", BODY, 60, NOW_MS + 600_000)


def honour(quote_id: str, **changes: Any) -> int:
    """Honour it as the user, for the request and at the time that `QUOTE` was made for."""
    values: dict[str, Any] = {
        "user_id": "usr_1",
        "hash_of_body": BODY,
        "secret": SECRET,
        "now_ms": NOW_MS,
    }
    return pricing.honour_quote(quote_id, **{**values, **changes})


# ---------------------------------------------------------------- prices

VIDEO = Settings(duration_seconds=4, resolution="720p", aspect_ratio="16:9")
PER_SECOND = {"720p": 10}
BY_ALL = {"720p/4": 40, "720p/8": 70, "1080p/4": 90}
PRICES = [
    (VIDEO, Rates(per_second=PER_SECOND), [("duration", 40)]),
    (VIDEO, Rates(base=7, per_second=PER_SECOND), [("base", 7), ("duration", 40)]),
    (VIDEO, Rates(base=7), [("base", 7)]),
    (
        replace(VIDEO, audio=True),
        Rates(base=7, per_second=PER_SECOND, audio_percent=25),
        [("base", 7), ("duration", 40), ("audio", 12)],  # 11.75 rounds up
    ),
    (
        replace(VIDEO, audio=True),
        Rates(per_second=PER_SECOND, audio_percent=50),
        [("duration", 40), ("audio", 20)],
    ),
    (replace(VIDEO, audio=True), Rates(base=1, audio_percent=1), [("base", 1), ("audio", 1)]),
    (
        replace(VIDEO, audio=True),
        Rates(base=7, per_second=PER_SECOND),
        [("base", 7), ("duration", 40)],
    ),
    (
        replace(VIDEO, resolution="1080p", duration_seconds=8),
        Rates(per_second={"720p": 10, "1080p": 15}),
        [("duration", 120)],
    ),
    (Settings(duration_seconds=6), Rates(per_second={"": 3}), [("duration", 18)]),
    (Settings(resolution="1080p"), Rates(base=5), [("base", 5)]),
    (Settings(), Rates(base=5), [("base", 5)]),
    # by choice: resolution and duration, or one of them
    (VIDEO, Rates(per_choice=BY_ALL), [("choice", 40)]),
    (replace(VIDEO, duration_seconds=8), Rates(per_choice=BY_ALL), [("choice", 70)]),
    (replace(VIDEO, resolution="1080p"), Rates(per_choice=BY_ALL), [("choice", 90)]),
    (VIDEO, Rates(per_choice={"720p": 30, "1080p": 50}), [("choice", 30)]),
    (
        replace(VIDEO, duration_seconds=8),
        Rates(per_choice={"720p": 30, "1080p": 50}),
        [("choice", 30)],
    ),
    (VIDEO, Rates(per_choice={"/4": 25, "/8": 45}), [("choice", 25)]),
    (replace(VIDEO, resolution="1080p"), Rates(per_choice={"/4": 25, "/8": 45}), [("choice", 25)]),
    (Settings(duration_seconds=8), Rates(per_choice={"/4": 25, "/8": 45}), [("choice", 45)]),
    (Settings(resolution="2k"), Rates(per_choice={"1k": 5, "2k": 9}), [("choice", 9)]),
    (VIDEO, Rates(per_choice={"720p/4": 1, "720p": 2, "/4": 3}), [("choice", 1)]),
    (VIDEO, Rates(per_choice={"720p/8": 1, "720p": 2, "/4": 3}), [("choice", 2)]),
    (
        VIDEO,
        Rates(base=7, per_second=PER_SECOND, per_choice=BY_ALL),
        [("base", 7), ("duration", 40), ("choice", 40)],
    ),
    (
        replace(VIDEO, audio=True),
        Rates(base=1, per_choice=BY_ALL, audio_percent=10),
        [("base", 1), ("choice", 40), ("audio", 5)],  # 4.1 rounds up
    ),
    # several results: each part as often, and sound rounded up for each
    (Settings(resolution="1080p", count=4), Rates(base=5), [("base", 20)]),
    (
        Settings(resolution="2k", count=3),
        Rates(base=1, per_choice={"1k": 5, "2k": 9}),
        [("base", 3), ("choice", 27)],
    ),
    (
        replace(VIDEO, audio=True, count=2),
        Rates(base=7, per_second=PER_SECOND, audio_percent=25),
        [("base", 14), ("duration", 80), ("audio", 24)],
    ),
]


@pytest.mark.parametrize(("settings", "price", "lines"), PRICES, ids=range(len(PRICES)))
def test_a_price_has_these_parts_and_their_sum(
    settings: Settings, price: Rates, lines: list[tuple[str, int]]
) -> None:
    priced = pricing.price(generation(model=model(price=price), settings=settings))
    assert priced.lines == tuple(Line(code, tokens) for code, tokens in lines)
    assert priced.total_tokens == sum(tokens for _, tokens in lines)


@pytest.mark.parametrize(("settings", "rates", "lines"), PRICES, ids=range(len(PRICES)))
def test_what_the_vendor_takes_is_reckoned_in_the_same_way(
    settings: Settings, rates: Rates, lines: list[tuple[str, int]]
) -> None:
    costly = model(cost_microusd=rates, price=Rates(base=1))
    cost_microusd = pricing.cost_microusd(generation(model=costly, settings=settings))
    assert cost_microusd == sum(amount for _, amount in lines)


def test_nothing_is_sold_for_nothing() -> None:
    with pytest.raises(AssertionError, match="no free models"):
        pricing.price(generation(model=model(price=Rates())))


def test_a_vendor_may_take_nothing() -> None:
    assert pricing.cost_microusd(generation(model=model(cost_microusd=Rates()))) == 0


@given(
    base=st.integers(0, 1000),
    per_second=st.integers(0, 1000),
    percent=st.integers(0, 300),
    seconds=st.integers(1, 600),
)
def test_sound_never_makes_a_price_lower_and_never_costs_a_whole_token_too_much(
    base: int, per_second: int, percent: int, seconds: int
) -> None:
    priced = model(
        price=Rates(base=base + 1, per_second={"720p": per_second}, audio_percent=percent)
    )
    silent = replace(VIDEO, duration_seconds=seconds)
    without = pricing.price(generation(model=priced, settings=silent)).total_tokens
    loud = replace(silent, audio=True)
    with_sound = pricing.price(generation(model=priced, settings=loud)).total_tokens
    assert type(with_sound) is int
    assert without * (100 + percent) <= with_sound * 100 < without * (100 + percent) + 100


@given(
    rates=st.builds(
        Rates,
        base=st.integers(1, 1000),
        per_second=st.sampled_from([{}, {"720p": 7, "1080p": 11}]),
        per_choice=st.sampled_from([{}, {"720p": 13, "1080p": 17}, {"/4": 19, "/8": 23}]),
        audio_percent=st.integers(0, 300),
    ),
    settings=st.builds(
        Settings,
        negative_prompt=st.none(),
        duration_seconds=st.sampled_from([4, 8]),
        resolution=st.sampled_from(["720p", "1080p"]),
        aspect_ratio=st.none(),
        audio=st.booleans(),
        count=st.just(1),
    ),
    count=st.integers(1, 10),
)
def test_so_many_results_cost_so_many_times_as_much_in_every_part(
    rates: Rates, settings: Settings, count: int
) -> None:
    sold = model(price=rates, cost_microusd=rates)
    one = generation(model=sold, settings=settings)
    several = generation(model=sold, settings=replace(settings, count=count))
    assert pricing.price(several).lines == tuple(
        Line(line.code, line.tokens * count) for line in pricing.price(one).lines
    )
    assert pricing.cost_microusd(several) == pricing.cost_microusd(one) * count


# ---------------------------------------------------------------- the shipped catalogue


Asked = tuple[Settings, dict[str, str]]


def _requests(can: Capabilities) -> Iterator[Asked]:
    """Every setting that the model has, in every combination, and every set of pictures."""
    roles = {
        need: [r for r, n in can.images.items() if n == need] for need in ("required", "optional")
    }
    chosen = [
        {*roles["required"], *some}
        for count in range(len(roles["optional"]) + 1)
        for some in combinations(roles["optional"], count)
    ]
    for duration, resolution, aspect, audio, count in product(
        can.durations_seconds or (None,),
        can.resolutions or (None,),
        can.aspect_ratios or (None,),
        (False, True) if can.audio else (False,),
        can.counts,
    ):
        for role_set in chosen:
            yield (
                Settings(None, duration, resolution, aspect, audio, count),
                {role: f"img_{role}" for role in sorted(role_set)},
            )


def _is_possible(can: Capabilities, asked: Asked) -> bool:
    """Whether the request keeps every condition of the model."""
    settings, images = asked

    def holds(sides: Mapping[str, tuple[Any, ...]]) -> bool:
        return all(
            (name in images if name in models.IMAGE_ROLES else getattr(settings, name)) in allowed
            for name, allowed in sides.items()
        )

    return all(holds(each.then) for each in can.conditions if holds(each.when))


def _fitted(sold: Model, asked: Asked) -> Generation:
    """The request with a prompt, where the model takes one."""
    can = sold.capabilities
    prompt = "a red fox".ljust(can.prompt_chars_min, "x")[: can.prompt_chars_max]
    return fitting.fit(sold, prompt, *asked, None)


def _possible(sold: Model) -> list[Generation]:
    can = sold.capabilities
    found = [_fitted(sold, asked) for asked in _requests(can) if _is_possible(can, asked)]
    assert found, "nothing can be asked of it"
    return found


def _written() -> dict[str, dict[str, Any]]:
    """The models as the files have them."""
    files = sorted((ROOT / "shared" / "catalogue").glob("*.toml"))
    assert files
    return {
        entry["id"]: entry for path in files for entry in tomllib.loads(path.read_text())["models"]
    }


def _reckoned(written: Mapping[str, Any], settings: Settings) -> int:
    """What a request comes to by the table in the file."""
    resolution, seconds = settings.resolution or "", settings.duration_seconds
    each = written.get("base", 0)
    if written.get("per_second"):
        each += written["per_second"][resolution] * seconds
    if written.get("per_choice"):
        by_choice = written["per_choice"]
        names = [f"{resolution}/{seconds}", resolution, f"/{seconds}"]
        each += next(by_choice[name] for name in names if name in by_choice)
    if settings.audio:
        each = -(-each * (100 + written.get("audio_percent", 0)) // 100)
    return int(each) * settings.count


@pytest.mark.parametrize("model_id", sorted(catalogue.load().models))
def test_every_setting_of_a_shipped_model_is_quoted_and_charged_at_its_written_price(
    model_id: str,
) -> None:
    sold, written = catalogue.load().models[model_id], _written()[model_id]
    for asked in _requests(sold.capabilities):
        if not _is_possible(sold.capabilities, asked):
            with pytest.raises(UnsupportedSetting):
                _fitted(sold, asked)
            continue
        fitted = _fitted(sold, asked)
        assert fitted.settings == asked[0]
        expected = _reckoned(written["price"], fitted.settings)
        priced = pricing.price(fitted)
        assert priced.total_tokens == expected > 0
        cost_microusd = _reckoned(written.get("cost_microusd", {}), fitted.settings)
        assert pricing.cost_microusd(fitted) == cost_microusd
        body_hash = pricing.body_hash(fitted)
        quote = Quote("usr_1", body_hash, priced.total_tokens, NOW_MS + 1)
        assert honour(pricing.sign_quote(quote, SECRET), hash_of_body=body_hash) == expected


@pytest.mark.parametrize("model_id", sorted(catalogue.load().models))
def test_two_different_requests_for_a_shipped_model_never_share_a_quote(model_id: str) -> None:
    hashes = [pricing.body_hash(fitted) for fitted in _possible(catalogue.load().models[model_id])]
    assert len(set(hashes)) == len(hashes)


@pytest.mark.parametrize("model_id", sorted(catalogue.load().models))
def test_spelling_the_defaults_out_is_the_same_request_as_leaving_them_out(model_id: str) -> None:
    short = fitting.plainest(catalogue.load().models[model_id])
    long = fitting.fit(short.model, short.prompt, short.settings, short.images, None)
    assert pricing.body_hash(short) == pricing.body_hash(long)
    assert pricing.price(short) == pricing.price(long)


@pytest.mark.parametrize("model_id", sorted(catalogue.load().models))
def test_the_price_a_list_begins_with_is_the_least_that_anything_of_the_model_costs(
    model_id: str,
) -> None:
    """And one that somebody can really pay."""
    sold = catalogue.load().models[model_id]
    cheapest = min(pricing.price(fitted).total_tokens for fitted in _possible(sold))
    assert pricing.cheapest_tokens(sold) == cheapest
    assert pricing.price(fitting.plainest(sold)).total_tokens >= cheapest


# ---------------------------------------------------------------- what makes a request the same


FULL = generation(
    settings=Settings("blur", 4, "720p", "16:9", audio=False),
    images={"start": "img_1", "end": "img_2"},
    project_id="prj_1",
    fallback_models=("nova-video", "third-video"),
)
CHANGED = {
    "model": replace(FULL, model=model(id="lumen-other")),
    "prompt": replace(FULL, prompt="a red fox."),
    "letter case": replace(FULL, prompt="A red fox"),
    "negative prompt": replace(FULL, settings=replace(FULL.settings, negative_prompt=None)),
    "duration": replace(FULL, settings=replace(FULL.settings, duration_seconds=8)),
    "resolution": replace(FULL, settings=replace(FULL.settings, resolution="1080p")),
    "aspect ratio": replace(FULL, settings=replace(FULL.settings, aspect_ratio="9:16")),
    "audio": replace(FULL, settings=replace(FULL.settings, audio=True)),
    "two of it": replace(FULL, settings=replace(FULL.settings, count=2)),
    "another picture": replace(FULL, images={"start": "img_3", "end": "img_2"}),
    "one picture less": replace(FULL, images={"start": "img_1"}),
    "pictures the other way round": replace(FULL, images={"start": "img_2", "end": "img_1"}),
    "the same picture as another": replace(FULL, images={"subject": "img_1", "end": "img_2"}),
    "project": replace(FULL, project_id="prj_2"),
    "no project": replace(FULL, project_id=None),
    "nobody else": replace(FULL, fallback_models=()),
    "one other less": replace(FULL, fallback_models=("nova-video",)),
    "the others the other way round": replace(FULL, fallback_models=("third-video", "nova-video")),
    "words between fields": replace(
        FULL, prompt="a red", settings=replace(FULL.settings, negative_prompt="fox blur")
    ),
}


@pytest.mark.parametrize("name", CHANGED)
def test_a_request_that_differs_in_one_field_is_another_request(name: str) -> None:
    assert pricing.body_hash(CHANGED[name]) != pricing.body_hash(FULL)


def test_all_these_requests_are_different_from_each_other() -> None:
    assert len({pricing.body_hash(changed) for changed in CHANGED.values()}) == len(CHANGED)


def test_every_field_of_the_settings_is_part_of_the_request() -> None:
    """A setting added tomorrow must not be left out of the hash."""
    other = {
        "negative_prompt": "grain",
        "duration_seconds": 8,
        "resolution": "1080p",
        "aspect_ratio": "9:16",
        "audio": True,
        "count": 2,
    }
    assert set(other) == set(Settings.__dataclass_fields__)
    for name, value in other.items():
        fields: dict[str, Any] = {name: value}
        changed = replace(FULL, settings=replace(FULL.settings, **fields))
        assert pricing.body_hash(changed) != pricing.body_hash(FULL), name


def test_every_field_of_a_generation_is_part_of_the_request() -> None:
    other: dict[str, Any] = {
        "model": model(id="lumen-other"),
        "prompt": "a blue fox",
        "settings": Settings(),
        "images": {},
        "project_id": "prj_2",
        "fallback_models": (),
    }
    assert set(other) == set(Generation.__dataclass_fields__)
    for name, value in other.items():
        fields: dict[str, Any] = {name: value}
        assert pricing.body_hash(replace(FULL, **fields)) != pricing.body_hash(FULL), name


def test_the_order_of_the_pictures_does_not_matter() -> None:
    turned = replace(FULL, images={"end": "img_2", "start": "img_1"})
    assert list(turned.images) != list(FULL.images)
    assert pricing.body_hash(turned) == pricing.body_hash(FULL)


def test_a_hash_means_the_same_in_every_process_and_every_version() -> None:
    """It is stored with jobs and signed into quotes: another value refuses honest repeats."""
    written = (
        '{"fallback_models":["nova-video","third-video"],'
        '"images":{"end":"img_2","start":"img_1"},"model":"lumen-video","project_id":"prj_1",'
        '"prompt":"a red fox","settings":{"aspect_ratio":"16:9","audio":false,"count":1,'
        '"duration_seconds":4,"negative_prompt":"blur","resolution":"720p"}}'
    )
    assert pricing.body_hash(FULL) == hashlib.sha256(written.encode()).hexdigest()


def test_a_price_is_not_part_of_the_request() -> None:
    dearer = replace(FULL, model=model(price=Rates(base=99), cost_microusd=Rates(base=9)))
    assert pricing.body_hash(dearer) == pricing.body_hash(FULL)


# ---------------------------------------------------------------- quotes


@given(
    user_id=st.text(max_size=40),
    body_hash=st.text(max_size=70),
    tokens=st.integers(1, 10**12),
    now_ms=st.integers(0, 10**13),
    life_ms=st.integers(1, 10**9),
)
def test_a_quote_is_honoured_at_exactly_its_price(
    user_id: str, body_hash: str, tokens: int, now_ms: int, life_ms: int
) -> None:
    quote_id = pricing.sign_quote(Quote(user_id, body_hash, tokens, now_ms + life_ms), SECRET)
    assert pricing.honour_quote(quote_id, user_id, body_hash, SECRET, now_ms) == tokens


def test_a_quote_fits_where_ids_go() -> None:
    quote_id = pricing.sign_quote(QUOTE, SECRET)
    assert quote_id.startswith("quote_")
    assert quote_id.isascii()
    assert quote_id.isprintable()
    assert len(quote_id) < 2000
    assert not set(quote_id) & set(' /?&#%+="')


def test_a_quote_lives_until_its_last_millisecond() -> None:
    quote_id = pricing.sign_quote(QUOTE, SECRET)
    assert honour(quote_id, now_ms=QUOTE.expires_at_ms - 1) == 60
    for late_ms in (0, 1, 10**9):
        with pytest.raises(QuoteExpired) as refused:
            honour(quote_id, now_ms=QUOTE.expires_at_ms + late_ms)
        assert refused.value.param == "quote_id"


@pytest.mark.parametrize(
    "changes",
    [
        {"user_id": "usr_2"},
        {"user_id": ""},
        {"hash_of_body": "ab" * 31 + "ac"},
        {"hash_of_body": ""},
        {"secret": SECRET + "x"},
        {"user_id": BODY, "hash_of_body": "usr_1"},
    ],
    ids=["another user", "nobody", "another body", "no body", "another secret", "swapped"],
)
def test_a_quote_is_for_one_request_of_one_user(changes: dict[str, str]) -> None:
    with pytest.raises(QuoteMismatch) as refused:
        honour(pricing.sign_quote(QUOTE, SECRET), **changes)
    assert refused.value.param == "quote_id"


def test_an_expired_quote_of_another_user_does_not_say_that_it_was_one() -> None:
    with pytest.raises(QuoteMismatch):
        honour(pricing.sign_quote(QUOTE, SECRET), user_id="usr_2", now_ms=QUOTE.expires_at_ms)


@pytest.mark.parametrize("user_id", ["usr_1", "usr_12", "usr_123"])
def test_a_quote_with_any_bit_flipped_is_refused(user_id: str) -> None:
    honest = pricing.sign_quote(replace(QUOTE, user_id=user_id), SECRET)
    assert honour(honest, user_id=user_id) == 60
    accepted = [
        (index, bit)
        for index in range(len(honest))
        for bit in range(8)
        if _is_honoured(_flipped(honest, index, bit), user_id)
    ]
    assert accepted == []


def _flipped(text: str, index: int, bit: int) -> str:
    return text[:index] + chr(ord(text[index]) ^ (1 << bit)) + text[index + 1 :]


def _is_honoured(quote_id: str, user_id: str) -> bool:
    try:
        honour(quote_id, user_id=user_id)
    except QuoteMismatch:
        return False
    return True


@pytest.mark.parametrize("spelling", ["no prefix", "dirt", "a line break", "padding"])
def test_a_quote_has_one_spelling(spelling: str) -> None:
    honest = pricing.sign_quote(replace(QUOTE, user_id="usr_123"), SECRET)
    payload, mac = honest.removeprefix("quote_").split(".")
    other = {
        "no prefix": f"{payload}.{mac}",
        "dirt": f"quote_{payload[:8]}!!!!{payload[8:]}.{mac}",
        "a line break": f"quote_{payload[:4]}\r\n\r\n{payload[4:]}.{mac}",
        "padding": f"quote_{payload}====.{mac}",
    }[spelling]
    assert not _is_honoured(other, "usr_123")


HONEST = pricing.sign_quote(QUOTE, SECRET)
NOT_OURS = {
    "nothing": "",
    "the prefix": "quote_",
    "a dot": ".",
    "prefix and dot": "quote_.",
    "an empty object": "quote_e30.",
    "an empty object with a mac": "quote_e30.00",
    "only letters": "quote_" + "A" * 1990,
    "other letters": "quote_é.é",
    "half a letter": "quote_e30.\ud800",
    "dots": "quote_....",
    "one digit more": HONEST + "0",
    "one digit less": HONEST[:-1],
    "capitals": HONEST.upper(),
    "no mac": HONEST.split(".")[0],
}


@pytest.mark.parametrize("name", NOT_OURS)
def test_what_is_not_a_quote_of_ours_is_refused(name: str) -> None:
    with pytest.raises(QuoteMismatch) as refused:
        honour(NOT_OURS[name])
    assert refused.value.message == "This is not a quote of ours."


def test_nothing_is_signed_or_honoured_with_an_empty_secret() -> None:
    with pytest.raises(AssertionError):
        pricing.sign_quote(QUOTE, "")
    with pytest.raises(AssertionError):
        honour(HONEST, secret="")


@given(text=st.text(), prefix=st.sampled_from(["", "quote_", "quote_e30."]))
def test_no_text_makes_the_check_stumble(text: str, prefix: str) -> None:
    with pytest.raises(QuoteMismatch):
        honour(prefix + text)


@given(st.dictionaries(st.sampled_from(["total_tokens", "expires_at_ms"]), st.integers(0, 10**9)))
def test_a_quote_cannot_be_rewritten_without_the_secret(changes: dict[str, int]) -> None:
    fields: dict[str, Any] = dict(changes)
    cheaper = pricing.sign_quote(replace(QUOTE, **fields), "another secret" * 3)
    honest_mac = pricing.sign_quote(QUOTE, SECRET).split(".")[1]
    for quote_id in (cheaper, f"{cheaper.split('.')[0]}.{honest_mac}"):
        if quote_id != pricing.sign_quote(QUOTE, SECRET):
            with pytest.raises(QuoteMismatch):
                honour(quote_id)


# ---------------------------------------------------------------- the caller's maximum


@pytest.mark.parametrize("maximum", [None, 60, 61, 10**12])
def test_a_price_up_to_the_maximum_is_paid(maximum: int | None) -> None:
    pricing.check_maximum(60, maximum)


@pytest.mark.parametrize("maximum", [59, 1, 0])
def test_a_price_above_the_maximum_is_refused_with_the_price(maximum: int) -> None:
    with pytest.raises(CostAboveMaximum) as refused:
        pricing.check_maximum(60, maximum)
    assert refused.value.param == "max_cost_tokens"
    assert refused.value.details["required_tokens"] == 60
    assert str(maximum) in refused.value.message


def test_the_refusals_of_quotes_are_conflicts() -> None:
    refusals: tuple[type[AppError], ...] = (QuoteExpired, QuoteMismatch, CostAboveMaximum)
    assert {refusal.status for refusal in refusals} == {409}


def test_a_request_that_fits_its_model_has_a_price() -> None:
    fitted: Generation = fitting.fit(model(), "a red fox", Settings(), {}, None)
    assert pricing.price(fitted).lines == (Line("base", 7), Line("duration", 40))
    assert fitted.model.capabilities is CAPABILITIES
