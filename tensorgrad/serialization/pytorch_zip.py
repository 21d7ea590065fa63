"""PyTorch's zip files: a pickle, and one record of bytes for every storage."""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path
from typing import IO, Any

import numpy as np

from tensorgrad.serialization.locations import Locations, Order
from tensorgrad.serialization.unpickler import KINDS, FlatStorage, Refused, unpickle

__all__ = ["read"]


def read(
    file: IO[bytes], mapped: Path | None, source: str, locations: Locations, encoding: str
) -> Any:
    """The object in a file that ``torch.save`` has written since version 1.6."""
    try:
        with zipfile.ZipFile(file) as archive:
            return _Reader(file, archive, mapped, source, locations, encoding).value()
    except (zipfile.BadZipFile, NotImplementedError, EOFError, zlib.error) as error:
        raise RuntimeError(
            f"load: {source} is a zip file that is damaged or cut off: {error}"
        ) from error


class _Reader:
    def __init__(
        self,
        file: IO[bytes],
        archive: zipfile.ZipFile,
        mapped: Path | None,
        source: str,
        locations: Locations,
        encoding: str,
    ) -> None:
        self._file, self._archive = file, archive
        self._source, self._locations, self._encoding = source, locations, encoding
        self._storages: dict[str, tuple[FlatStorage, str, int]] = {}
        self._memory = None
        if mapped is not None:
            self._memory = np.memmap(mapped, np.uint8, mode="c").view(np.ndarray)
        self._records = self._checked()
        roots = [name for name in self._records if name.endswith("/data.pkl")]
        if len(roots) != 1:
            raise RuntimeError(
                f"load: {source} is a zip file, but not one that PyTorch's save wrote: it has "
                f"{len(roots)} records 'data.pkl'"
            )
        self._root = roots[0][: -len("data.pkl")]
        if f"{self._root}constants.pkl" in self._records:
            raise Refused(
                f"load: {source} is a TorchScript archive, which holds code; load it in PyTorch "
                "with torch.jit.load and save its state_dict()"
            )
        self._order = self._byte_order()

    def _checked(self) -> dict[str, zipfile.ZipInfo]:
        """The records by name. Nothing is packed, so nothing can unpack to more than the file."""
        records: dict[str, zipfile.ZipInfo] = {}
        end = self._file.seek(0, 2)
        total = 0
        for record in self._archive.infolist():
            if record.compress_type != zipfile.ZIP_STORED or record.flag_bits & 1:
                raise ValueError(f"record {record.filename!r:.100} is compressed or encrypted")
            if record.filename in records:
                raise ValueError(f"two records {record.filename!r:.100}")
            total += record.file_size
            records[record.filename] = record
        if total > end:
            raise ValueError(f"records of {total:,} bytes in a file of {end:,}")
        return records

    def _byte_order(self) -> Order:
        if f"{self._root}byteorder" not in self._records:
            return "<"
        order = self._archive.read(f"{self._root}byteorder")
        if order not in (b"little", b"big"):
            raise ValueError(f"byte order {order!r:.40}")
        return "<" if order == b"little" else ">"

    def value(self) -> Any:
        content = self._archive.read(f"{self._root}data.pkl")
        return unpickle(content, self._source, self._storage, self._encoding)

    def _storage(self, pid: tuple[Any, ...]) -> FlatStorage:
        kind, key, location, size = pid[:4]
        if not isinstance(key, str) or type(size) is not int:
            raise ValueError(f"a storage {key!r:.60} of size {size!r:.60}")
        if key not in self._storages:
            raw = self._bytes(f"{self._root}data/{key}")
            flat = self._locations.array(raw, KINDS[kind], self._order)
            self._locations.check(flat, str(location))
            self._storages[key] = FlatStorage(flat), kind, flat.size
        storage, first_kind, count = self._storages[key]
        if first_kind != kind or count < size:
            raise ValueError(
                f"storage {key!r:.60} has {count} elements of {first_kind}, not {size} of {kind}"
            )
        return storage

    def _bytes(self, name: str) -> Any:
        record = self._records[name]
        if self._memory is None:
            return bytearray(self._archive.read(record))
        # Where the bytes start says the record's own header, not the directory at the end.
        self._file.seek(record.header_offset)
        head = self._file.read(30)
        if head[:4] != b"PK\x03\x04":
            raise ValueError(f"record {name!r:.100} does not start where the directory says")
        skipped = int.from_bytes(head[26:28], "little") + int.from_bytes(head[28:30], "little")
        start = record.header_offset + 30 + skipped
        raw = self._memory[start : start + record.file_size]
        if len(raw) != record.file_size:
            raise ValueError(f"record {name!r:.100} reaches beyond the end")
        return raw
