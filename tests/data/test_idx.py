"""IDX files: what is read, and what each kind of wrong file is told."""

from __future__ import annotations

import gzip
import struct
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from tensorgrad.data.idx import read_idx

IMAGES = np.random.default_rng(0).integers(0, 256, (5, 28, 28), dtype=np.uint8)
HEADER = struct.pack(">4I", 0x803, 5, 28, 28)
GOOD = HEADER + IMAGES.tobytes()


def refusal(tmp_path: Path, content: bytes) -> str:
    path = tmp_path / "images"
    path.write_bytes(content)
    with pytest.raises(ValueError) as caught:
        read_idx(path, (None, 28, 28))
    assert str(path) in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize("name", ["images", "images.gz"])
def test_reads_plain_and_gzipped_whatever_the_name(tmp_path: Path, zipped: bool, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(gzip.compress(GOOD) if zipped else GOOD)
    array = read_idx(str(path), (None, 28, 28))
    assert np.array_equal(array, IMAGES)
    array += 1  # writable, and nobody else's


def test_a_wrong_magic_number_says_found_and_expected(tmp_path: Path) -> None:
    message = refusal(tmp_path, b"PK\x03\x04" + GOOD)
    assert "0x504b0304" in message
    assert "0x00000803" in message
    # Labels under the name of images.
    assert "0x00000801" in refusal(tmp_path, struct.pack(">2I", 0x801, 9) + bytes(9))


def test_a_wrong_shape_says_found_and_expected(tmp_path: Path) -> None:
    message = refusal(tmp_path, struct.pack(">4I", 0x803, 5, 32, 32) + bytes(5 * 32 * 32))
    assert "(5, 32, 32)" in message
    assert "(any, 28, 28)" in message


@pytest.mark.parametrize("zipped", [False, True])
def test_cut_off_elements_say_how_many_there_are(tmp_path: Path, zipped: bool) -> None:
    content = GOOD[:-1000]
    message = refusal(tmp_path, gzip.compress(content) if zipped else content)
    assert "3,920" in message
    assert "2,920" in message


def test_surplus_elements_are_refused(tmp_path: Path) -> None:
    assert "more data follow" in refusal(tmp_path, GOOD + b"\0")


@pytest.mark.parametrize("length", [1, 3, 4, 9, 15])
def test_a_cut_off_header_is_refused(tmp_path: Path, length: int) -> None:
    assert f"after {length} of 16 bytes" in refusal(tmp_path, GOOD[:length])


def test_an_empty_file_and_a_folder_say_so(tmp_path: Path) -> None:
    assert "is empty" in refusal(tmp_path, b"")
    with pytest.raises(IsADirectoryError, match="is a folder"):
        read_idx(tmp_path, (None,))


@pytest.mark.parametrize("damage", ["cut", "flip", "checksum"])
def test_damaged_gzip_data_are_refused(tmp_path: Path, damage: str) -> None:
    packed = bytearray(gzip.compress(GOOD))
    if damage == "cut":
        del packed[len(packed) // 2 :]
    else:
        packed[len(packed) // 2 if damage == "flip" else -8] ^= 0xFF
    assert "damaged or cut off" in refusal(tmp_path, bytes(packed))


def test_a_gzip_bomb_is_not_unpacked(tmp_path: Path) -> None:
    """200 MB of zeros behind an honest header: one byte more than announced is looked at."""
    path = tmp_path / "bomb"
    path.write_bytes(gzip.compress(GOOD + bytes(200_000_000), compresslevel=1))
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match="more data follow"):
            read_idx(path, (None, 28, 28))
        assert tracemalloc.get_traced_memory()[1] < 20_000_000
    finally:
        tracemalloc.stop()


def test_a_header_that_announces_terabytes_is_not_believed(tmp_path: Path) -> None:
    content = struct.pack(">4I", 0x803, 0xFFFFFFFF, 28, 28) + bytes(100)
    assert "are not read" in refusal(tmp_path, content)
