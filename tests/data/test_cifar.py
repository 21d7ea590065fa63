"""CIFAR-10 from small files: both versions, folders and archives, wrong and hostile ones."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import pickle
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tensorgrad.data import CIFAR10
from tensorgrad.data import cifar_files as cifar_files_module

FOLDER = {True: "cifar-10-batches-bin", False: "cifar-10-batches-py"}
ARCHIVE = {True: "cifar-10-binary.tar.gz", False: "cifar-10-python.tar.gz"}


def write_folder(root: Path, files: dict[str, bytes]) -> None:
    root.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (root / name).write_bytes(content)


def check(root: Path, images: np.ndarray, labels: np.ndarray) -> None:
    train, test = CIFAR10(root), CIFAR10(root, train=False)
    count = len(images) // 6
    assert (len(train), len(test)) == (5 * count, count)
    assert np.array_equal(np.r_[train.arrays()[0], test.arrays()[0]], images)
    assert np.array_equal(np.r_[train.targets, test.targets], labels)
    assert train.targets.dtype == np.int64
    assert train.data.dtype == np.uint8
    assert np.array_equal(train.data, images[: 5 * count].transpose(0, 2, 3, 1))


@pytest.mark.parametrize("binary", [True, False])
@pytest.mark.parametrize("place", ["", "cifar10", "CIFAR10", "cifar-10", "cifar"])
@pytest.mark.parametrize("packed", [False, True])
def test_every_layout_is_found(
    tmp_path: Path, cifar_files: Any, make_tar_gz: Any, binary: bool, place: str, packed: bool
) -> None:
    files, images, labels = cifar_files(binary)
    root = tmp_path / place
    if packed:
        root.mkdir(exist_ok=True)
        members = {f"{FOLDER[binary]}/{name}": content for name, content in files.items()}
        (root / ARCHIVE[binary]).write_bytes(make_tar_gz(members))
    else:
        write_folder(root / FOLDER[binary], files)
    check(tmp_path, images, labels)


@pytest.mark.parametrize("binary", [True, False])
def test_root_may_be_the_folder_of_batches_itself(
    tmp_path: Path, cifar_files: Any, binary: bool
) -> None:
    files, images, labels = cifar_files(binary)
    write_folder(tmp_path, files)
    check(tmp_path, images, labels)


@pytest.mark.parametrize("protocol", [2, 4, 5])
def test_pickles_written_anew_by_python_3(tmp_path: Path, cifar_files: Any, protocol: int) -> None:
    files, images, labels = cifar_files(False, protocol=protocol)
    write_folder(tmp_path / FOLDER[False], files)
    check(tmp_path, images, labels)


def test_samples(tmp_path: Path, cifar_files: Any) -> None:
    files, images, labels = cifar_files(True)
    write_folder(tmp_path / FOLDER[True], files)
    image, label = CIFAR10(tmp_path)[4]
    assert np.array_equal(image._array, images[4].astype(np.float32) / np.float32(255))
    assert image._array.flags.c_contiguous
    assert label == labels[4]
    seen, _ = CIFAR10(tmp_path, transform=lambda pixels: pixels)[4]
    assert np.array_equal(seen, images[4].transpose(1, 2, 0))
    assert CIFAR10.classes[3] == "cat"


def test_missing_data_say_where_and_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as caught:
        CIFAR10(tmp_path)
    for part in ("cifar-10-batches-bin", "cifar-10-python.tar.gz", str(tmp_path), "download=True"):
        assert part in str(caught.value)


@pytest.mark.parametrize("binary", [True, False])
def test_a_missing_batch_is_named(
    tmp_path: Path, cifar_files: Any, make_tar_gz: Any, binary: bool
) -> None:
    files, *_ = cifar_files(binary)
    name = "data_batch_3" + ".bin" * binary
    del files[name]
    write_folder(tmp_path / "a" / FOLDER[binary], files)
    with pytest.raises(FileNotFoundError, match=f"{name} is missing from"):
        CIFAR10(tmp_path / "a")
    assert len(CIFAR10(tmp_path / "a", train=False)) == 3
    members = {f"{FOLDER[binary]}/{name}": content for name, content in files.items()}
    (tmp_path / ARCHIVE[binary]).write_bytes(make_tar_gz(members))
    with pytest.raises(ValueError, match=f"no file {FOLDER[binary]}/{name}"):
        CIFAR10(tmp_path)


@pytest.mark.parametrize("content", [b"", bytes(3072), bytes(3074), bytes(2 * 3073 - 1)])
def test_a_binary_batch_of_the_wrong_size_is_refused(
    tmp_path: Path, cifar_files: Any, content: bytes
) -> None:
    files, *_ = cifar_files(True)
    write_folder(tmp_path / FOLDER[True], files | {"data_batch_2.bin": content})
    with pytest.raises(ValueError, match=rf"data_batch_2.bin: {len(content):,} bytes.*3,073"):
        CIFAR10(tmp_path)


def test_a_binary_label_out_of_range_is_refused(tmp_path: Path, cifar_files: Any) -> None:
    files, *_ = cifar_files(True)
    record = bytes([10]) + bytes(3072)
    write_folder(tmp_path / FOLDER[True], files | {"test_batch.bin": bytes(3073) + record})
    with pytest.raises(ValueError, match=r"test_batch.bin: label 10 at position 1"):
        CIFAR10(tmp_path, train=False)


def test_a_folder_under_a_files_name_is_named(tmp_path: Path, cifar_files: Any) -> None:
    files, *_ = cifar_files(True)
    del files["test_batch.bin"]
    write_folder(tmp_path / FOLDER[True], files)
    (tmp_path / FOLDER[True] / "test_batch.bin").mkdir()
    with pytest.raises(IsADirectoryError, match=r"test_batch.bin is a folder"):
        CIFAR10(tmp_path, train=False)


def test_a_file_under_a_folders_name_is_no_archive(tmp_path: Path) -> None:
    (tmp_path / FOLDER[True]).write_bytes(b"hello")
    with pytest.raises(ValueError, match="not a tar archive"):
        CIFAR10(tmp_path)


PIXELS = np.zeros((2, 3072), np.uint8)


@pytest.mark.parametrize(
    ("batch", "complaint"),
    [
        ([1, 2], "a pickled list; a dict was expected"),
        ({b"labels": [1, 2]}, "'data' is no array"),
        ({b"data": PIXELS[:, :5], b"labels": [1, 2]}, r"'data' is uint8\(2, 5\)"),
        ({b"data": PIXELS.astype(int), b"labels": [1, 2]}, "'data' is int64"),
        ({b"data": PIXELS}, "'labels' is not a list"),
        ({b"data": PIXELS, b"labels": [1, "2"]}, "'labels' is not a list of integers"),
        ({b"data": PIXELS, b"labels": [1]}, "2 images, but 1 labels"),
        ({b"data": PIXELS, b"labels": [1, -1]}, "label -1 at position 1"),
        ({b"data": PIXELS, b"labels": [10**30, 1]}, "at position 0"),
    ],
)
def test_a_pickle_of_something_else_is_refused(
    tmp_path: Path, batch: object, complaint: str
) -> None:
    write_folder(tmp_path / FOLDER[False], {"test_batch": pickle.dumps(batch), "data_batch_1": b""})
    with pytest.raises(ValueError, match=f"test_batch: .*{complaint}"):
        CIFAR10(tmp_path, train=False)


class RunsACommand:
    def __init__(self, command: str) -> None:
        self.command = command

    def __reduce__(self) -> Any:
        return os.system, (self.command,)


@pytest.mark.parametrize("packed", [False, True])
def test_a_pickle_that_runs_a_command_is_refused(
    tmp_path: Path, cifar_files: Any, make_tar_gz: Any, packed: bool
) -> None:
    witness = tmp_path / "witness"
    hostile = pickle.dumps({b"data": RunsACommand(f"touch {witness}"), b"labels": [1]})
    files, *_ = cifar_files(False)
    files["test_batch"] = hostile
    if packed:
        members = {f"{FOLDER[False]}/{name}": content for name, content in files.items()}
        (tmp_path / ARCHIVE[False]).write_bytes(make_tar_gz(members))
    else:
        write_folder(tmp_path / FOLDER[False], files)
    with pytest.raises(pickle.UnpicklingError, match=r"test_batch: .*system"):
        CIFAR10(tmp_path, train=False)
    assert not witness.exists()


def hostile_members(archive: tarfile.TarFile) -> None:
    for name in ("../outside", "/tmp/outside", f"{FOLDER[True]}/../../outside"):
        info = tarfile.TarInfo(name)
        info.size = 4
        archive.addfile(info, io.BytesIO(b"evil"))
    link = tarfile.TarInfo(f"{FOLDER[True]}/data_batch_1.bin")
    link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
    archive.addfile(link)


def test_an_archive_with_hostile_members_writes_nothing(
    tmp_path: Path, cifar_files: Any, make_tar_gz: Any
) -> None:
    """Names that climb out, absolute names and links are passed over; the real files are read."""
    files, images, labels = cifar_files(True)
    members = {f"{FOLDER[True]}/{name}": content for name, content in files.items()}
    root = tmp_path / "deep" / "root"
    root.mkdir(parents=True)
    (root / ARCHIVE[True]).write_bytes(make_tar_gz(members, hostile_members))
    check(root, images, labels)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [root / ARCHIVE[True]]


def test_a_damaged_archive_is_refused(tmp_path: Path, cifar_files: Any, make_tar_gz: Any) -> None:
    files, *_ = cifar_files(True)
    good = make_tar_gz({f"{FOLDER[True]}/{name}": content for name, content in files.items()})
    path = tmp_path / ARCHIVE[True]
    for content in (b"", b"<html>", good[: len(good) // 2], gzip.compress(b"<html>" * 999)):
        path.write_bytes(content)
        with pytest.raises(
            ValueError, match=r"not a tar archive, or damaged|has no file"
        ) as caught:
            CIFAR10(tmp_path)
        assert str(path) in str(caught.value)


def test_members_and_archives_of_absurd_size_are_not_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / ARCHIVE[True]
    info = tarfile.TarInfo(f"{FOLDER[True]}/data_batch_1.bin")
    info.size = 1 << 40
    path.write_bytes(gzip.compress(info.tobuf()))
    with pytest.raises(ValueError, match=r"1,099,511,627,776 bytes, too many"):
        CIFAR10(tmp_path)
    # A name longer than all that may come: tarfile would read it whole.
    monkeypatch.setattr(cifar_files_module, "_LARGEST_UNPACKED", 10 << 20)
    long = tarfile.TarInfo("././@LongLink")
    long.type, long.size = tarfile.GNUTYPE_LONGNAME, 1 << 35
    with gzip.open(path, "wb", compresslevel=1) as stream:
        stream.write(long.tobuf(tarfile.GNU_FORMAT))
        stream.write(bytes(20 << 20))
    with pytest.raises(ValueError, match="unpacks to more than"):
        CIFAR10(tmp_path)


@pytest.fixture
def mirror(server: Any, cifar_files: Any, make_tar_gz: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A mirror with a small archive, and its sum in place of the real one."""
    files, server.images, server.labels = cifar_files(True)
    members = {f"{FOLDER[True]}/{name}": content for name, content in files.items()}
    packed = make_tar_gz(members, hostile_members)
    server.files["/m/" + ARCHIVE[True]] = packed
    monkeypatch.setattr(CIFAR10, "mirrors", [server.url + "/gone/", server.url + "/m/"])
    monkeypatch.setattr(CIFAR10, "archive", (ARCHIVE[True], hashlib.md5(packed).hexdigest()))
    return server


