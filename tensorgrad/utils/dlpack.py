"""``torch.utils.dlpack``: the exchange of memory with other libraries."""

from tensorgrad.dlpack import from_dlpack, to_dlpack

__all__ = ["from_dlpack", "to_dlpack"]
