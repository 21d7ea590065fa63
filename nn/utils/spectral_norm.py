"""The old form of spectral normalisation: a forward pre-hook that sets the weight.

`nn.utils.parametrizations.spectral_norm` is the form for new programs.
"""

from __future__ import annotations

from typing import Any, TypeVar

from tensorgrad.autograd import no_grad
from tensorgrad.functions.linalg import mv
from tensorgrad.functions.products import vdot
from tensorgrad.linalg import pinv
from tensorgrad.nn.conv_transpose import _ConvTransposeNd
from tensorgrad.nn.module import Module
from tensorgrad.nn.parameter import Parameter, is_lazy
from tensorgrad.nn.utils.power_method import matrix_of, sigma, start_vector, step_u, step_v
from tensorgrad.tensor import Tensor

__all__ = ["SpectralNorm", "remove_spectral_norm", "spectral_norm"]

M = TypeVar("M", bound=Module)


class SpectralNorm:
    """The hook: before each forward, ``<name>`` = ``<name>_orig`` / its largest singular value."""

    _version = 1  # of the state: since then it has ``<name>_v`` and no ``<name>``

    def __init__(
        self, name: str = "weight", n_power_iterations: int = 1, dim: int = 0, eps: float = 1e-12
    ) -> None:
        if n_power_iterations <= 0:
            raise ValueError(
                "spectral_norm: Expected n_power_iterations to be positive, but got "
                f"n_power_iterations={n_power_iterations}"
            )
        self.name = name
        self.dim = dim
        self.n_power_iterations = n_power_iterations
        self.eps = eps

    def compute_weight(self, module: Module, do_power_iteration: bool) -> Tensor:
        """The weight, after the steps of the power method if they are asked for."""
        weight: Tensor = getattr(module, self.name + "_orig")
        u: Tensor = getattr(module, self.name + "_u")
        v: Tensor = getattr(module, self.name + "_v")
        matrix = matrix_of(weight, self.dim)
        if do_power_iteration:
            for _ in range(self.n_power_iterations):
                step_v(matrix, u, v, self.eps)
                step_u(matrix, u, v, self.eps)
        return weight / sigma(matrix, u, v)

    @staticmethod
    def apply(
        module: Module, name: str, n_power_iterations: int, dim: int, eps: float
    ) -> SpectralNorm:
        """Rename a parameter of the module and register the hooks."""
        for hook in module._forward_pre_hooks.values():
            if isinstance(hook, SpectralNorm) and hook.name == name:
                raise RuntimeError(
                    f"Cannot register two spectral_norm hooks on the same parameter {name}"
                )
        made = SpectralNorm(name, n_power_iterations, dim, eps)
        weight = module._parameters[name]
        if weight is None:
            raise ValueError(f"`SpectralNorm` cannot be applied as parameter `{name}` is None")
        if is_lazy(weight):
            raise ValueError(
                "The module passed to `SpectralNorm` can't have uninitialized parameters. Make "
                "sure to run the dummy forward before applying spectral normalization"
            )
        matrix = matrix_of(weight.detach(), dim)
        u = start_vector(matrix.shape[0], matrix, eps)
        v = start_vector(matrix.shape[1], matrix, eps)
        delattr(module, name)
        module.register_parameter(name + "_orig", weight)
        # Something under the old name, for what expects a weight there; no Parameter, which would
        # be registered.
        setattr(module, name, weight.detach())
        module.register_buffer(name + "_u", u)
        module.register_buffer(name + "_v", v)
        module.register_forward_pre_hook(made)
        module._register_state_dict_hook(_Saving(made))
        module._register_load_state_dict_pre_hook(_Loading(made))
        return made

    def remove(self, module: Module) -> None:
        """Make the weight an ordinary parameter again."""
        with no_grad():
            weight = self.compute_weight(module, do_power_iteration=False)
        for suffix in ("", "_u", "_v", "_orig"):
            delattr(module, self.name + suffix)
        module.register_parameter(self.name, Parameter(weight.detach()))

    def __call__(self, module: Module, inputs: Any) -> None:
        setattr(module, self.name, self.compute_weight(module, module.training))


class _Saving:
    """Writes the version of the state's layout."""

    def __init__(self, norm: SpectralNorm) -> None:
        self.norm = norm

    def __call__(self, module: Module, state: Any, prefix: str, metadata: dict[str, Any]) -> None:
        known = metadata.setdefault("spectral_norm", {})
        key = self.norm.name + ".version"
        if key in known:
            raise RuntimeError(f"Unexpected key in metadata['spectral_norm']: {key}")
        known[key] = self.norm._version


class _Loading:
    """Reads states of version 0 too, which have the weight instead of v."""

    def __init__(self, norm: SpectralNorm) -> None:
        self.norm = norm

    def __call__(
        self,
        state: Any,
        prefix: str,
        metadata: dict[str, Any],
        strict: bool,
        missing_keys: list[str],
        *rest: Any,
    ) -> None:
        norm = self.norm
        if metadata.get("spectral_norm", {}).get(norm.name + ".version") is not None:
            return
        name = prefix + norm.name
        if name not in state and all(name + end in state for end in ("_orig", "_u", "_v")):
            return  # a present state that has only lost its metadata
        lacking = [name + end for end in ("_orig", "", "_u") if name + end not in state]
        if lacking:
            if strict:
                missing_keys.extend(lacking)
            return
        with no_grad():
            original, weight, u = state[name + "_orig"], state.pop(name), state[name + "_u"]
            matrix = matrix_of(original, norm.dim)
            # The v with u = W v / |W v| and u W v = sigma: by the pseudo-inverse, since W^T W may
            # have none of its own.
            v = mv(pinv(matrix.mT @ matrix), mv(matrix.mT, u))
            state[name + "_v"] = v * ((original / weight).mean() / vdot(u, mv(matrix, v)))


def spectral_norm(
    module: M,
    name: str = "weight",
    n_power_iterations: int = 1,
    eps: float = 1e-12,
    dim: int | None = None,
) -> M:
    """Divide a parameter, then called ``<name>_orig``, by its largest singular value.

    Every call in training takes n_power_iterations steps of the power method.  dim: the dimension
    of the outputs: 1 for transposed convolutions, else 0, unless given.
    """
    if dim is None:
        dim = 1 if isinstance(module, _ConvTransposeNd) else 0
    SpectralNorm.apply(module, name, n_power_iterations, dim, eps)
    return module


def remove_spectral_norm(module: M, name: str = "weight") -> M:
    """Make a parameter that `spectral_norm` divides an ordinary one, of its present value."""
    for key, hook in module._forward_pre_hooks.items():
        if isinstance(hook, SpectralNorm) and hook.name == name:
            hook.remove(module)
            del module._forward_pre_hooks[key]
            break
    else:
        raise ValueError(f"spectral_norm of '{name}' not found in {module}")
    hooks = module._own_hooks()
    for table, kind in ((hooks.state_post, _Saving), (hooks.load_pre, _Loading)):
        for key, hook in list(table.items()):
            if isinstance(hook, kind) and hook.norm.name == name:
                del table[key]
    return module
