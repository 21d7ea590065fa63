"""viz.derive of a part of the samples table: nothing breaks, and what it prints is right."""

from __future__ import annotations

import warnings

import pytest
from derive_tools import backward
from samples import SAMPLES
from sampling import Call, outputs_of

from tensorgrad import viz
from tensorgrad.viz.derivation.between import key_of
from tensorgrad.viz.derivation.build import Builder
from tensorgrad.viz.derivation.forms import Forms

# A sixth of a second each, whatever the operation: `make test` takes half of them.
ROWS = [
    pytest.param(sample, marks=[] if k % 2 else [pytest.mark.long], id=sample.path)
    for k, sample in enumerate(SAMPLES[::9])
]


def loss_of(sample):
    call = Call(sample.draw(0))
    outputs = outputs_of(call.run(sample.function()))
    outputs = [o for o in outputs if getattr(o, "requires_grad", False) and o.numel()]
    if not outputs or not call.leaves or any(o.is_complex() for o in outputs):
        return None, []
    return sum((o * o).sum() for o in outputs), list(call.leaves)


@pytest.mark.parametrize("sample", ROWS)
def test_a_sample(sample, monkeypatch):
    loss, leaves = loss_of(sample)
    if loss is None:
        return
    told = []
    agrees = Forms.agrees

    def watched(self, letters, x, array, **options):
        told.append(agrees(self, letters, x, array, **options))
        return told[-1]

    monkeypatch.setattr(Forms, "agrees", watched)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for options in ({}, {"notation": "index"}, {"convention": "column"}):
            figure = viz.derive(loss, leaves, **options)
            assert "✗" not in str(figure), sample.path
            assert figure.html()
            assert figure.latex()
            assert isinstance(backward(figure), list)
    assert False not in told  # a closed form that does not have the gradient's numbers


def test_every_printed_index_formula_has_the_gradients_numbers(monkeypatch):
    checked = []
    way = Builder.way

    def watched(self, node, i, edge, formula, *rest):
        found = None if formula is None else self.forms.backward(node, i, formula)
        if found is not None and len(self.incoming[key_of(edge)]) == 1:
            array = self.gradients.arrays.get(key_of(edge))
            if array is not None:
                checked.append(self.forms.agrees(*found, array))
        return way(self, node, i, edge, formula, *rest)

    monkeypatch.setattr(Builder, "way", watched)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for sample in SAMPLES[::5]:
            loss, leaves = loss_of(sample)
            if loss is not None:
                viz.derive(loss, leaves, notation="index", differences=False)
    assert False not in checked
    assert checked.count(True) > 60
