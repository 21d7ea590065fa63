"""Shared by the tests of kernels."""

import pytest

from tensorgrad.kernels.onednn import health


@pytest.fixture
def onednn():
    """oneDNN's library; a test that needs it does not run where the extra is not installed."""
    why = health.reason()
    if why:
        pytest.skip(f"oneDNN: {why}")
    return health.library()
