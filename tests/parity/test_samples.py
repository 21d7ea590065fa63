"""Every row of the samples table beside PyTorch: values, gradients, dtypes."""

import functools
import warnings

import numpy as np
import pytest
import torch
from samples import FUNCTIONS, LAYERS
from sampling import Call, every_case, find, leaf, numbered, outputs_of

import tensorgrad as tg

COMPARED = [s for s in FUNCTIONS if s.counterpart is not None]
EXACT = {"rtol": 1e-10, "atol": 1e-10}


def torch_leaf(array, requires_grad):
    # A copy of a 0-d array would be a scalar, which from_numpy does not take.
    return torch.from_numpy(np.array(array, order="C")).requires_grad_(requires_grad)


def theirs(sample):
    """PyTorch's function, without its warnings; a row's own way of calling applies to it too."""
    function = find(torch, sample.counterpart)
    if sample.call is not None:
        function = functools.partial(sample.call, function)

    def quiet(*args, **params):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return function(*args, **params)

    return quiet


def pair(sample, number, ours=leaf, other=torch_leaf):
    drawn = sample.draw(number)
    return Call(drawn, ours, library=tg), Call(drawn, other, library=torch)


def compare(ours, other, **tolerance):
    """Two results: tensors by shape, dtype and values, anything else by equality."""
    ours, other = outputs_of(ours), outputs_of(other)
    assert len(ours) == len(other)
    for a, b in zip(ours, other, strict=True):
        if isinstance(b, torch.dtype):
            a, b = a.name, str(b).removeprefix("torch.")
        if not isinstance(b, torch.Tensor):
            assert a == b
            continue
        assert isinstance(a, tg.Tensor)
        assert tuple(a.shape) == tuple(b.shape)
        assert a.dtype.name == str(b.dtype).removeprefix("torch.")
        np.testing.assert_allclose(
            a.detach().numpy(), b.detach().resolve_conj().numpy(), equal_nan=True, **tolerance
        )


def tensors(result, library):
    return [t for t in outputs_of(result) if isinstance(t, library.Tensor)]


def gradients(library, make, outputs, leaves):
    """Gradients for the same random weights of the outputs, zeros where there are none."""
    rng = np.random.default_rng(0)
    seeds = []
    for t in outputs:
        seed = rng.standard_normal(tuple(t.shape))
        if t.is_complex():
            seed = seed + 1j * rng.standard_normal(tuple(t.shape))
        seeds.append(make(np.asarray(seed), False).to(t.dtype))
    kept = [(t, s) for t, s in zip(outputs, seeds, strict=True) if t.requires_grad]
    found = library.autograd.grad(
        [t for t, _ in kept], leaves, [s for _, s in kept], allow_unused=True
    )
    return [
        np.zeros(tuple(x.shape)) if g is None else g.detach().numpy(force=True)
        for g, x in zip(found, leaves, strict=True)
    ]


@pytest.mark.parametrize(("sample", "number"), numbered(COMPARED))
def test_values_and_gradients(sample, number):
    ours, other = pair(sample, number)
    mine, reference = ours.run(sample.function()), other.run(theirs(sample))
    single = any(t.dtype == torch.float32 for t in tensors(reference, torch))
    single = single or "single" in sample.differs
    exact = {"rtol": 1e-8} if "precision" in sample.differs else EXACT
    compare(mine, reference, **({"rtol": 1e-5, "atol": 1e-6} if single else exact))
    a, b = tensors(mine, tg), tensors(reference, torch)
    assert [t.requires_grad for t in a] == [t.requires_grad for t in b]
    if "gradient" in sample.differs:
        with pytest.raises(RuntimeError, match="not implemented"):
            gradients(torch, torch_leaf, b, other.leaves)
        return
    if any(t.requires_grad for t in b):
        pairs = zip(
            gradients(tg, leaf, a, ours.leaves),
            gradients(torch, torch_leaf, b, other.leaves),
            strict=True,
        )
        for got, expected in pairs:
            np.testing.assert_allclose(got, expected, **({"rtol": 1e-5} if single else exact))


# --- Dtypes ---------------------------------------------------------------------------------------

KINDS = ("float32", "int64", "int32", "bool")


