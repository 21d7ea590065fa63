"""Pruning: taking elements or slices of parameters out of use."""

from __future__ import annotations

import collections.abc
from typing import Any, TypeVar

import numpy as np

from tensorgrad.creation import ones_like
from tensorgrad.functions.joining import cat
from tensorgrad.graph.node import wrap
from tensorgrad.nn.module import Module
from tensorgrad.nn.utils.pruning import (
    BasePruningMethod,
    PruningContainer,
    check_amount,
    how_many,
)
from tensorgrad.random import rng_of
from tensorgrad.tensor import Tensor

__all__ = [
    "BasePruningMethod",
    "CustomFromMask",
    "Identity",
    "L1Unstructured",
    "LnStructured",
    "PruningContainer",
    "RandomStructured",
    "RandomUnstructured",
    "custom_from_mask",
    "global_unstructured",
    "identity",
    "is_pruned",
    "l1_unstructured",
    "ln_structured",
    "random_structured",
    "random_unstructured",
    "remove",
]

M = TypeVar("M", bound=Module)


def _least(mask: Tensor, scores: np.ndarray[Any, Any], count: int) -> Tensor:
    """The mask with 0 at the ``count`` smallest scores, the first ones of equal ones."""
    values = mask._array.copy()
    values.reshape(-1)[np.argsort(scores.reshape(-1), kind="stable")[:count]] = 0
    return wrap(values)


def _least_slices(
    t: Tensor, mask: Tensor, scores: np.ndarray[Any, Any], count: int, dim: int
) -> Tensor:
    """The mask with 0 in the ``count`` slices along ``dim`` whose scores are smallest."""
    if count == 0:
        return mask
    kept = np.ones(t.shape[dim], t._array.dtype)
    kept[np.argsort(scores, kind="stable")[:count]] = 0
    shape = [1] * t.ndim
    shape[dim] = -1
    return wrap(kept.reshape(shape) * mask._array.astype(t._array.dtype))


def _check_slices(t: Tensor, dim: int) -> None:
    if t.ndim <= 1:
        raise ValueError(
            "Structured pruning can only be applied to multidimensional tensors. Found tensor of "
            f"shape {tuple(t.shape)} with {t.ndim} dims"
        )
    if not -t.ndim <= dim < t.ndim:
        raise IndexError(f"Invalid index {dim} for tensor of size {tuple(t.shape)}")


class Identity(BasePruningMethod):
    """Prunes nothing, but makes mask and original."""

    PRUNING_TYPE = "unstructured"

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """The mask that there is."""
        return default_mask

    @classmethod
    def apply(cls, module: Module, name: str) -> BasePruningMethod:  # type: ignore[override]
        """See `BasePruningMethod.apply`."""
        return super().apply(module, name)


class RandomUnstructured(BasePruningMethod):
    """Prunes elements at random.  amount: how many, or (a float) which fraction."""

    PRUNING_TYPE = "unstructured"

    def __init__(self, amount: float) -> None:
        check_amount(amount)
        self.amount = amount

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """The mask with that many more zeros."""
        count = how_many(self.amount, t.numel())
        return _least(default_mask, rng_of(None).random(t.shape), count)

    @classmethod
    def apply(cls, module: Module, name: str, amount: float) -> BasePruningMethod:  # type: ignore[override]
        """See `BasePruningMethod.apply`."""
        return super().apply(module, name, amount=amount)


class L1Unstructured(BasePruningMethod):
    """Prunes the elements of least magnitude.  amount: how many, or which fraction."""

    PRUNING_TYPE = "unstructured"

    def __init__(self, amount: float) -> None:
        check_amount(amount)
        self.amount = amount

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """The mask with that many more zeros."""
        return _least(default_mask, np.abs(t._array), how_many(self.amount, t.numel()))

    @classmethod
    def apply(  # type: ignore[override]
        cls, module: Module, name: str, amount: float, importance_scores: Any = None
    ) -> BasePruningMethod:
        """See `BasePruningMethod.apply`."""
        return super().apply(module, name, amount=amount, importance_scores=importance_scores)


class RandomStructured(BasePruningMethod):
    """Prunes slices along ``dim`` at random.  amount: how many, or which fraction."""

    PRUNING_TYPE = "structured"

    def __init__(self, amount: float, dim: int = -1) -> None:
        check_amount(amount)
        self.amount = amount
        self.dim = dim

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """The mask with zeros in that many more slices."""
        _check_slices(t, self.dim)
        size = t.shape[self.dim]
        count = how_many(self.amount, size)
        return _least_slices(t, default_mask, rng_of(None).random(size), count, self.dim)

    @classmethod
    def apply(  # type: ignore[override]
        cls, module: Module, name: str, amount: float, dim: int = -1
    ) -> BasePruningMethod:
        """See `BasePruningMethod.apply`."""
        return super().apply(module, name, amount=amount, dim=dim)


