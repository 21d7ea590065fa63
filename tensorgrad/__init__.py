"""The autograd engine that shows its work."""

__version__ = "0.1.0.dev0"
