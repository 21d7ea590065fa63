"""SobolEngine without SciPy says what to install; with it, see tests/parity."""

import sys

import pytest

import tensorgrad as tg


def test_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "scipy.stats", None)
    with pytest.raises(ImportError, match="quasirandom"):
        tg.quasirandom.SobolEngine(2)
