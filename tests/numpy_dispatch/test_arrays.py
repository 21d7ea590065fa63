"""``np.asarray`` of Tensors, and what must go on working: testing, random, pickle, printing."""

import copy
import pickle
import subprocess
import sys

import numpy as np
import pytest

import tensorgrad as tg


def test_asarray_shares_memory():
    x = tg.arange(3.0)
    for make in (np.asarray, np.asanyarray, np.ascontiguousarray):
        assert type(make(x)) is np.ndarray
        assert np.shares_memory(make(x), x.numpy())
    assert np.asarray(x, dtype=np.float32).ctypes.data == x.data_ptr()
    np.asarray(x)[0] = 9
    assert x[0] == 9


def test_asarray_honours_dtype_and_copy():
    x = tg.arange(3.0)
    assert np.asarray(x, dtype=np.int16).tolist() == [0, 1, 2]
    assert np.asarray(x, dtype=np.int16).dtype == np.int16
    assert not np.shares_memory(np.array(x), x.numpy())
    assert not np.shares_memory(np.asarray(x, copy=True), x.numpy())
    assert np.shares_memory(np.asarray(x, copy=False), x.numpy())
    with pytest.raises(ValueError, match="copy"):
        np.asarray(x, dtype=np.float64, copy=False)
    assert np.array([x, x]).shape == (2, 3)
    assert np.asarray(tg.tensor(2.5)).shape == ()


def test_asarray_refuses_to_lose_a_gradient():
    x = tg.ones(2, requires_grad=True)
    for make in (np.asarray, np.array, lambda t: np.array([t, t])):
        with pytest.raises(RuntimeError, match=r"Use tensor\.detach\(\)\.numpy\(\) instead"):
            make(x * 2)
    assert np.asarray(x.detach()).tolist() == [1, 1]


def test_numpys_testing_takes_tensors():
    x = tg.tensor([1.0, float("nan")])
    np.testing.assert_allclose(x, [1.0, np.nan])
    np.testing.assert_array_equal(x, x)
    np.testing.assert_array_less(tg.zeros(2), tg.ones(2))
    np.testing.assert_almost_equal(tg.ones(2), np.ones(2))
    with pytest.raises(AssertionError):
        np.testing.assert_allclose(tg.ones(2), tg.zeros(2))
    assert tg.ones(3).sum() == pytest.approx(3)


def test_random_takes_tensors():
    rng = np.random.default_rng(0)
    x = tg.arange(10)
    assert sorted(rng.permutation(x)) == list(range(10))
    assert rng.choice(x, 3).shape == (3,)
    assert rng.normal(tg.zeros(4), tg.ones(4)).shape == (4,)
    assert rng.choice(3, p=tg.tensor([0.2, 0.3, 0.5], dtype=tg.float64)) in (0, 1, 2)


def test_copies_pickles_and_text():
    x = tg.tensor([[1.0, 2.0]], requires_grad=True)
    assert pickle.loads(pickle.dumps(x)).tolist() == copy.deepcopy(x).tolist() == [[1, 2]]
    assert repr(x) == "tensor([[1., 2.]], requires_grad=True)"
    assert np.array_str(x) == "[[1. 2.]]"


def test_arrays_are_indexed_and_written_by_tensors():
    array = np.arange(5.0)
    assert array[tg.tensor([3, 1])].tolist() == [3, 1]
    assert array[tg.tensor([True, False, True, False, False])].tolist() == [0, 2]
    assert array[tg.tensor(2)] == 2
    array[:2] = tg.tensor([7.0, 8.0])
    assert array[:2].tolist() == [7, 8]
    with pytest.raises(RuntimeError, match="detach"):
        array[:2] = tg.ones(2, requires_grad=True)
    assert array.take(tg.tensor([0])).tolist() == [7]


def test_the_dispatch_is_loaded_when_first_used():
    code = (
        "import sys, tensorgrad as tg, numpy as np\n"
        "late = [m for m in sys.modules if m.startswith(('tensorgrad.numpy_dispatch', "
        "'tensorgrad.array_api'))]\n"
        "assert late == [], late\n"
        "np.exp(tg.ones(1)); assert 'tensorgrad.numpy_dispatch' in sys.modules\n"
        "assert tg.array_api.exp(tg.zeros(1)) == 1\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
