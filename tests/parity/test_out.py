"""``out=``: every function of PyTorch's that takes it, with outputs of all kinds."""

import functools
import importlib
import warnings

import numpy as np
import pytest
import torch
from parity import torch_signatures as signatures
from samples import FUNCTIONS
from sampling import Call, find, leaf, outputs_of

import tensorgrad as tg
from tensorgrad.outputs import OUT

PLACES = ("", "linalg", "fft", "special")
KINDS = ("float32", "float64", "complex128", "int64", "int32", "bool")


def torch_leaf(array, requires_grad=False):
    return torch.from_numpy(np.array(array, order="C")).requires_grad_(requires_grad)


def rows():
    found = {}
    for sample in FUNCTIONS:
        if sample.counterpart is None:
            continue
        for path in (sample.path, *sample.aliases):
            if path in OUT:
                found.setdefault(path, sample)
    return sorted(found.items())


def run(library, path, sample, drawn, make=None, grad=False, **words):
    """A call of the row with further arguments."""
    function = functools.partial(find(library, path), **words)
    if sample.call is not None:
        function = functools.partial(sample.call, function)
    make = make or (leaf if library is tg else torch_leaf)
    return Call(drawn, make, grad=grad, library=library).run(function)


def attempt(*args, **words):
    """(result, whether a resized output was warned of), or the error and False."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            result = run(*args, **words)
        except Exception as error:
            return error, False
    return result, any("was resized" in str(w.message) for w in caught)


def like(library, result, dtype=None, shape=None):
    """Outputs like PyTorch's result, of a dtype and a shape."""
    if isinstance(result, torch.Tensor):
        kind = dtype or str(result.dtype).removeprefix("torch.")
        size = tuple(result.shape) if shape is None else shape
        return library.zeros(size, dtype=getattr(library, kind))
    return tuple(like(library, part, dtype, shape) for part in result)


def compare(path, mine, reference):
    for a, b in zip(outputs_of(mine), outputs_of(reference), strict=True):
        assert a.dtype.name == str(b.dtype).removeprefix("torch.")
        assert tuple(a.shape) == tuple(b.shape)
        if path not in ("randn", "rand", "empty", "randint", "randperm"):
            single = {"float32", "complex64"} & {a.dtype.name}
            exact = {"rtol": 1e-4, "atol": 1e-5} if single else {"rtol": 1e-7, "atol": 1e-9}
            np.testing.assert_allclose(a.numpy(), b.resolve_conj().numpy(), equal_nan=True, **exact)


def answers(path):
    """The cases of a row that PyTorch's function answers with tensors, and its answers."""
    sample = dict(rows())[path]
    for number in range(min(len(sample.cases), 5)):
        drawn = sample.draw(number)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            result = run(torch, path, sample, drawn)
        yield sample, drawn, result


PATHS = [path for path, _ in rows()]


@pytest.mark.parametrize("path", PATHS)
def test_values(path):
    """Into an output that fits, into one that must grow, and into one of another shape."""
    taken = 0
    for sample, drawn, result in answers(path):
        for shape in (None, (0,), (3, 1, 5)):
            theirs, ours = like(torch, result, shape=shape), like(tg, result, shape=shape)
            reference, warned = attempt(torch, path, sample, drawn, out=theirs)
            mine, warns = attempt(tg, path, sample, drawn, out=ours)
            if isinstance(reference, TypeError):  # an overload without out
                continue
            if isinstance(reference, Exception):
                if shape is None:
                    raise reference
                continue  # some refuse what others resize
            assert not isinstance(mine, Exception), mine
            taken += 1
            compare(path, ours, theirs)
            mine = [mine] if isinstance(mine, tg.Tensor) else mine
            assert all(a is b for a, b in zip(mine, outputs_of(ours), strict=True))
            if path not in WARNINGS_DIFFER:
                assert warns == warned
    assert bool(taken) != (path in OVERLOADS)


