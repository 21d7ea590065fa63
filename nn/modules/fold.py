"""PyTorch's path of what `tensorgrad.nn.folding` defines."""

from tensorgrad.nn.folding import Fold, Unfold

__all__ = ["Fold", "Unfold"]
