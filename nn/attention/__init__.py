"""What PyTorch programs import from torch.nn.attention: the choice of attention's kernels.

The layer is `tensorgrad.nn.MultiheadAttention`, the function
`tensorgrad.nn.functional.scaled_dot_product_attention`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from enum import IntEnum
from typing import Any

from tensorgrad.nn.attention import bias

__all__ = ["SDPBackend", "bias", "sdpa_kernel"]


class SDPBackend(IntEnum):
    """PyTorch's implementations of scaled dot-product attention."""

    ERROR = -1
    MATH = 0
    FLASH_ATTENTION = 1
    EFFICIENT_ATTENTION = 2
    CUDNN_ATTENTION = 3
    OVERRIDEABLE = 4


# Those that PyTorch has on the CPU.  They compute one function: here one kernel stands for both.
_ON_CPU = frozenset({SDPBackend.MATH, SDPBackend.FLASH_ATTENTION})


@contextlib.contextmanager
def sdpa_kernel(
    backends: SDPBackend | list[SDPBackend], set_priority: bool = False
) -> Iterator[dict[Any, Any]]:
    """A context in which attention is computed by one of the backends.

    Changes nothing where MATH or FLASH_ATTENTION is among them, whatever their order
    (set_priority); RuntimeError where none of them runs on the CPU.
    """
    given = backends if isinstance(backends, list) else [backends]
    if not all(isinstance(backend, SDPBackend) for backend in given):
        raise AssertionError(
            "sdpa_kernel: Backend must be an instance of SDPBackend or a list of SDPBackend "
            f"instances, got {backends!r}"
        )
    if _ON_CPU.isdisjoint(given):
        names = [backend.name for backend in given]
        raise RuntimeError(
            f"sdpa_kernel: No viable backend for scaled_dot_product_attention among {names}: on "
            "the CPU there are MATH and FLASH_ATTENTION"
        )
    yield {}
