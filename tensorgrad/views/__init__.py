"""Tensors that share memory: views and writes in place, strides, storages as objects."""
