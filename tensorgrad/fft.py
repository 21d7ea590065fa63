"""Discrete Fourier transforms with the names and arguments of `torch.fft`.

float32 and complex64 are transformed in their own precision; integers become the default float.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tensorgrad.creation import check_options
from tensorgrad.dtypes import default_float, numpy_dtype
from tensorgrad.functions.shape import wrap_dim
from tensorgrad.graph.node import wrap
from tensorgrad.ops import elementwise, fourier, indexing
from tensorgrad.ops import shape as shape_ops
from tensorgrad.outputs import publish

if TYPE_CHECKING:
    from tensorgrad.tensor import Tensor

__all__ = [
    "fft",
    "fft2",
    "fftfreq",
    "fftn",
    "fftshift",
    "hfft",
    "hfft2",
    "hfftn",
    "ifft",
    "ifft2",
    "ifftn",
    "ifftshift",
    "ihfft",
    "ihfft2",
    "ihfftn",
    "irfft",
    "irfft2",
    "irfftn",
    "rfft",
    "rfft2",
    "rfftfreq",
    "rfftn",
]

_OPPOSITE = {"backward": "forward", "ortho": "ortho", "forward": "backward"}


# --- Arguments ------------------------------------------------------------------------------------


def _norm(name: str, norm: Any) -> str:
    found = "backward" if norm is None else norm
    if found not in _OPPOSITE:
        raise RuntimeError(
            f'{name}: invalid normalization mode: {norm!r}; use "backward", "ortho" or "forward"'
        )
    return str(found)


def _numbers(name: str, x: Tensor, *, complex: bool) -> Tensor:
    """The tensor as floats, or as complex numbers."""
    kind = x._array.dtype
    if kind.char == "e":
        raise RuntimeError(f"{name}: Unsupported dtype float16; convert it with .float()")
    if kind.kind in "biu":
        kind = default_float()
    if complex and kind.kind != "c":
        kind = np.dtype(np.complex64 if kind.itemsize == 4 else np.complex128)
    return x if kind == x._array.dtype else elementwise.astype(x, dtype=kind)


def _real(name: str, x: Tensor) -> Tensor:
    if x.is_complex():
        raise RuntimeError(f"{name} expects a real input tensor, but got {x.dtype}")
    return _numbers(name, x, complex=False)


def _plan(
    name: str, x: Tensor, s: Any, dim: Any, *, last: int | None = None
) -> tuple[list[int], list[int]]:
    """The dimensions of a transform, from the front, and the lengths along them.

    last: with None in the last place of s, what the result's length along it is.
    """
    sizes = None if s is None else [s] if isinstance(s, int) else list(s)
    if dim is None:
        count = x.ndim if sizes is None else len(sizes)
        if count > x.ndim:
            raise RuntimeError(
                f"{name}: Got shape with {count} values but input tensor only has "
                f"{x.ndim} dimensions."
            )
        dims = list(range(x.ndim - count, x.ndim))
    else:
        dims = [wrap_dim(d, x.ndim) for d in ([dim] if isinstance(dim, int) else dim)]
        if dims and not x.ndim:
            raise IndexError(f"{name}: dim is {dim}, but the tensor has no dimensions")
    if len(set(dims)) != len(dims):
        raise RuntimeError(f"{name}: FFT dims must be unique, got {dim}")
    if sizes is None:
        sizes = [-1] * len(dims)
    if len(sizes) != len(dims):
        raise RuntimeError(
            f"{name}: When given, dim and shape arguments must have the same length, got {dims} "
            f"and {sizes}"
        )
    lengths = []
    for i, (d, n) in enumerate(zip(dims, sizes, strict=True)):
        if n == -1:
            whole = x._array.shape[d] if x.ndim else 1
            n = 2 * (whole - 1) if last is not None and i == len(dims) - 1 else whole
        if n < 1:
            raise RuntimeError(f"{name}: Invalid number of data points ({n}) specified")
        lengths.append(int(n))
    return dims, lengths


def _resized(x: Tensor, dims: list[int], lengths: list[int]) -> Tensor:
    """Cut, or filled with zeros, to lengths along dimensions."""
    widths, index = [(0, 0)] * x.ndim, [slice(None)] * x.ndim
    for d, n in zip(dims, lengths, strict=True):
        have = x._array.shape[d]
        index[d] = slice(0, min(n, have))
        widths[d] = (0, max(n - have, 0))
    if any(i != slice(None) and i.stop < m for i, m in zip(index, x._array.shape, strict=True)):
        x = indexing.getitem(x, index=tuple(index))
    return shape_ops.pad(x, widths=tuple(widths), value=0) if any(map(any, widths)) else x


# --- Transforms over any dimensions: the others are these with fewer arguments --------------------


def _complex(name: str, x: Tensor, s: Any, dim: Any, norm: Any, inverse: bool) -> Tensor:
    mode = _norm(name, norm)
    x = _numbers(name, x, complex=True)
    dims, lengths = _plan(name, x, s, dim)
    return fourier.fft(_resized(x, dims, lengths), axes=tuple(dims), inverse=inverse, norm=mode)


def _to_half(name: str, x: Tensor, s: Any, dim: Any, norm: Any, inverse: bool) -> Tensor:
    """Real to half a spectrum; ``inverse``: what ihfft does, by conjugating."""
    mode = _norm(name, norm)
    x = _real(name, x)
    dims, lengths = _plan(name, x, s, dim)
    if not dims:
        raise RuntimeError(f"{name}: must transform at least one axis")
    x = _resized(x, dims, lengths)
    half = fourier.rfft(x, axis=dims[-1], norm=_OPPOSITE[mode] if inverse else mode)
    if inverse:
        half = elementwise.conj(half)
    if len(dims) == 1:
        return half
    return fourier.fft(half, axes=tuple(dims[:-1]), inverse=inverse, norm=mode)


def _from_half(name: str, x: Tensor, s: Any, dim: Any, norm: Any, inverse: bool) -> Tensor:
    """Half a spectrum to real; without ``inverse``: what hfft does, by conjugating."""
    mode = _norm(name, norm)
    x = _numbers(name, x, complex=True)
    dims, lengths = _plan(name, x, s, dim, last=1)
    if not dims:
        raise RuntimeError(f"{name}: must transform at least one axis")
    n = lengths[-1]
    x = _resized(x, dims, [*lengths[:-1], n // 2 + 1])
    if len(dims) > 1:
        x = fourier.fft(x, axes=tuple(dims[:-1]), inverse=inverse, norm=mode)
    if not inverse:
        x, mode = elementwise.conj(x), _OPPOSITE[mode]
    return fourier.irfft(x, n=n, axis=dims[-1], norm=mode)


def fftn(input: Tensor, s: Any = None, dim: Any = None, norm: str | None = None) -> Tensor:
    """The transform over dimensions (all, or the last of them that ``s`` has lengths for)."""
    return _complex("fftn", input, s, dim, norm, False)


def ifftn(input: Tensor, s: Any = None, dim: Any = None, norm: str | None = None) -> Tensor:
    """The inverse transform over dimensions."""
    return _complex("ifftn", input, s, dim, norm, True)


def rfftn(input: Tensor, s: Any = None, dim: Any = None, norm: str | None = None) -> Tensor:
    """The transform of a real tensor; half of the last dimension, n // 2 + 1, which has it all."""
    return _to_half("rfftn", input, s, dim, norm, False)


