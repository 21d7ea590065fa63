"""PyTorch's functions, composed of primitives, one family a file."""
