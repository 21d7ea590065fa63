"""The namespace itself: names, signatures, creation, data types, inspection, what is recorded."""

import inspect

import array_api_strict
import numpy as np
import pytest
from array_api.strict import DTYPES, Typed, arrays, checked, compare, st
from hypothesis import given

import tensorgrad as tg
from tensorgrad import array_api as xp

# Of a later version of the standard, or strict's own.
NOT_OF_2024 = {"broadcast_shapes", "isin", "Device", "__version__"}


@pytest.fixture
def float64():
    tg.set_default_dtype(tg.float64)  # strict's default
    yield
    tg.set_default_dtype(tg.float32)


def test_every_name_is_there():
    names = {n for n in array_api_strict.__all__ if "flags" not in n.lower()} - NOT_OF_2024
    assert names <= set(xp.__all__)
    assert set(array_api_strict.linalg.__all__) <= set(xp.linalg.__all__)
    assert set(array_api_strict.fft.__all__) <= set(xp.fft.__all__)
    assert all(hasattr(xp, name) for name in xp.__all__)


def functions():
    for where in ("", "linalg", "fft"):
        theirs = getattr(array_api_strict, where) if where else array_api_strict
        mine = getattr(xp, where) if where else xp
        for name in theirs.__all__:
            function = getattr(theirs, name)
            if name not in NOT_OF_2024 and inspect.isfunction(function) and "flags" not in name:
                yield pytest.param(getattr(mine, name), function, id=f"{where}.{name}")


@pytest.mark.parametrize(("mine", "theirs"), list(functions()))
def test_arguments_are_the_standards(mine, theirs):
    def listed(function):
        found = inspect.signature(function).parameters.values()
        return {p.name: (p.kind, "default" if p.default is not p.empty else None) for p in found}

    have, wanted = listed(mine), listed(theirs)
    if mine.__name__ == "expand_dims":  # the standard's default 0, which strict does not have
        wanted["axis"] = (wanted["axis"][0], "default")
    assert have == wanted


def test_the_namespace_of_a_tensor():
    x = tg.ones(2)
    assert x.__array_namespace__() is xp
    assert x.__array_namespace__(api_version="2024.12") is xp
    assert x.__array_namespace__(api_version="2022.12") is xp
    with pytest.raises(ValueError, match=r"2099\.01"):
        x.__array_namespace__(api_version="2099.01")
    assert xp.__array_api_version__ == "2024.12"
    assert (xp.e, xp.pi, xp.inf, xp.newaxis) == (np.e, np.pi, np.inf, None)
    assert np.isnan(xp.nan)


def test_inspection():
    info = xp.__array_namespace_info__()
    assert info.capabilities() == {
        "boolean indexing": True, "data-dependent shapes": True, "max dimensions": 64,
    }  # fmt: skip
    assert tg.zeros((1,) * 64).ndim == 64
    assert info.default_device() == tg.device("cpu")
    assert info.devices() == [tg.device("cpu")]
    assert info.default_dtypes() == {
        "real floating": tg.float32, "complex floating": tg.complex64, "integral": tg.int64,
        "indexing": tg.int64,
    }  # fmt: skip
    everything = info.dtypes()
    assert set(everything) == {name for kind in DTYPES.values() for name in kind}
    assert info.dtypes(kind="signed integer").keys() == {"int8", "int16", "int32", "int64"}
    assert info.dtypes(kind=("bool", "complex floating")).keys() == {
        "bool", "complex64", "complex128",
    }  # fmt: skip
    with pytest.raises(ValueError, match="unknown kind"):
        info.dtypes(kind="decimal")
    with pytest.raises(RuntimeError, match="not available"):
        info.dtypes(device="cuda")


ALL_TYPES = [name for kind in DTYPES.values() for name in kind]
values = st.sampled_from([0, 1, 3, 2.5, True, 1 + 2j])
type_names = st.sampled_from(ALL_TYPES).map(Typed)


@checked
@given(st.lists(st.one_of(type_names, arrays(), values), min_size=1, max_size=3))
def test_result_type(items):
    compare("result_type", items)


@checked
@given(arrays(), type_names, st.booleans())
def test_astype(x, dtype, copy):
    finite = np.where(np.isfinite(x), x, 1).astype(x.dtype)
    if finite.dtype.kind in "fc" and dtype.name[0] in "iu":
        finite = np.abs(np.clip(finite.real, 0, 9)).astype(x.real.dtype)  # others are undefined
    compare("astype", [finite, dtype], {"copy": copy})


