"""What goes wrong at every vendor alike: orders that are refused or lost, keys that are not known,
addresses that expired. One model of each way in which a vendor is asked.
"""

from collections.abc import AsyncIterator, Mapping
from dataclasses import replace

import pytest

from infra import vendors
from shared.errors import VendorBusy, VendorError, VendorRejected, VendorUnknown
from tests.vendors.stage import Stage, staged

# Whether it is a task that is asked about; otherwise the answer is the result.
WAYS: Mapping[str, Mapping[str, bool]] = {
    "edenai": {
        "edenai-hailuo-02": True,
        "edenai-v2-hailuo-02": True,
        "edenai-seedream-4-5": False,
    },
    "fal": {"fal-seedance-1-pro": True, "fal-flux-dev": True},
    "gemini": {
        "gemini-3.1-flash-image": False,
        "gemini-omni-1.1-flash": True,
        "veo-3.1-generate-001": True,
    },
    "kling": {"kling-v2-6": True, "kling-3.0-turbo": True, "kling-image-v3": True},
    "minimax": {
        "MiniMax-Hailuo-02": True,
        "MiniMax-H3": True,
        "image-01": False,
    },
    "modelslab": {
        "modelslab-text2video-ultra": True,
        "modelslab-seedance-t2v": True,
        "modelslab-seedream-4.5": False,
    },
    "openai": {"gpt-image-2": False},
    "replicate": {"replicate-seedance-1-pro": True, "replicate-flux-schnell": True},
    "runway": {"gen4.5": True, "runway-veo3-1": True, "gen4_image": True},
    "stability": {"stable-image-core": False, "stability-upscale-creative": True},
}
ALL = [pytest.param(name, model, id=model) for name, models in WAYS.items() for model in models]
TASKS = [
    pytest.param(name, model, id=model)
    for name, models in WAYS.items()
    for model, is_task in models.items()
    if is_task
]
# Its moderation speaks once the task has begun.
MODERATED_LATER = {"runway"}
# Its word for a model that it does not have is the one for any wrong value.
NAMELESS_MODELS = {"minimax"}
# Elsewhere what is made, or what went wrong, is the answer to the poll itself.
WITH_ADDRESSES = [each for each in TASKS if each.values[0] != "stability"]

TROUBLE: Mapping[str, tuple[type[VendorError], str]] = {
    "moderation=refuse": (VendorRejected, "moderation_blocked"),
    "create=unauthorized": (VendorRejected, "provider_misconfigured"),
    "create=no_credit": (VendorRejected, "provider_misconfigured"),
    "create=model_gone": (VendorRejected, "model_gone"),
    "create=http_429": (VendorBusy, "provider_busy"),
    "create=html_502": (VendorUnknown, "provider_failed"),
    "create=garbage_json": (VendorUnknown, "provider_failed"),
    "create=drop_before_accept": (VendorUnknown, "timed_out"),
    "create=drop_after_accept": (VendorUnknown, "timed_out"),
}

NO_ANSWER: Mapping[str, type[VendorError]] = {
    "status=http_500": VendorUnknown,
    "status=http_429": VendorBusy,
    "status=html": VendorUnknown,
    "status=foreign": VendorUnknown,
}

FAILURES: Mapping[str, str] = {
    "fail=render": "provider_failed",
    "fail=internal": "provider_failed",
    "fail=capacity": "provider_busy",
    "moderation=late": "moderation_blocked",
}
# Whose word for too little capacity is the one for any failure.
NAMELESS_CAPACITY = {
    "MiniMax-H3",
    "MiniMax-Hailuo-02",
    "gemini-omni-1.1-flash",
    "replicate-flux-schnell",
    "replicate-seedance-1-pro",
}


@pytest.fixture
async def stage(name: str) -> AsyncIterator[Stage]:
    async with staged(name) as made:
        yield made


def test_every_vendor_has_its_trouble() -> None:
    assert set(WAYS) == set(vendors.NAMES)


@pytest.mark.parametrize("switches", TROUBLE)
@pytest.mark.parametrize(("name", "model"), ALL)
async def test_an_order_that_goes_wrong_says_how_wrong(
    stage: Stage, name: str, model: str, switches: str
) -> None:
    error, code = TROUBLE[switches]
    if switches == "create=model_gone" and name in NAMELESS_MODELS:
        code = "provider_rejected"
    work = stage.work(model, switches=switches)
    if switches.startswith("moderation") and name in MODERATED_LATER:
        outcome = await stage.made(work)
        assert (outcome.state, outcome.failure_code) == ("failed", code)
        return
    with pytest.raises(error) as caught:
        await stage.submit(work)
    assert caught.value.code == code
    assert "fox" not in str(caught.value), "prompts are not repeated in logs"
    wait_seconds = getattr(caught.value, "retry_after_seconds", None)
    assert wait_seconds is None or (error is VendorBusy and wait_seconds > 0)


@pytest.mark.parametrize("switches", FAILURES)
@pytest.mark.parametrize(("name", "model"), WITH_ADDRESSES)
async def test_a_failure_says_which(stage: Stage, name: str, model: str, switches: str) -> None:
    outcome = await stage.made(stage.work(model, switches=switches))
    is_nameless = switches == "fail=capacity" and model in NAMELESS_CAPACITY
    code = "provider_failed" if is_nameless else FAILURES[switches]
    assert (outcome.state, outcome.failure_code, outcome.parcels) == ("failed", code, ())


@pytest.mark.parametrize(("name", "model"), ALL)
async def test_a_wrong_key_is_ours_to_mend(name: str, model: str) -> None:
    async with staged(name, key="a-key-of-nobody") as stage:
        with pytest.raises(VendorRejected) as caught:
            await stage.submit(stage.work(model))
        assert caught.value.code == "provider_misconfigured"


@pytest.mark.parametrize(("name", "model"), TASKS)
async def test_with_a_wrong_key_nothing_is_said_of_a_task(name: str, model: str) -> None:
    async with staged(name) as stage:
        work = stage.work(model, switches="hang")
        accepted = await stage.submit(work)
    async with staged(name, key="a-key-of-nobody") as stranger:
        with pytest.raises(VendorUnknown):
            await stranger.driver.poll(replace(work.ticket, task_id=accepted.task_id))


@pytest.mark.parametrize("switches", NO_ANSWER)
@pytest.mark.parametrize(("name", "model"), TASKS)
async def test_an_answer_that_cannot_be_believed_ends_nothing(
    stage: Stage, model: str, switches: str
) -> None:
    work = stage.work(model, switches=f"hang {switches}")
    accepted = await stage.submit(work)
    with pytest.raises(NO_ANSWER[switches]):
        await stage.driver.poll(replace(work.ticket, task_id=accepted.task_id))


@pytest.mark.parametrize(("name", "model"), WITH_ADDRESSES)
async def test_an_address_that_expired_is_asked_for_again(
    stage: Stage, name: str, model: str
) -> None:
    work = stage.work(model)
    accepted = await stage.submit(work)
    await stage.ended(work, accepted)
    await stage.behave(result="expired")
    dead = await stage.ended(work, accepted)
    with pytest.raises(VendorUnknown) as caught:
        await stage.fetched(work, dead.parcels[0])
    assert caught.value.code == "result_unavailable"
    await stage.behave()
    fresh = await stage.ended(work, accepted)
    assert await stage.fetched(work, fresh.parcels[0])
