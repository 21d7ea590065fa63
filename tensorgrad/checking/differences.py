"""A function at a point, its arguments moved about it, and its derivatives by backward.

Complex arrays are read as pairs of reals: with PyTorch's convention for complex gradients
(of a real L, dL/da + i dL/db) backward is then the transpose of the real Jacobian, and nothing else
has to be treated apart.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy import ndarray

from tensorgrad import autograd
from tensorgrad.graph.node import TensorBase, wrap
from tensorgrad.random import default_generator

if TYPE_CHECKING:
    from tensorgrad.tensor import Tensor

__all__ = ["SIGNS", "Point", "Real", "Subject", "flat", "like"]

Real = ndarray[Any, np.dtype[np.float64]]
# What random directions are drawn from. Not a list: to NumPy 2.5's type stubs, what is drawn from a
# list of numbers is integers.
SIGNS: Real = np.array([-1.0, 1.0])


def flat(array: ndarray[Any, Any]) -> Real:
    """The elements in row-major order as float64; a complex one as its two parts in turn."""
    if array.dtype.kind == "c":
        array = np.ascontiguousarray(array, np.complex128).reshape(-1).view(np.float64)
    return np.array(array, np.float64, order="C").reshape(-1)


class Point:
    """One tensor whose gradient is checked, with the values around which it is moved.

    It is moved in its own memory, so that a function which also reaches it by a closure, or as a
    parameter of its module, sees the move; `home` restores it to the last bit.
    """

    def __init__(self, name: str, tensor: Tensor, label: str | None = None) -> None:
        self.name, self.tensor = name, tensor
        self.label = label or name  # the name for a sentence: "input 0 (x)"
        self.array: Any = tensor._array
        self.base = self.array.copy()
        self._accumulator = tensor._accumulator
        self.complex = self.array.dtype.kind == "c"
        self.size = self.array.size * (2 if self.complex else 1)

    def index(self, k: int) -> tuple[tuple[int, ...], str]:
        """The k-th real coordinate as the index of an element, and which part of it that is."""
        element, part = divmod(k, 2) if self.complex else (k, 0)
        place = tuple(int(i) for i in np.unravel_index(element, self.array.shape))
        return place, ("real part", "imaginary part")[part] if self.complex else ""

    def move(self, k: int, step: float) -> None:
        """Add a step to one real coordinate."""
        place, part = self.index(k)
        self.array[place] = self.base[place] + (step * 1j if part == "imaginary part" else step)

    def put_back(self, k: int) -> None:
        """Undo `move`, without touching the rest of a large array."""
        place, _ = self.index(k)
        self.array[place] = self.base[place]

    def move_all(self, steps: Real) -> None:
        """Add a step to every coordinate."""
        if self.complex:
            steps = steps.view(np.complex128)
        self.array[...] = self.base + steps.reshape(self.base.shape)

    def home(self) -> None:
        """Back to the values around which it is moved."""
        self.array[...] = self.base

    def rebase(self, values: Any) -> None:
        """Move it, and its home, elsewhere."""
        self.base = np.asarray(values)  # arithmetic on 0-d arrays makes NumPy's scalars
        self.home()

    def imagine(self, steps: Real | None) -> None:
        """Exchange the memory for a complex copy, ``steps`` times i added; None: the real one."""
        if steps is None:
            if self.tensor._array is self.array:
                return
            self.tensor._array, self.tensor._accumulator = self.array, self._accumulator
            return
        # A leaf's accumulator knows its dtype, and would drop the imaginary part of its gradient.
        if self.tensor._array is self.array:
            self._accumulator = self.tensor._accumulator
        self.tensor._accumulator = None
        kind = np.complex64 if self.array.dtype == np.float32 else np.complex128
        moved = self.base.astype(kind)
        moved.imag = steps.reshape(self.base.shape)
        self.tensor._array = moved


class Subject:
    """The function under check, its arguments, and the tensors whose gradients are checked."""

    def __init__(
        self,
        func: Callable[..., Any],
        inputs: Sequence[Any],
        points: Sequence[Point],
        buffers: Sequence[Any] = (),
    ) -> None:
        self.func, self.inputs, self.points = func, tuple(inputs), tuple(points)
        self.buffers = tuple(buffers)
        self._random = default_generator._rng.bit_generator.state
        self._kept: tuple[int, ...] | None = None
        self._places: list[str] = []

    def call(self) -> list[Any]:
        """The outputs that are tensors, from a fresh run at the present values.

        Every run starts from the same random state, so that a dropout is the same function each
        time it is asked.
        """
        default_generator._rng.bit_generator.state = self._random
        found = list(_leaves(self.func(*self.inputs), ""))
        self._places = [place for place, _ in found]
        return [output for _, output in found]

    def record(self) -> list[Any]:
        """The outputs that can be differentiated: those that require grad, once and for all."""
        outputs = self.call()
        if self._kept is None:
            self._kept = tuple(i for i, t in enumerate(outputs) if t.requires_grad)
        return [outputs[i] for i in self._kept]

    def place(self, o: int) -> str:
        """Where in a nested result the o-th differentiable output stands: ``['loss']``, or ""."""
        return self._places[o if self._kept is None else self._kept[o]]

    def values(self, *, everything: bool = False) -> list[Real]:
        """The same outputs as flat reals; with ``everything`` all that hold floats."""
        return [flat(array) for array in self.arrays(everything=everything)]

    def arrays(self, *, everything: bool = False) -> list[ndarray[Any, Any]]:
        """As `values`, in their own shapes and dtypes."""
        outputs = self.call()
        if everything:
            outputs = [t for t in outputs if t._array.dtype.kind in "fc"]
        elif self._kept is not None:
            outputs = [outputs[i] for i in self._kept]
        return [t._array for t in outputs]

    @contextmanager
    def undisturbed(self) -> Iterator[None]:
        """Record, whatever the caller's mode; restore the random state and the buffers."""
        held = [(buffer, buffer._array.copy()) for buffer in self.buffers]
        bases = [point.base for point in self.points]
        try:
            with autograd.enable_grad():
                yield
        finally:
            for point, base in zip(self.points, bases, strict=True):
                point.rebase(base)
            for buffer, before in held:
                buffer._array[...] = before
            default_generator._rng.bit_generator.state = self._random

    # --- By backward ------------------------------------------------------------------------------

    def pull(self, outputs: Sequence[Any], cotangents: Sequence[Real]) -> list[Any]:
        """The gradients at the points, as arrays or None, for gradients given at some outputs."""
        seeds = [like(output, c) for output, c in zip(outputs, cotangents, strict=True)]
        targets = [point.tensor for point in self.points]
        found = autograd.grad(outputs, targets, seeds, retain_graph=True, allow_unused=True)
        return [None if g is None else g._array for g in found]

    def pull_flat(self, outputs: Sequence[Any], cotangents: Sequence[Real]) -> list[Real]:
        """As `pull`, flat, with zeros for what is not reached."""
        return [
            np.zeros(p.size) if g is None else flat(g)
            for p, g in zip(self.points, self.pull(outputs, cotangents), strict=True)
        ]

    def analytical_jacobian(self, output: Any) -> list[Real]:
        """For each point the Jacobian of one output, a backward for each of its elements."""
        size = flat(output._array).size
        rows = []
        for k in range(size):
            unit = np.zeros(size)
            unit[k] = 1
            rows.append(self.pull_flat([output], [unit]))
        if not rows:
            return [np.zeros((0, p.size)) for p in self.points]
        return [np.stack(row) for row in zip(*rows, strict=True)]


def _leaves(result: Any, place: str) -> Iterator[tuple[str, Any]]:
    """The tensors of nested tuples, lists and dicts, with the keys that lead to them."""
    if isinstance(result, TensorBase):
        yield place, result
    elif isinstance(result, dict):
        for key, value in result.items():
            yield from _leaves(value, f"{place}[{key!r}]")
    elif isinstance(result, (tuple, list)):
        for i, value in enumerate(result):
            # The number alone is how outputs of a plain tuple are called anyway.
            nested = bool(place) or isinstance(value, (tuple, list, dict))
            yield from _leaves(value, f"{place}[{i}]" if nested else "")


def like(output: Any, cotangent: Real) -> Any:
    """Flat reals as a gradient of an output."""
    kind = output._array.dtype
    values = cotangent.view(np.complex128) if kind.kind == "c" else cotangent
    return wrap(values.reshape(output._array.shape).astype(kind))
