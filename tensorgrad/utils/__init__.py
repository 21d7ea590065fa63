"""What PyTorch programs import from torch.utils."""

from tensorgrad.utils import checkpoint, data, dlpack, tensorboard

__all__ = ["checkpoint", "data", "dlpack", "tensorboard"]
