"""Complex tensors beside PyTorch: values, dtypes, gradients at order 1 and 2."""

import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import tensorgrad as tg

Function = Callable[..., Any]  # of a library and its tensors

# Each is run on complex inputs, and, mixed, on a real first and a complex second one.
UNARY: dict[str, Function] = {
    **{
        name: (lambda lib, x, name=name: getattr(lib, name)(x))
        for name in (
            "exp", "expm1", "log", "log2", "log10", "log1p", "sqrt", "rsqrt", "reciprocal", "sin",
            "cos", "tanh", "sigmoid", "abs", "angle", "neg", "sgn", "square", "conj", "real",
            "imag", "mean", "prod", "sum", "positive", "t", "ravel", "view_as_real",
        )
    },
    "abs squared": lambda lib, x: lib.abs(x) ** 2,
    "product with itself conjugated": lambda lib, x: x * lib.conj(x),
    "power of 2": lambda lib, x: x**2,
    "power of 3": lambda lib, x: x**3,
    "power of 0.5": lambda lib, x: x**0.5,
    "power of -1.5": lambda lib, x: x**-1.5,
    "power of a complex": lambda lib, x: x ** (0.5 + 0.25j),
    "a complex to it": lambda lib, x: (0.5 + 0.25j) ** x,
    "power of 0": lambda lib, x: x**0 * x,
    "complex scalar": lambda lib, x: (2 - 1j) * x + (1 + 3j) - x / (1 + 1j),
    "divisor of a complex": lambda lib, x: (1 + 2j) / x,
    "reshape": lambda lib, x: lib.reshape(x, (-1,)),
    "permute": lambda lib, x: lib.permute(x, (1, 0)),
    "row": lambda lib, x: x[0],
    "repeated rows": lambda lib, x: x[[0, 0]],
    "strided": lambda lib, x: x[:, ::2],
    "flip": lambda lib, x: lib.flip(x, (0,)),
    "cat": lambda lib, x: lib.cat([x, lib.conj(x)], 1),
    "stack": lambda lib, x: lib.stack([x, x * 1j]),
    "split": lambda lib, x: lib.split(x, 2, 1)[0],
    "unbind": lambda lib, x: lib.unbind(x, 1)[1],
    "expand": lambda lib, x: x[:, None].expand(2, 2, 3),
    "sum of a dimension": lambda lib, x: lib.sum(x, 1),
    "mean of a dimension": lambda lib, x: lib.mean(x, 0, keepdim=True),
    "prod of a dimension": lambda lib, x: lib.prod(x, 1),
    "cumsum": lambda lib, x: lib.cumsum(x, 1),
    "tril": lambda lib, x: lib.tril(x),
    "gather": lambda lib, x: lib.gather(x, 1, lib.tensor([[0, 0], [2, 1]])),
    "index_select": lambda lib, x: lib.index_select(x, 1, lib.tensor([2, 0, 2])),
    "masked_fill": lambda lib, x: lib.masked_fill(x, lib.tensor([True, False, True]), 1j),
    "where": lambda lib, x: lib.where(lib.tensor([True, False, True]), x, x * 2j),
    "clone": lambda lib, x: x.clone(),
    "norm": lambda lib, x: lib.norm(x),
    "norm of order 1": lambda lib, x: lib.norm(x, 1, 1),
    "norm of order 3": lambda lib, x: lib.norm(x, 3, 0),
    "largest": lambda lib, x: lib.norm(x, float("inf")),
    "to float32's": lambda lib, x: x.to(lib.complex64).to(lib.complex128) * 0 + x,
}  # fmt: skip

BINARY: dict[str, Function] = {
    "add": lambda lib, a, b: a + b,
    "sub": lambda lib, a, b: a - b,
    "sub, turned": lambda lib, a, b: lib.sub(b, a, alpha=2),
    "mul": lambda lib, a, b: a * b,
    "div": lambda lib, a, b: a / b,
    "div, turned": lambda lib, a, b: b / a,
    "pow": lambda lib, a, b: a**b,
    "pow, turned": lambda lib, a, b: b**a,
    "broadcast": lambda lib, a, b: a[:1] * b,
    "row by row": lambda lib, a, b: a[0] / b,
    "written": lambda lib, a, b: _write(b * 1, a),
}

# Operands of one type: matmul and lerp want that, and PyTorch's where fails at order 2 without.
SAME: dict[str, Function] = {
    "matmul": lambda lib, a, b: a @ b.T,
    "matrix by vector": lambda lib, a, b: a @ b[0],
    "inner": lambda lib, a, b: a[0] @ b[0],
    "batched": lambda lib, a, b: a[None] @ b.T[None],
    "outer": lambda lib, a, b: lib.outer(a[0], b[1]),
    "where": lambda lib, a, b: lib.where(lib.tensor([True, False, True]), a, b),
    "complex and real": lambda lib, a, b: lib.complex(lib.real(a), lib.imag(b)),
    "polar": lambda lib, a, b: lib.polar(lib.abs(a), lib.angle(b)),
    "lerp": lambda lib, a, b: lib.lerp(a, b, 0.25),
}


