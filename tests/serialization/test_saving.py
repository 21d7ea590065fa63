"""`save` and `load`: every kind of value, ties, files and file objects, atomic writes."""

from __future__ import annotations

import io
import json
import os
import stat
import threading
from collections import OrderedDict, defaultdict, namedtuple
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

import tensorgrad as tg
from tensorgrad import dtypes, nn
from tensorgrad.nn.parameter import Buffer, Parameter
from tensorgrad.serialization import atomic


def there_and_back(value: Any) -> Any:
    file = io.BytesIO()
    tg.save(value, file)
    file.seek(0)
    return tg.load(file)


def same(left: Any, right: Any) -> bool:
    if isinstance(left, (tg.Tensor, np.ndarray)):
        a, b = np.asarray(left.detach() if isinstance(left, tg.Tensor) else left), right
        b = np.asarray(b.detach() if isinstance(b, tg.Tensor) else b)
        return type(left) is type(right) and a.dtype == b.dtype and np.array_equal(a, b)
    if type(left) is not type(right):
        return False
    if isinstance(left, dict):
        return list(left) == list(right) and all(same(left[k], right[k]) for k in left)
    if isinstance(left, (list, tuple)):
        return len(left) == len(right) and all(map(same, left, right))
    return bool(left == right)


VALUES: list[Any] = [
    None, True, 0, -(10**30), 1.5, 5e-324, float("inf"), float("-inf"), 2 - 0.5j, "", "é\ud800\0",
    b"", b"\x00\xff", bytearray(b"x"), [], (), {}, set(), frozenset({1}), {1, "a", (2, None)},
    [1, [2, (3, {"a": {4: [5]}})]], {1: 2, (3, 4): 5, None: 6, 1.5: 7, "tensor": 8, False: 9},
    OrderedDict([("b", 1), ("a", 2)]), tg.Size([2, 3]), tg.float16, tg.device("cpu"),
    {"tensor": "x"}, {"_metadata": 1}, np.arange(6).reshape(2, 3).T, np.float32(1.5), np.int64(-3),
    np.bool_(True),
]  # fmt: skip


@pytest.mark.parametrize("value", VALUES, ids=lambda v: type(v).__name__)
def test_plain_values_come_back_with_their_types(value: Any) -> None:
    assert same(value, there_and_back(value))
    assert same({"x": [value]}, there_and_back({"x": [value]}))


def test_nan_comes_back() -> None:
    assert np.isnan(there_and_back(float("nan")))
    assert np.isnan(there_and_back(complex("nan+1j")).real)


@pytest.mark.parametrize("kind", dtypes.ALL, ids=str)
def test_tensors_of_every_dtype_shape_and_layout(kind: Any) -> None:
    whole = tg.arange(24).reshape(2, 3, 4).to(kind)
    for tensor in (whole, whole[0, 0, 1], whole[:, :0], whole.permute(2, 0, 1)[::2], whole[:, 1]):
        assert same(tensor, there_and_back(tensor))
        assert same({"a.b": tensor, "n": 1}, there_and_back({"a.b": tensor, "n": 1}))
        assert there_and_back(tensor).dtype is kind


def test_special_floats_keep_their_bits() -> None:
    bits = np.array([0x7F800001, 0xFFC12345, 0x80000000, 1], np.uint32)
    loaded = there_and_back(tg.from_numpy(bits.view(np.float32)))
    assert loaded.numpy().view(np.uint32).tolist() == bits.tolist()


def test_results_of_convolutions_are_saved_in_their_logical_order() -> None:
    out = nn.Conv2d(3, 8, 3)(tg.randn(2, 3, 6, 6)).detach()
    assert same(out, there_and_back(out))


def test_requires_grad_class_and_attributes() -> None:
    weight = Parameter(tg.ones(2))
    weight.decay = 0.5  # type: ignore[attr-defined]
    loaded = there_and_back(
        {"w": weight, "f": Parameter(tg.ones(1), False), "b": Buffer(tg.ones(1), persistent=False),
         "x": tg.ones(1, requires_grad=True), "y": weight * 2}
    )  # fmt: skip
    assert [type(t).__name__ for t in loaded.values()] == [
        "Parameter", "Parameter", "Buffer", "Tensor", "Tensor",
    ]  # fmt: skip
    assert [t.requires_grad for t in loaded.values()] == [True, False, False, True, True]
    assert loaded["w"].decay == 0.5
    assert loaded["b"].persistent is False
    assert loaded["y"].is_leaf
    (loaded["w"] * 3).sum().backward()
    assert loaded["w"].grad.tolist() == [3, 3]


def test_a_tensor_met_twice_is_one_tensor() -> None:
    x = tg.ones(2)
    loaded = there_and_back({"a": x, "b": [x, x]})
    assert loaded["a"] is loaded["b"][0] is loaded["b"][1]
    array = np.ones(2)
    loaded = there_and_back([array, array])
    assert loaded[0] is loaded[1]


