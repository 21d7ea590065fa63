"""PyTorch's path of what `nn.transformer` and `nn.transformer_stack` of tensorgrad define."""

from tensorgrad.nn.transformer import TransformerDecoderLayer, TransformerEncoderLayer
from tensorgrad.nn.transformer_stack import (
    Transformer,
    TransformerDecoder,
    TransformerEncoder,
    _get_clones,
)

__all__ = [
    "Transformer",
    "TransformerDecoder",
    "TransformerDecoderLayer",
    "TransformerEncoder",
    "TransformerEncoderLayer",
    "_get_clones",
]
