"""Which tensors share memory: stored once, and views of one memory again after loading."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tensorgrad.machine.address import address

__all__ = ["Entry", "store", "view_of"]


class Entry(NamedTuple):
    """An array to be saved, and the name it goes by."""

    name: str
    array: NDArray[Any]


def store(entries: Sequence[Entry]) -> tuple[dict[str, NDArray[Any]], dict[str, dict[str, Any]]]:
    """The arrays to write, C-contiguous, and for those not among them where to find them.

    ``{"of": name, "dtype", "shape", "strides", "offset"}``, steps in bytes, says of which written
    array another one is a view. Arrays are tied when the ranges of their memory overlap: tensors
    that lie side by side in one buffer are not.
    """
    arrays: dict[str, NDArray[Any]] = {}
    views: dict[str, dict[str, Any]] = {}
    for cluster in _overlapping(entries):
        if len(cluster) == 1:
            arrays[cluster[0].name] = _contiguous(cluster[0].array)
        else:
            _store_tied(cluster, arrays, views)
    return arrays, views


def _contiguous(array: NDArray[Any]) -> NDArray[Any]:
    # np.ascontiguousarray would make a 1-d array of a 0-d one.
    return np.asarray(array, order="C")


def _bounds(array: NDArray[Any]) -> tuple[int, int]:
    low, high = np.lib.array_utils.byte_bounds(array)
    return int(low), int(high)


def _overlapping(entries: Sequence[Entry]) -> list[list[Entry]]:
    """Clusters of entries whose ranges of memory overlap, each in the order of the entries."""
    clusters = [[entry] for entry in entries if not entry.array.nbytes]
    ranges = sorted(
        (*_bounds(entry.array), position)
        for position, entry in enumerate(entries)
        if entry.array.nbytes
    )
    end = -1
    positions: list[list[int]] = []
    for low, high, position in ranges:
        if low >= end:
            positions.append([])
        positions[-1].append(position)
        end = max(end, high)
    return clusters + [[entries[i] for i in sorted(found)] for found in positions]


def _layout(array: NDArray[Any]) -> tuple[Any, ...]:
    return array.dtype, array.shape, array.strides, _bounds(array)


def _store_tied(
    cluster: list[Entry], arrays: dict[str, NDArray[Any]], views: dict[str, dict[str, Any]]
) -> None:
    low = min(_bounds(entry.array)[0] for entry in cluster)
    high = max(_bounds(entry.array)[1] for entry in cluster)
    first = cluster[0]
    if len({_layout(entry.array) for entry in cluster}) == 1:
        # The usual tie: one weight by two names. Its layout in memory may be any.
        kept = arrays[first.name] = _contiguous(first.array)
        for entry in cluster[1:]:
            views[entry.name] = _view(first.name, kept, 0)
        return
    for entry in cluster:
        if entry.array.flags.c_contiguous and _bounds(entry.array) == (low, high):
            owner = entry.name
            arrays[owner] = entry.array
            break
    else:
        # None of them covers the others: their common memory is written under a name of its own.
        owner = f"~memory.{first.name}"
        arrays[owner] = _memory(cluster, low, high)
    for entry in cluster:
        if entry.name != owner:
            views[entry.name] = _view(owner, entry.array, low)


def _memory(cluster: list[Entry], low: int, high: int) -> NDArray[np.uint8]:
    """A copy of the bytes in which the arrays lie; between them zeros, not a stranger's bytes."""
    memory = np.zeros(high - low, np.uint8)
    for entry in cluster:
        _over(memory, _view("", entry.array, low))[...] = entry.array
    return memory


def _view(owner: str, array: NDArray[Any], low: int) -> dict[str, Any]:
    start = address(array) - low if low else 0
    return {
        "of": owner,
        "dtype": array.dtype.name,
        "shape": list(array.shape),
        "strides": list(array.strides),
        "offset": start,
    }


def _over(memory: NDArray[np.uint8], view: dict[str, Any]) -> NDArray[Any]:
    return np.ndarray(
        tuple(view["shape"]),
        np.dtype(view["dtype"]),
        buffer=memory,
        offset=view["offset"],
        strides=tuple(view["strides"]),
    )


def view_of(owner: NDArray[Any], view: dict[str, Any]) -> NDArray[Any]:
    """The array that a view describes; NumPy refuses one that reaches outside its owner."""
    return _over(owner.reshape(-1).view(np.uint8), view)