def _write(target: Any, values: Any) -> Any:
    target[0] = values[1]
    return target


def _numbers(name: str, kind: str) -> Any:
    """Away from 0, and from the cut of log and pow on the negative real axis."""
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    size = rng.uniform(0.5, 1.5, (2, 3))
    if kind == "real":
        return size
    return size * np.exp(1j * rng.uniform(0.2, 2.8, (2, 3)) * rng.choice([-1, 1], (2, 3)))


def _gradients(lib: Any, make: Function, function: Function, arrays: list[Any]) -> list[Any]:
    """The result, its gradients, and the gradients of a function of these."""
    leaves = [make(array).requires_grad_() for array in arrays]
    y = function(lib, *leaves)
    out = [y]
    if not y.requires_grad:
        return out
    rng = np.random.default_rng(7)
    seed = rng.standard_normal(tuple(y.shape))
    if y.is_complex():
        seed = seed + 1j * rng.standard_normal(tuple(y.shape))
    g = make(np.asarray(seed)).requires_grad_()
    first = lib.autograd.grad(y, leaves, g, create_graph=True, allow_unused=True)
    first = [f for f in first if f is not None]
    scalar = sum((lib.abs(f * f + f) ** 2).sum() for f in first)
    second = lib.autograd.grad(scalar, [*leaves, g], allow_unused=True)
    return out + list(first) + [s for s in second if s is not None and lib.abs(s).sum() > 0]


def _compare(name: str, function: Function, arrays: list[Any]) -> None:
    wanted = _gradients(torch, torch.from_numpy, function, [a.copy() for a in arrays])
    found = _gradients(tg, tg.from_numpy, function, [a.copy() for a in arrays])
    assert len(found) == len(wanted)
    for i, (a, b) in enumerate(zip(found, wanted, strict=True)):
        assert a.dtype.name == str(b.dtype).removeprefix("torch."), (name, i)
        expected = b.detach().resolve_conj().resolve_neg().numpy()
        scale = max(1.0, float(np.abs(expected).max(initial=0)))
        np.testing.assert_allclose(
            a.detach().numpy(), expected, rtol=1e-9, atol=1e-9 * scale, err_msg=f"{name}, {i}"
        )


@pytest.mark.parametrize("name", UNARY)
def test_function_of_one_complex_tensor(name: str):
    _compare(name, UNARY[name], [_numbers(name, "complex")])


@pytest.mark.parametrize("kinds", [("complex", "complex"), ("real", "complex")])
@pytest.mark.parametrize("name", BINARY)
def test_function_of_two_tensors(name: str, kinds: tuple[str, str]):
    _compare(name, BINARY[name], [_numbers(name + str(i), kind) for i, kind in enumerate(kinds)])


@pytest.mark.parametrize("name", SAME)
def test_function_of_two_complex_tensors(name: str):
    _compare(name, SAME[name], [_numbers(name + str(i), "complex") for i in range(2)])


@pytest.mark.parametrize("name", ["exp", "sqrt", "tanh", "abs", "angle", "real", "sgn"])
def test_precision_is_kept(name: str):
    x = _numbers(name, "complex").astype(np.complex64)
    y, z = getattr(tg, name)(tg.from_numpy(x)), getattr(torch, name)(torch.from_numpy(x))
    assert y.dtype.name == str(z.dtype).removeprefix("torch.")
    np.testing.assert_allclose(y.numpy(), z.numpy(), rtol=1e-5)


def test_silu():
    x = _numbers("silu", "complex")  # PyTorch has no gradient of it
    mine, theirs = (lib.nn.functional.silu(lib.from_numpy(x)) for lib in (tg, torch))
    np.testing.assert_allclose(mine.numpy(), theirs.numpy(), rtol=1e-12)


def test_logaddexp_at_infinity():
    inf = float("inf")
    pairs = [(-inf, 2 + 1j), (2 + 1j, -inf), (-inf, -inf), (inf, 3j), (800 + 1j, 800 - 1j)]
    a, b = (np.array(numbers, np.complex128) for numbers in zip(*pairs))
    mine, theirs = (lib.logaddexp(lib.from_numpy(a), lib.from_numpy(b)) for lib in (tg, torch))
    np.testing.assert_allclose(mine.numpy(), theirs.numpy(), rtol=1e-12)


def test_gradients_where_the_modulus_is_zero():
    x = np.array([0, 1 + 1j, 0])
    for name in ("abs", "sgn", "angle"):
        both = []
        for lib, make in ((torch, torch.from_numpy), (tg, tg.from_numpy)):
            leaf = make(x.copy()).requires_grad_()
            lib.abs(getattr(lib, name)(leaf) * 2).sum().backward()
            both.append(leaf.grad.numpy())
        np.testing.assert_allclose(both[1], both[0], atol=1e-12, err_msg=name)
