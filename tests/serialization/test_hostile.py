"""Files that are cut off, damaged or made up: a clear error, no code run, no memory filled."""

from __future__ import annotations

import contextlib
import io
import json
import pickle
import struct
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad.serialization import pytorch_legacy


def saved(value: Any) -> bytes:
    file = io.BytesIO()
    tg.save(value, file)
    return file.getvalue()


def load(content: bytes, **options: Any) -> Any:
    return tg.load(io.BytesIO(content), **options)


def safetensors(header: Any, data: bytes = b"") -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def entry(dtype: str, shape: list[int], start: int, end: int) -> dict[str, Any]:
    return {"dtype": dtype, "shape": shape, "data_offsets": [start, end]}


def structured(tree: Any, tensors: Any = None, version: Any = 1) -> bytes:
    about = {"version": version, "tree": tree, "tensors": tensors or {}}
    header = {"__metadata__": {"tensorgrad": json.dumps(about)}, "x": entry("F32", [2], 0, 8)}
    return safetensors(header, bytes(8))


GOOD = saved({"a": tg.arange(4.0), "b": [1, "x"]})


@pytest.mark.parametrize("length", [1, 7, 8, 9, 40, len(GOOD) - 16, len(GOOD) - 1])
def test_cut_off(length: int, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(GOOD[:length])
    for mapped in (False, True):
        with pytest.raises(RuntimeError, match=f"load: {tmp_path / 'x'} "):
            tg.load(tmp_path / "x", mmap=mapped)


def test_every_single_byte_changed_is_read_or_refused() -> None:
    for position in range(len(GOOD)):
        damaged = bytearray(GOOD)
        damaged[position] ^= 0xFF
        with contextlib.suppress(RuntimeError):  # no other error, and no crash
            load(bytes(damaged))


def test_empty_and_strange_files(tmp_path: Path) -> None:
    with pytest.raises(EOFError, match="is empty"):
        load(b"")
    with pytest.raises(RuntimeError, match=r"neither a safetensors file nor.*b'GIF89a"):
        load(b"GIF89a" + bytes(50))
    with pytest.raises(FileNotFoundError):
        tg.load(tmp_path / "none")
    with pytest.raises(IsADirectoryError):
        tg.load(tmp_path)
    with pytest.raises(TypeError, match="open it with 'rb'"):
        tg.load(io.StringIO("text"))
    with pytest.raises(AttributeError, match="a path or a binary file object"):
        tg.load(3)


SAFETENSORS = {
    "a header longer than the file": struct.pack("<Q", 1 << 40) + b"{}",
    "a header of all there is": b"\xff" * 8 + b"{}",
    "a tensor beyond the end": safetensors({"x": entry("F32", [4], 0, 16)}, bytes(8)),
    "a negative offset": safetensors({"x": entry("F32", [4], -16, 0)}, bytes(16)),
    "a shape that does not fit": safetensors({"x": entry("F32", [5], 0, 16)}, bytes(16)),
    "a shape that overflows": safetensors(
        {"x": entry("F32", [1 << 62, 1 << 62], 0, 16)}, bytes(16)
    ),
    "overlapping tensors": safetensors(
        {"x": entry("F32", [4], 0, 16), "y": entry("F32", [4], 0, 16)}, bytes(16)
    ),
    "a hole": safetensors({"x": entry("F32", [1], 4, 8)}, bytes(8)),
    "bytes left over": safetensors({"x": entry("F32", [1], 0, 4)}, bytes(8)),
    "an unknown type": safetensors({"x": entry("F99", [1], 0, 4)}, bytes(4)),
    "a type that NumPy lacks": safetensors({"x": entry("F8_E4M3", [4], 0, 4)}, bytes(4)),
    "no JSON": safetensors(b"{" * 5000),
    "not text": safetensors(b'{"\xff": 1}'),
    "an unknown tensor": structured({"tensor": "y"}),
    "an unknown kind": structured({"call": "os.system"}),
    "two kinds": structured({"tuple": [], "set": []}),
    "an unhashable key": structured({"dict": [[[], 1]]}),
    "a dict of no pairs": structured({"dict": [1]}),
    "bytes that are none": structured({"bytes": "***"}),
    "a dtype of none": structured({"dtype": "object"}),
    "a size of none": structured({"size": 3}),
    "a later version": structured(1, version=99),
    "a version of none": structured(1, version="x"),
    "a view of nothing": structured({"tensor": "y"}, {"y": {"of": "z"}}),
    "a view beyond its owner": structured(
        {"tensor": "y"},
        {"y": {"of": "x", "dtype": "float32", "shape": [3], "strides": [4], "offset": 0}},
    ),
    "a view before its owner": structured(
        {"tensor": "y"},
        {"y": {"of": "x", "dtype": "float32", "shape": [2], "strides": [4], "offset": -8}},
    ),
    "a view of objects": structured(
        {"tensor": "y"},
        {"y": {"of": "x", "dtype": "object", "shape": [1], "strides": [8], "offset": 0}},
    ),
    "a huge view": structured(
        {"tensor": "y"},
        {"y": {"of": "x", "dtype": "float32", "shape": [1 << 40], "strides": [0], "offset": 0}},
    ),
    "a complex that is real": structured({"tensor": "x"}, {"x": {"complex128": True}}),
    "tensors that are a list": structured({"tensor": "x"}, [1]),
}


@pytest.mark.parametrize("content", SAFETENSORS.values(), ids=SAFETENSORS)
def test_made_up_safetensors(content: bytes, tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="load: the file object "):
        load(content)
    (tmp_path / "x").write_bytes(content)
    with pytest.raises(RuntimeError, match="load: "):
        tg.load(tmp_path / "x", mmap=True)


def test_structures_deeper_than_the_stack_are_refused() -> None:
    deep = '{"version": 1, "tensors": {}, "tree": ' + "[" * 50_000 + "]" * 50_000 + "}"
    with pytest.raises(RuntimeError, match="RecursionError"):
        load(safetensors({"__metadata__": {"tensorgrad": deep}}))


def test_bytes_of_bools_are_bools() -> None:
    loaded = load(safetensors({"x": entry("BOOL", [3], 0, 3)}, b"\x00\x01\x07"))["x"]
    assert loaded.tolist() == [False, True, True]
    assert loaded.numpy().view(np.uint8).tolist() == [0, 1, 1]


# --- PyTorch's files ------------------------------------------------------------------------------


def zipped(content: bytes, compress: bool = False, **records: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED * compress) as archive:
        archive.writestr("archive/data.pkl", content)
        for name, data in records.items():
            archive.writestr(f"archive/{name.replace('_', '/')}", data)
    return file.getvalue()


def tensor(size: str, stride: str, offset: str = "K\x00", count: str = "K\x04") -> bytes:
    """A pickle of a tensor on the storage "0"; numbers are written as opcodes."""
    return (
        "\x80\x02ctorch._utils\n_rebuild_tensor_v2\n"
        f"((X\x07\x00\x00\x00storagectorch\nFloatStorage\nX\x01\x00\x00\x000X\x03\x00\x00\x00cpu"
        f"{count}tQ{offset}({size}t({stride}t\x89NtR."
    ).encode("latin1")


DATA = {"data_0": bytes(16)}


def test_the_made_up_pickle_of_a_tensor_is_read_when_it_is_right() -> None:
    assert load(zipped(tensor("K\x02K\x02", "K\x02K\x01"), **DATA)).tolist() == [[0, 0], [0, 0]]


ZIPS = {
    "a shape beyond the storage": zipped(tensor("K\x05", "K\x01"), **DATA),
    "an offset beyond the storage": zipped(tensor("K\x02", "K\x01", "K\x03"), **DATA),
    "strides beyond the storage": zipped(tensor("K\x02", "K\x04"), **DATA),
    "a negative offset": zipped(tensor("K\x02", "K\x01", "J\xff\xff\xff\xff"), **DATA),
    "a negative stride": zipped(tensor("K\x02", "J\xff\xff\xff\xff", "K\x02"), **DATA),
    "a negative size": zipped(tensor("J\xff\xff\xff\xff", "K\x01"), **DATA),
    "a size that overflows": zipped(tensor("\x8a\x08" + "\xff" * 7 + "\x7f", "K\x01"), **DATA),
    "more strides than sizes": zipped(tensor("K\x02", "K\x01K\x01"), **DATA),
    "a storage smaller than it says": zipped(tensor("K\x02", "K\x01", count="K\x09"), **DATA),
    "a storage of half an element": zipped(tensor("K\x02", "K\x01"), data_0=bytes(15)),
    "no storage": zipped(tensor("K\x02", "K\x01")),
    "a packed record": zipped(tensor("K\x02", "K\x01"), compress=True, **DATA),
    "no pickle": zipped(b"", **DATA),
    "half a pickle": zipped(tensor("K\x02", "K\x01")[:-4], **DATA),
    "a made-up byte order": zipped(tensor("K\x02", "K\x01"), byteorder=b"middle", **DATA),
    "bytes that are not there": zipped(b"\x80\x05\x96" + b"\xff" * 6 + b"\x00\x00."),
    "a storage as the value's part": zipped(
        b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\n(K\x01K\x00))\x89NtR."
    ),
    "a reference to a file": zipped(b"\x80\x02X\x03\x00\x00\x00abcQ."),
    "a million zeros": zipped(b"\x80\x02c__builtin__\nbytearray\nJ\xff\xff\xff\x7f\x85R."),
    "a new class": zipped(b"\x80\x02ccollections\nOrderedDict\n)\x81."),
}  # fmt: skip


