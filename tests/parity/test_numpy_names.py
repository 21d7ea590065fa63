"""NumPy's names of arguments: accepted wherever PyTorch accepts them, refused where it refuses.

Each function and method is called in both libraries with one argument under NumPy's name; that the
same call under PyTorch's own names works in both is checked first.
"""

import inspect
import pickle
import warnings

import numpy as np
import pytest
import torch
from samples import FUNCTIONS
from sampling import Call, Case, Value, find, leaf, outputs_of

import tensorgrad as tg
from tensorgrad.recording.spelling import NAMES

PLACES = ("", "linalg", "fft", "special")
FEW = 4  # of a row's cases: the names are the same in all of them


def torch_leaf(array, _):
    return torch.from_numpy(np.array(array, order="C"))


def our_leaf(array, _):
    return leaf(array, False)


def paths():
    """(path of a function or method, the row with its arguments), each path once."""
    found = {}
    for sample in FUNCTIONS:
        if sample.counterpart is None or sample.call is not None:
            continue
        for path in (sample.path, *sample.aliases):
            place, _, name = path.rpartition(".")
            if place in PLACES and not name.endswith("_"):
                found.setdefault(path, sample)
                if name == "where":
                    continue  # the method's self is not the function's first argument
                if callable(getattr(torch.Tensor, name, None)) and hasattr(tg.Tensor, name):
                    found.setdefault(f"Tensor.{name}", sample)
            elif place == "Tensor":
                found.setdefault(path, sample)
    return sorted(found.items())


def attempt(library, path, case):
    """The call's result; None if it is refused by a TypeError."""
    make = our_leaf if library is tg else torch_leaf
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            library.manual_seed(0)
            return Call(case, make, grad=False, library=library).run(find(library, path))
        except TypeError:
            return None


def by_name(path, case, wanted):
    """The call with what follows the argument ``wanted`` by name; None where it has it not."""
    try:
        bound = inspect.signature(find(tg, path)).bind(*case.args, **case.params)
    except TypeError:
        return None
    parameters = inspect.signature(find(tg, path)).parameters
    if wanted not in bound.arguments or any(
        p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD) for p in parameters.values()
    ):
        return None
    names = list(bound.arguments)
    count = min(names.index(wanted), sum(n not in case.params for n in names))
    rest = {name: bound.arguments[name] for name in names[count:]}
    return Case(tuple(bound.arguments[name] for name in names[:count]), rest)


def spelt(case, own, other):
    """The same call with an argument under another name."""
    return Case(case.args, {other if k == own else k: v for k, v in case.params.items()})


def same(mine, reference):
    for a, b in zip(outputs_of(mine), outputs_of(reference), strict=True):
        if isinstance(b, torch.Tensor) and b.dtype != torch.float32:
            np.testing.assert_allclose(
                a.numpy(), b.resolve_conj().numpy(), rtol=1e-7, atol=1e-9, equal_nan=True
            )


@pytest.mark.parametrize(("path", "sample"), [pytest.param(*p, id=p[0]) for p in paths()])
def test_names(path, sample):
    for number in range(min(len(sample.cases), FEW)):
        drawn = sample.draw(number)
        if path.startswith("Tensor.") and not isinstance(next(iter(drawn.args), None), Value):
            continue
        for other, own in NAMES.items():
            plain = by_name(path, drawn, own)
            if plain is None or attempt(torch, path, plain) is None:
                continue
            assert attempt(tg, path, plain) is not None, plain
            reference = attempt(torch, path, spelt(plain, own, other))
            mine = attempt(tg, path, spelt(plain, own, other))
            assert (mine is None) == (reference is None), (other, own, mine)
            if mine is not None and not path.startswith(("rand", "empty")):
                same(mine, reference)
            both = Case(plain.args, {**plain.params, other: plain.params[own]})
            assert attempt(torch, path, both) is None
            assert attempt(tg, path, both) is None


def test_there_are_calls_of_all_kinds():
    found = [
        (path, own)
        for path, sample in paths()
        for own in set(NAMES.values())
        if by_name(path, sample.draw(0), own) is not None
    ]
    counts = {own: sum(own == other for _, other in found) for own in NAMES.values()}
    assert counts["input"] > 300
    assert counts["other"] > 80
    assert counts["dim"] > 50
    assert {path for path, _ in found} >= {"norm", "unique", "Tensor.add", "fft.fft"}


def test_names_of_one_call():
    x = tg.arange(12.0).reshape(3, 4)
    assert x.sum(axis=(0, 1), keepdims=True).shape == (1, 1)
    assert tg.add(x1=x, x2=x, alpha=2).equal(3 * x)
    assert x.where(x > 5, x2=x).equal(x)
    assert tg.cat([x, x], axis=1).shape == (3, 8)
    assert tg.max(x, axis=0).indices.tolist() == [2, 2, 2, 2]


@pytest.mark.parametrize(
    "call",
    [
        lambda lib, x: lib.sum(x, 0, axis=0),
        lambda lib, x: x.sum(0, axis=0),
        lambda lib, x: lib.sum(x, dim=0, axis=0),
        lambda lib, x: lib.sum(x, dim=None, axis=0),
        lambda lib, x: x.where(x > 5, x, x2=x),
        lambda lib, x: lib.add(x, x, x1=x),
        lambda lib, x: lib.add(x=x, a=x, other=x),
        lambda lib, x: lib.sum(x, dim=0, keepdim=True, keepdims=True),
        lambda lib, x: lib.sum(x, axes=0),
        lambda lib, x: lib.flip(x, axis=(0,)),
        lambda lib, x: lib.split(x, 1, axis=0),
        lambda lib, x: x.split(1, axis=0),
        lambda lib, x: x.norm(axis=0),
        lambda lib, x: x.unflatten(axis=0, sizes=(1, 2)),
        lambda lib, x: lib.exp(),
    ],
)
def test_refused_calls(call):
    for library in (tg, torch):
        with pytest.raises(TypeError):
            call(library, library.ones(2, 3))


def test_what_is_published_is_named_after_its_place():
    for path in ("sum", "absolute", "linalg.norm", "special.gammaln", "fft.fft", "conv1d"):
        function = find(tg, path)
        assert pickle.loads(pickle.dumps(function)) is function
        assert function.__name__ == path.rpartition(".")[2]


def test_the_users_line_is_found_through_the_wrapper():
    x = tg.ones(3, requires_grad=True)
    y = tg.exp(x)
    assert y.grad_fn.location.filename == __file__
