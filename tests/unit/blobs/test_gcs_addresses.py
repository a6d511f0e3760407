"""Which addresses are signed anew, and which are given out again."""

from urllib.parse import parse_qs, urlsplit

import pytest

from shared.adapters.blobs.gcs_addresses import REMEMBERED_MAX, GcsAddresses
from shared.ports import SignedUpload

KEY = "results/ab12/result"


class HandClock:
    """Time that a test moves."""

    ms = 1_790_000_000_400

    def now_ms(self) -> int:
        return self.ms

    def monotonic_ms(self) -> int:
        return self.ms


class CountingSigner:
    """Numbers its signatures."""

    email = "signer@example.iam.gserviceaccount.com"
    count = 0

    async def sign(self, message: bytes) -> bytes:
        self.count += 1
        return self.count.to_bytes(4, "big")


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def signer() -> CountingSigner:
    return CountingSigner()


@pytest.fixture
def addresses(clock: HandClock, signer: CountingSigner) -> GcsAddresses:
    return GcsAddresses("media", "https://storage.googleapis.com", signer, clock)


async def test_an_address_is_given_out_again_for_a_minute(
    addresses: GcsAddresses, clock: HandClock, signer: CountingSigner
) -> None:
    async def ask() -> str:
        return await addresses.download(KEY, filename="a.mp4", expires_seconds=900)

    first = await ask()
    clock.ms += 59_999
    assert await ask() == first
    assert signer.count == 1
    clock.ms += 1
    assert await ask() != first
    assert signer.count == 2


async def test_other_objects_names_and_lives_have_addresses_of_their_own(
    addresses: GcsAddresses, signer: CountingSigner
) -> None:
    urls = {
        await addresses.download(key, filename=filename, expires_seconds=seconds)
        for key in (KEY, "other")
        for filename in (None, "a.mp4", "b.mp4")
        for seconds in (600, 900)
    }
    assert len(urls) == signer.count == 12


async def test_a_short_life_is_not_shortened_by_much(
    addresses: GcsAddresses, clock: HandClock, signer: CountingSigner
) -> None:
    for expires_seconds, fresh_ms in ((9, 0), (10, 1_000), (300, 30_000)):
        signer.count = 0
        await addresses.download(KEY, filename=None, expires_seconds=expires_seconds)
        clock.ms += max(fresh_ms - 1, 0)
        await addresses.download(KEY, filename=None, expires_seconds=expires_seconds)
        assert signer.count == (1 if fresh_ms else 2), expires_seconds
        clock.ms += 1
        await addresses.download(KEY, filename=None, expires_seconds=expires_seconds)
        assert signer.count == (2 if fresh_ms else 3), expires_seconds


async def test_only_so_many_addresses_are_remembered(
    addresses: GcsAddresses, signer: CountingSigner
) -> None:
    for n in range(REMEMBERED_MAX + 1):
        await addresses.download(f"a{n}", filename=None, expires_seconds=900)
    await addresses.download(f"a{REMEMBERED_MAX}", filename=None, expires_seconds=900)
    assert signer.count == REMEMBERED_MAX + 1
    await addresses.download("a0", filename=None, expires_seconds=900)
    assert signer.count == REMEMBERED_MAX + 2
    assert len(addresses._given) == REMEMBERED_MAX


async def test_an_upload_is_bound_in_every_way_and_signed_each_time(
    addresses: GcsAddresses, clock: HandClock, signer: CountingSigner
) -> None:
    async def ask() -> SignedUpload:
        return await addresses.upload(
            KEY, content_type="image/png", max_bytes=1_000, expires_seconds=900
        )

    await ask()
    address = await ask()
    assert signer.count == 2
    assert address.method == "PUT"
    assert address.headers == {
        "content-type": "image/png",
        "x-goog-content-length-range": "0,1000",
        "x-goog-if-generation-match": "0",
    }
    assert address.expires_at_ms == clock.ms // 1000 * 1000 + 900_000
    query = parse_qs(urlsplit(address.url).query)
    assert query["X-Goog-SignedHeaders"] == [";".join(sorted([*address.headers, "host"]))]
