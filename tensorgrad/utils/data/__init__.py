"""PyTorch's path to datasets and loaders; they live in :mod:`tensorgrad.data`."""

from tensorgrad.data.collate import default_collate, default_convert
from tensorgrad.data.dataloader import DataLoader, get_worker_info
from tensorgrad.data.dataset import (
    ChainDataset,
    ConcatDataset,
    Dataset,
    IterableDataset,
    Subset,
    TensorDataset,
    random_split,
)
from tensorgrad.data.distributed import DistributedSampler
from tensorgrad.data.sampler import (
    BatchSampler,
    RandomSampler,
    Sampler,
    SequentialSampler,
    SubsetRandomSampler,
    WeightedRandomSampler,
)
from tensorgrad.data.stack import StackDataset
from tensorgrad.utils.data import _utils as _utils
from tensorgrad.utils.data import dataloader as dataloader
from tensorgrad.utils.data import dataset as dataset
from tensorgrad.utils.data import distributed as distributed
from tensorgrad.utils.data import sampler as sampler

__all__ = [
    "BatchSampler",
    "ChainDataset",
    "ConcatDataset",
    "DataLoader",
    "Dataset",
    "DistributedSampler",
    "IterableDataset",
    "RandomSampler",
    "Sampler",
    "SequentialSampler",
    "StackDataset",
    "Subset",
    "SubsetRandomSampler",
    "TensorDataset",
    "WeightedRandomSampler",
    "default_collate",
    "default_convert",
    "get_worker_info",
    "random_split",
]