class LnStructured(BasePruningMethod):
    """Prunes the slices along ``dim`` of least n-norm.

    amount: how many, or which fraction.  n: the order of the norm, or "fro" or "nuc", as in
    `tensorgrad.norm`.
    """

    PRUNING_TYPE = "structured"

    def __init__(self, amount: float, n: Any, dim: int = -1) -> None:
        check_amount(amount)
        self.amount = amount
        self.n = n
        self.dim = dim

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """The mask with zeros in that many more slices."""
        _check_slices(t, self.dim)
        count = how_many(self.amount, t.shape[self.dim])
        others = [d for d in range(t.ndim) if d != self.dim % t.ndim]
        lengths = t.detach().norm(p=self.n, dim=others)
        return _least_slices(t, default_mask, lengths._array, count, self.dim)

    @classmethod
    def apply(  # type: ignore[override]
        cls,
        module: Module,
        name: str,
        amount: float,
        n: Any,
        dim: int,
        importance_scores: Any = None,
    ) -> BasePruningMethod:
        """See `BasePruningMethod.apply`."""
        return super().apply(
            module, name, amount=amount, n=n, dim=dim, importance_scores=importance_scores
        )


class CustomFromMask(BasePruningMethod):
    """Prunes by a given mask of 0 and 1."""

    PRUNING_TYPE = "global"

    def __init__(self, mask: Tensor) -> None:
        self.mask = mask

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """The given mask times the one that there is."""
        if default_mask.shape != self.mask.shape:
            raise AssertionError(
                f"the mask has shape {tuple(self.mask.shape)}, the tensor to prune "
                f"{tuple(default_mask.shape)}"
            )
        return default_mask * self.mask.to(dtype=default_mask.dtype)

    @classmethod
    def apply(cls, module: Module, name: str, mask: Tensor) -> BasePruningMethod:  # type: ignore[override]
        """See `BasePruningMethod.apply`."""
        return super().apply(module, name, mask=mask)


def identity(module: M, name: str) -> M:
    """Give a parameter mask and original without pruning it: see `Identity`."""
    Identity.apply(module, name)
    return module


def random_unstructured(module: M, name: str, amount: float) -> M:
    """Prune elements of a parameter at random: see `RandomUnstructured`."""
    RandomUnstructured.apply(module, name, amount)
    return module


def l1_unstructured(module: M, name: str, amount: float, importance_scores: Any = None) -> M:
    """Prune the elements of least magnitude: see `L1Unstructured`."""
    L1Unstructured.apply(module, name, amount=amount, importance_scores=importance_scores)
    return module


def random_structured(module: M, name: str, amount: float, dim: int) -> M:
    """Prune slices of a parameter at random: see `RandomStructured`."""
    RandomStructured.apply(module, name, amount, dim)
    return module


def ln_structured(
    module: M, name: str, amount: float, n: Any, dim: int, importance_scores: Any = None
) -> M:
    """Prune the slices of least norm: see `LnStructured`."""
    LnStructured.apply(module, name, amount, n, dim, importance_scores=importance_scores)
    return module


def custom_from_mask(module: M, name: str, mask: Tensor) -> M:
    """Prune a parameter by a mask: see `CustomFromMask`."""
    CustomFromMask.apply(module, name, mask)
    return module


def global_unstructured(
    parameters: collections.abc.Iterable[tuple[Module, str]],
    pruning_method: type[BasePruningMethod],
    importance_scores: dict[tuple[Module, str], Tensor] | None = None,
    **kwargs: Any,
) -> None:
    """Prune several parameters as if they were one, given as pairs (module, name).

    pruning_method: a class of PRUNING_TYPE "unstructured", which gets ``kwargs``.
    importance_scores: scores to use instead of a parameter's values, by its pair.
    """
    if not isinstance(parameters, collections.abc.Iterable):
        raise TypeError("global_unstructured(): parameters is not an Iterable")
    pairs = list(parameters)
    scores = {} if importance_scores is None else importance_scores
    if not isinstance(scores, dict):
        raise TypeError("global_unstructured(): importance_scores must be of type dict")
    method: Any = pruning_method(**kwargs)
    if method.PRUNING_TYPE != "unstructured":
        raise TypeError(
            'Only "unstructured" PRUNING_TYPE supported for the `pruning_method`. Found method '
            f"{pruning_method} of type {method.PRUNING_TYPE}"
        )
    tensors = [getattr(module, name).detach() for module, name in pairs]
    masks = [getattr(module, name + "_mask", None) for module, name in pairs]
    flat = cat([scores.get(pair, t).detach().reshape(-1) for pair, t in zip(pairs, tensors)])
    known = [ones_like(t) if m is None else m for m, t in zip(masks, tensors)]
    container = PruningContainer(method)
    mask = container.compute_mask(flat, cat([m.reshape(-1) for m in known]))
    start = 0
    for (module, name), tensor in zip(pairs, tensors):
        stop = start + tensor.numel()
        custom_from_mask(module, name, mask[start:stop].reshape(tensor.shape))
        start = stop


def remove(module: M, name: str) -> M:
    """Make the pruned tensor an ordinary parameter, its zeros included."""
    for key, hook in module._forward_pre_hooks.items():
        if isinstance(hook, BasePruningMethod) and hook._tensor_name == name:
            hook.remove(module)
            del module._forward_pre_hooks[key]
            return module
    raise ValueError(
        f"Parameter '{name}' of module {module} has to be pruned before pruning can be removed"
    )


def is_pruned(module: Module) -> bool:
    """Whether anything in the module, or below it, is pruned."""
    return any(
        isinstance(hook, BasePruningMethod)
        for each in module.modules()
        if each._hooks is not None
        for hook in each._hooks.forward_pre.values()
    )
