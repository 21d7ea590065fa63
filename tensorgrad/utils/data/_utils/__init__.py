"""PyTorch's private path that programs import ``collate`` from."""

from tensorgrad.utils.data._utils import collate as collate

__all__ = ["collate"]