@pytest.mark.parametrize("content", ZIPS.values(), ids=ZIPS)
def test_made_up_zip_files(content: bytes, tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="load: the file object "):
        load(content)
    (tmp_path / "x").write_bytes(content)
    with pytest.raises(RuntimeError, match="load: "):
        tg.load(tmp_path / "x", mmap=True)


def test_zip_files_of_others_and_cut_off_ones() -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("word/document.xml", "<x/>")
    with pytest.raises(RuntimeError, match=r"has 0 records 'data\.pkl'"):
        load(file.getvalue())
    good = zipped(tensor("K\x02", "K\x01"), **DATA)
    for length in range(5, len(good), 37):
        with pytest.raises(RuntimeError, match="load: the file object "):
            load(good[:length])


def test_records_that_share_their_bytes_are_refused() -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("archive/data.pkl", tensor("K\x02", "K\x01"))
        archive.writestr("archive/data/0", bytes(5000))
        for number in range(1, 40):
            twin = zipfile.ZipInfo(f"archive/data/{number}")
            twin.header_offset = archive.getinfo("archive/data/0").header_offset
            twin.file_size, twin.compress_size, twin.CRC = 5000, 5000, 0
            archive.filelist.append(twin)
    with pytest.raises(RuntimeError, match=r"records of 200,\d+ bytes in a file of"):
        load(file.getvalue())


