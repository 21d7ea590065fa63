"""PyTorch's module paths for the layers of tensorgrad.nn."""
