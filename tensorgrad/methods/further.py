"""Methods of functions that few programs call: histograms, spectra, splits under other names."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from tensorgrad.functions import (
    copies,
    elementwise,
    histograms,
    kinds,
    linalg,
    positions,
    reduction,
    segments,
)
from tensorgrad.signal import spectral
from tensorgrad.views.following import before_write, write

if TYPE_CHECKING:
    from tensorgrad.tensor import Tensor

__all__ = ["FurtherMethods"]


class FurtherMethods:
    """Histograms, spectra, splits under other names, activations."""

    __slots__ = ()

    def conj_physical(self: Any) -> Tensor:
        """The complex conjugate."""
        return kinds.conj_physical(self)

    def conj_physical_(self: Any) -> Tensor:
        """In-place `conj_physical`."""
        return write(self, kinds.conj_physical(before_write(self)), "conj_physical_")  # type: ignore[no-any-return]

    def dist(self: Any, other: Tensor, p: float = 2) -> Tensor:
        """The p-norm of the difference, over all elements."""
        return reduction.norm(elementwise.sub(self, other), p)

    def ger(self: Any, vec2: Tensor) -> Tensor:
        """As `outer`."""
        return linalg.outer(self, vec2)

    def hardshrink(self: Any, lambd: float = 0.5) -> Tensor:
        """The elements farther from 0 than lambd, else 0."""
        return _of_nn("hardshrink", self, lambd)

    def hash_tensor(self: Any, dim: Any = None, *, keepdim: bool = False, mode: int = 0) -> Tensor:
        """The exclusive or of the elements' bits."""
        return segments.hash_tensor(self, dim, keepdim=keepdim, mode=mode)

    def histogram(
        self: Any,
        bins: Any = 100,
        *,
        range: Sequence[float] | None = None,
        weight: Tensor | None = None,
        density: bool = False,
    ) -> Any:
        """How many elements fall into each bin, and the bins' edges."""
        return histograms.histogram(self, bins, range=range, weight=weight, density=density)

    def narrow_copy(self: Any, dim: int, start: Any, length: int) -> Tensor:
        """A copy of ``length`` slices from ``start`` along a dimension."""
        return copies.narrow_copy(self, dim, start, length)

    def nonzero_static(self: Any, *, size: int, fill_value: int = -1) -> Tensor:
        """The first ``size`` indices of elements that are not 0, filled up with fill_value."""
        return positions.nonzero_static(self, size=size, fill_value=fill_value)

    def prelu(self: Any, weight: Tensor) -> Tensor:
        """x where it is positive, weight * x elsewhere."""
        return _of_nn("prelu", self, weight)

    def split_with_sizes(self: Any, split_sizes: Sequence[int], dim: int = 0) -> Any:
        """Parts of those sizes along a dimension, as views."""
        return copies.split_with_sizes(self, split_sizes, dim)

    def unsafe_chunk(self: Any, chunks: int, dim: int = 0) -> Any:
        """As `chunk`."""
        return copies.unsafe_chunk(self, chunks, dim)

    def unsafe_split(self: Any, split_size: int, dim: int = 0) -> Any:
        """As `split`, with one size for all parts."""
        return copies.unsafe_split(self, split_size, dim)

    def unsafe_split_with_sizes(self: Any, split_sizes: Sequence[int], dim: int = 0) -> Any:
        """As `split_with_sizes`."""
        return copies.unsafe_split_with_sizes(self, split_sizes, dim)

    def stft(
        self: Any,
        n_fft: int,
        hop_length: int | None = None,
        win_length: int | None = None,
        window: Tensor | None = None,
        center: bool = True,
        pad_mode: str = "reflect",
        normalized: bool = False,
        onesided: bool | None = None,
        return_complex: bool | None = None,
        align_to_window: bool | None = None,
    ) -> Tensor:
        """The short-time Fourier transform."""
        return spectral.stft(
            self, n_fft, hop_length, win_length, window, center, pad_mode, normalized, onesided,
            return_complex, align_to_window,
        )  # fmt: skip

    def istft(
        self: Any,
        n_fft: int,
        hop_length: int | None = None,
        win_length: int | None = None,
        window: Tensor | None = None,
        center: bool = True,
        normalized: bool = False,
        onesided: bool | None = None,
        length: int | None = None,
        return_complex: bool = False,
    ) -> Tensor:
        """The inverse of `stft`."""
        return spectral.istft(
            self, n_fft, hop_length, win_length, window, center, normalized, onesided, length,
            return_complex,
        )  # fmt: skip


def _of_nn(name: str, *args: Any) -> Tensor:
    """A function that lives in nn, which the core does not import until it is asked for."""
    functional = importlib.import_module("tensorgrad.nn.functional")
    return getattr(functional, name)(*args)  # type: ignore[no-any-return]