def test_views_share_memory_again_and_writes_count() -> None:
    x = tg.arange(12.0).reshape(3, 4)
    loaded = there_and_back({"row": x[1], "all": x, "t": x.t(), "col": x[:, 2], "d": x.detach()})
    loaded["row"][2] = 99.0
    assert loaded["all"][1, 2] == loaded["t"][2, 1] == loaded["col"][1] == loaded["d"][1, 2] == 99
    weight = loaded["all"].requires_grad_()
    product = (weight * weight).sum()
    loaded["t"].add_(1.0)
    with pytest.raises(RuntimeError, match=r"modified|in place|inplace"):
        product.backward()


def test_overlapping_views_without_their_base_share_memory_again(tmp_path: Path) -> None:
    x = tg.arange(10.0)
    loaded = there_and_back([x[0:6], x[4:10], x[9:10].view(tg.int32)])
    loaded[0][5] = -1.0
    assert loaded[1].tolist() == [4, -1, 6, 7, 8, 9]
    tg.save([x[0:6:2], x[1:6:2]], tmp_path / "x")
    assert [t.tolist() for t in tg.load(tmp_path / "x")] == [[0, 2, 4], [1, 3, 5]]


def test_neighbours_in_one_buffer_are_not_tied(tmp_path: Path) -> None:
    buffer = tg.arange(6.0)
    tg.save({"a": buffer[:2], "b": buffer[2:]}, tmp_path / "x")
    assert {k: v.tolist() for k, v in load_file(tmp_path / "x").items()} == {
        "a": [0, 1],
        "b": [2, 3, 4, 5],
    }


def test_memory_between_views_is_not_written(tmp_path: Path) -> None:
    secret = tg.arange(8.0) + 100
    tg.save([secret[0:5:4], secret[4:8:3]], tmp_path / "x")
    (memory,) = load_file(tmp_path / "x").values()
    assert memory.view(np.float32).tolist() == [100, 0, 0, 0, 104, 0, 0, 107]


def test_tied_weights_of_a_model(tmp_path: Path) -> None:
    class Tied(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embedding = nn.Embedding(4, 3)
            self.head = nn.Linear(3, 4, bias=False)
            self.head.weight = self.embedding.weight

    model = Tied()
    tg.save(model.state_dict(), tmp_path / "m")
    assert list(load_file(tmp_path / "m")) == ["embedding.weight"]
    state = tg.load(tmp_path / "m")
    assert list(state) == ["embedding.weight", "head.weight"]
    state["head.weight"][0, 0] = 5.0
    assert state["embedding.weight"][0, 0] == 5
    Tied().load_state_dict(state)


def test_a_model_and_its_optimizer_go_on_where_they_were(tmp_path: Path) -> None:
    def make() -> Any:
        model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 1))
        return model, tg.optim.Adam(model.parameters(), lr=0.1, amsgrad=True)

    def step(model: Any, optimizer: Any) -> float:
        optimizer.zero_grad()
        loss = (model(tg.arange(12.0).reshape(4, 3)) - 1).square().sum()
        loss.backward()
        optimizer.step()
        return float(loss)

    tg.manual_seed(0)
    model, optimizer = make()
    step(model, optimizer)
    tg.save({"model": model.state_dict(), "optimizer": optimizer.state_dict()}, tmp_path / "c")
    expected = [step(model, optimizer) for _ in range(3)]
    twin, other = make()
    state = tg.load(tmp_path / "c")
    assert repr(twin.load_state_dict(state["model"])) == "<All keys matched successfully>"
    assert state["model"]._metadata == model.state_dict()._metadata
    other.load_state_dict(state["optimizer"])
    assert [step(twin, other) for _ in range(3)] == expected


def test_names_in_the_file(tmp_path: Path) -> None:
    t = [tg.full((1,), i) for i in range(6)]
    tg.save({"a": {"b": t[0]}, "a.b": t[1], 0: [t[2]], "__metadata__": t[3], "~memory.x": t[4],
             "\ud800": t[5]}, tmp_path / "x")  # fmt: skip
    assert {k: int(v[0]) for k, v in load_file(tmp_path / "x").items()} == {
        "a.b": 0, "#2.a.b": 1, "0.0": 2, "#2.__metadata__": 3, "#2.~memory.x": 4, "\\ud800": 5,
    }  # fmt: skip
    assert [v.tolist() for v in list(tg.load(tmp_path / "x").values())[1:2]] == [[1]]
    tg.save(t[3], tmp_path / "x")
    assert list(load_file(tmp_path / "x")) == ["data"]


def test_files_of_others_give_a_dict_by_name(tmp_path: Path) -> None:
    arrays = {"b": np.ones((2, 3), np.float32), "a": np.array(2), "e": np.zeros((0, 2), np.int8)}
    save_file(arrays, tmp_path / "x", {"note": "b is by us", "tied": "b"})
    for mapped in (False, True):
        loaded = tg.load(tmp_path / "x", mmap=mapped)
        assert sorted(loaded) == ["a", "b", "e", "tied"]
        assert all(same(tg.from_numpy(arrays[k]), loaded[k]) for k in arrays)
        assert same(loaded["tied"], loaded["b"])
        loaded["b"][0, 0] = 7.0  # writable, and not written back
    assert load_file(tmp_path / "x")["b"][0, 0] == 1


