"""Reductions, running sums, truth, differences against array-api-strict."""

import numpy as np
import pytest
from array_api.strict import Typed, arrays, checked, compare, filled_shapes, st
from hypothesis import given

import tensorgrad as tg
from tensorgrad import array_api as xp
from tensorgrad.array_api import statistics

# Roundings depend on the order of summation; a product of numbers grows them with each factor.
CLOSE = {"sum": 64, "prod": 64, "mean": 64, "var": 256, "std": 256}


@st.composite
def axes(draw, ndim, several=True):
    one = st.integers(-ndim, ndim - 1) if ndim else st.nothing()
    some = st.lists(one, max_size=ndim, unique_by=lambda a: a % max(ndim, 1)).map(tuple)
    return draw(st.one_of(st.none(), *([one] if ndim else []), *([some] if several else [])))


def cancelled(name, x):
    """How large the terms are that may cancel in a sum."""
    if name not in ("sum", "mean", "cumulative_sum") or x.dtype.kind not in "fc":
        return 0.0
    return float(np.abs(x[np.isfinite(x)]).max(initial=0))


@pytest.mark.parametrize("name", ["sum", "prod", "mean", "var", "std", "all", "any",
                                  "count_nonzero"])  # fmt: skip
@checked
@given(st.data())
def test_reductions(name, data):
    x = data.draw(arrays(special=name in ("all", "any", "count_nonzero")))
    words = {"axis": data.draw(axes(x.ndim)), "keepdims": data.draw(st.booleans())}
    if name in ("var", "std"):
        words["correction"] = data.draw(st.sampled_from([0, 1, 0.5, 10]))
    if name in ("sum", "prod") and data.draw(st.booleans()):
        words["dtype"] = Typed(data.draw(st.sampled_from(
            {"i": ["int32", "int64"], "u": ["uint32", "uint64"]}.get(x.dtype.kind, ["complex128"])
        )))  # fmt: skip
    if name in ("var", "std") and x.dtype.kind == "f":
        axis = range(x.ndim) if words["axis"] is None else np.atleast_1d(words["axis"])
        if np.prod([x.shape[int(a)] for a in axis]) <= words["correction"]:
            # NaN says the standard; NumPy divides by 0.
            assert xp.all(xp.isnan(getattr(xp, name)(tg.from_numpy(x), **words)))
            return
    compare(name, [x], words, close=CLOSE.get(name, 0), least=cancelled(name, x))


@pytest.mark.parametrize("name", ["sum", "prod", "mean"])
@checked
@given(arrays("fc"))
def test_special_values(name, x):
    if name == "prod" and x.dtype.kind == "c":  # infinite complex products depend on their order
        x = x.real.copy()
    compare(name, [x], close=CLOSE[name], least=cancelled(name, x))


@pytest.mark.parametrize("name", ["max", "min"])
@checked
@given(st.data())
def test_extremes(name, data):
    x = data.draw(arrays(shape=filled_shapes))
    words = {"axis": data.draw(axes(x.ndim)), "keepdims": data.draw(st.booleans())}
    compare(name, [x], words)


@pytest.mark.parametrize("name", ["cumulative_sum", "cumulative_prod"])
@checked
@given(st.data())
def test_running(name, data):
    x = data.draw(arrays(special=False))
    if not x.ndim:  # strict passes on what NumPy lets through
        return
    words = {"axis": data.draw(axes(x.ndim, False)), "include_initial": data.draw(st.booleans())}
    if data.draw(st.integers(0, 3)) == 0:
        words["dtype"] = Typed("complex128" if x.dtype.kind in "fc" else "int64")
    compare(name, [x], words, close=64, least=cancelled(name, x))


@checked
@given(st.data())
def test_diff(data):
    x = data.draw(arrays("iufc", special=False))
    if not x.ndim:
        return
    axis = data.draw(st.integers(-x.ndim, x.ndim - 1))
    words = {"axis": axis, "n": data.draw(st.integers(0, 3))}
    for side in ("prepend", "append"):
        if data.draw(st.booleans()):
            words[side] = data.draw(arrays(shape=x.shape, dtype=str(x.dtype), special=False))
    compare("diff", [x], words, close=16)


def test_all_of_the_family_is_tested():
    tested = {"sum", "prod", "mean", "var", "std", "all", "any", "count_nonzero", "max", "min",
              "cumulative_sum", "cumulative_prod", "diff"}  # fmt: skip
    assert tested == set(statistics.__all__)
