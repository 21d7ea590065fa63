"""NumPy implementations of the operations in which time is spent."""
