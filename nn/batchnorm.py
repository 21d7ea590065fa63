"""Batch normalisation layers."""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorgrad.batching import Batch
from tensorgrad.graph.node import wrap
from tensorgrad.machine.blocks import LARGE, ROOMY
from tensorgrad.nn import functional as F
from tensorgrad.nn import init
from tensorgrad.nn.factory import full, parameter
from tensorgrad.nn.functional.normalization import scale_and_offset
from tensorgrad.nn.module import Module
from tensorgrad.nn.parameter import Parameter
from tensorgrad.nn.short_calls import on_arrays
from tensorgrad.tensor import Tensor

__all__ = ["BatchNorm1d", "BatchNorm2d", "BatchNorm3d", "NormBase", "SyncBatchNorm"]


class NormBase(Module):
    """The parameters and running statistics of normalisation per channel."""

    _version = 2  # since then num_batches_tracked is part of the state

    num_features: int
    eps: float
    momentum: float | None
    affine: bool
    track_running_stats: bool
    weight: Parameter | None
    bias: Parameter | None
    running_mean: Tensor | None
    running_var: Tensor | None
    num_batches_tracked: Tensor | None

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__()
        self.num_features = num_features
        self.eps = eps
        self.momentum = momentum
        self.affine = affine
        self.track_running_stats = track_running_stats
        for name, wanted in (("weight", affine), ("bias", affine and bias)):
            made = parameter(self, (num_features,), device, dtype) if wanted else None
            self.register_parameter(name, made)
        tracked: tuple[Tensor | None, ...] = (None, None, None)
        if track_running_stats:
            tracked = (
                full(self, (num_features,), 0, device, dtype),
                full(self, (num_features,), 1, device, dtype),
                wrap(np.zeros((), np.int64)),
            )
        for name, value in zip(("running_mean", "running_var", "num_batches_tracked"), tracked):
            self.register_buffer(name, value)
        self.reset_parameters()

    def reset_running_stats(self) -> None:
        """Forget what was tracked: mean 0, variance 1, no batches."""
        if self.running_mean is not None:
            init.zeros_(self.running_mean)
        if self.running_var is not None:
            init.ones_(self.running_var)
        if self.num_batches_tracked is not None:
            init.zeros_(self.num_batches_tracked)

    def reset_parameters(self) -> None:
        """Weight 1, bias 0, and nothing tracked."""
        self.reset_running_stats()
        if self.weight is not None:
            init.ones_(self.weight)
        if self.bias is not None:
            init.zeros_(self.bias)

    def _may_lack(self, name: str, version: int | None) -> bool:
        return name == "num_batches_tracked" and (version is None or version < 2)

    def extra_repr(self) -> str:
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, affine={self.affine}, "
            f"bias={self.bias is not None}, track_running_stats={self.track_running_stats}"
        )


def _by_running(module: Any, x: Any, own: bool) -> Any:
    """In evaluation, where nothing is recorded; see `tensorgrad.nn.short_calls`."""
    state = module.__dict__
    count, rank = state["num_features"], x.ndim
    if state["training"] or rank not in module._ranks or x.shape[1] != count:
        return None
    if x.size >= (LARGE if rank == 2 or own else ROOMY):  # those on memory that waits
        return None
    eps = state["eps"]
    if type(module)._check_input_dim is not _BatchNorm._check_input_dim or not eps >= 0:
        return None
    buffers, parameters = state["_buffers"], state["_parameters"]
    given = [buffers["running_mean"], buffers["running_var"]]
    given += [parameters["weight"], parameters["bias"]]
    mean, var, w, b = arrays = [t if t is None else t._array for t in given]
    if any(a is not None and (a.shape != (count,) or a.dtype is not x.dtype) for a in arrays):
        return None
    scale, offset = scale_and_offset(mean, var, w, b, eps)
    if rank > 2:
        wide = (count,) + (1,) * (rank - 2)
        scale, offset = scale.reshape(wide), offset.reshape(wide)
    x = np.multiply(x, scale, x) if own else np.multiply(x, scale)
    return np.add(x, offset, x)


