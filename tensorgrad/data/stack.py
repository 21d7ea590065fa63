"""Datasets side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tensorgrad.data.dataset import Dataset

__all__ = ["StackDataset"]


class StackDataset(Dataset[Any]):
    """Samples of several datasets of one length together: tuples, or dicts if they are named."""

    datasets: tuple[Any, ...] | dict[str, Any]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if args and kwargs:
            raise ValueError(
                "StackDataset: give datasets by position, for tuples, or by name, for dicts; not "
                "both"
            )
        if not args and not kwargs:
            raise ValueError("StackDataset: At least one dataset should be passed")
        self.datasets = args or kwargs
        lengths = [len(dataset) for dataset in args or kwargs.values()]
        if len(set(lengths)) > 1:
            raise ValueError(f"StackDataset: Size mismatch between datasets: {lengths}")
        self._length = lengths[0]

    def __len__(self) -> int:
        return self._length

    def _with(self, parts: Sequence[Any]) -> Any:
        if isinstance(self.datasets, Mapping):
            return dict(zip(self.datasets, parts, strict=True))
        return tuple(parts)

    def _each(self) -> list[Any]:
        return list(self.datasets.values() if isinstance(self.datasets, Mapping) else self.datasets)

    def __getitem__(self, index: Any) -> Any:
        return self._with([dataset[index] for dataset in self._each()])

    def __getitems__(self, indices: list[Any]) -> list[Any]:
        """Several samples at once, by the datasets' own ``__getitems__`` where they have one."""
        columns = []
        for dataset in self._each():
            fetch = getattr(dataset, "__getitems__", None)
            items = fetch(indices) if callable(fetch) else [dataset[i] for i in indices]
            if len(items) != len(indices):
                raise ValueError(
                    f"StackDataset: Nested dataset's output size mismatch. Expected "
                    f"{len(indices)}, got {len(items)}"
                )
            columns.append(items)
        return [self._with(parts) for parts in zip(*columns, strict=True)]