def irfftn(input: Tensor, s: Any = None, dim: Any = None, norm: str | None = None) -> Tensor:
    """The inverse of `rfftn`: real, its last dimension 2 (m - 1) long unless ``s`` says else."""
    return _from_half("irfftn", input, s, dim, norm, True)


def hfftn(input: Tensor, s: Any = None, dim: Any = None, norm: str | None = None) -> Tensor:
    """The real transform of a signal that is Hermitian in the last dimension, of which half is
    given.
    """
    return _from_half("hfftn", input, s, dim, norm, False)


def ihfftn(input: Tensor, s: Any = None, dim: Any = None, norm: str | None = None) -> Tensor:
    """The inverse of `hfftn`."""
    return _to_half("ihfftn", input, s, dim, norm, True)


def fft(input: Tensor, n: int | None = None, dim: int = -1, norm: str | None = None) -> Tensor:
    """The transform along one dimension, cut or filled with zeros to length n."""
    return _complex("fft", input, n, dim, norm, False)


def ifft(input: Tensor, n: int | None = None, dim: int = -1, norm: str | None = None) -> Tensor:
    """The inverse transform along one dimension."""
    return _complex("ifft", input, n, dim, norm, True)


def rfft(input: Tensor, n: int | None = None, dim: int = -1, norm: str | None = None) -> Tensor:
    """The first n // 2 + 1 frequencies of a real signal along one dimension."""
    return _to_half("rfft", input, n, dim, norm, False)


