"""NumPy's functions called with Tensors: values as NumPy's, recorded, or refused clearly."""

import inspect
import io

import numpy as np
import pytest
from numpy_dispatch.rows import ARGUMENTS, PLAIN, SMOOTH, WRITE

import tensorgrad as tg
from tensorgrad.numpy_dispatch import FUNCTIONS
from tensorgrad.numpy_dispatch.table import name_of


def rows(table):
    return [
        pytest.param(call, id=f"{name}-{i}")
        for name, calls in table.items()
        for i, call in enumerate(calls)
    ]


def arguments(call, made):
    return [made(ARGUMENTS[name]) for name in inspect.signature(call).parameters]


def leaf(array):
    return tg.tensor(array, requires_grad=array.dtype.kind in "fc")


def parts(value):
    return list(value) if isinstance(value, (list, tuple)) else [value]


def check(ours, theirs):
    assert len(parts(ours)) == len(parts(theirs))
    for got, wanted in zip(parts(ours), parts(theirs), strict=True):
        if isinstance(wanted, (np.ndarray, np.number, np.bool_)):
            assert isinstance(got, tg.Tensor)
            assert got.shape == np.shape(wanted)
            assert got._array.dtype == wanted.dtype
            np.testing.assert_allclose(got.detach(), wanted, rtol=1e-12, atol=1e-13)
        else:
            assert got == wanted


@pytest.mark.parametrize("call", rows(SMOOTH))
def test_values_and_gradients(call):
    with np.errstate(all="ignore"):
        wanted = call(*arguments(call, np.array))
    inputs = arguments(call, leaf)
    ours = call(*inputs)
    check(ours, wanted)
    assert all(part.grad_fn is not None for part in parts(ours) if part.is_floating_point())
    if not any(np.isnan(x.detach()).any() for x in inputs):
        assert tg.gradcheck(call, tuple(inputs))


@pytest.mark.parametrize("call", rows({n: c for n, c in SMOOTH.items() if n.startswith("nan")}))
def test_gradients_pass_by_nan(call):
    x = leaf(ARGUMENTS["n"])
    if "n" in inspect.signature(call).parameters:
        sum(part.sum() for part in parts(call(x))).backward()
        there = ~np.isnan(ARGUMENTS["n"])
        assert np.isfinite(x.grad.numpy()[there]).all()
        assert (x.grad.numpy()[~there] == 0).all()


@pytest.mark.filterwarnings("ignore:numpy.fix is deprecated:DeprecationWarning")  # by NumPy 2.5
@pytest.mark.parametrize("call", rows(PLAIN))
def test_values_without_gradients(call):
    check(call(*arguments(call, leaf)), call(*arguments(call, np.array)))


def test_every_function_has_a_row():
    names = {name_of(f).removeprefix("np.") for f in FUNCTIONS}
    listed = set(SMOOTH) | set(PLAIN) | WRITE
    aliases = {"amax": "max", "amin": "min", "around": "round", "permute_dims": "transpose"}
    assert {aliases.get(n, n) for n in names} == {aliases.get(n, n) for n in listed}


def test_none_converts_silently():
    from numpy.testing.overrides import get_overridable_numpy_array_functions

    x = tg.ones(3, requires_grad=True)
    for function in get_overridable_numpy_array_functions() - set(FUNCTIONS):
        with pytest.raises(TypeError, match=r"no tensorgrad equivalent.*x\.detach\(\)\.numpy\(\)"):
            x.__array_function__(function, (tg.Tensor,), (x,), {})
    with pytest.raises(TypeError, match=r"np\.polyfit has no tensorgrad equivalent"):
        np.polyfit(x, x, 1)


@pytest.mark.parametrize(
    "call",
    [
        lambda x: np.sum(x, out=np.zeros(())),
        lambda x: np.sum(x, where=np.array([True, False, True])),
        lambda x: np.sum(x, initial=2.0),
        lambda x: np.mean(x, where=False),
        lambda x: np.concatenate([x, x], out=np.zeros(6)),
        lambda x: np.reshape(x, (3, 1), order="F"),
        lambda x: np.sort(x, order="a"),
        lambda x: np.quantile(x, 0.5, method="weibull"),
        lambda x: np.pad(x, 1, mode="linear_ramp"),
        lambda x: np.einsum("i->", x, casting="unsafe"),
        lambda x: np.nan_to_num(x, copy=False),
    ],
)
def test_arguments_are_honoured_or_refused(call):
    with pytest.raises(TypeError, match=r"not supported|must be one of"):
        call(tg.ones(3))


def test_whole_numbers_become_floats():
    i = tg.tensor([1, 2, 4])
    assert np.mean(i).dtype == tg.float32
    assert np.std(i).dtype == tg.float32
    assert np.linalg.norm(i).dtype == tg.float32
    assert np.median(i).item() == 2
    assert np.sum(i).dtype == tg.int64
    assert np.max(i).dtype == tg.int64


def test_files():
    x = tg.arange(3.0)
    for save in (np.save, lambda f, t: np.savetxt(f, t)):
        save(io.BytesIO(), x)
        with pytest.raises(RuntimeError, match=r"Use tensor\.detach\(\)\.numpy\(\)"):
            save(io.BytesIO(), x.requires_grad_())
        x.requires_grad_(False)
    held = io.BytesIO()
    np.savez(held, a=x)
    held.seek(0)
    assert np.load(held)["a"].tolist() == [0, 1, 2]
    np.savez_compressed(io.BytesIO(), x)


def test_copyto():
    x, array = tg.zeros(3), np.zeros(3)
    np.copyto(x, np.ones(3, np.float32))
    np.copyto(array, x)
    assert array.tolist() == [1, 1, 1]
    with pytest.raises(TypeError, match="cannot cast"):
        np.copyto(tg.zeros(3, dtype=tg.int64), tg.ones(3))
    with pytest.raises(RuntimeError, match="detach"):
        np.copyto(array, tg.ones(3, requires_grad=True))


def test_another_librarys_arrays_decide_for_themselves():
    class Other:
        def __array_function__(self, func, types, args, kwargs):
            return "other"

        def __array_ufunc__(self, ufunc, method, *inputs, **kwargs):
            return "other"

    assert np.concatenate([tg.ones(2), Other()]) == "other"
    assert np.add(tg.ones(2), Other()) == "other"
    with pytest.raises(TypeError):
        np.add(tg.ones(2), "text")


def test_masks_are_not_lost():
    masked = np.ma.masked_array([1.0, 2.0], [False, True])
    for call in (np.add, np.dot, lambda a, b: np.stack([a, b])):
        with pytest.raises(TypeError, match="lose the mask"):
            call(tg.ones(2), masked)


def test_the_node_is_the_users_line():
    x = tg.ones(2, requires_grad=True)
    for y in (np.exp(x), np.sum(x), np.ones(2) + x, tg.array_api.sum(x)):
        assert y.grad_fn.location.filename == __file__


def test_subclasses():
    from tensorgrad.nn import Parameter

    p = Parameter(tg.ones(2))
    assert np.sum(p).grad_fn is not None
    assert np.exp(p).grad_fn is not None


def test_vmap_and_higher_orders():
    x = tg.tensor([0.3, 0.7], dtype=tg.float64)
    assert tg.gradgradcheck(lambda t: np.sum(np.exp(t) * np.sin(t)), x.requires_grad_())
    rows = tg.arange(6.0).reshape(3, 2)
    assert tg.func.vmap(lambda t: np.sum(np.exp(t)))(rows).shape == (3,)
