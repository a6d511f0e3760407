"""The reader between a video file and FFmpeg: what it gives, and how much."""

import io

import pytest
from hypothesis import given, strategies as st

from shared.adapters.guarded_video import (
    READ_BYTES_MAX,
    BadContainer,
    ForwardReader,
    Mp4Reader,
)
from tests.unit.adapters_vendor.videos import box, video

# FFmpeg writes one box that is renamed on the way back to it.
SHOWN = video().replace(b"meta", b"skip")


class Greedy(io.BytesIO):
    """A source that gives more than it was asked for."""

    def read(self, size: int | None = -1) -> bytes:
        return super().read((size or 0) + 100)


def test_it_never_gives_more_than_was_asked_for() -> None:
    assert len(ForwardReader(Greedy(b"x" * 1000)).read(10)) == 10


def test_it_ends_when_its_budget_is_given_out() -> None:
    reader = ForwardReader(io.BytesIO(b"x" * (READ_BYTES_MAX + 1000)))
    given_bytes = 0
    while data := reader.read(1_000_000):
        given_bytes += len(data)
    assert given_bytes == READ_BYTES_MAX


def test_a_forward_reader_cannot_be_told_to_jump() -> None:
    assert not hasattr(ForwardReader(io.BytesIO(b"")), "seek")


@given(st.lists(st.tuples(st.integers(0, 3000), st.integers(1, 500)), max_size=20))
def test_an_mp4_is_given_from_any_place(places: list[tuple[int, int]]) -> None:
    reader = Mp4Reader(io.BytesIO(video()))
    for at, size in places:
        assert reader.seek(at) == at
        assert reader.read(size) == SHOWN[at : at + size]
        assert reader.tell() == at + len(SHOWN[at : at + size])
    assert reader.seek(-10, 2) == len(SHOWN) - 10
    assert reader.seek(4, 1) == len(SHOWN) - 6


@pytest.mark.parametrize("word", [b"keys", b"meta", b"senc", b"cmov"])
def test_boxes_that_nobody_needs_are_renamed_wherever_they_are_read_from(word: bytes) -> None:
    film = video() + box(b"udta", b"before" + word + b"behind")
    reader = Mp4Reader(io.BytesIO(film))
    for start in range(len(film) - 24, len(film)):
        reader.seek(start)
        assert reader.read(30) == (SHOWN + box(b"udta", b"beforeskipbehind"))[start:]


@pytest.mark.parametrize("word", [b"keys", b"moov"])
def test_the_media_itself_is_never_touched(word: bytes) -> None:
    media = box(b"mdat", word * 100)
    assert Mp4Reader(io.BytesIO(video() + media)).read(10_000) == SHOWN + media


def test_a_box_of_a_64_bit_size_and_one_to_the_end_are_understood() -> None:
    large = b"\0\0\0\1free" + (24).to_bytes(8, "big") + b"\0" * 8
    to_the_end = b"\0\0\0\0mdat" + b"\0" * 50
    film = io.BytesIO(large + video() + to_the_end)
    assert Mp4Reader(film).read(10_000) == large + SHOWN + to_the_end


@pytest.mark.parametrize("size", [2, 7])
def test_a_box_smaller_than_its_header_is_refused(size: int) -> None:
    with pytest.raises(BadContainer):
        Mp4Reader(io.BytesIO(video() + size.to_bytes(4, "big") + b"moov" + b"\0" * 20))
