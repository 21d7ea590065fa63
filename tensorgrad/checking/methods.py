"""Derivatives by differences: the complex step, Richardson's extrapolation, central differences.

- *Complex step*: f(x + ih) = f(x) + ih f'(x) + O(h^2) for a function that is a formula of its
  argument (holomorphic).  Nothing is subtracted, so h may be 1e-20 and the derivative is as exact
  as f.  A comparison, abs() or a part written into real memory breaks it; so it is tried, and
  trusted only where it agrees with central differences along a random direction.
- *Richardson*: two central differences, with steps h and h/2, combined so that the error h^2
  cancels.  Where the two disagree h shrinks: a kink or a pole may be near.
- *Central*: (f(x + eps) - f(x - eps)) / 2 eps, PyTorch's.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from tensorgrad.checking.differences import SIGNS, Point, Real, Subject, flat

__all__ = ["METHODS", "Differences"]

METHODS = ("complex", "richardson", "central")
TINY = 1e-20  # the complex step: its square vanishes beside any number that matters
ROUNDS = 4  # how often Richardson's step shrinks, by 16
PAIR = 2  # Richardson's two steps: h and h/2

Move = Callable[[float], None]


def precision(point: Point) -> float:
    """The spacing of the numbers of a point's dtype, at 1."""
    return float(np.finfo(point.array.dtype).eps)


