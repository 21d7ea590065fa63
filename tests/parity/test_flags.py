"""True and False are not numbers: ``x.sum(0, 1)`` meant ``x.sum((0, 1))`` and is refused."""

import numpy as np
import pytest
import torch

import tensorgrad as tg

LIBRARIES = [tg, torch]

REDUCTIONS = (
    "sum mean prod amax amin max min argmax argmin all any median mode nanmedian nanmean nansum "
    "logsumexp std var sort argsort"
)
REFUSED = {
    **{
        f"{name} {wrong}": lambda x, lib, name=name, wrong=wrong: getattr(x, name)(0, wrong)
        for name in REDUCTIONS.split()
        for wrong in (1, 0, None)
        if not (wrong is None and name in ("std", "var"))  # whose default is None
    },
    "sum by name": lambda x, lib: x.sum(0, keepdim=1),
    "NumPy's name": lambda x, lib: x.sum(axis=0, keepdims=1),
    "function": lambda x, lib: lib.sum(x, 0, 1),
    "function, NumPy's name": lambda x, lib: lib.sum(x, axis=0, keepdims=1),
    "out": lambda x, lib: lib.sum(x, 0, 1, out=lib.empty(0)),
    "norm": lambda x, lib: x.norm(2, 0, 1),
    "norm function": lambda x, lib: lib.norm(x, 2, 0, 1),
    "linalg.norm": lambda x, lib: lib.linalg.norm(x, 2, 0, 1),
    "linalg.svd": lambda x, lib: lib.linalg.svd(x, 1),
    "std_mean": lambda x, lib: lib.std_mean(x, 0, 1),
    "std keepdim": lambda x, lib: x.std(0, True, 1),
    "quantile": lambda x, lib: x.quantile(0.5, 0, 1),
    "topk": lambda x, lib: x.topk(2, 0, 1),
    "kthvalue": lambda x, lib: x.kthvalue(1, 0, 1),
    "isclose": lambda x, lib: lib.isclose(x, x, equal_nan=1),
    "searchsorted": lambda x, lib: lib.searchsorted(x[0], 1.0, right=1),
    "text": lambda x, lib: x.sum(0, "no"),
    "NumPy's": lambda x, lib: x.sum(0, np.True_),
    "a tensor": lambda x, lib: x.sum(0, lib.tensor(True)),
}


@pytest.mark.parametrize("lib", LIBRARIES, ids=lambda lib: lib.__name__)
@pytest.mark.parametrize("name", REFUSED)
def test_numbers_are_refused(name, lib):
    with pytest.raises(TypeError):
        REFUSED[name](lib.ones(3, 3), lib)


def test_the_error_says_what_was_meant():
    with pytest.raises(TypeError, match=r"sum\(\): argument 'keepdim' must be bool, not int; sev"):
        tg.ones(2, 2).sum(0, 1)


DIMENSIONS = {
    "squeeze": lambda x: x.squeeze(0, 2),
    "squeeze a tuple": lambda x: x.squeeze((0, 2)),
    "squeeze by name": lambda x: x.squeeze(dim=(0, 2)),
    "squeeze one": lambda x: x.squeeze(-1),
    "squeeze all": lambda x: x.squeeze(),
    "squeeze_": lambda x: x.clone().squeeze_(0, 2),
    "count_nonzero": lambda x: x.count_nonzero(0, 1),
    "count_nonzero one": lambda x: x.count_nonzero(1),
    "flip": lambda x: x.flip(0, 1),
}


@pytest.mark.parametrize("name", DIMENSIONS)
def test_dimensions_one_after_the_other(name):
    ours, theirs = (DIMENSIONS[name](lib.arange(4).reshape(1, 4, 1)) for lib in LIBRARIES)
    assert tuple(ours.shape) == tuple(theirs.shape)
    assert ours.tolist() == theirs.tolist()


def test_they_must_be_dimensions():
    for lib in LIBRARIES:
        with pytest.raises(IndexError):
            lib.ones(1, 2).squeeze(0, 1, 2)
