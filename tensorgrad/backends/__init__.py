"""``torch.backends``: which libraries there are, and flags that programs set for them.

The flags of absent libraries can be set and read, and change nothing: NumPy and its BLAS compute.
"""

from __future__ import annotations

from tensorgrad.backends import cpu, cuda, cudnn, mkl, mkldnn, mps, openmp

__all__ = ["cpu", "cuda", "cudnn", "mkl", "mkldnn", "mps", "openmp"]
