"""Datasets, loaders and the data sets that come with the package."""