class Differences:
    """The derivatives of one subject; each point's method is chosen when first asked for."""

    def __init__(self, subject: Subject, eps: float, method: str | None) -> None:
        if method not in (None, *METHODS):
            raise ValueError(f"gradcheck: method must be one of {METHODS} or None, got {method!r}")
        self.subject, self.eps, self.method = subject, eps, method
        self.rng = np.random.default_rng(7)
        self._here: list[Any] | None = None  # the outputs where the points are at first
        self._signs: dict[Point, list[float] | None] = {}
        self.reasons: dict[Point, str] = {}  # why the complex step was not possible

    def used(self, point: Point) -> str:
        """The method for a point."""
        if self.method in ("richardson", "central"):
            return str(self.method)
        if self.signs(point) is not None:
            return "complex"
        if self.method == "complex":
            raise ValueError(
                "gradcheck: method='complex' is not possible for "
                f"{point.label}: {self.reasons[point]}; leave method out"
            )
        return "richardson"

    def step(self, point: Point) -> float:
        """The step with which a point's values are changed, for messages and error estimates."""
        used = self.used(point)
        if used == "complex":
            return TINY
        return self.eps if used == "central" else _first_step(point)

    # --- Derivatives ------------------------------------------------------------------------------

    def column(self, point: Point, k: int, *, real: bool = False) -> list[Real]:
        """How each output changes per unit of one coordinate; ``real``: not by a complex step."""
        used = self.used(point)
        if used == "complex" and not real:
            direction = np.zeros(point.size)
            direction[k] = 1
            return self._complex(point, direction)
        scale = max(1.0, float(abs(point.base[point.index(k)[0]])))
        try:
            move = _mover(point, k)
            return self._real(point, move, scale, used)
        finally:
            point.put_back(k)

    def along(self, point: Point, direction: Real) -> list[Real]:
        """How each output changes per unit step in a direction."""
        used = self.used(point)
        if used == "complex":
            return self._complex(point, direction)
        try:
            return self._real(point, lambda t: point.move_all(t * direction), 1.0, used)
        finally:
            point.home()

    def jacobian(self, point: Point) -> list[Real]:
        """For each output its Jacobian (output elements, input elements)."""
        columns = [self.column(point, k) for k in range(point.size)]
        if not columns:
            return [np.zeros((value.size, 0)) for value in self.subject.values()]
        return [np.stack(column, axis=1) for column in zip(*columns, strict=True)]

    def plain_jacobian(self, point: Point) -> list[Real]:
        """The Jacobians of all that holds floats, differentiable or not, by central differences."""
        columns = []
        for k in range(point.size):
            try:
                columns.append(self._central(_mover(point, k), self.eps, everything=True))
            finally:
                point.put_back(k)
        return [np.stack(column, axis=1) for column in zip(*columns, strict=True)]

    def sides(self, point: Point, k: int, h: float) -> tuple[list[Real], list[Real]]:
        """The derivatives from the left and from the right, each with its error of order h gone."""
        try:
            return self._sides(_mover(point, k), h)
        finally:
            point.put_back(k)

    def sides_along(self, point: Point, direction: Real, h: float) -> tuple[list[Real], list[Real]]:
        """The same in a direction."""
        try:
            return self._sides(lambda t: point.move_all(t * direction), h)
        finally:
            point.home()

    def _sides(self, move: Move, h: float) -> tuple[list[Real], list[Real]]:
        move(0.0)
        here = self.subject.values()

        def one_sided(t: float) -> list[Real]:
            move(t)
            far = self.subject.values()
            move(t / 2)
            near = self.subject.values()
            with np.errstate(invalid="ignore", over="ignore"):
                return [
                    2 * (n - z) / (t / 2) - (f - z) / t
                    for f, n, z in zip(far, near, here, strict=True)
                ]

        return one_sided(-h), one_sided(h)

    # --- How they are made ------------------------------------------------------------------------

    def _real(self, point: Point, move: Move, scale: float, used: str) -> list[Real]:
        if used == "central":
            return self._central(move, self.eps)
        return self._richardson(move, _first_step(point) * scale, precision(point))

    def _central(self, move: Move, h: float, *, everything: bool = False) -> list[Real]:
        move(h)
        high = self.subject.values(everything=everything)
        move(-h)
        low = self.subject.values(everything=everything)
        with np.errstate(invalid="ignore"):  # inf - inf: the comparison will say what is wrong
            return [(a - b) / (2 * h) for a, b in zip(high, low, strict=True)]

    def _richardson(self, move: Move, h: float, unit: float) -> list[Real]:
        best: list[Real] = []
        errors: list[Real] = []
        enough = unit**0.45  # about where the error of a smooth function lies well below
        for _ in range(ROUNDS):
            wide, near = self._central(move, h), self._central(move, h / PAIR)
            with np.errstate(invalid="ignore", over="ignore"):
                made = [(4 * n - w) / 3 for w, n in zip(wide, near, strict=True)]
                # The second term: differences of equal numbers agree, and say nothing.
                doubt = [
                    np.nan_to_num(abs(m - n), nan=np.inf) + 4 * unit * abs(m)
                    for m, n in zip(made, near, strict=True)
                ]
            if best:
                # Relative to the results: across a pole they are small, and so is their doubt.
                better = [
                    d / (1e-6 + abs(m)) < e / (1e-6 + abs(b)) / 4
                    for d, m, e, b in zip(doubt, made, errors, best, strict=True)
                ]
                best = [np.where(c, m, b) for c, m, b in zip(better, made, best, strict=True)]
                errors = [np.where(c, d, e) for c, d, e in zip(better, doubt, errors, strict=True)]
            else:
                best, errors = made, doubt
            limits = [enough * (1 + abs(m)) for m in best]
            if all(bool(np.all(e <= t)) for e, t in zip(errors, limits, strict=True)):
                break
            h /= 16
        return best

    def _complex(self, point: Point, direction: Real) -> list[Real]:
        signs = self._signs[point]
        found = self._imaginary(point, direction)
        return [s * v for s, v in zip(signs or (), found, strict=True)]

    def _imaginary(self, point: Point, direction: Real) -> list[Real]:
        """The imaginary parts of the outputs, per unit of the complex step."""
        still = [p for p in self.subject.points if p is not point]
        held = [buffer._array.copy() for buffer in self.subject.buffers]
        try:
            point.imagine(TINY * direction)
            for other in still:
                # All of them: the gradient of a real tensor would drop its imaginary part.
                if not other.complex:
                    other.imagine(np.zeros(other.size))
            outputs = self.subject.arrays()
        finally:
            for p in self.subject.points:
                p.imagine(None)
            for buffer, before in zip(self.subject.buffers, held, strict=True):
                buffer._array[...] = before
        return [flat(np.imag(array)) / TINY for array in outputs]

    # --- May the complex step be trusted? ---------------------------------------------------------

    def signs(self, point: Point) -> list[float] | None:
        """1 or -1 per output if the complex step is right for this point, otherwise None.

        -1: gradients of complex tensors are conjugates, so that a derivative of a gradient comes
        out with its sign reversed.
        """
        if point not in self._signs:
            self._signs[point] = self._trust(point)
        return self._signs[point]

    def _trust(self, point: Point) -> list[float] | None:
        if point.array.dtype not in (np.float32, np.float64):
            self.reasons[point] = f"it is {point.array.dtype} itself"
            return None
        if point.size == 0:
            self.reasons[point] = "it has no elements"
            return None
        unit = precision(point)
        h = self.eps if unit < 1e-10 else 1e-2
        # Not of ones: the slope of sum(|x|) along those is a whole number, and too often the 0 that
        # a complex step gives for it.
        direction = self.rng.choice(SIGNS, point.size)
        direction *= self.rng.uniform(0.5, 1.5, point.size)
        try:
            expected = self._central(lambda t: point.move_all(t * direction), h)
        finally:
            point.home()
        if self._here is None:
            self._here = self.subject.arrays()
        values = self._here
        if any(v.dtype.kind == "c" for v in values):
            self.reasons[point] = "an output is complex"
            return None
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error", np.exceptions.ComplexWarning)
                got = self._imaginary(point, direction)
        except Exception as error:
            # Whatever a function does with numbers it never expected: then there is another way.
            told = str(error).split(" [")[0]  # without the line of the caller's program
            self.reasons[point] = f"the function does not take complex numbers ({told})"
            return None
        if [g.shape for g in got] != [e.shape for e in expected]:
            self.reasons[point] = "the outputs have other shapes for complex numbers"
            return None
        signs = []
        relative = 1e-7 if unit < 1e-10 else 1e-2
        for g, e, v in zip(got, expected, values, strict=True):
            largest = float(np.max(abs(v), initial=0.0))
            room = relative * abs(e) + 100 * unit * (1 + largest) / h
            fits = [bool(np.all(abs(s * g - e) <= room)) for s in (1, -1)]
            if not any(fits):
                self.reasons[point] = (
                    "it disagrees with central differences (a comparison, abs() or the like)"
                )
                return None
            signs.append(1.0 if fits[0] else -1.0)
        return signs


def _first_step(point: Point) -> float:
    """Where Richardson starts: truncation h^4/480 about as small as rounding unit/h."""
    kind = precision(point)
    return 2.0**-9 if kind < 1e-10 else 2.0**-4 if kind < 1e-5 else 2.0**-2


def _mover(point: Point, k: int) -> Move:
    return lambda t: point.move(k, t)
