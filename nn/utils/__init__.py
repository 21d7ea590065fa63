"""Helpers on parameters and gradients."""
