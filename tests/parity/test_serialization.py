"""Files that PyTorch or its users' safetensors write load here, and ours load there."""

from __future__ import annotations

import io
import os
from collections import Counter, OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.torch as st
import torch

import tensorgrad as tg

KINDS = [
    "bool", "uint8", "int8", "int16", "int32", "int64", "uint16", "uint32", "uint64", "float16",
    "float32", "float64", "complex64", "complex128",
]  # fmt: skip


def pickled(value: Any, new: bool = True) -> io.BytesIO:
    file = io.BytesIO()
    torch.save(value, file, _use_new_zipfile_serialization=new)
    file.seek(0)
    return file


def equal(ours: Any, theirs: Any) -> bool:
    return (
        str(ours.dtype).split(".")[1] == str(theirs.dtype).split(".")[1]
        and tuple(ours.shape) == tuple(theirs.shape)
        and ours.requires_grad == theirs.requires_grad
        and ours.detach().tolist() == theirs.detach().tolist()
    )


@pytest.mark.parametrize("new", [True, False], ids=["zip", "legacy"])
@pytest.mark.parametrize("kind", KINDS)
def test_tensors_of_every_dtype_and_layout(kind: str, new: bool, tmp_path: Path) -> None:
    whole = torch.arange(24).reshape(2, 3, 4).to(getattr(torch, kind))
    tensors = [whole, whole[0, 1, 2], whole[:, :0], whole.permute(2, 0, 1)[::2]]
    tensors.append(whole.expand(3, 2, 3, 4))
    torch.save(tensors, tmp_path / "x", _use_new_zipfile_serialization=new)
    for mapped in (False, True)[: 1 + new]:
        loaded = tg.load(tmp_path / "x", mmap=mapped)
        assert all(map(equal, loaded, tensors))
        assert [t.stride() for t in loaded[:2]] == [t.stride() for t in tensors[:2]]
        if kind not in ("uint16", "uint32", "uint64"):
            loaded[0].zero_()
            assert not loaded[1].item()  # one storage


@pytest.mark.parametrize("new", [True, False], ids=["zip", "legacy"])
@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_containers_and_plain_values(new: bool, protocol: int) -> None:
    value = OrderedDict(
        a=[1, -(1 << 70), 1.5, float("inf"), None, True, "é", b"\0\xff", bytearray(b"x"), 2j],
        b=({1, 2}, frozenset({3}), (), {}, {"x": {2: [3]}}),
    )
    file = io.BytesIO()
    torch.save(value, file, pickle_protocol=protocol, _use_new_zipfile_serialization=new)
    file.seek(0)
    loaded = tg.load(file)
    assert loaded == value
    assert type(loaded) is OrderedDict
    theirs = [torch.Size([2, 3]), torch.float16, torch.device("cpu"), torch.bool]
    assert tg.load(pickled(theirs, new)) == [
        tg.Size([2, 3]), tg.float16, tg.device("cpu"), tg.bool,
    ]  # fmt: skip


@pytest.mark.parametrize("new", [True, False], ids=["zip", "legacy"])
def test_parameters_ties_and_lazy_views(new: bool) -> None:
    x = torch.arange(4.0)
    c = torch.tensor([1 + 2j, 3 - 1j])
    value = [torch.nn.Parameter(x), torch.nn.Parameter(x, False), x.requires_grad_()]
    value += [c.conj(), torch.tensor([2j, 1]).conj().imag]
    loaded = tg.load(pickled([*value, value[0]], new))
    assert all(map(equal, loaded, value))
    assert [type(t).__name__ for t in loaded[:3]] == ["Parameter", "Parameter", "Tensor"]
    assert loaded[0] is loaded[-1]
    with tg.no_grad():
        loaded[0][1] = 9.0
    assert loaded[1][1] == loaded[2][1] == 9