class Evil:
    def __reduce__(self) -> Any:
        return (open, ("/tmp/tensorgrad-was-here", "w"))


@pytest.mark.parametrize("protocol", [0, 1, 2, 4, 5])
@pytest.mark.parametrize("weights_only", [None, True, False])
def test_code_is_refused_by_name(protocol: int, weights_only: Any) -> None:
    content = zipped(pickle.dumps({"a": [Evil()]}, protocol))
    with pytest.raises(pickle.UnpicklingError, match=r"asks for '_?io\.open', which is refused"):
        load(content, weights_only=weights_only)
    assert not Path("/tmp/tensorgrad-was-here").exists()


@pytest.mark.parametrize(
    "name",
    ["os system", "builtins eval", "__builtin__ getattr", "torch load", "torch.serialization load",
     "collections OrderedDict.fromkeys", "tensorgrad load", "torch nn.Module", "numpy ndarray",
     "torch.nn.modules.linear Linear", "collections defaultdict", "torch bfloat16"],
)  # fmt: skip
def test_other_names_are_refused(name: str) -> None:
    module, attribute = name.split()
    content = f"\x80\x02c{module}\n{attribute}\n)R.".encode("latin1")
    with pytest.raises(pickle.UnpicklingError, match=f"{module}.{attribute}'"):
        load(zipped(content))
    whole = pytorch_legacy.MAGIC + b"\x80\x02M\xe9\x03." + b"\x80\x02}." + content
    with pytest.raises(pickle.UnpicklingError, match=f"{module}.{attribute}'"):
        load(whole)


@pytest.mark.parametrize(
    ("target", "state"),
    [
        (b"ctorch._utils\n_rebuild_tensor\n", b"}X\x05\x00\x00\x00_callK\x01s"),
        (tensor("K\x02", "K\x01")[2:-1], b"}X\x01\x00\x00\x00xK\x01s"),
        (tensor("K\x02", "K\x01")[2:-1], b"N}X\x06\x00\x00\x00_arrayK\x01s\x86"),
        (b"ctorch\nfloat32\n", b"}X\x04\x00\x00\x00nameK\x01s"),
        (b"ccollections\nOrderedDict\n)R", b"}X\x05\x00\x00\x00itemsK\x01s"),
        (b"ccollections\nOrderedDict\n)R", b"K\x01"),
    ],
)
def test_attributes_are_refused(target: bytes, state: bytes) -> None:
    with pytest.raises(pickle.UnpicklingError, match="sets the attributes"):
        load(zipped(b"\x80\x02" + target + state + b"b.", **DATA))


