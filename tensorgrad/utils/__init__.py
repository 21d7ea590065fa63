"""What PyTorch programs import from torch.utils."""

from tensorgrad.utils import checkpoint, data

__all__ = ["checkpoint", "data"]
