"""A Tensor as the standard's array object: attributes, operators, indexing, against strict."""

import operator

import array_api_strict
import numpy as np
import pytest
from array_api.strict import DTYPES, arrays, checked, compare, fill, seeds, shapes, st
from hypothesis import given

import tensorgrad as tg

# The operators of the standard, the kinds that they take, and the arrays' elements that they mind.
BINARY = {
    "add": "iufc", "sub": "iufc", "mul": "iufc", "truediv": "fc", "floordiv": "f", "mod": "f",
    "pow": "f", "and_": "biu", "or_": "biu", "xor": "biu", "eq": "biufc", "ne": "biufc",
    "lt": "iuf", "le": "iuf", "gt": "iuf", "ge": "iuf",
}  # fmt: skip
INPLACE = ["iadd", "isub", "imul", "iand", "ior", "ixor"]
UNARY = {"neg": "iufc", "pos": "iufc", "abs": "iuf", "invert": "biu"}
NAMES = [
    "abs", "add", "and", "array_namespace", "bool", "complex", "dlpack", "dlpack_device", "eq",
    "float", "floordiv", "ge", "getitem", "gt", "index", "int", "invert", "le", "lshift", "lt",
    "matmul", "mod", "mul", "ne", "neg", "or", "pos", "pow", "rshift", "setitem", "sub", "truediv",
    "xor",
]  # fmt: skip
ARITHMETIC = [
    "add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul", "and", "or", "xor",
    "lshift", "rshift",
]  # fmt: skip


def test_the_methods_are_there():
    wanted = [*NAMES, *(side + name for side in "ri" for name in ARITHMETIC)]
    assert [n for n in wanted if not hasattr(tg.Tensor, f"__{n}__")] == []


def test_attributes():
    x = tg.ones(2, 3)
    assert (x.dtype, x.device, x.ndim, x.shape) == (tg.float32, tg.device("cpu"), 2, (2, 3))
    assert isinstance(x.shape, tuple)
    assert x.T.shape == x.mT.shape == (3, 2)
    assert x.size() == (2, 3)  # the one attribute that differs: PyTorch's method


@st.composite
def alike(draw, kinds):
    """Two arrays of one type and one number of dimensions, or an array and a number."""
    name = draw(st.sampled_from([n for kind in kinds for n in DTYPES[kind]]))
    shape = draw(shapes)
    a = np.asarray(fill(name, shape, draw(seeds)))
    if draw(st.booleans()):
        other = tuple(draw(st.sampled_from([n, 1])) for n in shape)
        return a, np.asarray(fill(name, other, draw(seeds)))
    pool = {"b": [True], "i": [0, 1, 3], "u": [0, 1, 3], "f": [2, 0.5, -1.5], "c": [2, 0.5, 1 + 2j]}
    return a, draw(st.sampled_from(pool[np.dtype(name).kind]))


@pytest.mark.parametrize("name", BINARY)
@checked
@given(st.data())
def test_binary_operators(name, data):
    a, b = data.draw(alike(BINARY[name]))
    function = getattr(operator, name)
    if name == "pow" and not isinstance(b, np.ndarray) and b == 0.5:
        b = 1.5  # PyTorch's tensors take it as a square root, with another value at -inf
    compare(name, [a, b], ours=function, theirs=function, close=16 if name == "pow" else 0)
    if not isinstance(b, np.ndarray) and name not in ("eq", "ne", "lt", "le", "gt", "ge"):
        compare(name, [b, a], ours=function, theirs=function, close=16 if name == "pow" else 0)


@pytest.mark.parametrize("name", INPLACE)
@checked
@given(st.data())
def test_in_place_operators(name, data):
    a, b = data.draw(alike("biu" if name in ("iand", "ior", "ixor") else "iuf"))
    if getattr(b, "shape", a.shape) != a.shape:
        b = np.broadcast_to(b, a.shape).copy()
    function = getattr(operator, name)
    compare(name, [a, b], ours=function, theirs=function)


@pytest.mark.parametrize("name", UNARY)
@checked
@given(st.data())
def test_unary_operators(name, data):
    x = data.draw(arrays(UNARY[name]))
    function = getattr(operator, name)
    compare(name, [x], ours=function, theirs=function)


def test_shifts_and_products():
    for name, by in (("lshift", 2), ("rshift", 1), ("ilshift", 2), ("irshift", 1)):
        function = getattr(operator, name)
        for dtype in DTYPES["i"] + DTYPES["u"]:
            compare(name, [np.arange(8, dtype=dtype), by], ours=function, theirs=function)
    x = np.arange(6.0).reshape(2, 3)
    for function in (operator.matmul, operator.imatmul):
        compare("matmul", [x @ x.T, x @ x.T], ours=function, theirs=function, close=4)


@st.composite
def indices(draw, shape):
    """An index of the standard: integers, slices with positive steps, None, an Ellipsis."""
    parts = []
    for n in shape[: draw(st.integers(0, len(shape)))]:
        if n and draw(st.booleans()):
            parts.append(draw(st.integers(-n, n - 1)))
        else:
            ends = st.one_of(st.none(), st.integers(-n, n))
            parts.append(slice(draw(ends), draw(ends), draw(st.sampled_from([None, 1, 2]))))
    if len(parts) < len(shape) or draw(st.booleans()):
        parts.append(Ellipsis)
    if draw(st.integers(0, 3)) == 0:
        parts.insert(draw(st.integers(0, len(parts))), None)
    return tuple(parts)


@checked
@given(st.data())
def test_indexing(data):
    x = data.draw(arrays())
    index = data.draw(indices(x.shape))
    compare("getitem", [x], ours=lambda a: a[index], theirs=lambda a: a[index])

    def write(a):
        a[index] = 1 if x.dtype.kind != "b" else True
        return a

    if None not in index:
        compare("setitem", [x], ours=write, theirs=write)
    mask = data.draw(arrays("b", shape=x.shape))
    compare("mask", [x, mask], ours=lambda a, m: a[m], theirs=lambda a, m: a[m])


@pytest.mark.parametrize("kind", [bool, int, float, complex, operator.index])
@pytest.mark.parametrize("value", [True, 3, -2.5, 1 + 2j, 0])
def test_python_numbers(kind, value):
    outcomes = []
    for xp in (tg.array_api, array_api_strict):
        try:
            outcomes.append(kind(xp.asarray(value)))
        except (TypeError, RuntimeError):
            outcomes.append("refused")
    if kind is complex or outcomes[1] != "refused":  # NumPy's numbers convert where strict refuses
        assert outcomes[0] == outcomes[1]
