"""PyTorch's path to what lives in :mod:`tensorgrad.data.collate`.

Its documentation sends programs here for ``default_collate_fn_map``, which they extend.
"""

from tensorgrad.data.collate import (
    collate,
    default_collate,
    default_collate_fn_map,
    default_convert,
)

__all__ = ["collate", "default_collate", "default_collate_fn_map", "default_convert"]
