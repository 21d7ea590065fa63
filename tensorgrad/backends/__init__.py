"""``torch.backends``: which libraries there are, and flags that programs set for them.

The flags of absent libraries can be set and read, and change nothing: NumPy and its BLAS compute.
`kernels` tells which implementation was chosen for each shape, and why; `use_kernels` turns the
fast ones off.  `cached_bytes` of memory wait to be used again by large results; `empty_cache` gives
them back to the system.
"""

from __future__ import annotations

from tensorgrad.backends import cpu, cuda, cudnn, mkl, mkldnn, mps, openmp
from tensorgrad.backends.kernels import KernelChoice, KernelTable, kernels, use_kernels
from tensorgrad.machine.arena import cached_bytes, empty_cache

__all__ = ["KernelChoice", "KernelTable", "cached_bytes", "cpu", "cuda", "cudnn", "empty_cache",
           "kernels", "mkl", "mkldnn", "mps", "openmp", "use_kernels"]  # fmt: skip
