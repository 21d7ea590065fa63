"""A matrix turned, by OpenBLAS and by NumPy."""

from typing import Any

import numpy as np
import pytest

from tensorgrad.kernels import turned

SHAPES = [(1, 1), (3, 70), (37, 5), (64, 128), (512, 128), (130, 1), (0, 4), (4, 0)]


@pytest.fixture(params=["openblas", "numpy"])
def by(request: Any, monkeypatch: Any) -> Any:
    if request.param == "numpy":
        monkeypatch.setattr(turned, "_copy", lambda char: None)
    return request.param


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64, ">f4"])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("count", [1, 3])
def test_rows_become_columns(by: str, dtype: Any, shape: tuple[int, int], count: int) -> None:
    rng = np.random.default_rng(0)
    parts = [rng.integers(-9, 9, (shape[0] + i, shape[1])).astype(dtype) for i in range(count)]
    kept = [part.copy() for part in parts]
    found = turned.turned(parts)
    assert found.dtype == dtype
    assert found.flags.c_contiguous
    np.testing.assert_array_equal(found, np.concatenate(kept).T)
    for part, before in zip(parts, kept, strict=True):
        np.testing.assert_array_equal(part, before)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_matrices_in_any_order(by: str, dtype: Any) -> None:
    whole = np.random.default_rng(0).standard_normal((80, 90)).astype(dtype)
    fixed = whole[3:5]
    fixed.flags.writeable = False
    for given in (whole[::2], whole[:, 1:], whole.T, whole[::-1, ::-1], fixed):
        np.testing.assert_array_equal(turned.turned([given, given]), np.concatenate([given] * 2).T)


def test_numbers_that_are_none(by: str) -> None:
    given = np.array([[np.nan, np.inf, -0.0], [-np.inf, 1e-45, 3e38]], np.float32)
    found = turned.turned([given])
    np.testing.assert_array_equal(found, given.T)
    assert np.signbit(found[2, 0])


@pytest.mark.skipif(turned._copy("f") is None, reason="NumPy's BLAS is no OpenBLAS")
def test_a_function_that_does_not_turn_is_not_used(monkeypatch: Any) -> None:
    class Idle:
        def __call__(self, *given: Any) -> None:
            """Leaves everything as it is."""

    monkeypatch.setattr(turned, "openblas", lambda name: Idle())
    assert turned._copy.__wrapped__("f") is None
