"""Shape, searching, sorting and sets against array-api-strict."""

from pathlib import Path

import numpy as np
import pytest
from array_api.strict import arrays, checked, compare, dtypes, filled_shapes, pairs, st
from hypothesis import given

import tensorgrad as tg
from tensorgrad import array_api as xp
from tensorgrad.array_api import manipulation, searching


def axis_of(x):
    return st.integers(-x.ndim - 1, x.ndim)  # the first and last are out of range


def without_minus_zero(x):
    return np.asarray(x + np.zeros((), x.dtype)) if x.dtype.kind in "fc" else x


def test_all_of_the_family_is_tested():
    text = Path(__file__).read_text(encoding="utf-8")
    untested = [n for n in manipulation.__all__ + searching.__all__ if f'"{n}"' not in text]
    assert untested == []


@pytest.mark.parametrize("name", ["expand_dims", "flip", "unstack"])
@checked
@given(st.data())
def test_one_axis(name, data):
    x = data.draw(arrays())
    compare(name, [x], {"axis": data.draw(axis_of(x))})


@checked
@given(arrays())
def test_without_an_axis(x):
    compare("flip", [x])
    compare("roll", [x, 2])
    compare("repeat", [x, 2])


@checked
@given(st.data())
def test_squeeze(data):
    x = data.draw(arrays(shape=st.lists(st.sampled_from([1, 1, 2]), max_size=3).map(tuple)))
    axis = data.draw(st.one_of(axis_of(x), st.lists(axis_of(x), max_size=2).map(tuple)))
    if x.ndim:  # strict passes on what NumPy lets through
        compare("squeeze", [x, axis])


@checked
@given(st.data())
def test_orders(data):
    x = data.draw(arrays())
    order = tuple(data.draw(st.permutations(range(x.ndim))))
    compare("permute_dims", [x, order])
    if x.ndim:
        place = st.integers(-x.ndim, x.ndim - 1)
        compare("moveaxis", [x, data.draw(place), data.draw(place)])
    compare("moveaxis", [x, tuple(range(x.ndim)), order])


@checked
@given(st.data())
def test_reshape(data):
    x = data.draw(arrays())
    shape = data.draw(
        st.sampled_from([(-1,), (x.size,), (1, x.size), x.shape[::-1], (x.size + 1,)])
    )
    compare("reshape", [x, shape], {"copy": data.draw(st.sampled_from([None, True]))})


@checked
@given(st.data())
def test_repetition(data):
    x = data.draw(arrays())
    compare("tile", [x, tuple(data.draw(st.lists(st.integers(0, 3), max_size=4)))])
    if not x.ndim:
        return
    axis = data.draw(st.integers(-x.ndim, x.ndim - 1))
    shift = data.draw(st.integers(-5, 5))
    compare("roll", [x, shift], {"axis": axis})
    compare("roll", [x, (shift, 1)], {"axis": (axis, 0)})
    counts = data.draw(arrays("i", shape=(x.shape[axis],), low=0, high=3))
    compare("repeat", [x, counts], {"axis": axis})
    compare("repeat", [x, data.draw(st.integers(0, 3))], {"axis": axis})


@checked
@given(st.data())
def test_joining(data):
    x, y = data.draw(pairs(scalars=False))
    x, y = (a.copy() for a in np.broadcast_arrays(x, y))
    axis = data.draw(st.one_of(st.none(), axis_of(x)))
    compare("concat", [[x, y]], {"axis": axis})
    if x.ndim:
        compare("concat", [[x, y[..., :1]]], {"axis": -1})
    compare("stack", [[x, y]], {"axis": axis or 0})


@checked
@given(st.data())
def test_broadcasting(data):
    x, y = data.draw(pairs(scalars=False))
    compare("broadcast_arrays", [x, y])
    compare("broadcast_to", [x, np.broadcast_shapes(x.shape, y.shape)])


@pytest.mark.parametrize("name", ["argmax", "argmin"])
@checked
@given(st.data())
def test_extremes(name, data):
    x = data.draw(arrays(shape=filled_shapes, special=False))
    axis = data.draw(
        st.one_of(st.none(), st.integers(-x.ndim, x.ndim - 1)) if x.ndim else st.none()
    )
    compare(name, [x], {"axis": axis, "keepdims": data.draw(st.booleans())})


@pytest.mark.parametrize("name", ["sort", "argsort"])
@checked
@given(st.data())
def test_order(name, data):
    descending = data.draw(st.booleans())
    # Where NaN goes downwards is not defined, nor which of 0 and -0 comes first.
    x = without_minus_zero(data.draw(arrays(special=not descending)))
    if x.ndim:
        axis = data.draw(st.integers(-x.ndim, x.ndim - 1))
        compare(name, [x], {"axis": axis, "descending": descending})


@checked
@given(st.data())
def test_searching(data):
    x = data.draw(arrays())
    compare("nonzero", [x])
    line = np.sort(data.draw(arrays("iuf", shape=st.tuples(st.integers(0, 5)), special=False)))
    values = data.draw(arrays(dtype=str(line.dtype), special=False))
    compare("searchsorted", [line, values], {"side": data.draw(st.sampled_from(["left", "right"]))})
    order = np.argsort(-line.astype(float), kind="stable")[::-1].copy()
    compare("searchsorted", [line, values], {"sorter": order})


@checked
@given(st.data())
def test_where(data):
    a, b = data.draw(pairs())
    shape = np.broadcast_shapes(np.shape(a), np.shape(b))
    compare("where", [data.draw(arrays("b", shape=shape)), a, b])
    compare("where", [data.draw(arrays()), a, b])


@checked
@given(st.data())
def test_taking(data):
    x = data.draw(arrays(shape=filled_shapes))
    if not x.ndim:
        return
    axis = data.draw(st.integers(-x.ndim, x.ndim - 1))
    n = x.shape[axis]
    places = data.draw(arrays("iu", shape=st.tuples(st.integers(0, 4)), low=0, high=n - 1))
    compare("take", [x, places], {"axis": axis})
    compare("take", [x, places])
    grid = data.draw(arrays("i", shape=x.shape, low=-n, high=n - 1))
    compare("take_along_axis", [x, grid], {"axis": axis})


@pytest.mark.parametrize("name", ["unique_all", "unique_counts", "unique_inverse", "unique_values"])
@checked
@given(arrays())
def test_sets(name, x):
    # Which of several equal elements is first, of 0 and -0 or among NaNs, is not defined.
    x = without_minus_zero(x)
    if np.isnan(x).any():
        values, inverse, counts = (
            np.asarray(part)
            for part in (
                xp.unique_values(tg.from_numpy(x)),
                xp.unique_inverse(tg.from_numpy(x)).inverse_indices,
                xp.unique_counts(tg.from_numpy(x)).counts,
            )
        )
        np.testing.assert_array_equal(values[inverse], x)
        assert counts[np.isnan(values)].tolist() == [1] * np.isnan(x).sum()
        assert counts.sum() == x.size
        return
    compare(name, [x])


def test_a_type_of_any_kind_can_be_drawn():
    assert set(dtypes().elements) >= {"bool", "uint64", "complex64"}
