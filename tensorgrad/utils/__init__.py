"""What PyTorch programs import from torch.utils."""

from tensorgrad.utils import data

__all__ = ["data"]