def test_bfloat16_becomes_float32_with_the_same_values(tmp_path: Path) -> None:
    values = torch.tensor([1.0, -2.5, float("inf"), 3e38, 1e-40, 0.1], dtype=torch.bfloat16)
    st.save_file({"x": values}, tmp_path / "st")
    torch.save({"x": values}, tmp_path / "zip")
    torch.save({"x": values}, tmp_path / "old", _use_new_zipfile_serialization=False)
    for name in ("st", "zip", "old"):
        with pytest.warns(UserWarning, match=f"{name} has bfloat16 tensors.*read as float32"):
            loaded = tg.load(tmp_path / name)
        assert equal(loaded["x"], values.float())


def test_other_types_are_refused_by_name(tmp_path: Path) -> None:
    half = torch.zeros(2, dtype=torch.float8_e4m3fn)
    with pytest.raises(Exception, match=r"float8_e4m3fn|Float8"):
        tg.load(pickled(half))
    st.save_file({"x": half}, tmp_path / "x")
    with pytest.raises(RuntimeError, match="'x' is of type F8_E4M3, which NumPy lacks"):
        tg.load(tmp_path / "x")
    with pytest.raises(Exception, match="_rebuild_sparse_tensor"):
        tg.load(pickled(torch.eye(2).to_sparse()))


@pytest.mark.parametrize("protocol", [2, 4])
@pytest.mark.parametrize("new", [True, False], ids=["zip", "legacy"])
def test_numbers_and_arrays_of_numpy(new: bool, protocol: int) -> None:
    """What training scripts keep beside the weights: best scores, curves, NumPy's random state."""
    a = np.arange(6.0).reshape(2, 3)
    value = {
        "best": np.float64(0.5), "n": np.int64(3), "yes": np.bool_(True), "z": np.complex64(1 + 2j),
        "a": a, "by columns": np.asfortranarray(a), "again": [a], "none": np.zeros((0, 2)),
        "swapped": np.arange(3, dtype=">i4"), "one": np.array(3.0, "f2"),
        "random": np.random.RandomState(0).get_state(), "counted": Counter("aab"),
    }  # fmt: skip
    file = io.BytesIO()
    torch.save(value, file, _use_new_zipfile_serialization=new, pickle_protocol=protocol)
    file.seek(0)
    read = tg.load(file)
    for key in ("best", "n", "yes", "z"):
        assert read[key] == value[key]
        assert type(read[key]) is type(value[key])
    for key in ("a", "by columns", "none", "swapped", "one"):
        np.testing.assert_array_equal(read[key], value[key])
        assert read[key].dtype == value[key].dtype.newbyteorder("=")
        assert read[key].flags.writeable
    assert read["again"][0] is read["a"]
    assert read["counted"] == Counter("aab")
    np.random.RandomState(1).set_state(read["random"])


@pytest.mark.parametrize(
    "value",
    [np.array(["a"]), np.array([object()]), np.zeros(2, [("x", "f8")]), np.datetime64("2020")],
)
def test_other_arrays_of_numpy_are_refused(value: Any) -> None:
    with pytest.raises(RuntimeError, match="no plain numbers"):
        tg.load(pickled(value))


@pytest.mark.parametrize("new", [True, False], ids=["zip", "legacy"])
def test_whole_models_are_refused_by_name(new: bool) -> None:
    with pytest.raises(Exception, match=r"torch.nn.modules.linear.Linear'.*state_dict\(\)"):
        tg.load(pickled(torch.nn.Linear(1, 1), new), weights_only=False)
    with pytest.raises(Exception, match=r"collections.defaultdict'|SGD"):
        tg.load(pickled(torch.optim.SGD([torch.ones(1)]), new))


def models() -> tuple[Any, Any]:
    def make(p: Any) -> Any:
        nn = p.nn
        return nn.Sequential(
            nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(64, 5)
        )

    return make(tg), make(torch)


