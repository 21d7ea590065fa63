"""einsum and tensordot: reading their arguments."""

from __future__ import annotations

import string
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from tensorgrad.functions.diagonals import diagonal
from tensorgrad.functions.shape import movedim, permute, wrap_dim
from tensorgrad.graph.node import TensorBase
from tensorgrad.ops import einsum as ops
from tensorgrad.ops import elementwise

if TYPE_CHECKING:
    from tensorgrad.tensor import Tensor

__all__ = ["einsum", "tensordot"]

_LETTERS = string.ascii_uppercase + string.ascii_lowercase  # PyTorch's order, and its numbers
_DOTS = "..."


def einsum(*args: Any) -> Tensor:
    """The sum of products over named dimensions: ``einsum("ij,jk->ik", a, b)``.

    One letter a dimension.  Letters that are not after the arrow are summed; a letter twice in one
    operand takes its diagonal; ``...`` stands for dimensions that broadcast.  Without an arrow the
    result has ``...``, then the letters that occur once, in alphabetical order.  The operands may
    be one list, and dimensions may be named by numbers, ``einsum(a, [0, 1], b, [1, 2], [0, 2])``.
    """
    equation, operands = _arguments(args)
    if not operands:
        raise RuntimeError("einsum: must provide at least one operand")
    kinds = {t._array.dtype for t in operands}
    if len(kinds) > 1:
        raise RuntimeError(
            f"einsum: expected operands of one dtype, got {[str(t.dtype) for t in operands]}"
        )
    left, arrow, right = equation.replace(" ", "").partition("->")
    terms = left.split(",")
    if len(terms) != len(operands):
        raise RuntimeError(
            f"einsum: the equation {equation!r} names {len(terms)} operands, but "
            f"{len(operands)} were given"
        )
    for term in (*terms, right):
        _check(term, equation)
    rests = [t.ndim - len(term.replace(_DOTS, "")) for t, term in zip(operands, terms, strict=True)]
    for i, (term, rest) in enumerate(zip(terms, rests, strict=True)):
        if rest < 0 or (rest > 0 and _DOTS not in term):
            raise RuntimeError(
                f"einsum: the subscripts {term!r} do not match the {operands[i].ndim} dimensions "
                f"of operand {i}, of shape {tuple(operands[i].shape)}; name each, or use ..."
            )
    wide = max(rest if _DOTS in term else 0 for term, rest in zip(terms, rests, strict=True))
    dots = _free_names(equation, wide)
    if not arrow:
        plain = "".join(terms).replace(_DOTS, "")
        right = _DOTS + "".join(name for name in _LETTERS if plain.count(name) == 1)
    output = right.replace(_DOTS, dots)
    named = [
        term.replace(_DOTS, dots[wide - rest :]) for term, rest in zip(terms, rests, strict=True)
    ]
    for name in output:
        if output.count(name) > 1:
            raise RuntimeError(f"einsum: {name!r} appears more than once in the output {right!r}")
        if not any(name in term for term in named):
            raise RuntimeError(
                f"einsum: the output has {name!r}, which no operand of {equation!r} has"
            )
    plain_operands: list[Any] = list(operands)
    for i, term in enumerate(named):
        plain_operands[i], named[i] = _without_repeats(operands[i], term, i)
    _check_sizes(plain_operands, named, equation)
    if len(named) == 1 and len(named[0]) == len(output):  # nothing is summed: a view
        return permute(plain_operands[0], [named[0].index(name) for name in output])
    return ops.einsum(*plain_operands, equation=f"{','.join(named)}->{output}")


def _arguments(args: Sequence[Any]) -> tuple[str, tuple[Tensor, ...]]:
    if not args:
        raise ValueError("einsum: must specify the equation and at least one operand")
    if not isinstance(args[0], str):  # operand, sublist, operand, sublist, ..., [output]
        last = args[-1] if len(args) % 2 else None
        pairs = args[: len(args) - len(args) % 2]
        equation = ",".join(_word(names) for names in pairs[1::2])
        if last is not None:
            equation += "->" + _word(last)
        return equation, _tensors(pairs[::2])
    operands = args[1:]
    if len(operands) == 1 and isinstance(operands[0], (list, tuple)):
        operands = tuple(operands[0])
    return args[0], _tensors(operands)


def _tensors(operands: Sequence[Any]) -> tuple[Tensor, ...]:
    for i, operand in enumerate(operands):
        if not isinstance(operand, TensorBase):
            raise TypeError(f"einsum: operand {i} is {type(operand).__name__}, not a Tensor")
    return tuple(operands)


