"""What PyTorch programs import from torch.utils."""

from tensorgrad.utils import checkpoint, data, dlpack, hooks, tensorboard

__all__ = ["checkpoint", "data", "dlpack", "hooks", "tensorboard"]
