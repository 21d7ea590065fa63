"""vmap: a function of one example, called once on a whole batch of them."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from tensorgrad.batching import Frame
from tensorgrad.batching.mapped import entered, unwrapped, wrapped
from tensorgrad.graph.node import TensorBase, local
from tensorgrad.primitive import recorded
from tensorgrad.tree import flatten

__all__ = ["vmap"]

_MODES = ("error", "different", "same")


def vmap(
    func: Callable[..., Any],
    in_dims: Any = 0,
    out_dims: Any = 0,
    randomness: str = "error",
    *,
    chunk_size: int | None = None,
) -> Callable[..., Any]:
    """The function that maps ``func`` over a dimension of its tensor arguments.

    ``func`` is called once: inside it a tensor has the shape of one example, and every operation
    works on all of them.

    in_dims: the dimension to map over: an int for all arguments, or a tuple with an entry for each,
        nested as they are; None for what every example shares.  Keyword arguments are shared.
    out_dims: where the examples stand in the outputs; None for an output that does not depend on
        the example.
    randomness: "error" refuses random operations, "different" draws for each example, "same" once
        for all.
    chunk_size: at most so many examples at a time, to save memory.

    Raises ValueError for arguments whose sizes do not fit, RuntimeError for a branch on the value
    of a mapped tensor.
    """
    if randomness not in _MODES:
        raise RuntimeError(
            f"vmap: Only allowed values for randomness are 'error', 'different', or 'same'. Got "
            f"{randomness}"
        )
    if chunk_size is not None and chunk_size <= 0:
        raise ValueError(f"vmap: chunk_size should be None or greater than 0. (got {chunk_size})")

    @functools.wraps(func)
    def mapped(*args: Any, **kwargs: Any) -> Any:
        leaves, dims, build = _inputs(args, in_dims)
        size = _size(leaves, dims)
        if chunk_size is None or chunk_size >= size:
            return _call(func, leaves, dims, build, kwargs, size, out_dims, randomness)
        parts = []
        for start in range(0, size, chunk_size):
            stop = min(start + chunk_size, size)
            some = [
                leaf if dim is None else leaf.narrow(dim, start, stop - start)
                for leaf, dim in zip(leaves, dims, strict=True)
            ]
            parts.append(_call(func, some, dims, build, kwargs, stop - start, out_dims, randomness))
        return _joined(parts, out_dims)

    return mapped


def _inputs(args: tuple[Any, ...], in_dims: Any) -> tuple[list[Any], list[int | None], Any]:
    """The arguments' leaves, the dimension that is mapped of each, and how to put them back."""
    if not args:
        raise ValueError(
            "vmap: got no inputs. Maybe you forgot to add inputs, or you are trying to vmap over a "
            "function with no inputs. The latter is unsupported."
        )
    if not isinstance(in_dims, (int, tuple, list)) and in_dims is not None:
        raise ValueError(
            f"vmap: expected in_dims to be an int or a (potentially nested) tuple, got "
            f"{type(in_dims).__name__}"
        )
    leaves, build = flatten(args)
    if isinstance(in_dims, list):
        in_dims = tuple(in_dims)
    if isinstance(in_dims, tuple) and len(in_dims) != len(args):
        raise ValueError(
            f"vmap: in_dims is not compatible with the structure of inputs: it has {len(in_dims)} "
            f"entries for {len(args)} arguments"
        )
    dims = _spread(in_dims, args, "in_dims")
    checked: list[int | None] = []
    for leaf, dim in zip(leaves, dims, strict=True):
        if dim is None:
            checked.append(None)
            continue
        if not isinstance(dim, int) or isinstance(dim, bool):
            raise ValueError(
                f"vmap: Got in_dim={dim} for an input but in_dim must be an int or None"
            )
        if not isinstance(leaf, TensorBase):
            raise ValueError(
                f"vmap: Got in_dim={dim} for an input but the input is of type "
                f"{type(leaf).__name__}. We cannot vmap over non-Tensor arguments, please use None "
                "as the respective in_dim"
            )
        ndim = leaf._array.ndim
        if not -ndim <= dim < ndim:
            raise ValueError(
                f"vmap: Got in_dim={dim} for some input, but that input is a Tensor of "
                f"dimensionality {ndim} so expected in_dim to satisfy -{ndim} <= in_dim < {ndim}."
            )
        checked.append(dim % ndim)
    return leaves, checked, build


def _spread(dims: Any, tree: Any, name: str) -> list[Any]:
    """One entry per leaf of ``tree``; an int or None stands for all below it."""
    if dims is None or isinstance(dims, int):
        return [dims] * len(flatten(tree)[0])
    if isinstance(dims, (tuple, list)) and isinstance(tree, (tuple, list)):
        if len(dims) == len(tree):
            return [
                d for part, sub in zip(dims, tree, strict=True) for d in _spread(part, sub, name)
            ]
    elif isinstance(dims, dict) and isinstance(tree, dict) and dims.keys() == tree.keys():
        return [d for key in tree for d in _spread(dims[key], tree[key], name)]
    raise ValueError(
        f"vmap: {name} does not fit the structure of what it describes: "
        f"{dims!r} for {type(tree).__name__} of {len(flatten(tree)[0])} leaves"
    )


def _size(leaves: list[Any], dims: list[int | None]) -> int:
    sizes = [
        leaf._array.shape[dim] for leaf, dim in zip(leaves, dims, strict=True) if dim is not None
    ]
    if not sizes:
        raise ValueError(
            "vmap: at least one of in_dims must not be None: there is nothing to map over"
        )
    if len(set(sizes)) > 1:
        raise ValueError(
            f"vmap: Expected all tensors to have the same size in the mapped dimension, got sizes "
            f"{sizes} for the mapped dimension"
        )
    return int(sizes[0])


def _call(
    func: Any,
    leaves: list[Any],
    dims: list[int | None],
    build: Any,
    kwargs: Any,
    size: int,
    out_dims: Any,
    randomness: str,
) -> Any:
    frame = Frame(len(local.context.vmaps) + 1, size, randomness)
    batched = [
        leaf if dim is None else wrapped(leaf, dim, frame)
        for leaf, dim in zip(leaves, dims, strict=True)
    ]
    given = [t._array if dim is not None else None for t, dim in zip(batched, dims, strict=True)]
    with entered(frame):
        output = func(*build(batched), **kwargs)
    for leaf, dim, example, before in zip(leaves, dims, batched, given, strict=True):
        if dim is not None and example._array is not before:  # written in place, so the whole is
            leaf.copy_(unwrapped(example, dim, frame))
    results, rebuild = flatten(output)
    for leaf in results:
        if not isinstance(leaf, TensorBase):
            raise ValueError(
                f"vmap: `{getattr(func, '__name__', func)}` must only return Tensors, got type "
                f"{type(leaf).__name__}."
            )
    places = _spread(out_dims, output, "out_dims")
    return rebuild([unwrapped(leaf, dim, frame) for leaf, dim in zip(results, places, strict=True)])


def _joined(parts: list[Any], out_dims: Any) -> Any:
    """The chunks' outputs, one after the other along the dimension of the examples."""
    lists = [flatten(part)[0] for part in parts]
    _, rebuild = flatten(parts[0])
    places = _spread(out_dims, parts[0], "out_dims")
    return rebuild(
        [
            some[0] if dim is None else recorded.cat(*some, axis=dim)
            for some, dim in zip(zip(*lists, strict=True), places, strict=True)
        ]
    )
