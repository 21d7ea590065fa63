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


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64])
@pytest.mark.parametrize("shape", SHAPES)
def test_rows_become_columns(by: str, dtype: Any, shape: tuple[int, int]) -> None:
    rows, columns = shape
    given = np.random.default_rng(0).integers(-9, 9, shape).astype(dtype)
    kept, whole = given.copy(), np.full((columns, rows + 5), 7, dtype)
    turned.turn(given, whole[:, 2 : 2 + rows])
    np.testing.assert_array_equal(whole[:, 2 : 2 + rows], given.T)
    assert (whole[:, :2] == 7).all()
    assert (whole[:, 2 + rows :] == 7).all()
    np.testing.assert_array_equal(given, kept)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_matrices_in_any_order(by: str, dtype: Any) -> None:
    whole = np.random.default_rng(0).standard_normal((80, 90)).astype(dtype)
    for given in (whole[::2], whole[:, 1:], whole.T, whole[::-1, ::-1], whole[3:5]):
        for into in (np.empty(given.T.shape, dtype), np.empty(given.shape, dtype).T):
            turned.turn(given, into)
            np.testing.assert_array_equal(into, given.T)


def test_numbers_that_are_none(by: str) -> None:
    given = np.array([[np.nan, np.inf, -0.0], [-np.inf, 1e-45, 3e38]], np.float32)
    into = np.empty((3, 2), np.float32)
    turned.turn(given, into)
    np.testing.assert_array_equal(into, given.T)
    assert np.signbit(into[2, 0])


@pytest.mark.skipif(turned._copy("f") is None, reason="NumPy's BLAS is no OpenBLAS")
def test_a_function_that_does_not_turn_is_not_used(monkeypatch: Any) -> None:
    class Idle:
        def __call__(self, *given: Any) -> None:
            """Leaves everything as it is."""

    monkeypatch.setattr(turned, "openblas", lambda name: Idle())
    assert turned._copy.__wrapped__("f") is None
