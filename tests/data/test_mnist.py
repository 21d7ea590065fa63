"""MNIST from small files in each layout; wrong and missing files; download from this machine."""

from __future__ import annotations

import gzip
import hashlib
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tensorgrad.data import MNIST
from tensorgrad.data.transforms import ToTensor


@pytest.mark.parametrize("place", ["", "mnist", "MNIST", "mnist/raw", "MNIST/raw"])
@pytest.mark.parametrize("zipped", [False, True])
def test_every_layout_is_found(tmp_path: Path, write_mnist: Any, place: str, zipped: bool) -> None:
    arrays = write_mnist(tmp_path / place, zipped)
    for train, split in ((True, "train"), (False, "t10k")):
        dataset = MNIST(tmp_path, train=train)
        images, labels = arrays[split]
        assert len(dataset) == len(images)
        assert dataset.data.dtype == np.uint8
        assert np.array_equal(dataset.data, images)
        assert dataset.targets.dtype == np.int64
        assert np.array_equal(dataset.targets, labels)


def test_the_environment_names_the_folder_unless_root_does(
    tmp_path: Path, write_mnist: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_mnist(tmp_path / "there", count=3)
    write_mnist(tmp_path / "here", count=5)
    monkeypatch.setenv("TENSORGRAD_DATA", str(tmp_path / "there"))
    assert len(MNIST()) == 3
    assert len(MNIST(root=str(tmp_path / "here"))) == 5
    with pytest.raises(FileNotFoundError):  # an explicit root is the only place
        MNIST(root=tmp_path / "nowhere")


def test_samples_are_scaled_images_and_int_labels(tmp_path: Path, write_mnist: Any) -> None:
    images, labels = write_mnist(tmp_path)["train"]
    dataset = MNIST(tmp_path)
    image, label = dataset[3]
    assert tuple(image.shape) == (1, 28, 28)
    assert np.array_equal(image._array, images[3][None].astype(np.float32) / np.float32(255))
    assert image._array.dtype == np.float32
    assert type(label) is int
    assert label == labels[3]
    assert np.array_equal(dataset[-1][0]._array, dataset[len(dataset) - 1][0]._array)
    assert len(list(dataset)) == len(images)  # ends, by IndexError
    with pytest.raises(IndexError, match="MNIST: index 12 is out of range for 12 images"):
        dataset[12]
    with pytest.raises(TypeError):
        dataset["0"]


def test_transforms_get_a_copy_of_the_image_and_the_label(tmp_path: Path, write_mnist: Any) -> None:
    images, labels = write_mnist(tmp_path)["train"]

    def spoil(image: np.ndarray) -> np.ndarray:
        image[:] = 0
        return image

    dataset = MNIST(tmp_path, transform=spoil, target_transform=lambda label: -label)
    assert not dataset[0][0].any()
    assert dataset[0][1] == -int(labels[0])
    assert np.array_equal(dataset.data, images)
    same = MNIST(tmp_path, transform=ToTensor())
    assert np.array_equal(same[1][0]._array, MNIST(tmp_path)[1][0]._array)
    with pytest.raises(TypeError, match="transform must be callable"):
        MNIST(tmp_path, transform=3)  # type: ignore[arg-type]


def test_arrays_are_whole_and_not_copied(tmp_path: Path, write_mnist: Any) -> None:
    images, labels = write_mnist(tmp_path)["train"]
    dataset = MNIST(tmp_path)
    all_images, all_labels = dataset.arrays()
    assert np.array_equal(all_images, images[:, None])
    assert np.array_equal(all_labels, labels)
    assert np.shares_memory(all_images, dataset.data)
    dataset.data, dataset.targets = dataset.data[:4], dataset.targets[:4]
    assert len(dataset) == len(dataset.arrays()[0]) == 4


def test_classes_are_torchvisions(tmp_path: Path, write_mnist: Any) -> None:
    write_mnist(tmp_path)
    assert MNIST(tmp_path).classes[7] == "7 - seven"
    assert MNIST(tmp_path).class_to_idx["9 - nine"] == 9
    assert repr(MNIST(tmp_path, train=False)) == "MNIST(test, 13 images of 28x28, 10 classes)"


def test_missing_data_say_where_and_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(FileNotFoundError) as caught:
        MNIST(tmp_path)
    message = str(caught.value)
    assert "train-images-idx3-ubyte" in message
    assert str(tmp_path / "MNIST" / "raw") in message
    assert "download=True" in message
    assert "root=" in message
    with pytest.raises(FileNotFoundError, match="TENSORGRAD_DATA is not set"):
        MNIST()
    monkeypatch.setenv("TENSORGRAD_DATA", str(tmp_path))
    with pytest.raises(FileNotFoundError, match="environment variable TENSORGRAD_DATA"):
        MNIST()
    assert not list(tmp_path.iterdir())  # looking makes no folders


def test_images_without_labels_are_not_found(tmp_path: Path, write_mnist: Any) -> None:
    write_mnist(tmp_path)
    (tmp_path / "train-labels-idx1-ubyte.gz").unlink()
    with pytest.raises(FileNotFoundError, match="train-labels-idx1-ubyte"):
        MNIST(tmp_path)


def test_images_and_labels_must_be_as_many(tmp_path: Path, write_mnist: Any) -> None:
    write_mnist(tmp_path)
    (tmp_path / "t10k-labels-idx1-ubyte.gz").replace(tmp_path / "train-labels-idx1-ubyte.gz")
    with pytest.raises(ValueError, match=r"12 images, but .* has 13 labels"):
        MNIST(tmp_path)


def test_labels_out_of_range_are_refused(tmp_path: Path, write_mnist: Any) -> None:
    write_mnist(tmp_path, zipped=False)
    path = tmp_path / "train-labels-idx1-ubyte"
    path.write_bytes(struct.pack(">2I", 0x801, 12) + bytes([1, 2, 10] + 9 * [0]))
    with pytest.raises(ValueError, match=r"train-labels.*label 10 at position 2.*0 to 9"):
        MNIST(tmp_path)


def test_a_folder_under_a_files_name_is_named(tmp_path: Path, write_mnist: Any) -> None:
    write_mnist(tmp_path)
    (tmp_path / "train-images-idx3-ubyte").mkdir()
    assert len(MNIST(tmp_path)) == 12  # the .gz beside it is a file
    (tmp_path / "train-images-idx3-ubyte.gz").unlink()
    with pytest.raises(IsADirectoryError, match="train-images-idx3-ubyte is a folder"):
        MNIST(tmp_path)


@pytest.fixture
def mirror(server: Any, tmp_path: Path, write_mnist: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A mirror with small files, and their sums in place of the real ones."""
    write_mnist(tmp_path / "origin")
    resources = []
    for path in sorted((tmp_path / "origin").iterdir()):
        content = gzip.decompress(path.read_bytes())
        server.files[f"/m/{path.name}"] = gzip.compress(content, compresslevel=1)
        resources.append((path.name.removesuffix(".gz"), hashlib.md5(content).hexdigest()))
    monkeypatch.setattr(MNIST, "resources", resources)
    monkeypatch.setattr(MNIST, "mirrors", [server.url + "/gone/", server.url + "/m/"])
    return server


def test_download_fetches_what_is_missing_once(mirror: Any, tmp_path: Path) -> None:
    root = tmp_path / "sets"
    assert len(MNIST(root, download=True)) == 12
    assert sorted(path.name for path in (root / "MNIST" / "raw").iterdir()) == sorted(
        name + ".gz" for name, _ in MNIST.resources
    )
    asked = len(mirror.asked)
    assert asked == 8  # two mirrors, four files
    assert len(MNIST(root, train=False, download=True)) == 13
    assert len(MNIST(root)) == 12
    assert len(mirror.asked) == asked


def test_nothing_is_downloaded_unasked_or_by_default_into_the_working_folder(
    mirror: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path / "origin")
    with pytest.raises(FileNotFoundError):
        MNIST()
    assert mirror.asked == []
    MNIST(download=True)
    assert (tmp_path / "cache/tensorgrad/MNIST/raw/t10k-labels-idx1-ubyte.gz").is_file()
    assert len(list((tmp_path / "origin").iterdir())) == 4


def test_a_download_with_a_wrong_sum_is_not_kept(mirror: Any, tmp_path: Path) -> None:
    name = MNIST.resources[2][0]
    mirror.files[f"/m/{name}.gz"] = gzip.compress(b"something else")
    root = tmp_path / "sets"
    with pytest.raises(RuntimeError, match=f"could not download {name}"):
        MNIST(root, download=True)
    left = sorted(path.name for path in (root / "MNIST" / "raw").iterdir())
    assert left == sorted(name + ".gz" for name, _ in MNIST.resources[:2])  # whole and checked


def test_wrong_files_are_reported_not_replaced(mirror: Any, tmp_path: Path) -> None:
    folder = tmp_path / "origin"
    (folder / "train-images-idx3-ubyte.gz").write_bytes(b"mine")
    with pytest.raises(ValueError, match="train-images"):
        MNIST(folder, download=True)
    assert (folder / "train-images-idx3-ubyte.gz").read_bytes() == b"mine"
    assert mirror.asked == []
