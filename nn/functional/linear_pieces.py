"""Cross-entropy of a linear layer in pieces of the batch: never all logits at once."""

from __future__ import annotations

import dataclasses
from typing import Any, Literal

import tensorgrad as tg
from tensorgrad.autograd import Function, once_differentiable
from tensorgrad.graph.provenance import warn
from tensorgrad.nn.functional.classification import cross_entropy
from tensorgrad.nn.functional.linear import linear
from tensorgrad.tensor import Tensor

__all__ = ["LinearCrossEntropyOptions", "can_be_cut", "check_options", "in_pieces"]


@dataclasses.dataclass(slots=True, frozen=True)
class LinearCrossEntropyOptions:
    """How `linear_cross_entropy` cuts its batch.

    batch_chunk_size: rows a piece.  chunking_method: "aspect_ratio" takes pieces whose logits are
    about as large as the input, "aspect_ratio:n" n times smaller ones; "auto" is "aspect_ratio:2",
    unless a size was given; None takes the size, or one piece.  acc_dtype: what float16 is computed
    in, float32 if None.

    allow_retain_graph and acc_policy choose among PyTorch's buffers of gradients.  Here there are
    none: backward computes the pieces again, in acc_dtype, and may be run again in any case.
    """

    allow_retain_graph: bool = False
    batch_chunk_size: int | None = None
    chunking_method: str | None = "auto"
    acc_policy: Literal["accurate", "balanced", "compact", "auto"] = "auto"
    acc_dtype: Any = None

    def __post_init__(self) -> None:
        if self.acc_policy not in ("auto", "accurate", "balanced", "compact"):
            raise ValueError(f"invalid acc_policy: {self.acc_policy!r}")
        if self.chunking_method not in (None, "auto"):
            name, cut, factor = str(self.chunking_method).partition(":")
            factor = factor if cut else "1"
            if name != "aspect_ratio" or not factor.isdigit() or int(factor) < 1:
                raise ValueError(f"invalid chunking_method: {self.chunking_method!r}")
        size = self.batch_chunk_size
        if size is not None and not (isinstance(size, int) and size > 0):
            raise ValueError(f"batch_chunk_size must be positive int or None, got {size!r}")
        if self.acc_dtype not in (None, tg.float16, tg.float32, tg.float64):
            raise ValueError(
                "acc_dtype must be one of {None, float16, float32, float64}, got "
                f"{self.acc_dtype!r}. Pass acc_dtype=None to let it be picked."
            )

    def _rows(self, batch: int, features: int, classes: int) -> int:
        """How many rows of the batch a piece has."""
        method = self.chunking_method
        if method == "auto":
            method = None if self.batch_chunk_size else "aspect_ratio:2"
        if method is None:
            return self.batch_chunk_size or max(batch, 1)
        factor = int(method.partition(":")[2] or 1)
        share = -(-batch // max(-(-classes // max(features, 1)), 1))
        found = max((1 << max(share - 1, 0).bit_length()) // factor, 1)
        if self.batch_chunk_size not in (None, found):
            raise ValueError(
                f"linear_cross_entropy(): batch_chunk_size={self.batch_chunk_size} and "
                f"chunking_method={method!r}, which gives {found}, disagree; set one of them"
            )
        return found


def check_options(name: str, options: Any, input: Tensor) -> None:
    """Refuse what are no options, and a dtype of accumulation that does not fit the input."""
    if not isinstance(options, LinearCrossEntropyOptions):
        raise TypeError(
            f"{name}(): options must be a LinearCrossEntropyOptions, got {type(options).__name__}"
        )
    wanted, kind = options.acc_dtype, input.dtype
    if wanted not in (None, kind) and (kind, wanted) != (tg.float16, tg.float32):
        raise RuntimeError(
            f"{name} supports float32 acc_dtype with float16 inputs, but got {wanted!r} acc_dtype "
            f"and {kind!r} inputs."
        )


def can_be_cut(
    input: Tensor, outputs: tuple[int, ...], target: Tensor, label_smoothing: float
) -> bool:
    """Whether the batch falls apart; if not, a warning says that the options are ignored."""
    fits = len(outputs) == 1 and label_smoothing == 0 and target.dtype == tg.int64
    if not fits:
        warn(
            "linear_cross_entropy: ``options`` ignored; pieces need label_smoothing == 0, a target "
            f"of int64 and no out_features. Got label_smoothing={label_smoothing}, "
            f"target.dtype={target.dtype}, out_features={outputs[1:]}."
        )
    return fits and input.ndim == 2


class _InPieces(Function):
    """The loss of every row; backward computes the logits again, piece by piece."""

    @staticmethod
    def forward(
        ctx: Any, input: Tensor, table: Tensor, bias: Any, target: Tensor, weight: Any,
        ignored: int, size: int, kind: Any,
    ) -> Tensor:  # fmt: skip
        ctx.save_for_backward(input, table, bias)
        ctx.rest = (target, weight, ignored, size, kind)
        parts = [
            _piece(ctx.rest, start, input[start : start + size], table, bias)
            for start in range(0, max(len(input), 1), size)
        ]
        return tg.cat(parts)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Any, ...]:
        input, table, bias = ctx.saved_tensors
        size, kind = ctx.rest[3:]
        rows = []
        sums: list[Any] = [None, None]
        for start in range(0, max(len(input), 1), size):
            given = (input[start : start + size], table, bias)
            leaves = [None if t is None else t.detach().requires_grad_() for t in given]
            with tg.enable_grad():
                loss = _piece(ctx.rest, start, *leaves)
            wanted = [t for t in leaves if t is not None]
            found = tg.autograd.grad([loss], wanted, [grad[start : start + size]])
            rows.append(found[0])
            for place, g in enumerate(found[1:]):
                g = g.to(kind)
                sums[place] = g if sums[place] is None else sums[place] + g
        summed = [None if s is None else s.to(table.dtype) for s in sums]
        return (tg.cat(rows), *summed, None, None, None, None, None)


def _piece(rest: Any, start: int, input: Any, table: Any, bias: Any) -> Tensor:
    target, weight, ignored, size, kind = rest
    x, w, b, factors = (None if t is None else t.to(kind) for t in (input, table, bias, weight))
    part = target[start : start + size]
    logits = linear(x, w, b)  # type: ignore[arg-type]
    return cross_entropy(logits, part, factors, ignore_index=ignored, reduction="none")


def in_pieces(
    options: LinearCrossEntropyOptions, input: Tensor, table: Tensor, target: Tensor,
    bias: Tensor | None, weight: Tensor | None, reduction: str, ignored: int,
) -> Tensor:  # fmt: skip
    """The loss, from pieces that are computed again in backward; differentiable once."""
    size = options._rows(len(input), input.shape[1], table.shape[0])
    kind = options.acc_dtype or (tg.float32 if input.dtype == tg.float16 else input.dtype)
    losses: Any = _InPieces.apply(input, table, bias, target, weight, ignored, size, kind)
    if reduction == "none":
        return losses.to(input.dtype)  # type: ignore[no-any-return]
    total = losses.sum()
    if reduction == "mean":
        used = target != ignored
        shares = tg.ones(target.shape, dtype=kind)
        if weight is not None:
            shares = weight.detach().to(kind)[tg.where(used, target, 0)]
        total = total / (shares * used).sum()
    return total.to(input.dtype)  # type: ignore[no-any-return]
