"""Fitting, metrics and summaries."""
