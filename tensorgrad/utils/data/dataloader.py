"""PyTorch's path to what lives in :mod:`tensorgrad.data.dataloader`."""

from tensorgrad.data.collate import default_collate, default_convert
from tensorgrad.data.dataloader import DataLoader, get_worker_info

__all__ = ["DataLoader", "default_collate", "default_convert", "get_worker_info"]
