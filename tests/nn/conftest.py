"""Shared by the tests of layers."""

import pytest

from tensorgrad.nn import short_calls


@pytest.fixture
def rules_run(monkeypatch):
    """The modules whose rules have run."""
    run = []

    def watched(layer):
        def call(module, x, own):
            found = layer.arrays(module, x, own)
            if found is not None:
                run.append(module)
            return found

        return layer._replace(arrays=call)

    for forward, layer in list(short_calls.RULES.items()):
        monkeypatch.setitem(short_calls.RULES, forward, watched(layer))
    return run
