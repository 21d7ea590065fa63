"""``torch.testing``: comparisons that say what differs, and tensors to try things on."""

from __future__ import annotations

from tensorgrad.testing.comparison import assert_allclose, assert_close
from tensorgrad.testing.creation import make_tensor

__all__ = ["assert_allclose", "assert_close", "make_tensor"]