def test_a_huge_memo_index_takes_no_memory() -> None:
    assert load(zipped(b"\x80\x02Nr\xff\xff\xff\x7f.")) is None


def test_torchscript_is_refused() -> None:
    with pytest.raises(pickle.UnpicklingError, match="TorchScript archive, which holds code"):
        load(zipped(b"\x80\x02N.", **{"constants.pkl": b"\x80\x02)."}))


def test_legacy_files_that_are_made_up() -> None:
    head = pytorch_legacy.MAGIC + b"\x80\x02M\xe9\x03." + b"\x80\x02}."
    keys = b"\x80\x02]X\x01\x00\x00\x000a."
    one = tensor("K\x02", "K\x01").replace(b"tQ", b"NtQ")
    count = struct.pack("<Q", 4)
    assert load(head + one + keys + count + bytes(16)).tolist() == [0, 0]
    for content in (
        pytorch_legacy.MAGIC,
        pytorch_legacy.MAGIC + b"\x80\x02K\x05.",
        head + one,
        head + one + b"\x80\x02].",
        head + one + keys,
        head + one + keys + count + bytes(12),
        head + one + keys + struct.pack("<Q", 5) + bytes(20),
        head + one.replace(b"K\x04", b"J\xff\xff\xff\x7f") + keys,
        head + one.replace(b"NtQ", b")tQ") + keys + count + bytes(16),
    ):
        with pytest.raises(RuntimeError, match="load: the file object "):
            load(content)


def test_arguments() -> None:
    good = saved(1)
    assert load(good, map_location="cpu", weights_only=True, encoding="latin1") == 1
    with pytest.raises(RuntimeError, match="pickle_module cannot be chosen"):
        load(good, pickle_module=pickle)
    with pytest.raises(TypeError, match="weights_only must be a bool"):
        load(good, weights_only="yes")
    with pytest.raises(TypeError, match=r"unexpected keyword arguments \['fix_imports'\]"):
        load(good, fix_imports=True)
    with pytest.raises(LookupError):
        load(good, encoding="no such")
    with pytest.raises(RuntimeError, match="not available"):
        load(good, map_location="cuda")
    with pytest.raises(TypeError, match="map_location must be"):
        load(good, map_location=3)


def test_map_location_of_files_from_other_devices() -> None:
    there = tensor("K\x02", "K\x01").replace(b"\x03\x00\x00\x00cpu", b"\x06\x00\x00\x00cuda:0")
    content = zipped(there, **DATA)
    with pytest.raises(RuntimeError, match=r"'cuda:0'.*map_location='cpu'"):
        load(content)
    asked: list[Any] = []

    def place(storage: Any, tag: str) -> Any:
        asked.append((storage.tolist(), tag))
        return storage

    for where in ("cpu", tg.device("cpu"), {"cuda:0": "cpu"}, place):
        assert load(content, map_location=where).tolist() == [0, 0]
    assert asked == [([0, 0, 0, 0], "cuda:0")]
    for elsewhere in ({"cuda:0": "cuda:1"}, {"cuda:1": "cpu"}, lambda s, tag: None):
        with pytest.raises(RuntimeError, match="not available"):
            load(content, map_location=elsewhere)
    with pytest.raises(RuntimeError, match="can only return the storage itself"):
        load(content, map_location=lambda s, tag: s + 1)


def test_an_array_of_numpy_that_lies_about_its_size() -> None:
    good = zipped(pickle.dumps({"a": np.arange(3.0)}, 2))
    assert load(good)["a"].tolist() == [0, 1, 2]
    content = pickle.dumps({"a": np.arange(3.0)}, 2)
    assert content.count(b"K\x03\x85") == 1  # the shape (3,)
    for shape in (b"K\x04\x85", b"J\xff\xff\xff\x7f\x85", b"J\xff\xff\xff\xff\x85"):
        with pytest.raises(RuntimeError, match="NumPy"):
            load(zipped(content.replace(b"K\x03\x85", shape)))