class _BatchNorm(NormBase):
    """What batch normalisation over vectors, sequences, images and volumes shares."""

    _ranks: tuple[int, ...]

    def _check_input_dim(self, input: Tensor) -> None:
        if input.ndim not in self._ranks:
            wanted = " or ".join(f"{rank}D" for rank in self._ranks)
            raise ValueError(
                f"{type(self).__name__}: expected {wanted} input (got {input.ndim}D input of shape "
                f"{tuple(input.shape)})"
            )

    @on_arrays(_by_running)
    def forward(self, input: Tensor) -> Tensor:
        """Normalise by the batch while training, by what was tracked otherwise."""
        self._check_input_dim(input)
        if input.shape[1] != self.num_features:
            raise RuntimeError(
                f"{type(self).__name__}: expected {self.num_features} channels, got "
                f"{input.shape[1]}: an input of shape {tuple(input.shape)}"
            )
        mean, var, count = self.running_mean, self.running_var, self.num_batches_tracked
        # Without tracked statistics the batch's own are used in evaluation too.
        by_batch = self.training or (mean is None and var is None)
        if not (self.training and self.track_running_stats):
            # Nothing moves; in evaluation the running ones are only read.
            read = (None, None) if self.training else (mean, var)
            return F.batch_norm(
                input, *read, self.weight, self.bias, by_batch, self.momentum or 0.0, self.eps
            )
        momentum = self.momentum
        if momentum is None:  # the plain average of all batches so far
            momentum = 0.0 if count is None else 1 / (int(count._array) + 1)
        out = F.batch_norm(input, mean, var, self.weight, self.bias, by_batch, momentum, self.eps)
        if count is not None:  # counted last: a batch that failed was not tracked
            if isinstance(count._array, Batch):  # one count for each network, under vmap
                count.add_(1)
                return out
            count._array[...] += 1
            if count._held is not None:
                count._bump()
        return out


class BatchNorm1d(_BatchNorm):
    """(x - mean) / sqrt(var + eps) * weight + bias per feature of (N, C) or channel of (N, C, L).

    momentum: how far the running statistics move to each batch's; None averages all batches.
    affine: whether there are weight and bias; ``bias=False`` leaves out the latter alone.
    track_running_stats: whether evaluation uses running statistics instead of the batch's.
    """

    _ranks = (2, 3)


class BatchNorm2d(_BatchNorm):
    """Batch normalisation per channel of (N, C, H, W); arguments as `BatchNorm1d`."""

    _ranks = (4,)


class BatchNorm3d(_BatchNorm):
    """Batch normalisation per channel of (N, C, D, H, W); arguments as `BatchNorm1d`."""

    _ranks = (5,)


class SyncBatchNorm(_BatchNorm):
    """Batch normalisation over all processes of a group: here there is one, so over its batch.

    It stands where a model that was converted for several processes expects it; arguments as
    `BatchNorm1d`.  process_group: None; tensorgrad has no groups of processes.
    """

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        process_group: Any = None,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        if process_group is not None:
            raise NotImplementedError(
                "SyncBatchNorm: tensorgrad works in one process: leave process_group out, got "
                f"{process_group!r}"
            )
        super().__init__(
            num_features, eps, momentum, affine, track_running_stats, device, dtype, bias=bias
        )
        self.process_group = process_group

    def _check_input_dim(self, input: Tensor) -> None:
        if input.ndim < 2:
            raise ValueError(
                f"SyncBatchNorm: expected at least 2D input (got {input.ndim}D input of shape "
                f"{tuple(input.shape)})"
            )

    @classmethod
    def convert_sync_batchnorm(cls, module: Module, process_group: Any = None) -> Module:
        """The module with a SyncBatchNorm in place of every batch norm in it, itself included.

        The new layers have the old ones' parameters, buffers and mode.
        """
        made = module
        if isinstance(module, _BatchNorm):
            made = cls(
                module.num_features,
                module.eps,
                module.momentum,
                module.affine,
                module.track_running_stats,
                process_group,
                bias=module.bias is not None,
            )
            made.weight, made.bias = module.weight, module.bias
            made.running_mean, made.running_var = module.running_mean, module.running_var
            made.num_batches_tracked = module.num_batches_tracked
            made.train(module.training)
        for name, child in list(module.named_children()):
            made.add_module(name, cls.convert_sync_batchnorm(child, process_group))
        return made
