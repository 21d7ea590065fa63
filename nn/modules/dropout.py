"""PyTorch's path of what `tensorgrad.nn.dropout` defines."""

from tensorgrad.nn.dropout import (
    AlphaDropout,
    Dropout,
    Dropout1d,
    Dropout2d,
    Dropout3d,
    FeatureAlphaDropout,
)
from tensorgrad.nn.dropout import _Dropout as _DropoutNd

__all__ = [
    "_DropoutNd",
    "AlphaDropout",
    "Dropout",
    "Dropout1d",
    "Dropout2d",
    "Dropout3d",
    "FeatureAlphaDropout",
]