# In PyTorch the first resize what has elements without the warning, and the last two warn of a
# tensor that they make themselves.
WARNINGS_DIFFER = {"addbmm", "fft.fftfreq", "fft.rfftfreq", "narrow_copy", "lu", "isin", "matmul"}
# No row calls the overload that has out.
OVERLOADS = {"argsort"}


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("kind", KINDS)
def test_dtypes(path, kind):
    """What PyTorch casts is cast; what it refuses by its rule, is refused."""
    for sample, drawn, result in list(answers(path))[:2]:
        if any(t.numel() == 0 for t in outputs_of(result)):
            continue
        theirs, ours = like(torch, result, kind), like(tg, result, kind)
        reference, _ = attempt(torch, path, sample, drawn, out=theirs)
        mine, _ = attempt(tg, path, sample, drawn, out=ours)
        if not isinstance(reference, Exception):
            if kind in STRICTER.get(path, ()):
                assert isinstance(mine, RuntimeError)
                continue
            assert not isinstance(mine, Exception), (mine, reference)
            compare(path, ours, theirs)
        elif "can't be cast" in str(reference) or "xpected out tensor to have" in str(reference):
            assert isinstance(mine, RuntimeError), (path, kind, reference)


# PyTorch copies the one matrix of a chain into any dtype; geqrf casts, though qr does not.
STRICTER = {"chain_matmul": {*KINDS} - {"float64"}, "geqrf": {"float32", "complex128"}}


@pytest.mark.parametrize("path", PATHS)
def test_gradients_are_not_lost(path):
    """A result that would require grad, and an output that does, are refused, as by PyTorch."""
    for sample, drawn, result in list(answers(path))[:2]:
        plain, _ = attempt(tg, path, sample, drawn, grad=True)
        out = like(tg, result)
        mine, _ = attempt(tg, path, sample, drawn, grad=True, out=out)
        reference, _ = attempt(torch, path, sample, drawn, grad=True, out=like(torch, result))
        if any(t.requires_grad for t in outputs_of(plain)):
            assert isinstance(mine, RuntimeError)
            assert "don't support automatic differentiation" in str(mine)
            with tg.no_grad():
                mine, _ = attempt(tg, path, sample, drawn, grad=True, out=out)
            assert not isinstance(mine, Exception), mine
            assert not any(t.requires_grad for t in outputs_of(out))
        elif isinstance(reference, RuntimeError):
            assert isinstance(mine, RuntimeError), reference


# --- Which functions ------------------------------------------------------------------------------


def test_the_functions_are_pytorchs():
    theirs = set()
    for place in PLACES:
        space = importlib.import_module(f"torch.{place}" if place else "torch")
        ours = importlib.import_module(f"tensorgrad.{place}" if place else "tensorgrad")
        for name in signatures.callables(space):
            if not hasattr(ours, name) or isinstance(getattr(space, name), type):
                continue
            path = f"{place}.{name}" if place else name
            if any("out" in s.parameters for s in signatures.signatures(space, name)):
                theirs.add(path)
    # Of these the stubs and docstrings do not tell the arguments.
    assert theirs ^ OUT == {"linalg.lu_factor", "lu"}


CREATING = [
    ("zeros", (2, 3)), ("ones", (2, 3)), ("full", ((2, 3), 1.5)), ("eye", (3,)), ("arange", (5,)),
    ("linspace", (0, 1, 5)), ("logspace", (0, 1, 5)), ("range", (0, 4)), ("empty", (2, 3)),
    ("rand", (2, 3)), ("randn", (2, 3)), ("randint", (5, (2, 3))), ("randperm", (5,)),
    ("fft.fftfreq", (5,)), ("fft.rfftfreq", (5,)),
]  # fmt: skip


@pytest.mark.parametrize(("path", "args"), CREATING)
@pytest.mark.parametrize("kind", KINDS)
def test_creating(path, args, kind):
    """Tensors are made in the dtype of out."""
    if path.startswith("randint") and kind == "bool":
        args = (2, (2, 3))
    reference = theirs = torch.empty(0, dtype=getattr(torch, kind))
    out = tg.empty(0, dtype=getattr(tg, kind))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            reference = find(torch, path)(*args, out=theirs)
        except (RuntimeError, NotImplementedError):
            return
        assert find(tg, path)(*args, out=out) is out
    assert reference is theirs
    compare(path, out, theirs)
    wrong = next(k for k in KINDS[:2] if k != kind)
    if "fft" not in path:
        with pytest.raises(RuntimeError, match="does not match dtype of out"):
            find(tg, path)(*args, out=out, dtype=getattr(tg, wrong))


# --- Outputs of all kinds -------------------------------------------------------------------------


