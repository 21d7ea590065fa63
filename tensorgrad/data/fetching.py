"""From an entry of the sampler to a batch: by indices, or from a stream."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple, cast

from tensorgrad.data.collate import default_collate
from tensorgrad.data.dataset import IterableDataset, fetch_items, gathers

__all__ = ["Recipe"]


class Recipe(NamedTuple):
    """What makes batches: it goes to worker processes as it is."""

    dataset: Any
    collate: Callable[[Any], Any]
    batched: bool
    drop_last: bool

    @property
    def is_stream(self) -> bool:
        return isinstance(self.dataset, IterableDataset)

    def fetcher(self) -> Callable[[Any], Any]:
        """A function of the sampler's entries for one pass; a stream's end is StopIteration."""
        return self._from_stream() if self.is_stream else self._by_indices()

    def _by_indices(self) -> Callable[[Any], Any]:
        dataset, collate = self.dataset, self.collate
        if not self.batched:
            return lambda index: collate(dataset[index])
        gather = collate is default_collate and gathers(dataset)

        def fetch(indices: Any) -> Any:
            if type(indices) is not list and not hasattr(indices, "__iter__"):
                raise TypeError(
                    f"DataLoader: batch_sampler must give lists of indices, got {indices!r}; "
                    "single ones are for sampler="
                )
            batch = dataset.collated_items(indices) if gather else None
            return collate(fetch_items(dataset, indices)) if batch is None else batch

        return fetch

    def _from_stream(self) -> Callable[[Any], Any]:
        stream, collate = iter(cast(Iterable[Any], self.dataset)), self.collate
        if not self.batched:
            return lambda _: collate(next(stream))
        ended = False

        def fetch(indices: Any) -> Any:
            # Once it has ended the stream is not asked again: not every iterator takes that well.
            nonlocal ended
            samples = [] if ended else list(itertools.islice(stream, len(indices)))
            ended = ended or len(samples) < len(indices)
            if not samples or (ended and self.drop_last):
                raise StopIteration
            return collate(samples)

        return fetch
