"""Windows and short-time Fourier transforms; the windows are `torch.signal.windows`."""

from __future__ import annotations

from tensorgrad.signal import windows

__all__ = ["windows"]
