"""Jacobians, Hessians and their products."""
