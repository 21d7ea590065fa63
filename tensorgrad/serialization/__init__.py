"""Saving and loading: the safetensors format, and PyTorch's ``.pt`` files for reading.

No file is ever given a chance to run code: `save` writes tensors and a description of plain
containers as JSON, and the pickles of PyTorch's files are read through a short list of names.
"""

from tensorgrad.serialization.loading import load
from tensorgrad.serialization.saving import save

__all__ = ["load", "save"]