def test_download_unpacks_the_batches_and_nothing_else(mirror: Any, tmp_path: Path) -> None:
    root = tmp_path / "deep" / "sets"
    CIFAR10(root, download=True)
    check(root, mirror.images, mirror.labels)
    folder = root / FOLDER[True]
    assert list(root.iterdir()) == [folder]
    assert len(list(folder.iterdir())) == 6
    assert [path for path in tmp_path.rglob("*") if path.is_file() and path.parent != folder] == []
    asked = list(mirror.asked)
    CIFAR10(root, train=False, download=True)
    assert mirror.asked == asked


def test_a_failed_download_leaves_nothing(
    mirror: Any, tmp_path: Path, make_tar_gz: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "sets"
    monkeypatch.setattr(CIFAR10, "archive", (ARCHIVE[True], "0" * 32))
    with pytest.raises(RuntimeError, match="the MD5 is"):
        CIFAR10(root, download=True)
    assert list(root.iterdir()) == []


def test_a_wrong_archive_is_not_unpacked_in_part(
    mirror: Any, tmp_path: Path, make_tar_gz: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "sets"
    packed = make_tar_gz({f"{FOLDER[True]}/data_batch_1.bin": bytes(3073)})
    mirror.files["/m/" + ARCHIVE[True]] = packed
    monkeypatch.setattr(CIFAR10, "archive", (ARCHIVE[True], hashlib.md5(packed).hexdigest()))
    with pytest.raises(ValueError, match="has no file"):
        CIFAR10(root, download=True)
    assert [path.name for path in root.iterdir()] == [ARCHIVE[True]]
