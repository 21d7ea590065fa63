"""PyTorch's path to what lives in :mod:`tensorgrad.data.distributed`."""

from tensorgrad.data.distributed import DistributedSampler

__all__ = ["DistributedSampler"]
