"""Datasets, samplers, loaders, transforms, and the data sets digits, MNIST and CIFAR-10."""

from tensorgrad.data import transforms
from tensorgrad.data.cifar import CIFAR10
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
from tensorgrad.data.digits import Digits
from tensorgrad.data.distributed import DistributedSampler
from tensorgrad.data.images import ImageDataset
from tensorgrad.data.mnist import MNIST
from tensorgrad.data.sampler import (
    BatchSampler,
    RandomSampler,
    Sampler,
    SequentialSampler,
    SubsetRandomSampler,
    WeightedRandomSampler,
)
from tensorgrad.data.stack import StackDataset

__all__ = [
    # datasets
    "ChainDataset",
    "ConcatDataset",
    "Dataset",
    "IterableDataset",
    "StackDataset",
    "Subset",
    "TensorDataset",
    "random_split",
    # loading
    "BatchSampler",
    "DataLoader",
    "DistributedSampler",
    "RandomSampler",
    "Sampler",
    "SequentialSampler",
    "SubsetRandomSampler",
    "WeightedRandomSampler",
    "default_collate",
    "default_convert",
    "get_worker_info",
    # data sets
    "CIFAR10",
    "Digits",
    "ImageDataset",
    "MNIST",
    "transforms",
]