def irfft(input: Tensor, n: int | None = None, dim: int = -1, norm: str | None = None) -> Tensor:
    """The inverse of `rfft`, of length n, or 2 (m - 1)."""
    return _from_half("irfft", input, n, dim, norm, True)


def hfft(input: Tensor, n: int | None = None, dim: int = -1, norm: str | None = None) -> Tensor:
    """The real transform of a Hermitian signal of which the first half is given."""
    return _from_half("hfft", input, n, dim, norm, False)


def ihfft(input: Tensor, n: int | None = None, dim: int = -1, norm: str | None = None) -> Tensor:
    """The inverse of `hfft`: half of the Hermitian signal that a real spectrum has."""
    return _to_half("ihfft", input, n, dim, norm, True)


def fft2(input: Tensor, s: Any = None, dim: Any = (-2, -1), norm: str | None = None) -> Tensor:
    """The transform over two dimensions."""
    return _complex("fft2", input, s, dim, norm, False)


def ifft2(input: Tensor, s: Any = None, dim: Any = (-2, -1), norm: str | None = None) -> Tensor:
    """The inverse transform over two dimensions."""
    return _complex("ifft2", input, s, dim, norm, True)


def rfft2(input: Tensor, s: Any = None, dim: Any = (-2, -1), norm: str | None = None) -> Tensor:
    """The transform of a real tensor over two dimensions; half of the last one."""
    return _to_half("rfft2", input, s, dim, norm, False)


def irfft2(input: Tensor, s: Any = None, dim: Any = (-2, -1), norm: str | None = None) -> Tensor:
    """The inverse of `rfft2`."""
    return _from_half("irfft2", input, s, dim, norm, True)


def hfft2(input: Tensor, s: Any = None, dim: Any = (-2, -1), norm: str | None = None) -> Tensor:
    """As `hfftn`, over two dimensions."""
    return _from_half("hfft2", input, s, dim, norm, False)


def ihfft2(input: Tensor, s: Any = None, dim: Any = (-2, -1), norm: str | None = None) -> Tensor:
    """The inverse of `hfft2`."""
    return _to_half("ihfft2", input, s, dim, norm, True)


# --- Frequencies ----------------------------------------------------------------------------------


def _made(array: Any, dtype: Any, layout: Any, device: Any, requires_grad: bool) -> Tensor:
    check_options(device, layout, False)
    kind = default_float() if dtype is None else numpy_dtype(dtype)
    return wrap(array.astype(kind)).requires_grad_(requires_grad)


def fftfreq(
    n: int,
    d: float = 1.0,
    *,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """The frequencies that `fft` of n samples, d apart, has: from 0 up, then the negative ones."""
    return _made(np.fft.fftfreq(n, d), dtype, layout, device, requires_grad)


def rfftfreq(
    n: int,
    d: float = 1.0,
    *,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """The frequencies that `rfft` of n samples, d apart, has."""
    return _made(np.fft.rfftfreq(n, d), dtype, layout, device, requires_grad)


def _shifted(x: Tensor, dim: Any, sign: int) -> Tensor:
    dims = range(x.ndim) if dim is None else [dim] if isinstance(dim, int) else dim
    for d in dims:
        axis = wrap_dim(d, x.ndim)
        n = x._array.shape[axis]
        order = (np.arange(n) - sign * (n // 2)) % max(n, 1)
        x = indexing.take_rows(x, index=order, axis=axis)
    return x


def fftshift(input: Tensor, dim: Any = None) -> Tensor:
    """Frequency 0 moved to the middle of each dimension."""
    return _shifted(input, dim, 1)


def ifftshift(input: Tensor, dim: Any = None) -> Tensor:
    """Frequency 0 moved back to the front."""
    return _shifted(input, dim, -1)


publish(globals(), "fft")
