"""Where in an epoch a run is, so that another process can finish the epoch."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

import numpy as np

from tensorgrad.random import Generator, default_generator

__all__ = ["Position"]


class Position:
    """The batches of a loader, epoch by epoch, and how many of the present one are done.

    A loader with ``state_dict`` and ``load_state_dict`` (a DataLoader) is asked for its place.
    Any other is gone through again: the generators are set to what they were when the epoch
    began, and what was done is skipped, which costs reading it. Both are exact if everything
    random draws from the default generator, from the loader's or its sampler's own, or from the
    global ones of Python and NumPy, all of which are kept.
    """

    def __init__(self, loader: Iterable[Any]) -> None:
        self._loader: Any = loader
        self._keeps_place = callable(getattr(loader, "load_state_dict", None))
        self._generators = _generators(loader)
        self.done = 0
        self._began: dict[str, Any] | None = None  # the generators at the epoch's beginning
        self._resume: dict[str, Any] | None = None

    def batches(self) -> Iterator[Any]:
        """The epoch's batches, or what is left of it after `load_state_dict`."""
        for batch in self._iterator():
            self.done += 1
            yield batch
        self.done = 0

    def _iterator(self) -> Iterator[Any]:
        resume, self._resume = self._resume, None
        if resume is None:
            self.done = 0
            self._began = self._random()
            fresh: Iterator[Any] = iter(self._loader)
            return fresh
        self.done, self._began = resume["done"], resume["began"]
        if resume["place"] is not None:
            self._loader.load_state_dict(resume["place"])
            iterator: Iterator[Any] = iter(self._loader)
        else:
            self._set_random(resume["began"])
            iterator = iter(self._loader)
            skipped = sum(1 for _ in islice(iterator, self.done))
            if skipped < self.done:
                raise ValueError(
                    f"fit: the checkpoint was made after {self.done} batches of an epoch, but the "
                    f"loader gives only {skipped}; resume with the same data"
                )
        self._set_random(resume["now"])
        return iterator

    def state_dict(self) -> dict[str, Any]:
        """Where the epoch is, and the states of all generators."""
        place = self._loader.state_dict() if self._keeps_place and self.done else None
        return {"done": self.done, "place": place, "began": self._began, "now": self._random()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from there: at once, or within the epoch when it is next gone through."""
        self._set_random(state["now"])
        self._resume = state if state["done"] else None
        self.done = state["done"]

    def _random(self) -> dict[str, Any]:
        version, words, gauss = random.getstate()
        name, keys, place, has_gauss, cached = np.random.get_state(legacy=True)
        return {
            "tensorgrad": [generator.get_state() for generator in self._generators],
            "python": [version, np.array(words, np.uint64), gauss],
            "numpy": [name, keys, int(place), int(has_gauss), float(cached)],
        }

    def _set_random(self, state: dict[str, Any]) -> None:
        if len(state["tensorgrad"]) != len(self._generators):
            raise ValueError(
                f"fit: the checkpoint has {len(state['tensorgrad'])} generators, this run's loader "
                f"and its samplers have {len(self._generators)}"
            )
        for generator, kept in zip(self._generators, state["tensorgrad"], strict=True):
            generator.set_state(kept)
        version, words, gauss = state["python"]
        random.setstate((version, tuple(words.tolist()), gauss))
        np.random.set_state(tuple(state["numpy"]))


def _generators(loader: Any) -> list[Generator]:
    """The default generator, and those that a loader and its samplers hold, each once."""
    found = [default_generator]
    holders = [loader]
    while holders:
        holder = holders.pop(0)
        generator = getattr(holder, "generator", None)
        if isinstance(generator, Generator) and not any(generator is known for known in found):
            found.append(generator)
        inner = (getattr(holder, name, None) for name in ("sampler", "batch_sampler"))
        holders += [one for one in inner if one is not None]
    return found
