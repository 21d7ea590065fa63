"""NumPy implementations of the heavy operations, chosen by shape."""