def test_mmap_reads_what_load_reads(tmp_path: Path) -> None:
    x = tg.arange(6.0)
    value = {"x": x, "v": x[2:4], "z": tg.ones(3, dtype=tg.complex128), "b": tg.tensor(True)}
    tg.save(value, tmp_path / "x")
    assert same(value, tg.load(tmp_path / "x", mmap=True))
    with pytest.raises(RuntimeError, match="f must be a file path"):
        tg.load(io.BytesIO(b"x"), mmap=True)


Point = namedtuple("Point", "x y")


class Subclass(tg.Tensor):
    pass


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (nn.Linear(1, 1), r"whole Module, tensorgrad.nn.linear.Linear.*save its state_dict\(\)"),
        ({"m": [nn.ReLU()]}, r"Module.*at \['m'\]\[0\]"),
        (tg.optim.SGD([tg.ones(1)], lr=1), r"save its state_dict\(\)"),
        (Point(1, 2), "Point is not saved"),
        (defaultdict(int), "defaultdict is not saved"),
        ({"a": (1, object())}, r"builtins.object is not saved.*at \['a'\]\[1\]"),
        (len, "is not saved"),
        (range(3), "range is not saved"),
        (np.array(["a"]), "NumPy array cannot be saved"),
        (Subclass(2), "Subclass; only"),
    ],
    ids=lambda value: type(value).__name__,  # not its repr, which may hold an address
)
def test_other_objects_are_refused_by_name(value: Any, message: str, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"before")
    with pytest.raises(TypeError, match=message):
        tg.save(value, tmp_path / "x")
    assert (tmp_path / "x").read_bytes() == b"before"
    assert os.listdir(tmp_path) == ["x"]


def test_what_contains_itself_is_refused_and_what_is_met_twice_is_not() -> None:
    loop: list[Any] = []
    loop.append({"a": loop})
    with pytest.raises(ValueError, match=r"list at \[0\]\['a'\] contains itself"):
        there_and_back(loop)
    twice = [1]
    assert there_and_back([twice, twice]) == [[1], [1]]


def test_attributes_of_an_ordered_dict_are_not_lost_silently() -> None:
    value: Any = OrderedDict()
    value.note = 1
    with pytest.raises(TypeError, match=r"attributes of its own, \['note'\]"):
        there_and_back(value)


def test_arguments_that_choose_a_pickle_are_refused() -> None:
    for argument in (
        {"pickle_protocol": 4},
        {"pickle_module": json},
        {"_use_new_zipfile_serialization": False},
    ):
        with pytest.raises(ValueError, match=f"save: {next(iter(argument))}.*leave it out"):
            tg.save(1, io.BytesIO(), **argument)  # type: ignore[arg-type]


# --- Where to -------------------------------------------------------------------------------------


def test_a_failed_write_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "x"
    tg.save(1, path)

    def failing(*_: Any) -> None:
        raise OSError("no space")

    for place in ("fsync", "replace"):
        with monkeypatch.context() as patch:
            patch.setattr(atomic.os, place, failing)
            with pytest.raises(OSError, match="no space"):
                tg.save(2, path)
        assert tg.load(path) == 1
        assert os.listdir(tmp_path) == ["x"]


def test_the_bytes_are_on_the_disk_before_the_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    for name in ("fsync", "replace"):
        real = getattr(os, name)
        monkeypatch.setattr(atomic.os, name, lambda *a, n=name, r=real: (done.append(n), r(*a))[1])
    tg.save(1, tmp_path / "x")
    assert done[:2] == ["fsync", "replace"]


@pytest.mark.skipif(os.name != "posix", reason="permissions and links are POSIX's here")
def test_links_and_permissions_stay(tmp_path: Path) -> None:
    real, link = tmp_path / "real", tmp_path / "link"
    tg.save(1, real)
    real.chmod(0o640)
    link.symlink_to(real)
    tg.save(2, str(link))
    assert link.is_symlink()
    assert tg.load(real) == 2
    assert stat.S_IMODE(real.stat().st_mode) == 0o640
    tg.save(3, tmp_path / "new")
    (tmp_path / "plain").touch()
    assert (tmp_path / "new").stat().st_mode == (tmp_path / "plain").stat().st_mode


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="named pipes are POSIX's")
def test_a_pipe_is_written_to_and_not_replaced(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    got: list[bytes] = []
    reader = threading.Thread(target=lambda: got.append(pipe.read_bytes()), daemon=True)
    reader.start()
    tg.save({"a": 1}, pipe)
    reader.join(10)
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    assert tg.load(io.BytesIO(got[0])) == {"a": 1}


def test_places_that_cannot_be_written() -> None:
    with pytest.raises(RuntimeError, match=r"Parent directory .*nowhere does not exist"):
        tg.save(1, "/nowhere/x")
    with pytest.raises(IsADirectoryError):
        tg.save(1, os.curdir)
    with pytest.raises(TypeError, match="a path or a file object"):
        tg.save(1, 3)
    with pytest.raises(TypeError, match="must be text"):
        tg.save(1, _BytesPath())


class _BytesPath:
    def __fspath__(self) -> bytes:
        return b"x"