def converted(make, kind):
    """Real inputs as another dtype; what is an index or a condition stays what it is."""

    def made(array, _):
        if array.dtype.kind == "f":
            array = np.rint(array * 3) if kind.startswith("int") else array
            array = array > 0 if kind == "bool" else array
            return make(np.asarray(array).astype(kind), False)
        return make(array, False)

    return made


def outcome(call, function):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return call.run(function)
        except Exception as error:
            return error


def same_family(ours, other):
    return isinstance(ours, type(other)) or isinstance(other, type(ours))


def agree(mine, reference):
    """Whether two outcomes are the same: results alike, or errors of one family.

    "not implemented for 'Bool'" says that PyTorch has no kernel, not that the call is wrong:
    tensorgrad may have one.
    """
    if isinstance(reference, NotImplementedError) and "not implemented for" in str(reference):
        return
    if isinstance(reference, Exception):
        assert isinstance(mine, Exception), f"PyTorch raises {reference!r:.200}"
        assert same_family(mine, reference), f"{mine!r:.200} instead of {reference!r:.200}"
        return
    if isinstance(mine, Exception):
        raise AssertionError("PyTorch accepts it") from mine
    compare(mine, reference, rtol=1e-5, atol=1e-6)


@every_case(COMPARED)
@pytest.mark.parametrize("kind", KINDS)
def test_dtypes(sample, number, kind):
    ours, other = pair(sample, number, converted(leaf, kind), converted(torch_leaf, kind))
    if any(t.numel() == 0 for t in ours.tensors):
        return  # PyTorch returns before it looks for a kernel
    mine, reference = outcome(ours, sample.function()), outcome(other, theirs(sample))
    if kind in sample.differs:
        try:
            agree(mine, reference)
        except AssertionError:
            return
        # Not every case of a row need differ, but one must.
        if number == 0:
            pytest.fail(f"{sample.path} is as in PyTorch for {kind}: {sample.differs[kind]}")
        return
    agree(mine, reference)


# --- Layers ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("layer", "mode"), [pytest.param(x, m, id=f"{x.name}-{m}") for x in LAYERS for m in x.compared]
)
def test_layers(layer, mode):
    """Every call in turn, so that running statistics are compared as well; weights both ways."""
    ours = layer.module().train(mode == "train")
    made = Call(layer.draw_made(), torch_leaf, library=torch)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        other = made.run(getattr(torch.nn, layer.name)).double()
        if hasattr(other, "has_uninitialized_params"):
            Call(layer.draw(0), torch_leaf, library=torch).run(other.eval())
    other.train(mode == "train")
    other.load_state_dict({k: torch_leaf(v.numpy(), False) for k, v in ours.state_dict().items()})
    for number in range(len(layer.cases)):
        drawn = layer.draw(number)
        mine, reference = Call(drawn, leaf, library=tg), Call(drawn, torch_leaf, library=torch)
        a = mine.run(ours)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            b = reference.run(other)
        compare(a, b, **EXACT)
        got = gradients(tg, leaf, tensors(a, tg), [*mine.leaves, *ours.parameters()])
        expected = gradients(
            torch, torch_leaf, tensors(b, torch), [*reference.leaves, *other.parameters()]
        )
        for g, e in zip(got, expected, strict=True):
            np.testing.assert_allclose(g, e, **EXACT)
    state = other.state_dict()
    assert list(ours.state_dict()) == list(state)
    for name, value in ours.state_dict().items():
        np.testing.assert_allclose(value.numpy(), state[name].numpy(), err_msg=name, **EXACT)
    assert repr(ours) == repr(other)
    # PyTorch's weights and buffers, drawn anew, load here and give the same results.
    rng = np.random.default_rng(1)
    moved = {
        k: torch.from_numpy(np.asarray(v.numpy() + 0.1 * rng.random(v.shape), v.numpy().dtype))
        for k, v in state.items()
    }
    other.load_state_dict(moved)
    ours.load_state_dict({k: leaf(v.numpy(), False) for k, v in moved.items()})
    for number in range(len(layer.cases)):
        drawn = layer.draw(number)
        mine, reference = Call(drawn, leaf, library=tg), Call(drawn, torch_leaf, library=torch)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compare(mine.run(ours), reference.run(other), **EXACT)
