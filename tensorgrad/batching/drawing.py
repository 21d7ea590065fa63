"""Random numbers inside a mapped function: one draw for all examples, or one for each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tensorgrad.batching.value import Frame, made
from tensorgrad.graph.node import local

__all__ = ["drawing"]


class _PerExample:
    """A generator whose arrays have all the examples."""

    def __init__(self, rng: np.random.Generator, frames: list[Frame]) -> None:
        self._rng, self._frames = rng, frames

    def _draw(self, draw: Callable[[tuple[int, ...]], Any], size: Any) -> Any:
        """``draw`` of a shape with the examples of every frame in front, outermost first."""
        shape = () if size is None else tuple(np.atleast_1d(size))
        value = draw((*(f.size for f in self._frames), *shape))
        for frame in self._frames:
            value = made(frame, value, True)
        return value

    def random(self, size: Any = None, dtype: Any = np.float64) -> Any:
        return self._draw(lambda shape: self._rng.random(shape, dtype), size)

    def standard_normal(self, size: Any = None, dtype: Any = np.float64) -> Any:
        return self._draw(lambda shape: self._rng.standard_normal(shape, dtype), size)

    def integers(self, low: Any, high: Any = None, size: Any = None, dtype: Any = np.int64) -> Any:
        return self._draw(lambda shape: self._rng.integers(low, high, shape, dtype), size)

    def standard_exponential(self, size: Any = None) -> Any:
        return self._draw(self._rng.standard_exponential, size)

    def standard_cauchy(self, size: Any = None) -> Any:
        return self._draw(self._rng.standard_cauchy, size)

    def geometric(self, p: float, size: Any = None) -> Any:
        return self._draw(lambda shape: self._rng.geometric(p, shape), size)

    def permutation(self, n: int) -> Any:
        def draw(shape: tuple[int, ...]) -> Any:
            places = np.broadcast_to(np.arange(n), shape)
            return self._rng.permuted(places, axis=-1)

        return self._draw(draw, (n,))

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(
            f"vmap: drawing from the distribution {name!r} for each example is not supported; use "
            "randomness='same', or draw outside vmap"
        )


def drawing(rng: np.random.Generator) -> Any:
    """The generator, as the mapped functions around say: refused, as it is, or for each example."""
    frames = local.context.vmaps
    if any(frame.randomness == "error" for frame in frames):
        raise RuntimeError(
            "vmap: called random operation while in randomness error mode. Please either use the "
            "'same' or 'different' randomness flags on vmap or perform the randomness operation "
            "out of vmap"
        )
    different = [frame for frame in frames if frame.randomness == "different"]
    return _PerExample(rng, different) if different else rng
