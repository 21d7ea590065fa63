"""Unpickling by an allow-list: what is read, and that nothing else is ever run."""

from __future__ import annotations

import builtins
import os
import pickle
import pickletools
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tensorgrad.data.unpickle import safe_unpickle

PIXELS = np.arange(24, dtype=np.uint8).reshape(4, 6)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("array", [PIXELS, PIXELS.T, PIXELS.astype(">i4"), np.arange(3)])
def test_arrays_and_plain_values_come_back(protocol: int, array: np.ndarray) -> None:
    value = {b"data": array, b"labels": [1, 2], "text": "é", b"n": (1, None, True, 2.5)}
    back = safe_unpickle(pickle.dumps(value, protocol=protocol), "f")
    assert np.array_equal(back.pop(b"data"), array)
    assert back == {b"labels": [1, 2], "text": "é", b"n": (1, None, True, 2.5)}


def test_a_pickle_of_python_2_and_numpy_1() -> None:
    """As cPickle wrote CIFAR-10 in 2009: byte strings, and numpy.core.multiarray."""
    content = (
        b"\x80\x02}q\x01(U\x04dataq\x02cnumpy.core.multiarray\n_reconstruct\nq\x03cnumpy\nndarray\n"
        b"q\x04K\x00\x85U\x01bq\x05\x87Rq\x06(K\x01K\x02K\x03\x86cnumpy\ndtype\nq\x07U\x02u1q\x08"
        b"K\x00K\x01\x87Rq\t(K\x03U\x01|q\nNNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89"
        b"U\x06abcdefq\x0btbU\x06labelsq\x0c]q\r(K\x07K\x03eu."
    )
    back = safe_unpickle(content, "f")
    assert back[b"labels"] == [7, 3]
    assert back[b"data"].dtype == np.uint8
    assert back[b"data"].tobytes() == b"abcdef"
    assert back[b"data"].shape == (2, 3)


class Calls:
    """Pickles as a call of ``function(*arguments)``."""

    def __init__(self, function: Any, *arguments: Any) -> None:
        self.call = function, arguments

    def __reduce__(self) -> Any:
        return self.call


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize(
    ("function", "named"),
    [
        (os.system, "posix.system" if os.name == "posix" else "nt.system"),
        (builtins.eval, "eval"),
        (builtins.getattr, "getattr"),
        (builtins.open, "open"),
        (np.load, "numpy"),
        (np.fromfile, "fromfile"),
    ],
)
def test_a_pickle_that_calls_something_is_refused_by_name(
    tmp_path: Path, protocol: int, function: Any, named: str
) -> None:
    witness = tmp_path / "witness"
    argument = f"touch {witness}" if function is os.system else str(witness)
    content = pickle.dumps({b"data": Calls(function, argument)}, protocol=protocol)
    with pytest.raises(pickle.UnpicklingError) as caught:
        safe_unpickle(content, "the/file")
    assert "the/file" in str(caught.value)
    assert named in str(caught.value)
    assert not witness.exists()


def test_references_outside_the_pickle_are_refused() -> None:
    with pytest.raises(pickle.UnpicklingError, match="outside itself"):
        safe_unpickle(b"\x80\x02U\x01aQ.", "f")


HOSTILE = {
    "attributes of a stand-in": b"\x80\x02cnumpy\ndtype\n}U\x08__call__K\x01sb.",
    "attributes of a made array": (
        b"\x80\x02cnumpy.core.multiarray\n_reconstruct\n)R}U\x01aK\x01sb."
    ),
    "a stand-in as a class": b"\x80\x02cnumpy\nndarray\n)\x81.",
    "a call of what is no function": b"\x80\x02cnumpy\nndarray\n)R.",
    "an extension code": b"\x80\x02\x82\x01.",
    "a huge memo index": b"\x80\x02Nr\xff\xff\xff\xff.",
    "a huge memo index, in text": b"Np4000000000\n.",
    "a huge byte string": b"\x80\x04\x8e" + struct.pack("<Q", 1 << 60) + b"a.",
    "no data": b"",
    "no pickle": b"<html>404</html>",
    "a cut-off pickle": pickle.dumps({b"data": PIXELS})[:-20],
}


@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_and_damaged_pickles_are_refused(content: bytes) -> None:
    with pytest.raises((ValueError, pickle.UnpicklingError), match="the/file"):
        safe_unpickle(content, "the/file")


def test_arrays_whose_size_is_a_lie_are_refused() -> None:
    good = pickle.dumps(PIXELS, protocol=2)
    shape = pickletools.optimize(good).replace(b"K\x04K\x06\x86", b"K\x04K\x07\x86")
    with pytest.raises(ValueError, match=r"shape \(4, 7\) with 24 bytes"):
        safe_unpickle(shape, "f")


@pytest.mark.parametrize("array", [np.array([object()]), np.ones(2), np.array(["a"])])
def test_only_arrays_of_integers_are_read(array: np.ndarray) -> None:
    if array.dtype == object:
        array = np.array([None])
    with pytest.raises(ValueError, match="not of integers"):
        safe_unpickle(pickle.dumps(array), "f")


def test_a_list_repeated_a_billion_times_costs_nothing() -> None:
    value: Any = []
    for _ in range(60):
        value = [value, value]
    assert len(safe_unpickle(pickle.dumps(value), "f")) == 2
