"""``torch.amp``'s names for programs that switch mixed precision off here.

There is no arithmetic in bfloat16, and float16 on a CPU is slower than float32: what is disabled
does nothing, what is enabled is refused.
"""

from __future__ import annotations

from tensorgrad.amp.autocast_mode import (
    autocast,
    custom_bwd,
    custom_fwd,
    is_autocast_available,
)
from tensorgrad.amp.grad_scaler import GradScaler

__all__ = ["GradScaler", "autocast", "custom_bwd", "custom_fwd", "is_autocast_available"]
