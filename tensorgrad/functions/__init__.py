"""PyTorch-named functions composed of primitives, one family a file."""
