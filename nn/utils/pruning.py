"""How a parameter is pruned: a mask of 0 and 1 times the original, set before every forward."""

from __future__ import annotations

import numbers
from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any

from tensorgrad.autograd import no_grad
from tensorgrad.creation import ones_like
from tensorgrad.nn.module import Module
from tensorgrad.tensor import Tensor

__all__ = ["BasePruningMethod", "PruningContainer"]


class BasePruningMethod(ABC):
    """A way to choose what is pruned: a subclass defines ``compute_mask`` and PRUNING_TYPE.

    It is a forward pre-hook of the module: the parameter ``<name>`` becomes ``<name>_orig``, the
    mask the buffer ``<name>_mask``, and ``<name>`` their product.
    PRUNING_TYPE: "unstructured" (single elements), "structured" (whole slices along ``dim``) or
    "global" (all elements at once): which part of a tensor that was pruned before a further method
    is shown.
    """

    PRUNING_TYPE: str
    _tensor_name: str | None = None

    def __call__(self, module: Module, inputs: Any) -> None:
        setattr(module, self._name(module), self.apply_mask(module))

    @abstractmethod
    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """The mask for scores ``t`` of importance, on top of the mask that there is."""

    def _name(self, module: Module) -> str:
        if self._tensor_name is None:
            raise AssertionError(
                f"Module {module} has to be pruned: call {type(self).__name__}.apply"
            )
        return self._tensor_name

    def apply_mask(self, module: Module) -> Tensor:
        """The pruned tensor."""
        name = self._name(module)
        mask: Tensor = getattr(module, name + "_mask")
        original: Tensor = getattr(module, name + "_orig")
        return mask.to(dtype=original.dtype) * original

    @classmethod
    def apply(
        cls, module: Module, name: str, *args: Any, importance_scores: Any = None, **kwargs: Any
    ) -> BasePruningMethod:
        """Prune a parameter, further if it is pruned already; returns the hook.

        importance_scores: what the mask is computed from, of the parameter's shape; the parameter
        itself for None.  The other arguments are the constructor's.
        """
        hooks = module._forward_pre_hooks
        earlier = [
            (key, hook)
            for key, hook in hooks.items()
            if isinstance(hook, BasePruningMethod) and hook._tensor_name == name
        ]
        if len(earlier) > 1:
            raise AssertionError(
                f"Avoid adding multiple pruning hooks to the same tensor {name} of module "
                f"{module}. Use a PruningContainer."
            )
        method: BasePruningMethod = cls(*args, **kwargs)
        method._tensor_name = name
        tensor: Tensor = getattr(module, name)
        scores = tensor if importance_scores is None else importance_scores
        if scores.shape != tensor.shape:
            raise AssertionError(
                f"importance_scores should have the same shape as parameter {name} of {module}, "
                f"got {tuple(scores.shape)} vs {tuple(tensor.shape)}"
            )
        # The mask comes first: if it cannot be computed, nothing has been changed.
        if earlier:
            [(key, known)] = earlier
            container = PruningContainer(
                *(known if isinstance(known, PruningContainer) else [known])
            )
            container._tensor_name = name
            container.add_pruning_method(method)
            before = getattr(module, name + "_mask").detach().clone()
            mask = _unrecorded(container, scores, before)
            if isinstance(known, PruningContainer):  # the same object goes on
                known.add_pruning_method(method)
                container = known
            del hooks[key]
            method = container
        else:
            mask = _unrecorded(method, scores, ones_like(tensor).detach())
            module.register_parameter(name + "_orig", tensor)  # type: ignore[arg-type]
            del module._parameters[name]
        module.register_buffer(name + "_mask", mask)
        setattr(module, name, method.apply_mask(module))
        module.register_forward_pre_hook(method)
        return method

    def prune(
        self, t: Tensor, default_mask: Tensor | None = None, importance_scores: Any = None
    ) -> Tensor:
        """A pruned version of a tensor; arguments as those of `apply` and `compute_mask`."""
        scores = t if importance_scores is None else importance_scores
        if scores.shape != t.shape:
            raise AssertionError(
                "importance_scores should have the same shape as tensor t, got "
                f"{tuple(scores.shape)} vs {tuple(t.shape)}"
            )
        mask = ones_like(t).detach() if default_mask is None else default_mask
        return t * _unrecorded(self, scores, mask)

    def remove(self, module: Module) -> None:
        """Make the pruned tensor the parameter: the zeros stay, the mask goes."""
        name = self._name(module)
        pruned = self.apply_mask(module).detach()
        if hasattr(module, name):
            delattr(module, name)
        original: Any = module._parameters.pop(name + "_orig")
        del module._buffers[name + "_mask"]
        original.data = pruned
        setattr(module, name, original)


