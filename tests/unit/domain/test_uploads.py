"""Where pictures lie, and what files are by their first bytes."""

import pytest
from hypothesis import given, strategies as st

from shared.media_types import sniff
from shared.uploads import IMAGE_MAX_BYTES, IMAGE_TYPES, Upload, clean_key

PICTURE = Upload("img_1", "usr_1", "../../fox.png", "image/png", "pending", 1)


def test_the_original_and_the_clean_copy_lie_in_different_places_of_their_owner() -> None:
    assert PICTURE.original_key == "uploads/usr_1/img_1/original"
    assert PICTURE.clean_key == clean_key("usr_1", "img_1") == "uploads/usr_1/img_1/clean"


def test_the_clients_own_file_name_is_never_part_of_a_place() -> None:
    assert "fox" not in PICTURE.original_key + PICTURE.clean_key


def test_pictures_of_different_users_never_share_a_place() -> None:
    assert len({clean_key(user, image) for user in ("a", "b") for image in ("1", "2")}) == 4


def test_the_limits_of_pictures() -> None:
    assert IMAGE_MAX_BYTES == 10_000_000
    assert set(IMAGE_TYPES) == {"image/jpeg", "image/png", "image/webp"}


SAMPLES = [
    (b"\x00\x00\x00\x20ftypisom", "video", "video/mp4"),
    (b"\x00\x00\x00\x18ftypmp42more", "video", "video/mp4"),
    (b"\x1a\x45\xdf\xa3\x01", "video", "video/webm"),
    (b"\x89PNG\r\n\x1a\n\x00", "image", "image/png"),
    (b"\xff\xd8\xff\xe0\x00", "image", "image/jpeg"),
    (b"RIFF\x00\x00\x00\x00WEBPVP8 ", "image", "image/webp"),
]


@pytest.mark.parametrize(("first", "kind", "expected"), SAMPLES, ids=range(len(SAMPLES)))
def test_a_file_is_what_its_first_bytes_say(first: bytes, kind: str, expected: str) -> None:
    assert sniff(first, kind) == expected


@pytest.mark.parametrize(("first", "kind", "_expected"), SAMPLES, ids=range(len(SAMPLES)))
def test_a_video_is_no_picture_and_a_picture_is_no_video(
    first: bytes, kind: str, _expected: str
) -> None:
    assert sniff(first, "image" if kind == "video" else "video") is None


@pytest.mark.parametrize(("first", "kind", "expected"), SAMPLES, ids=range(len(SAMPLES)))
def test_one_wrong_bit_of_the_mark_is_another_file(first: bytes, kind: str, expected: str) -> None:
    mark = {"video/mp4": range(4, 8), "image/webp": [*range(4), *range(8, 12)]}
    length = {"video/webm": 4, "image/png": 8, "image/jpeg": 3}
    for index in mark.get(expected) or range(length[expected]):
        for bit in range(8):
            wrong = bytearray(first)
            wrong[index] ^= 1 << bit
            assert sniff(bytes(wrong), kind) is None


@pytest.mark.parametrize(
    "first",
    [
        b"",
        b"ftyp",
        b"GIF89a",
        b"<svg xmlns=",
        b"<!doctype html>",
        b"RIFF\x00\x00\x00\x00WAVE",
        b"RIFF",
        b"%PDF-1.7",
        b" \x89PNG\r\n\x1a\n",
    ],
    ids=range(9),
)
def test_everything_else_is_neither(first: bytes) -> None:
    assert sniff(first, "video") is None
    assert sniff(first, "image") is None


@given(st.binary(max_size=16), st.sampled_from(["video", "image"]))
def test_no_bytes_make_it_stumble(first: bytes, kind: str) -> None:
    assert sniff(first, kind) in {
        None,
        *{expected for _, its_kind, expected in SAMPLES if its_kind == kind},
    }
