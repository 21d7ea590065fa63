"""The short-time Fourier transform and its inverse."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tensorgrad.functions.complex_parts import view_as_real
from tensorgrad.functions.shape import reshape, transpose
from tensorgrad.graph.node import wrap
from tensorgrad.graph.provenance import warn
from tensorgrad.ops import elementwise, fourier, indexing
from tensorgrad.ops import shape as shape_ops

if TYPE_CHECKING:
    from tensorgrad.tensor import Tensor

__all__ = ["istft", "stft"]


def _window_of(name: str, window: Tensor | None, win_length: int, n_fft: int, kind: Any) -> Any:
    """The window in the middle of n_fft samples."""
    if window is None:
        window = wrap(np.ones(win_length, kind))
    elif window._array.shape != (win_length,):
        raise RuntimeError(
            f"{name}: expected a 1D window tensor of size equal to win_length={win_length}, but "
            f"got window with size {list(window._array.shape)}"
        )
    if window._array.dtype.kind in "biu":
        window = elementwise.astype(window, dtype=kind)
    if win_length == n_fft:
        return window
    left = (n_fft - win_length) // 2
    return shape_ops.pad(window, widths=((left, n_fft - win_length - left),), value=0)


def _lengths(name: str, n_fft: int, hop: int | None, win: int | None) -> tuple[int, int]:
    hop = n_fft // 4 if hop is None else hop
    win = n_fft if win is None else win
    if hop <= 0:
        raise RuntimeError(f"{name}: expected hop_length > 0, but got hop_length={hop}")
    if not 0 < win <= n_fft:
        raise RuntimeError(
            f"{name}: expected 0 < win_length <= n_fft, but got win_length={win}, n_fft={n_fft}"
        )
    return hop, win


def _is_complex(x: Any) -> bool:
    return bool(x._array.dtype.kind == "c")


def _bordered(x: Tensor, width: int, mode: str) -> Tensor:
    """A border of ``width`` on both sides of the last dimension."""
    if mode == "constant":
        return shape_ops.pad(x, widths=((0, 0), (width, width)), value=0)
    size = x._array.shape[-1]
    if mode == "reflect" and width >= size:
        raise RuntimeError(
            f"stft: the border of n_fft // 2 = {width} samples cannot be reflected from an input "
            f"of {size}; it must be less"
        )
    modes = {"reflect": "reflect", "replicate": "edge", "circular": "wrap"}
    if mode not in modes:
        raise NotImplementedError(f"stft: unrecognised padding mode {mode}")
    places: Any = np.pad(np.arange(size), width, mode=modes[mode])  # type: ignore[call-overload]
    return indexing.take_rows(x, index=places, axis=1)


def stft(
    input: Tensor,
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
    """Fourier transforms of windows every ``hop_length`` samples: (..., frequencies, frames).

    input: a signal, or a batch of them.
    center: frames are centred at t * hop_length, on a signal with a border of n_fft // 2 of
        ``pad_mode``; else they begin there.
    normalized: divide by sqrt(n_fft).
    onesided: of real signals, only the n_fft // 2 + 1 frequencies that have it all.
    return_complex: False gives (..., 2) real numbers instead, as old programs expect.
    align_to_window: with center=False, frames begin with the window, not with n_fft.
    """
    if input.ndim not in (1, 2):
        raise RuntimeError(f"stft: expected a 1D or 2D tensor, got {input.ndim}D")
    if input._array.dtype.kind not in "fc":
        raise RuntimeError(
            f"stft: expected a tensor of floating point or complex values, got {input.dtype}"
        )
    if center and align_to_window is not None:
        raise RuntimeError("stft align_to_window should only be set when center = false")
    complex_ = _is_complex(input) or (window is not None and _is_complex(window))
    if return_complex is None:
        if not complex_:
            raise RuntimeError(
                "stft requires the return_complex parameter be given for real inputs"
            )
        return_complex = True
    hop, win = _lengths("stft", n_fft, hop_length, win_length)
    x = reshape(input, (-1, input._array.shape[-1]))
    if center:
        x = _bordered(x, n_fft // 2, pad_mode)
    elif align_to_window and win < n_fft:
        left = (n_fft - win) // 2
        x = shape_ops.pad(x, widths=((0, 0), (left, n_fft - win - left)), value=0)
    size = x._array.shape[-1]
    if not 0 < n_fft <= size:
        raise RuntimeError(f"stft: expected 0 < n_fft <= {size}, but got n_fft={n_fft}")
    starts = np.arange(0, size - n_fft + 1, hop)
    frames = indexing.take_rows(x, index=starts[:, None] + np.arange(n_fft), axis=1)
    if window is not None or win < n_fft:
        kind = input._array.real.dtype
        frames = elementwise.mul(frames, _window_of("stft", window, win, n_fft, kind))
    one_sided = not complex_ if onesided is None else onesided
    if one_sided and complex_:
        raise RuntimeError("stft: Cannot have onesided output if window or input is complex")
    norm = "ortho" if normalized else "backward"
    if one_sided:
        spectrum = fourier.rfft(frames, axis=2, norm=norm)
    else:
        if not complex_:
            frames = _to_complex(frames)
        spectrum = fourier.fft(frames, axes=(2,), inverse=False, norm=norm)
    spectrum = transpose(spectrum, 1, 2)
    if input.ndim == 1:
        spectrum = reshape(spectrum, tuple(spectrum._array.shape[1:]))
    return spectrum if return_complex else view_as_real(spectrum)


def _to_complex(x: Tensor) -> Tensor:
    single = x._array.dtype.itemsize <= 4
    return elementwise.astype(x, dtype=np.dtype(np.complex64 if single else np.complex128))


def istft(
    input: Tensor,
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
    """The signal whose `stft` is given: frames added up, divided by the sum of squared windows.

    length: of the signal; what lies beyond the frames is 0.
    """
    if not _is_complex(input):
        raise RuntimeError(
            "istft requires a complex-valued input tensor matching the output from stft with "
            "return_complex=True; use view_as_complex"
        )
    if input.ndim not in (2, 3) or not input._array.size:
        raise RuntimeError(
            "istft: expected a tensor with 2 or 3 dimensions and at least one element, got shape "
            f"{list(input._array.shape)}"
        )
    hop, win = _lengths("istft", n_fft, hop_length, win_length)
    complex_window = window is not None and _is_complex(window)
    bins = input._array.shape[-2]
    one_sided = bins != n_fft if onesided is None else onesided
    if bins != (n_fft // 2 + 1 if one_sided else n_fft):
        raise RuntimeError(
            "istft: expected the frequency dimension (3rd to the last) of the input tensor to "
            f"match n_fft={n_fft} with onesided={one_sided}, but got {bins}"
        )
    if one_sided and (return_complex or complex_window):
        raise RuntimeError("istft: Cannot have onesided input if window or output is complex")
    frames = transpose(input if input.ndim == 3 else reshape(input, (1, *input.shape)), 1, 2)
    norm = "ortho" if normalized else "backward"
    if return_complex:
        waves = fourier.fft(frames, axes=(2,), inverse=True, norm=norm)
    else:  # of all frequencies of a real signal half say everything
        half = indexing.getitem(frames, index=(Ellipsis, slice(0, n_fft // 2 + 1)))
        waves = fourier.irfft(half, n=n_fft, axis=2, norm=norm)
    taper = _window_of("istft", window, win, n_fft, input._array.real.dtype)
    waves = elementwise.mul(waves, taper)
    batch, count = waves._array.shape[:2]
    full = n_fft + hop * (count - 1)
    places = (np.arange(count)[:, None] * hop + np.arange(n_fft)).reshape(-1)
    flat = reshape(waves, (batch, count * n_fft))
    summed = indexing.index_put_rows(flat, index=places, axis=1, shape=(batch, full))
    squares = elementwise.mul(taper, taper)
    many = shape_ops.broadcast_to(squares, shape=(count, n_fft))
    envelope = indexing.index_put_rows(
        reshape(many, (count * n_fft,)), index=places, axis=0, shape=(full,)
    )
    start = n_fft // 2 if center else 0
    end = start + length if length is not None else full - (n_fft // 2 if center else 0)
    inside = slice(start, min(end, full))
    summed = indexing.getitem(summed, index=(slice(None), inside))
    envelope = indexing.getitem(envelope, index=(inside,))
    lowest = np.abs(envelope._array).min() if envelope._array.size else 0
    if not lowest > 1e-11:
        raise RuntimeError(f"istft: window overlap add min: {lowest}, must be more than 1e-11")
    out = elementwise.div(summed, envelope)
    if end > full:
        warn(
            "The length of signal is shorter than the length parameter. Result is being padded "
            "with zeros in the tail. Please check your center and hop_length settings"
        )
        out = shape_ops.pad(out, widths=((0, 0), (0, end - full)), value=0)
    return out if input.ndim == 3 else reshape(out, (-1,))