@pytest.mark.parametrize("way", ["zip", "legacy", "safetensors"])
def test_their_weights_and_optimizer_state_go_on_here(way: str, tmp_path: Path) -> None:
    ours, theirs = (model.double() for model in models())
    optimizer = torch.optim.AdamW(theirs.parameters(), lr=0.01)
    x = np.random.default_rng(0).standard_normal((2, 3, 6, 6))
    theirs(torch.from_numpy(x)).square().sum().backward()
    optimizer.step()
    twin = tg.optim.AdamW(ours.parameters())
    if way == "safetensors":
        st.save_file(theirs.state_dict(), tmp_path / "x")
        ours.load_state_dict(tg.load(tmp_path / "x"))
    else:
        state = {"model": theirs.state_dict(), "optimizer": optimizer.state_dict(), "epoch": 3}
        loaded = tg.load(pickled(state, way == "zip"))
        assert loaded["epoch"] == 3
        assert loaded["model"]._metadata == theirs.state_dict()._metadata
        ours.load_state_dict(loaded["model"])
        twin.load_state_dict(loaded["optimizer"])
        for p, model, opt in ((tg, ours, twin), (torch, theirs, optimizer)):
            opt.zero_grad()
            model(p.from_numpy(x)).square().sum().backward()
            opt.step()
    ours.eval(), theirs.eval()
    np.testing.assert_allclose(
        ours(tg.from_numpy(x)).detach().numpy(),
        theirs(torch.from_numpy(x)).detach().numpy(),
        rtol=1e-9,
        atol=1e-9,
    )


def test_our_weights_load_there(tmp_path: Path) -> None:
    ours, theirs = models()
    tg.save(ours.state_dict(), tmp_path / "x")
    theirs.load_state_dict(st.load_file(tmp_path / "x"))
    assert all(map(equal, ours.parameters(), theirs.parameters()))
    assert not st.load_model(theirs, tmp_path / "x")[0]


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "complex128"])
def test_our_tensors_of_every_dtype_load_there(kind: str, tmp_path: Path) -> None:
    whole = tg.arange(24).reshape(2, 3, 4).to(getattr(tg, kind))
    mine = {"w": whole, "0": whole.clone()[0, 1, 2], "e": whole[:, :0], "t": whole.clone().mT}
    tg.save(mine, tmp_path / "x")
    loaded = st.load_file(tmp_path / "x")
    assert sorted(loaded) == sorted(mine)
    assert all(equal(mine[name], loaded[name]) for name in mine)


def test_ties_are_noted_as_their_save_model_notes_them(tmp_path: Path) -> None:
    class Tied(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a = torch.nn.Linear(3, 3, bias=False)
            self.b = torch.nn.Linear(3, 3, bias=False)
            self.b.weight = self.a.weight

    model = Tied()
    st.save_model(model, tmp_path / "x")
    state = tg.load(tmp_path / "x")
    assert sorted(state) == ["a.weight", "b.weight"]
    state["b.weight"][0, 0] = 7.0
    assert state["a.weight"][0, 0] == 7
    tg.save(state, tmp_path / "y")
    st.load_model(model, tmp_path / "y")
    assert model.b.weight[0, 0] == 7


def test_errors_have_their_types(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    (tmp_path / "zip").write_bytes(pickled(torch.ones(3)).getvalue()[:300])

    def kind(call: Any) -> type[Exception]:
        with pytest.raises(Exception) as caught:
            call()
        return caught.type

    for call in (
        lambda p: p.load(tmp_path / "empty"),
        lambda p: p.load(tmp_path / "zip"),
        lambda p: p.load(tmp_path / "none"),
        lambda p: p.load(tmp_path),
        lambda p: p.load(3),
        lambda p: p.load(io.BytesIO(), mmap=True),
        lambda p: p.save(1, tmp_path / "no" / "x"),
    ):
        assert kind(lambda: call(tg)) is kind(lambda: call(torch))  # noqa: B023 # called at once
    assert os.listdir(tmp_path)