@checked
@given(st.one_of(type_names, arrays()), type_names)
def test_can_cast_and_isdtype(source, target):
    # Within what promotion defines; strict answers for other pairs as NumPy does.
    name = source.name if isinstance(source, Typed) else str(source.dtype)
    try:
        array_api_strict.result_type(
            getattr(array_api_strict, name), getattr(array_api_strict, target.name)
        )
    except TypeError:
        assert not xp.can_cast(getattr(xp, name), getattr(xp, target.name))
    else:
        compare("can_cast", [source, target])
    for kind in ("bool", "integral", "numeric", "real floating", ("bool", "signed integer")):
        compare("isdtype", [Typed(name), kind])
    compare("isdtype", [Typed(name), target])


@pytest.mark.parametrize("name", ALL_TYPES)
def test_limits(name):
    kind = np.dtype(name).kind
    function = "finfo" if kind in "fc" else "iinfo"
    if kind == "b":
        with pytest.raises(TypeError, match="not an integer type"):
            xp.iinfo(xp.bool)
        return
    for of in ("dtype", "array"):
        mine, theirs = (
            getattr(n, function)(d if of == "dtype" else n.ones(2, dtype=d))
            for n, d in ((n, getattr(n, name)) for n in (xp, array_api_strict))
        )
        for field in ("bits", "max", "min", *(("eps", "smallest_normal") if kind in "fc" else ())):
            assert getattr(mine, field) == getattr(theirs, field)
            assert type(getattr(mine, field)) is type(getattr(theirs, field))
        assert mine.dtype.name == str(theirs.dtype).rpartition(".")[2]


def test_creation(float64):
    def each(name, *args, **words):
        for dtype in (None, *map(Typed, ALL_TYPES)):
            typed = words if dtype is None else {**words, "dtype": dtype}
            compare(name, args, typed)

    for shape in (0, 3, (), (2, 3), (0, 2)):
        each("zeros", shape)
        each("ones", shape)
    for value in (True, 3, 2.5, 1 + 1j):
        compare("full", [(2, 2), value])
        compare("asarray", [value])
        compare("asarray", [[[value, value]]])
    each("full", (2,), 1)
    each("eye", 3)
    each("eye", 2, 4, k=1)
    each("eye", 2, None, k=-1)
    for x in (np.ones((2, 3), np.int16), np.zeros((0,), np.complex64)):
        each("zeros_like", x)
        each("ones_like", x)
        each("full_like", x, 1)
    for args in [(5,), (1, 5), (5, 1), (0, 1, 0.25), (0, -3, -1), (2, 9, 3), (1.5, 4)]:
        for dtype in (None, "int32", "float32", "float64"):
            if dtype != "int32" or all(isinstance(a, int) for a in args):
                compare("arange", args, {} if dtype is None else {"dtype": Typed(dtype)}, close=4)
    for args in [(0, 1, 5), (3, -2, 4), (0, 1, 1), (0, 1, 0), (0j, 1 + 1j, 3)]:
        for endpoint in (True, False):
            compare("linspace", args, {"endpoint": endpoint}, close=4)
    compare("linspace", [0, 4, 5], {"dtype": Typed("complex64")})
    for name in ("empty", "empty_like"):
        compare(name, [np.ones((2, 3), np.int8)] if name == "empty_like" else [(2, 3)],
                ours=lambda *a, n=name: getattr(xp, n)(*a) * 0,
                theirs=lambda *a, n=name: getattr(array_api_strict, n)(*a) * 0)  # fmt: skip
    for indexing in ("xy", "ij"):
        for count in range(4):
            lines = [np.arange(n + 1.0) for n in range(count)]
            compare("meshgrid", lines, {"indexing": indexing})
    compare("meshgrid", [np.arange(2), np.arange(3.0)])


@checked
@given(arrays(), st.integers(-3, 3))
def test_triangles(x, k):
    compare("tril", [x], {"k": k})
    compare("triu", [x], {"k": k})


def test_asarray_shares_and_copies():
    data = np.arange(3.0)
    shared = xp.asarray(data)
    data[0] = 7
    assert shared[0] == 7
    assert xp.asarray(data, copy=True).data_ptr() != shared.data_ptr()
    x = tg.ones(2, requires_grad=True)
    assert xp.asarray(x) is x
    assert xp.asarray(x, copy=True).grad_fn is not None
    assert xp.asarray(x, dtype=xp.float64).grad_fn is not None
    for value in ([1, 2], 3.0, range(2)):
        with pytest.raises(ValueError, match="without a copy"):
            xp.asarray(value, copy=False)
    with pytest.raises(ValueError, match="without a copy"):
        xp.asarray(x, dtype=xp.float64, copy=False)
    assert xp.asarray(memoryview(b"abc")).dtype == xp.uint8
    with pytest.raises(RuntimeError, match="not available"):
        xp.asarray(1, device="cuda")


