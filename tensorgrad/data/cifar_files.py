"""Finding and reading the files of CIFAR-10, in the forms in which they are published."""

from __future__ import annotations

import gzip
import tarfile
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tensorgrad.data.images import check_labels
from tensorgrad.data.unpickle import safe_unpickle

__all__ = ["Source", "find", "read_binary_archive", "read_split"]

_PLACES = ("", "cifar10", "CIFAR10", "cifar-10", "cifar")
_BATCHES = {True: [f"data_batch_{i}" for i in range(1, 6)], False: ["test_batch"]}
_PIXELS = 3 * 32 * 32
_RECORD = 1 + _PIXELS
_LARGEST_FILE = 1 << 26  # 64 MiB; a batch is 31 MB
_LARGEST_UNPACKED = 1 << 29  # 512 MiB; the archives have 184 MB

Batch = tuple[NDArray[np.uint8], NDArray[np.int64]]


class Source(NamedTuple):
    """Where the batches are: a folder or a tar archive, of the binary or the python version."""

    path: Path
    binary: bool

    @property
    def folder_name(self) -> str:
        return "cifar-10-batches-bin" if self.binary else "cifar-10-batches-py"

    def file_names(self, train: bool) -> list[str]:
        return [name + ".bin" * self.binary for name in _BATCHES[train]]


def find(folder: Path) -> tuple[Source | None, list[Path]]:
    """The first source below ``folder``, and every path that was tried."""
    looked = []
    for place in _PLACES:
        for name, binary in (
            ("cifar-10-batches-bin", True),
            ("cifar-10-batches-py", False),
            ("cifar-10-binary.tar.gz", True),
            ("cifar-10-python.tar.gz", False),
        ):
            path = folder / place / name
            looked.append(path)
            if path.exists():
                return Source(path, binary), looked
    # `root` may itself be the folder of the batches.
    for binary in (True, False):
        source = Source(folder, binary)
        looked.append(folder / source.file_names(True)[0])
        if looked[-1].exists():
            return source, looked
    return None, looked


def read_split(source: Source, train: bool) -> Batch:
    """All images of a split, uint8 (N, 3, 32, 32), and their labels, int64 (N,)."""
    names = source.file_names(train)
    if source.path.is_dir():
        contents = {name: _read_file(source.path / name, source.path) for name in names}
        shown = {name: str(source.path / name) for name in names}
    else:
        contents = _read_archive(source, names)
        shown = {name: f"{source.path}, member {source.folder_name}/{name}" for name in names}
    parse = _parse_binary if source.binary else _parse_python
    batches = [parse(contents.pop(name), shown[name]) for name in names]
    images, labels = zip(*batches)
    return np.concatenate(images), np.concatenate(labels)


def read_binary_archive(path: Path) -> dict[str, bytes]:
    """The six batch files of the binary version's archive, checked, by name."""
    source = Source(path, binary=True)
    contents = _read_archive(source, source.file_names(True) + source.file_names(False))
    for name, content in contents.items():
        _parse_binary(content, f"{path}, member {name}")
    return contents


def _read_file(path: Path, folder: Path) -> bytes:
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder; a file of CIFAR-10 was expected")
    if not path.exists():
        raise FileNotFoundError(f"CIFAR10: {path.name} is missing from {folder}")
    if (size := path.stat().st_size) > _LARGEST_FILE:
        raise ValueError(f"{path}: {size:,} bytes, too many for a batch of CIFAR-10")
    return path.read_bytes()


def _read_archive(source: Source, names: Sequence[str]) -> dict[str, bytes]:
    """Members by their expected names, into memory; whatever else is there is passed over."""
    path = source.path
    wanted = {f"{source.folder_name}/{name}": name for name in names}
    contents: dict[str, bytes] = {}
    try:
        with gzip.open(path) as unpacked, _open_stream(unpacked) as archive:
            for member in archive:
                name = wanted.get(member.name)
                if name is None or not member.isreg():
                    continue
                if member.size > _LARGEST_FILE:
                    raise ValueError(
                        f"{path}: {member.name} has {member.size:,} bytes, too many for a batch "
                        "of CIFAR-10"
                    )
                stream = archive.extractfile(member)
                contents[name] = stream.read() if stream is not None else b""
                if len(contents) == len(wanted):
                    break
    except (tarfile.TarError, gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise ValueError(
            f"{path}: not a tar archive, or damaged or cut off ({error}); fetch it again"
        ) from error
    if missing := [full for full, name in wanted.items() if name not in contents]:
        raise ValueError(f"{path}: the archive has no file {missing[0]}")
    return contents


def _open_stream(unpacked: gzip.GzipFile) -> tarfile.TarFile:
    """The archive as a stream: nothing in it is sought, so nothing is unpacked twice."""
    limited: Any = _Limited(unpacked)
    return tarfile.open(fileobj=limited, mode="r|", bufsize=1 << 20)


class _Limited:
    """A stream that ends in an error where an archive unpacks to far more than it should."""

    def __init__(self, stream: gzip.GzipFile) -> None:
        self._stream = stream
        self._left = _LARGEST_UNPACKED

    def read(self, size: int) -> bytes:
        piece = self._stream.read(size)
        self._left -= len(piece)
        if self._left < 0:
            raise tarfile.ReadError(f"it unpacks to more than {_LARGEST_UNPACKED:,} bytes")
        return piece


def _parse_binary(content: bytes, source: str) -> Batch:
    """Records of a label byte and 3,072 pixels: 1,024 red, 1,024 green, 1,024 blue."""
    if not content or len(content) % _RECORD:
        raise ValueError(
            f"{source}: {len(content):,} bytes, but the binary version of CIFAR-10 is whole "
            f"records of {_RECORD:,} bytes; the file is empty, cut off or something else"
        )
    records = np.frombuffer(content, np.uint8).reshape(-1, _RECORD)
    labels = check_labels(records[:, 0], 10, source)
    return records[:, 1:].reshape(-1, 3, 32, 32), labels


def _parse_python(content: bytes, source: str) -> Batch:
    """A pickled dict with b'data', uint8 (N, 3072), and b'labels', a list of N ints."""
    batch = safe_unpickle(content, source)
    if not isinstance(batch, Mapping):
        raise ValueError(f"{source}: a pickled {type(batch).__name__}; a dict was expected")
    # Strings of Python 2 come as bytes; a file written anew by Python 3 has them as str.
    data = batch.get(b"data", batch.get("data"))
    labels = batch.get(b"labels", batch.get("labels"))
    if (
        not isinstance(data, np.ndarray)
        or data.dtype != np.uint8
        or data.ndim != 2
        or data.shape[1] != _PIXELS
    ):
        found = f"{data.dtype}{data.shape}" if isinstance(data, np.ndarray) else "no array"
        raise ValueError(f"{source}: 'data' is {found}; uint8 (N, {_PIXELS}) was expected")
    if not isinstance(labels, list) or not all(type(label) is int for label in labels):
        raise ValueError(f"{source}: 'labels' is not a list of integers")
    if len(labels) != len(data):
        raise ValueError(f"{source}: {len(data)} images, but {len(labels)} labels")
    # Clipped, since a huge one would overflow on its way to int64; out of range it is anyway.
    numbers = np.array([max(-1, min(label, 255)) for label in labels], np.int64)
    return data.reshape(-1, 3, 32, 32), check_labels(numbers, 10, source)
