"""The bundled digits: their content, their split, their scaling."""

from __future__ import annotations

import hashlib
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

from tensorgrad.data import Digits
from tensorgrad.data.transforms import ToTensor


def test_the_bundled_file_is_the_original_with_its_citation() -> None:
    folder = files("tensorgrad.data")
    content = folder.joinpath("digits.npz").read_bytes()
    assert hashlib.sha256(content).hexdigest() == (
        "78e5a74b029974419349896fa823a199cbb032ab175f49da25f1f4ca672be40c"
    )
    citation = folder.joinpath("digits.md").read_text()
    assert "10.24432/C50P49" in citation
    assert "CC BY 4.0" in citation


def test_the_split_holds_out_a_fifth_of_each_class() -> None:
    train, test = Digits(train=True), Digits(train=False)
    assert (len(train), len(test)) == (1442, 355)
    total = np.bincount(train.targets) + np.bincount(test.targets)
    assert np.array_equal(np.bincount(test.targets), total // 5)
    # The same forever: results are compared across versions.
    content = test.data.tobytes() + bytes(test.targets.tolist())
    assert hashlib.md5(content).hexdigest() == "7eda0db653e02daca857474ebccab1bc"


def test_both_parts_together_are_the_whole_file() -> None:
    both = np.concatenate([Digits(train=part).data for part in (True, False)])
    with np.load(str(files("tensorgrad.data").joinpath("digits.npz"))) as archive:
        images = archive["images"]

    def ordered(stack: np.ndarray) -> np.ndarray:
        return np.array(sorted(map(bytes, stack)))

    assert np.array_equal(ordered(both), ordered(images))


def test_samples_are_scaled_by_sixteen() -> None:
    dataset = Digits()
    image, label = dataset[0]
    assert tuple(image.shape) == (1, 8, 8)
    assert np.array_equal(image._array, dataset.data[:1] / np.float32(16))
    assert max(float(sample._array.max()) for sample, _ in dataset) == 1.0
    assert label == 0
    # ToTensor means what it means for images of bytes.
    assert np.array_equal(Digits(transform=ToTensor())[5][0]._array, dataset[5][0]._array)


def test_another_file_in_the_same_layout(tmp_path: Path) -> None:
    images = np.arange(320, dtype=np.uint8).reshape(5, 8, 8) % 17
    np.savez(tmp_path / "digits.npz", images=images, labels=np.full(5, 3))
    assert np.array_equal(Digits(tmp_path, train=False).data, images[4:])
    with pytest.raises(FileNotFoundError, match=r"no file .*digits.npz"):
        Digits(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("arrays", "complaint"),
    [
        ({"images": np.zeros((2, 8, 8), np.uint8)}, "arrays 'images' and 'labels'"),
        ({"images": np.zeros((2, 8, 8)), "labels": np.zeros(2, int)}, "'images' is float64"),
        ({"images": np.zeros((3, 8, 8), np.uint8), "labels": np.zeros(2, int)}, r"\(3, 8, 8\)"),
        ({"images": np.full((2, 8, 8), 17, np.uint8), "labels": np.zeros(2, int)}, "0 to 16"),
        ({"images": np.zeros((2, 8, 8), np.uint8), "labels": np.ones(2)}, "'labels' is float64"),
        ({"images": np.zeros((2, 8, 8), np.uint8), "labels": np.array([1, 10])}, "label 10"),
        ({"images": np.array([None]), "labels": np.zeros(2, int)}, "not an npz file"),
    ],
)
def test_wrong_files_are_refused(
    tmp_path: Path, arrays: dict[str, np.ndarray], complaint: str
) -> None:
    np.savez(tmp_path / "digits.npz", **arrays)
    with pytest.raises(ValueError, match=complaint) as caught:
        Digits(tmp_path)
    assert "digits.npz" in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 no archive", b"hello"])
def test_what_is_no_npz_file_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "digits.npz").write_bytes(content)
    with pytest.raises(ValueError, match=r"digits.npz: not an npz file"):
        Digits(tmp_path)