def test_reshape_without_a_copy():
    x = xp.asarray(np.arange(6.0).reshape(2, 3))
    assert xp.reshape(x, (3, 2), copy=False).data_ptr() == x.data_ptr()
    assert xp.reshape(x, (3, 2), copy=True).data_ptr() != x.data_ptr()
    with pytest.raises(ValueError, match="without a copy"):
        xp.reshape(xp.matrix_transpose(x), (6,), copy=False)


def test_what_is_not_a_tensor_is_refused():
    for bad in (np.ones(2), [1.0], 3.0, None):
        with pytest.raises(TypeError, match="expected a Tensor"):
            xp.exp(bad)
    with pytest.raises(TypeError, match="at least one argument must be an array"):
        xp.add(1, 2)
    with pytest.raises(TypeError, match="cannot be combined"):
        xp.add(tg.ones(2), tg.ones(2, dtype=tg.int64))
    with pytest.raises(TypeError):
        xp.exp(x=tg.ones(2))


def test_dimensions_do_not_decide_the_type():
    # As tensors, a 0-d array would have no say: PyTorch's promotion.
    narrow, wide = tg.ones(2, dtype=tg.float32), tg.ones((), dtype=tg.float64)
    assert xp.add(narrow, wide).dtype == tg.float64
    assert (narrow + wide).dtype == tg.float32


RECORDED = {
    "abs": lambda x: xp.abs(x), "add": lambda x: xp.add(x, 1), "pow": lambda x: xp.pow(x, 2.5),
    "clip": lambda x: xp.clip(x, min=1.2, max=xp.asarray([2.0, 2.0, 2.0], dtype=xp.float64)),
    "sum": lambda x: xp.sum(x, axis=-1), "std": lambda x: xp.std(x, correction=1),
    "max": lambda x: xp.max(x, axis=0), "cumulative_sum": lambda x: xp.cumulative_sum(x, axis=1),
    "cumulative_prod": lambda x: xp.cumulative_prod(x, axis=1, include_initial=True),
    "diff": lambda x: xp.diff(x), "concat": lambda x: xp.concat([x, x], axis=None),
    "stack": lambda x: xp.stack([x, x], axis=1), "unstack": lambda x: xp.unstack(x)[0],
    "reshape": lambda x: xp.reshape(x, (3, 2), copy=True), "repeat": lambda x: xp.repeat(x, 2),
    "tile": lambda x: xp.tile(x, (2, 1)), "roll": lambda x: xp.roll(x, 1),
    "where": lambda x: xp.where(x > 2, x, 0.0), "sort": lambda x: xp.sort(x, descending=True),
    "take": lambda x: xp.take(x, xp.asarray([0, 0]), axis=1),
    "take_along_axis": lambda x: xp.take_along_axis(x, xp.asarray([[-1], [0]])),
    "unique_all": lambda x: xp.unique_all(x).values, "tril": lambda x: xp.tril(x),
    "matmul": lambda x: xp.matmul(x, xp.matrix_transpose(x)),
    "astype": lambda x: xp.astype(x, xp.complex128),
    "tensordot": lambda x: xp.tensordot(x, x, axes=2), "vecdot": lambda x: xp.vecdot(x, x),
    "vector_norm": lambda x: xp.linalg.vector_norm(x, ord=3), "rfft": lambda x: xp.fft.rfft(x),
    "trace": lambda x: xp.linalg.trace(x), "meshgrid": lambda x: xp.meshgrid(x[0], x[1])[0],
    "svdvals": lambda x: xp.linalg.svdvals(x), "from": lambda x: xp.expand_dims(xp.flip(x), axis=0),
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(RECORDED))
def test_what_can_be_differentiated_is_recorded(name):
    x = tg.tensor([[1.1, 2.3, 3.7], [2.9, 0.6, 1.9]], dtype=tg.float64, requires_grad=True)
    assert RECORDED[name](x).grad_fn is not None
    assert tg.gradcheck(RECORDED[name], x)


def test_operators_of_the_standard():
    x = tg.tensor([5, 6], dtype=tg.int32)
    assert (x << 1).tolist() == [10, 12]
    assert (1 << x).tolist() == [32, 64]
    assert (x >> 1).tolist() == [2, 3]
    assert (200 >> x).tolist() == [6, 3]
    assert (x << x).dtype == tg.int32
    with pytest.raises(TypeError):
        x << "a"
    assert x.to_device("cpu") is x
    with pytest.raises(ValueError, match="stream"):
        x.to_device("cpu", stream=1)
    with pytest.raises(RuntimeError, match="not available"):
        x.to_device("cuda")