def _word(names: Any) -> str:
    """Numbers 0 to 51 and Ellipsis as subscripts."""
    if not isinstance(names, (list, tuple)):
        raise TypeError(f"einsum: a sublist must be a list of numbers, got {names!r}")
    word = ""
    for name in names:
        if name is Ellipsis:
            word += _DOTS
        elif isinstance(name, int) and 0 <= name < len(_LETTERS):
            word += _LETTERS[name]
        else:
            raise ValueError(f"einsum: sublists hold numbers from 0 to 51 or ..., got {name!r}")
    return word


def _check(term: str, equation: str) -> None:
    rest = term.replace(_DOTS, "", 1)
    if wrong := next((c for c in rest if c not in _LETTERS), None):
        raise RuntimeError(
            f"einsum: invalid subscript {wrong!r} in {equation!r}: subscripts are letters, and one "
            "'...' per operand"
        )


def _free_names(equation: str, count: int) -> str:
    """Names for the dimensions behind an ellipsis: letters that the equation leaves, then Greek."""
    free = [c for c in _LETTERS if c not in equation]
    free += [chr(0x3B1 + i) for i in range(max(count - len(free), 0))]
    return "".join(free[:count])


def _without_repeats(operand: Any, names: str, number: int) -> tuple[Any, str]:
    """Diagonals in the places of repeated names."""
    for name in dict.fromkeys(names):
        while names.count(name) > 1:
            first = names.index(name)
            second = names.index(name, first + 1)
            if operand.shape[first] != operand.shape[second]:
                raise RuntimeError(
                    f"einsum: subscript {name!r} is repeated for operand {number} but the sizes "
                    f"don't match, {operand.shape[second]} != {operand.shape[first]}"
                )
            operand = movedim(diagonal(operand, 0, first, second), -1, first)
            names = names[:second] + names[second + 1 :]
    return operand, names


def _check_sizes(operands: Sequence[Any], named: Sequence[str], equation: str) -> None:
    sizes: dict[str, int] = {}
    for operand, names in zip(operands, named, strict=True):
        for name, n in zip(names, operand._array.shape, strict=True):
            known = sizes.get(name, 1)
            if n != 1 and known not in (1, n):
                shapes = ", ".join(str(tuple(t.shape)) for t in operands)
                raise RuntimeError(
                    f"einsum: {name!r} has sizes {known} and {n} in {equation!r} with operands of "
                    f"shapes {shapes}; they must be equal or 1"
                )
            sizes[name] = max(known, n) if n else 0


def tensordot(a: Tensor, b: Tensor, dims: Any = 2) -> Tensor:
    """The sum of products over pairs of dimensions: the last of ``a`` with the first of ``b``.

    dims: how many, or two lists of dimensions to pair.
    """
    if isinstance(dims, TensorBase):
        dims = dims._array.tolist()
    if isinstance(dims, int):
        if not 0 <= dims <= min(a.ndim, b.ndim):
            raise RuntimeError(
                f"tensordot expects dims >= 0 and at most the tensors' {a.ndim} and {b.ndim} "
                f"dimensions, but got dims={dims}"
            )
        first, second = list(range(a.ndim - dims, a.ndim)), list(range(dims))
    else:
        try:
            first, second = ([d] if isinstance(d, int) else list(d) for d in dims)
        except (TypeError, ValueError):
            raise RuntimeError(
                f"tensordot: dims must be a number or two lists of dimensions, got {dims!r}"
            ) from None
    if len(first) != len(second):
        raise RuntimeError(
            "both dimension lists should have same length: tensordot got "
            f"{len(first)} and {len(second)} dimensions to contract"
        )
    first = [wrap_dim(d, a.ndim) for d in first]
    second = [wrap_dim(d, b.ndim) for d in second]
    if len(set(first)) != len(first) or len(set(second)) != len(second):
        raise RuntimeError(f"tensordot: a dimension appears twice in dims {(first, second)}")
    for i, j in zip(first, second, strict=True):
        if a.shape[i] != b.shape[j] and 1 not in (a.shape[i], b.shape[j]):
            raise RuntimeError(
                "contracted dimensions need to match, but first has size "
                f"{a.shape[i]} in dim {i} and second has size {b.shape[j]} in dim {j}: tensordot "
                f"of shapes {tuple(a.shape)} and {tuple(b.shape)}"
            )
    of_a = list(range(a.ndim))
    of_b = [a.ndim + j for j in range(b.ndim)]
    for i, j in zip(first, second, strict=True):
        of_b[j] = i
    output = [n for n in of_a if n not in first] + [n for n in of_b if n >= a.ndim]
    out = einsum(a, of_a, b, of_b, output)
    dtype = a._array.dtype
    # Integers that einsum sums alone, over a dimension of length 1 on the other side, are int64
    # there; here, as in PyTorch, they are not.
    if dtype.kind in "biu" and dtype == b._array.dtype != out._array.dtype:
        out = elementwise.astype(out, dtype=dtype)
    return out