def _unrecorded(method: BasePruningMethod, scores: Tensor, mask: Tensor) -> Tensor:
    with no_grad():
        return method.compute_mask(scores.detach(), default_mask=mask)


class PruningContainer(BasePruningMethod):
    """Several methods applied one after the other to one tensor."""

    def __init__(self, *args: BasePruningMethod) -> None:
        self._pruning_methods: tuple[BasePruningMethod, ...] = ()
        for method in args:
            if self._tensor_name is None:
                self._tensor_name = getattr(method, "_tensor_name", None)
            self.add_pruning_method(method)

    def add_pruning_method(self, method: BasePruningMethod) -> None:
        """Add one that acts on the same tensor."""
        if not isinstance(method, BasePruningMethod):
            raise TypeError(f"{type(method)} is not a BasePruningMethod subclass")
        if self._tensor_name != method._tensor_name:
            raise ValueError(
                "Can only add pruning methods acting on the parameter named "
                f"'{self._tensor_name}' to PruningContainer {self}. Found '{method._tensor_name}'"
            )
        self._pruning_methods += (method,)

    def __len__(self) -> int:
        return len(self._pruning_methods)

    def __iter__(self) -> Iterator[BasePruningMethod]:
        return iter(self._pruning_methods)

    def __getitem__(self, idx: Any) -> Any:
        return self._pruning_methods[idx]

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """The mask of the last method, computed on what those before left."""
        method: Any = self._pruning_methods[-1]
        kind, n = method.PRUNING_TYPE, t.ndim
        part: Any
        if kind == "unstructured":
            part = default_mask == 1
        elif kind == "structured":
            if not hasattr(method, "dim"):
                raise AttributeError(
                    'Pruning methods of PRUNING_TYPE "structured" need to have the attribute '
                    "`dim` defined."
                )
            if not -n <= method.dim < n:
                raise IndexError(
                    f"dim={method.dim} is out of bounds for a tensor with {n} dimensions"
                )
            dim = method.dim % n
            others = [d for d in range(n) if d != dim]
            left = default_mask.sum(dim=others) != 0 if others else default_mask != 0
            part = tuple(left if d == dim else slice(None) for d in range(n))
        elif kind == "global":
            part = (slice(None),) * n
        else:
            raise ValueError(f"Unrecognized PRUNING_TYPE {kind}")
        made = default_mask.to(dtype=t.dtype).clone()
        found = method.compute_mask(t[part], default_mask=default_mask[part])
        made[part] = found.to(dtype=made.dtype)
        return made


def check_amount(amount: Any) -> None:
    """TypeError or ValueError unless it is a fraction from 0 to 1 or a whole number."""
    if not isinstance(amount, numbers.Real):
        raise TypeError(f"Invalid type for amount: {amount}. Must be int or float.")
    whole = isinstance(amount, numbers.Integral)
    if amount < 0 or (not whole and float(amount) > 1):
        raise ValueError(
            f"amount={amount} should either be a float in the range [0, 1] or a non-negative "
            "integer"
        )


def how_many(amount: Any, size: int) -> int:
    """The number of elements or slices to prune, of ``size``; ValueError if there are fewer."""
    if not isinstance(amount, numbers.Integral):
        return round(float(amount) * size)
    if int(amount) > size:
        raise ValueError(
            f"amount={amount} should be smaller than the number of parameters to prune={size}"
        )
    return int(amount)
