"""Result types over all pairs of dtypes and kinds of operands, beside PyTorch's."""

import itertools
import warnings

import numpy as np
import pytest
import torch

import tensorgrad as tg
from tensorgrad.promotion import promote_types

# uint16, uint32 and uint64 are left out: PyTorch itself supports them only in part.
DTYPES = (
    "bool", "uint8", "int8", "int16", "int32", "int64",
    "float16", "float32", "float64", "complex64", "complex128",
)  # fmt: skip
SCALARS = {"bool": True, "int": 1, "float": 1.5, "complex": 1 + 1j}

# Operands by their description: a tensor with dimensions, one without, a Python number.
OPERANDS = [*itertools.product(DTYPES, ("n-d", "0-d")), *((kind, "scalar") for kind in SCALARS)]

OPERATIONS = {
    "add": lambda lib, a, b: lib.add(a, b),
    "mul": lambda lib, a, b: lib.mul(a, b),
    "+": lambda lib, a, b: a + b,
    "*": lambda lib, a, b: a * b,
    "-": lambda lib, a, b: a - b,
    "/": lambda lib, a, b: a / b,
    "//": lambda lib, a, b: a // b,
    "%": lambda lib, a, b: a % b,
    "**": lambda lib, a, b: a**b,
    "div": lambda lib, a, b: lib.div(a, b),
    "div floor": lambda lib, a, b: lib.div(a, b, rounding_mode="floor"),
    "div trunc": lambda lib, a, b: lib.div(a, b, rounding_mode="trunc"),
    "pow": lambda lib, a, b: lib.pow(a, b),
    "eq": lambda lib, a, b: lib.eq(a, b),
    "==": lambda lib, a, b: a == b,
    "!=": lambda lib, a, b: a != b,
    "<": lambda lib, a, b: a < b,
    ">=": lambda lib, a, b: a >= b,
    "where": lambda lib, a, b: lib.where(lib.tensor([True, False]), a, b),
    "maximum": lambda lib, a, b: lib.maximum(a, b),
    "&": lambda lib, a, b: a & b,
    "cat": lambda lib, a, b: lib.cat([lib.tensor([1.0], dtype=lib.float16), a, b]),
    "out of place +=": lambda lib, a, b: _augmented(a.clone(), b),
}


def _augmented(a, b):
    a += b
    return a


def operand(lib, kind, form):
    if form == "scalar":
        return SCALARS[kind]
    return lib.tensor([1, 1] if form == "n-d" else 1, dtype=getattr(lib, kind))


def outcome(lib, operation, left, right):
    """The dtype and values of the result, or the error."""
    try:
        result = OPERATIONS[operation](lib, operand(lib, *left), operand(lib, *right))
    except Exception as error:
        return error
    if not isinstance(result, lib.Tensor):
        return type(result).__name__, result
    values = np.asarray(result.tolist()).astype(complex)
    kind = str(result.dtype).split(".")[-1]
    # NumPy has no complex numbers of two float16: complex64 stands for them.
    return kind.replace("complex32", "complex64"), values


@pytest.mark.parametrize("operation", OPERATIONS)
def test_result_type(operation):
    warnings.simplefilter("ignore")  # PyTorch's, of half precision; pytest puts the filters back
    wrong = []
    agreed = 0
    for left, right in itertools.product(OPERANDS, OPERANDS):
        if left[1] == right[1] == "scalar" and operation != "where":
            continue
        theirs = outcome(torch, operation, left, right)
        if isinstance(theirs, NotImplementedError) or "invalid combination" in str(theirs):
            continue  # no kernel for the type, or no overload: that is not about promotion
        ours = outcome(tg, operation, left, right)
        if isinstance(theirs, Exception):
            same = isinstance(ours, type(theirs)) or isinstance(theirs, type(ours))
        elif isinstance(ours, Exception):
            same = False
        else:
            same = ours[0] == theirs[0] and np.allclose(ours[1], theirs[1], rtol=1e-2)
        agreed += same
        if not same:
            wrong.append(f"{left} {operation} {right}: {ours!r:.120}, PyTorch {theirs!r:.120}")
    assert wrong == []
    assert agreed > 100


@pytest.mark.parametrize("pair", list(itertools.product(DTYPES, DTYPES)), ids="-".join)
def test_promote_types(pair):
    ours = promote_types(*(getattr(tg, name).dtype for name in pair))
    theirs = torch.promote_types(*(getattr(torch, name) for name in pair))
    if theirs == torch.complex32:
        theirs = torch.complex64  # NumPy has no complex numbers of two float16
    assert ours.name == str(theirs).removeprefix("torch.")


def test_float_power_of_what_is_no_tensor():
    # Numbers and NumPy arrays are taken, unlike by PyTorch; the result is float64 in any case.
    for input in (2, np.array([2.0, 1.0], np.float32), tg.tensor([2, 1])):
        assert tg.float_power(input, 3).dtype is tg.float64
        assert tg.float_power(3, input).dtype is tg.float64


@pytest.mark.parametrize(
    "names",
    [("bool", "bool", "bool"), ("bool", "float32", "bool"), ("uint8", "bool", "bool"),
     ("int64", "int32", "uint8"), ("float32", "int64", "float64")],
)  # fmt: skip
@pytest.mark.parametrize("words", [{}, {"alpha": 2}, {"beta": 2}, {"beta": 0}, {"beta": 0.5}])
def test_addr_alone_promotes(names, words):
    def called(module):
        input, a, b = (
            module.ones(shape, dtype=getattr(module, name))
            for shape, name in zip(((2, 3), (2,), (3,)), names, strict=True)
        )
        try:
            out = module.addr(input, a, b, **words)
        except RuntimeError:
            return RuntimeError
        return str(out.dtype).split(".")[1], out.tolist()

    assert called(tg) == called(torch)


@pytest.mark.parametrize("kind", ["int64", "int32", "uint8", "int8", "bool"])
@pytest.mark.parametrize("exponents", ["int64", "int8", "uint8"])
def test_powers_of_integers_are_exact(kind, exponents):
    base, exponent = np.meshgrid(
        np.array([-7, -3, -2, -1, 0, 1, 2, 3, 10]).astype(kind),
        np.array([-5, -2, -1, 0, 1, 2, 5, 39, 63, 64]).astype(exponents),
    )
    ours = tg.pow(tg.tensor(base), tg.tensor(exponent))
    theirs = torch.pow(torch.tensor(base), torch.tensor(exponent))
    assert ours.dtype.name == str(theirs.dtype).removeprefix("torch.")
    np.testing.assert_array_equal(ours.numpy(), theirs.numpy())
