"""Sums of products over named axes, as a sequence of matrix products.

np.einsum multiplies element by element unless asked to optimise, and then plans anew at each call;
here two operands always meet in one GEMM (or one product with broadcasting, if nothing is summed).
"""

from __future__ import annotations

from itertools import combinations
from math import prod
from typing import Any

import numpy as np

__all__ = ["contract"]

Labels = str  # one character an axis


def contract(arrays: list[Any], labels: list[Labels], output: Labels) -> Any:
    """The sum over all labels that are not in ``output`` of the product of the arrays.

    No array has a label twice.  An axis of length 1 meets any other length.
    """
    sizes: dict[str, int] = {}
    for array, names in zip(arrays, labels, strict=True):
        for name, n in zip(names, array.shape, strict=True):
            if sizes.setdefault(name, n) == 1:
                sizes[name] = n
    terms = [_squeezed(a, names) for a, names in zip(arrays, labels, strict=True)]
    while len(terms) > 1:
        i, j = _next_pair(terms, output, sizes)
        b, a = terms.pop(j), terms.pop(i)
        keep = set(output).union(*(names for _, names in terms))
        terms.append(_product(_summed(*a, keep | set(b[1])), _summed(*b, keep | set(a[1])), keep))
    array, names = _summed(*terms[0], set(output))
    # Every axis of an output label that was squeezed away everywhere has length 1.
    order = [name for name in output if name in names]
    array = np.transpose(array, [names.index(name) for name in order])
    return array.reshape([sizes[name] for name in output])


def _squeezed(array: Any, names: Labels) -> tuple[Any, Labels]:
    """Without the axes of length 1: they only multiply."""
    gone = tuple(i for i, n in enumerate(array.shape) if n == 1)
    return np.squeeze(array, gone), "".join(n for i, n in enumerate(names) if i not in gone)


def _summed(array: Any, names: Labels, keep: set[str]) -> tuple[Any, Labels]:
    """Summed over the axes that nobody else needs; integers add up as int64, as in sum."""
    axes = tuple(i for i, name in enumerate(names) if name not in keep)
    if not axes:
        return array, names
    kind = np.int64 if array.dtype.kind in "biu" else None  # NumPy has uint64 for unsigned ones
    total = np.add.reduce(array, axis=axes, dtype=kind)
    return np.asarray(total), "".join(name for name in names if name in keep)


def _next_pair(
    terms: list[tuple[Any, Labels]], output: Labels, sizes: dict[str, int]
) -> tuple[int, int]:
    """The pair whose product is smallest against what it replaces; the only one if there are two.

    Greedy: the best order is exponential to find, and the greedy one is rarely much worse.
    """
    if len(terms) == 2:
        return 0, 1

    def growth(pair: tuple[int, int]) -> int:
        i, j = pair
        rest = set(output).union(*(t[1] for k, t in enumerate(terms) if k not in pair))
        both = set(terms[i][1]) | set(terms[j][1])
        return prod(sizes[n] for n in both & rest) - int(terms[i][0].size + terms[j][0].size)

    return min(combinations(range(len(terms)), 2), key=growth)


def _product(
    left: tuple[Any, Labels], right: tuple[Any, Labels], keep: set[str]
) -> tuple[Any, Labels]:
    """Two operands' product, summed over the labels that both have and nobody keeps."""
    (a, of_a), (b, of_b) = left, right
    batch = [n for n in of_a if n in of_b and n in keep]
    inner = [n for n in of_a if n in of_b and n not in keep]
    rows = [n for n in of_a if n not in of_b]
    columns = [n for n in of_b if n not in of_a]
    a = np.transpose(a, [of_a.index(n) for n in batch + rows + inner])
    b = np.transpose(b, [of_b.index(n) for n in batch + inner + columns])
    names = "".join(batch + rows + columns)
    k, r = len(batch), len(rows)
    if not inner:
        a = a.reshape(a.shape + (1,) * len(columns))
        return np.multiply(a, b.reshape(b.shape[:k] + (1,) * r + b.shape[k:])), names
    shape = a.shape[: k + r] + b.shape[k + len(inner) :]
    heads, depth = prod(a.shape[:k]), prod(b.shape[k : k + len(inner)])
    a = a.reshape(heads, prod(a.shape[k : k + r]), depth)
    b = b.reshape(heads, depth, prod(shape[k + r :]))
    product = np.dot(a[0], b[0]) if not batch else np.matmul(a, b)
    return np.asarray(product).reshape(shape), names
