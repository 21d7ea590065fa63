"""Layers and losses, built from the operations of tensorgrad."""
