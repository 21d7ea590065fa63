"""The address of an array, read where NumPy keeps it."""

import importlib.util
import sys
from types import SimpleNamespace

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad.machine import address as module

WHOLE = np.arange(60, dtype=np.float32).reshape(3, 4, 5)


class Sub(np.ndarray):
    pass


ARRAYS = {
    "whole": WHOLE,
    "from the second row": WHOLE[1:],
    "every second, backwards": WHOLE.T[::-1, ::2],
    "empty": WHOLE[:0],
    "one number of it": WHOLE[1, 2, 3:4].reshape(()),
    "of a buffer": np.frombuffer(b"0123456789", np.uint8, 4, 3),
    "subclass": WHOLE.view(Sub)[2],
    "fields": np.zeros(3, [("a", "i1"), ("b", "f8")])["b"],
    "objects": np.array([None, 1]),
}


@pytest.mark.parametrize("name", ARRAYS)
def test_it_is_what_numpy_tells(name):
    array = ARRAYS[name]
    assert module.address(array) == array.__array_interface__["data"][0]
    assert module.address(array) == array.ctypes.data


@pytest.mark.parametrize("value", [1.0, np.float32(1), [1.0], None, tg.ones(2)])
def test_of_anything_else_nothing_is_read(value):
    assert module.address is module._read
    with pytest.raises(TypeError, match="expected an ndarray"):
        module.address(value)


def test_another_interpreter_is_asked(monkeypatch):
    """Where objects may lie otherwise, and where the trial fails, NumPy tells it."""

    def loaded():
        spec = importlib.util.spec_from_file_location("another", module.__file__)
        made = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(made)
        return made

    assert loaded().address.__name__ == "_read"
    with monkeypatch.context() as patch:
        another = {**vars(sys.implementation), "name": "pypy"}
        patch.setattr(sys, "implementation", SimpleNamespace(**another))
        other = loaded()
    assert other.address is other._told
    assert other.address(WHOLE) == WHOLE.ctypes.data
    other._HEAD = 0  # what stands there is no address
    assert not other._is_there()