def test_out_is_the_input_or_overlaps_it():
    x = tg.arange(6.0)
    before = x.numpy().copy()
    assert tg.exp(x, out=x) is x
    np.testing.assert_allclose(x.numpy(), np.exp(before), rtol=1e-6)
    x = tg.arange(6.0)
    tg.mul(x[:-1], 2, out=x[1:])
    assert x.tolist() == [0, 0, 2, 4, 6, 8]
    x = tg.arange(9.0).reshape(3, 3)
    tg.transpose_copy(x, 0, 1, out=x)
    assert x.tolist() == [[0, 3, 6], [1, 4, 7], [2, 5, 8]]
    x = tg.arange(4.0).reshape(2, 2)
    tg.unbind_copy(x, out=(x[1], x[0]))
    assert x.tolist() == [[2, 3], [0, 1]]
    x = tg.arange(6.0).reshape(2, 3)
    tg.matmul(x, tg.eye(3), out=x)
    assert x.tolist() == [[0, 1, 2], [3, 4, 5]]


def test_out_may_be_a_view():
    for library in (tg, torch):
        base = library.zeros(3, 4)
        library.sum(library.ones(2, 3), 0, out=base[:, 1])
        assert base.tolist() == [[0, 2, 0, 0]] * 3
        base = library.zeros(2, 3)
        library.add(library.ones(3, 2), 1, out=base.T)
        assert base.tolist() == [[2, 2, 2]] * 2


def test_a_write_is_counted():
    """Backward notices that a saved tensor was written."""
    for library in (tg, torch):
        x = library.ones(3, requires_grad=True)
        saved = x * 2
        loss = (saved * saved).sum()
        with library.no_grad():
            library.exp(x, out=saved)
        with pytest.raises(RuntimeError, match="modified by an inplace operation"):
            loss.backward()


def test_leaves_under_no_grad():
    for library in (tg, torch):
        weight = library.ones(3, requires_grad=True)
        with pytest.raises(RuntimeError, match="automatic differentiation"):
            library.add(library.ones(3), 1, out=weight)
        with library.no_grad():
            assert library.add(weight, 1, out=weight) is weight
        assert weight.requires_grad
        assert weight.tolist() == [2, 2, 2]
        assert weight.is_leaf


@pytest.mark.parametrize(
    ("error", "call"),
    [
        (TypeError, lambda lib, x: lib.exp(x, out=3)),
        (TypeError, lambda lib, x: lib.exp(x, out=(x,))),
        (TypeError, lambda lib, x: lib.max(x, 0, out=x)),
        (TypeError, lambda lib, x: lib.max(x, 0, out=(x,))),
        (TypeError, lambda lib, x: lib.sort(x, out=(x, x, x))),
        (TypeError, lambda lib, x: lib.relu(x, out=x)),
        (TypeError, lambda lib, x: x.exp(out=x)),
        (RuntimeError, lambda lib, x: lib.max(x, 0, out=(lib.zeros(0), lib.zeros(0)))),
        (RuntimeError, lambda lib, x: lib.exp(x, out=lib.zeros(1).expand(2, 3))),
        (RuntimeError, lambda lib, x: lib.mul(x, 1j, out=lib.zeros(2, 3))),
        (RuntimeError, lambda lib, x: lib.multinomial(x, 2, out=lib.zeros(2, 2))),
    ],
)
def test_refused(error, call):
    for library in (tg, torch):
        with pytest.raises(error):
            call(library, library.ones(2, 3))


def test_refused_under_vmap():
    for library in (tg, torch):
        with pytest.raises(RuntimeError, match="out="):
            library.func.vmap(lambda x, lib=library: lib.exp(x, out=lib.zeros(3)))(
                library.ones(2, 3)
            )


def test_none_is_no_output():
    assert tg.exp(tg.zeros(2), out=None).tolist() == [1, 1]


def test_several_outputs_keep_their_names():
    x = tg.tensor([[3.0, 1.0, 2.0]])
    values, indices = tg.empty(0), tg.empty(0, dtype=tg.int64)
    found = tg.sort(x, out=(values, indices))
    assert found.values is values
    assert found.indices is indices
    assert values.tolist() == [[1, 2, 3]]
    assert indices.tolist() == [[1, 2, 0]]


def test_numpys_names_beside_out():
    out = tg.empty(0)
    assert tg.sum(tg.ones(2, 3), axis=0, keepdims=True, out=out) is out
    assert out.tolist() == [[2, 2, 2]]
