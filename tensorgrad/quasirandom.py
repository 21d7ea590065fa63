"""Low-discrepancy sequences: Sobol's, whose direction numbers come from SciPy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tensorgrad.dtypes import default_float, numpy_dtype
from tensorgrad.graph.node import wrap

if TYPE_CHECKING:
    from tensorgrad.tensor import Tensor

__all__ = ["SobolEngine"]


class SobolEngine:
    """Points of a Sobol sequence in the unit cube, which fill it more evenly than random ones.

    dimension: from 1 to 21201.  scramble: Owen's scrambling, from ``seed`` (or the operating
        system); the numbers differ from PyTorch's, which draws from its own generator.
    Needs SciPy: ``pip install 'tensorgrad[quasirandom]'``.

    Source: S. Joe and F. Y. Kuo, "Constructing Sobol sequences with better two-dimensional
    projections", SIAM J. Sci. Comput. 30 (2008).
    """

    MAXBIT = 30
    MAXDIM = 21201

    def __init__(self, dimension: int, scramble: bool = False, seed: int | None = None) -> None:
        if not 1 <= dimension <= self.MAXDIM:
            raise ValueError(
                f"Supported range of dimensionality for SobolEngine is [1, {self.MAXDIM}], got "
                f"{dimension}"
            )
        try:
            from scipy.stats import qmc
        except ImportError:
            raise ImportError(
                "SobolEngine takes its direction numbers from SciPy, which is not installed: "
                "pip install 'tensorgrad[quasirandom]'"
            ) from None
        self.dimension, self.scramble, self.seed = dimension, scramble, seed
        self.num_generated = 0
        self._engine: Any = qmc.Sobol(dimension, scramble=scramble, bits=self.MAXBIT, rng=seed)

    def draw(self, n: int = 1, out: Tensor | None = None, dtype: Any = None) -> Tensor:
        """The next n points, (n, dimension), in [0, 1); the first of all is 0 if not scrambled."""
        kind = default_float() if dtype is None else numpy_dtype(dtype)
        if kind.kind != "f":
            raise RuntimeError(f"SobolEngine.draw: expected a floating-point dtype, got {dtype}")
        points = np.empty((n, self.dimension), kind)
        # SciPy warns that a first draw should be a power of two; PyTorch leaves it to the caller.
        for start in range(0, n, 1 << 16):
            points[start : start + (1 << 16)] = self._points(min(n - start, 1 << 16))
        made: Any = wrap(points)
        if out is None:
            return made  # type: ignore[no-any-return]
        return out.resize_as_(made).copy_(made)

    def _points(self, n: int) -> Any:
        if self.num_generated == 0 and n & (n - 1):
            first = self._points(1)
            return np.concatenate([first, self._points(n - 1)])
        self.num_generated += n
        return self._engine.random(n)

    def draw_base2(self, m: int, out: Tensor | None = None, dtype: Any = None) -> Tensor:
        """The next 2**m points; ValueError unless a power of two has been drawn then."""
        n = 1 << m
        total = self.num_generated + n
        if total & (total - 1):
            raise ValueError(
                "The balance properties of Sobol' points require n to be a power of 2. "
                f"{self.num_generated} points have been previously generated, then: "
                f"n={self.num_generated}+2**{m}={total}. If you still want to do this, please use "
                "'SobolEngine.draw()' instead."
            )
        return self.draw(n, out=out, dtype=dtype)

    def reset(self) -> SobolEngine:
        """Back to the first point."""
        self._engine.reset()
        self.num_generated = 0
        return self

    def fast_forward(self, n: int) -> SobolEngine:
        """Skip n points."""
        self._engine.fast_forward(n)
        self.num_generated += n
        return self

    def __repr__(self) -> str:
        words = [f"dimension={self.dimension}"]
        if self.scramble:
            words.append("scramble=True")
        if self.seed is not None:
            words.append(f"seed={self.seed}")
        return f"{type(self).__name__}({', '.join(words)})"
