"""What each vendor can be asked for, in all its ways: it is made, fetched, and decodes."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from shared import catalogue
from tests.vendors.stage import staged

START, BOTH, SOURCE = ["start"], ["start", "end"], ["source"]
ORDERS: Mapping[str, Sequence[Mapping[str, Any]]] = {
    "fal-seedance-1-pro": [{}, {"images": START, "resolution": "1080p", "duration_seconds": 10}],
    "fal-kling-v2.5-turbo-pro": [
        {"negative_prompt": "rain"},
        {"images": START, "negative_prompt": "rain"},
    ],
    "fal-flux-dev": [{"aspect_ratio": "3:4"}],
    "fal-flux-pro-kontext": [{}],
    "gemini-3.1-flash-image": [
        {},
        {"resolution": "4K", "aspect_ratio": "8:1"},
        {"images": SOURCE},
    ],
    "gemini-3-pro-image": [
        {"images": ["source", "subject"], "resolution": "2K", "aspect_ratio": "21:9"}
    ],
    "gemini-3.1-flash-lite-image": [{"images": ["subject"]}],
    "gemini-omni-1.1-flash": [
        {},
        {"duration_seconds": 10, "resolution": "360p", "aspect_ratio": "9:16"},
        {"images": START, "resolution": "4k"},
        {"images": BOTH, "resolution": "1080p"},
    ],
    "veo-3.1-generate-001": [
        {"negative_prompt": "rain"},
        {"images": BOTH, "resolution": "1080p", "duration_seconds": 8},
    ],
    "replicate-seedance-1-pro": [
        {},
        {"images": START, "resolution": "1080p", "duration_seconds": 10},
    ],
    "replicate-hailuo-02": [{}, {"images": START, "resolution": "1080p"}],
    "replicate-flux-1.1-pro": [{"aspect_ratio": "2:3"}],
    "replicate-flux-kontext-pro": [{}],
    "replicate-nano-banana-pro": [{}, {"images": SOURCE, "resolution": "4K"}],
    "gen4.5": [{}, {"duration_seconds": 2, "aspect_ratio": "21:9", "images": START}],
    "gen4_turbo": [{}, {"prompt": "", "aspect_ratio": "1:1"}],
    "runway-veo3-1": [
        {"aspect_ratio": "9:16", "negative_prompt": "rain"},
        {"duration_seconds": 4, "resolution": "1080p", "images": START},
    ],
    "runway-veo3-1-fast": [{"images": BOTH, "audio": True}],
    "gen4_image": [{}, {"images": ["subject", "source"], "resolution": "1080p"}],
    "gen4_image_turbo": [{"aspect_ratio": "3:4"}],
}


@pytest.mark.parametrize(
    ("model", "settings"),
    [
        pytest.param(model, settings, id=f"{model}-{place}")
        for model, ways in ORDERS.items()
        for place, settings in enumerate(ways)
    ],
)
async def test_what_is_ordered_is_made_fetched_and_decodes(
    tmp_path: Path, model: str, settings: Mapping[str, Any]
) -> None:
    async with staged(catalogue.load().models[model].provider) as stage:
        work = stage.work(model, **settings)
        outcome = await stage.made(work)
        assert outcome.state == "succeeded"
        [info] = await stage.seen(work, outcome, tmp_path)
        assert bool(info.duration_seconds) is (work.ticket.kind == "video")
