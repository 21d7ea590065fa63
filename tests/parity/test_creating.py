"""new_*, the old tensor types, limits of dtypes, and what a tensor says it is, beside PyTorch's."""

import numpy as np
import pytest
import torch

import tensorgrad as tg

LIBRARIES = (tg, torch)
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")  # what PyTorch deprecates


def outcome(library, call):
    try:
        return call(library)
    except Exception as error:
        return error


def plain(result, library):
    """Something that can be compared across the libraries."""
    if isinstance(result, Exception):
        return "refused"
    if isinstance(result, library.Tensor):
        return (
            tuple(result.shape), str(result.dtype).rpartition(".")[2], result.requires_grad,
            result.tolist(),
        )  # fmt: skip
    if isinstance(result, (library.dtype, str)):
        return str(result).replace("torch.", "").replace("tensorgrad.", "")
    if isinstance(result, tuple):
        return tuple(result)
    return result


def kinds(t):
    return [t.ones(2, 3), t.ones(2, dtype=t.float64), t.ones(2, dtype=t.int64)]


CALLS = [
    *(lambda t, i=i, data=data, kw=kw: kinds(t)[i].new_tensor(data, **kw)
      for i in range(3) for data in ([1, 2], [[1.5], [2.5]], 3, True, np.ones(2))
      for kw in ({}, {"requires_grad": True})),
    lambda t: t.ones(2).new_tensor([1, 2], dtype=t.int32, device="cpu"),
    lambda t: t.ones(2).new_tensor([1, 2], device="cuda"),
    *(lambda t, name=name, i=i: getattr(kinds(t)[i], name)(2, 3)
      for name in ("new_zeros", "new_ones") for i in range(3)),
    lambda t: t.ones(2).new_zeros((2, 3), dtype=t.int32),
    lambda t: t.ones(2).new_zeros([2], requires_grad=True, layout=t.strided),
    lambda t: t.ones(2).new_zeros(size=(2, 1)),
    lambda t: t.ones(2).new_ones(t.Size([2])),
    lambda t: t.ones(2).new_zeros(-1),
    lambda t: t.ones(2).new_full((2,), 3),
    lambda t: t.tensor([1]).new_full((2,), 1.5),
    lambda t: t.ones(2).new_full((2,), True),
    lambda t: t.ones(2).new_full((2,), t.tensor(3.0)),
    lambda t: t.ones(2).new_full((), 1, dtype=t.bool),
    lambda t: t.ones(2).new_empty((2, 3)).shape,
    lambda t: t.ones(2, dtype=t.float64).new_empty(2).dtype,
    lambda t: t.ones(2, dtype=t.float64).new([1, 2]),
    lambda t: t.ones(2, dtype=t.float64).new(2, 3).shape,
    lambda t: t.ones(2).new(),
    lambda t: t.ones(2).new(t.ones(2, dtype=t.float64)),
    lambda t: t.ones(2, 3).sum_to_size(1, 3),
    lambda t: t.ones(2, 3).sum_to_size((3,)),
    lambda t: t.ones(2, 3).sum_to_size((1, 1)),
    lambda t: t.ones(2, 3).sum_to_size(2, 3),
    lambda t: t.ones(2, 3).sum_to_size(2),
    lambda t: t.ones(2, 3).sum_to_size(1, 2, 3),
    lambda t: t.ones(2, dtype=t.float64).module_load(t.ones(2)),
    lambda t: t.ones(2, dtype=t.float64).module_load(t.ones(2), assign=True),
    *(lambda t, name=name: getattr(t.tensor([1.7, 2.0]), name)()
      for name in ("byte", "char", "short", "cfloat", "cdouble", "int", "long", "half", "bool")),
    # The old types.
    *(lambda t, name=name: getattr(t, name)([1, 2])
      for name in ("FloatTensor", "DoubleTensor", "HalfTensor", "LongTensor", "IntTensor",
                   "ShortTensor", "CharTensor", "ByteTensor", "BoolTensor")),
    lambda t: t.FloatTensor(2, 3).shape,
    lambda t: t.FloatTensor(t.Size([2, 3])).shape,
    lambda t: t.FloatTensor((2, 3)),
    lambda t: t.FloatTensor(),
    lambda t: t.FloatTensor(np.ones(2)),
    lambda t: t.LongTensor([1.5]),
    lambda t: t.LongTensor(t.ones(2)),
    lambda t: t.LongTensor(t.tensor([1])),
    lambda t: t.ByteTensor([1, 300]),
    lambda t: t.FloatTensor.dtype,
    lambda t: isinstance(t.ones(2), t.FloatTensor),
    lambda t: isinstance(t.ones(2), t.LongTensor),
    lambda t: isinstance(3, t.LongTensor),
    lambda t: t.ones(2).type(t.LongTensor),
    lambda t: t.ones(2).type(f"{t.__name__}.DoubleTensor"),
    lambda t: t.ones(2).type(t.float64),
    lambda t: t.ones(2).type("LongTensor"),
    lambda t: t.ones(2).type("torch.cuda.LongTensor"),
    *(lambda t, name=name: t.zeros(1, dtype=getattr(t, name)).type()
      for name in ("bool", "uint8", "int8", "int16", "int32", "int64", "uint16", "uint32", "uint64",
                   "float16", "float32", "float64", "complex64", "complex128")),
    # Limits.
    *(lambda t, name=name: str(t.finfo(getattr(t, name)))
      for name in ("float16", "float32", "float64", "complex64", "complex128", "int64", "bool")),
    *(lambda t, name=name: str(t.iinfo(getattr(t, name)))
      for name in ("int8", "uint8", "int16", "int32", "int64", "uint16", "uint64", "float32",
                   "bool")),
    *(lambda t, field=field: getattr(t.finfo(t.float32), field)
      for field in ("bits", "eps", "max", "min", "tiny", "smallest_normal", "resolution", "dtype")),
    *(lambda t, field=field: getattr(t.iinfo(t.int16), field)
      for field in ("bits", "max", "min", "dtype")),
    lambda t: str(t.finfo()),
    lambda t: t.finfo("float32"),
    lambda t: t.finfo(t.float32) == t.finfo(t.float32),
    # What a tensor is.
    *(lambda t, name=name: getattr(t.ones(2), name)
      for name in ("is_cpu", "is_cuda", "is_ipu", "is_maia", "is_meta", "is_mkldnn", "is_mps",
                   "is_mtia", "is_nested", "is_quantized", "is_sparse", "is_sparse_csr",
                   "is_vulkan", "is_xla", "is_xpu", "name")),
    *(lambda t, name=name, i=i: getattr(kinds(t)[i], name)()
      for name in ("get_device", "is_signed", "is_conj", "is_neg", "is_shared", "is_pinned",
                   "ndimension", "is_complex", "is_floating_point", "resolve_conj", "resolve_neg")
      for i in range(3)),
    lambda t: str(t.ones(2).layout),
    lambda t: t.ones(2).layout is t.strided and isinstance(t.strided, t.layout),
    lambda t: t.ones(2).is_same_size(t.zeros(2)),
    lambda t: t.ones(2).is_same_size(t.zeros(1)),
    lambda t: t.tensor([3]).is_nonzero(),
    lambda t: t.tensor([0.0]).is_nonzero(),
    lambda t: t.ones(2).is_nonzero(),
    lambda t: t.ones(0).is_nonzero(),
    lambda t: t.ones(2, 3).t().dim_order(),
    lambda t: t.ones(2, 3, 4).permute(1, 2, 0).dim_order(),
    lambda t: t.ones(2, 3).storage().size(),
    lambda t: t.arange(4)[1:].storage().tolist(),
    lambda t: t.arange(4)[1:].untyped_storage().nbytes(),
    lambda t: len(t.ones(3).untyped_storage()),
    lambda t: t.arange(4)[1:3].storage()[3],
    lambda t: t.ones(2).clone(memory_format=t.contiguous_format),
    lambda t: t.empty_like(t.ones(2), memory_format=t.preserve_format).shape,
]  # fmt: skip


@pytest.mark.parametrize("number", range(len(CALLS)))
def test_like_pytorch(number):
    mine, theirs = (outcome(library, CALLS[number]) for library in LIBRARIES)
    assert plain(mine, tg) == plain(theirs, torch), mine


def test_storages_tell_who_shares_memory():
    for library in LIBRARIES:
        x = library.arange(6.0).reshape(2, 3)
        pointer = x.untyped_storage().data_ptr()
        assert x[1].untyped_storage().data_ptr() == pointer
        assert x.t().detach().untyped_storage().data_ptr() == pointer
        assert x.clone().untyped_storage().data_ptr() != pointer
        assert x.storage().data_ptr() == pointer
        assert x[1].data_ptr() == pointer + 12
        assert x.is_set_to(x.view(2, 3))
        assert not x.is_set_to(x.t())
        assert len(x[1].storage()) == 6


def test_as_subclass():
    for library in LIBRARIES:

        class Tagged(library.Tensor):
            pass

        x = library.ones(2, requires_grad=True) * 3
        y = x.as_subclass(Tagged)
        assert type(y) is Tagged
        y.sum().backward()
        assert y.data_ptr() == x.data_ptr()
        with pytest.raises((TypeError, RuntimeError)):
            x.as_subclass(int)


def test_default_tensor_type():
    for library in LIBRARIES:
        try:
            library.set_default_tensor_type(f"{library.__name__}.DoubleTensor")
            assert library.ones(1).dtype is library.float64
            assert library.get_default_dtype() is library.float64
            library.set_default_tensor_type(library.FloatTensor)
            assert library.ones(1).dtype is library.float32
            with pytest.raises(TypeError):
                library.set_default_tensor_type(library.LongTensor)
            with pytest.raises(TypeError):
                library.set_default_dtype(library.int64)
        finally:
            library.set_default_dtype(library.float32)


def test_what_cannot_be_is_refused():
    for call in (
        lambda: tg.ones(2).share_memory_(),
        lambda: tg.ones(2).pin_memory(),
        lambda: tg.ones(2).is_pinned("cuda"),
        lambda: tg.ones(2, 3, 4, 4).clone(memory_format=tg.channels_last),
    ):
        with pytest.raises(RuntimeError):
            call()


@pytest.mark.parametrize(
    "call",
    [
        lambda t, x: x.conj_physical(),
        lambda t, x: x.to(t.complex128).conj_physical_(),
        lambda t, x: x.dist(t.ones(3, dtype=t.float64), 3),
        lambda t, x: x[0].ger(x[1]),
        lambda t, x: x.hardshrink(0.7),
        lambda t, x: x.prelu(t.tensor([0.25], dtype=t.float64)),
        lambda t, x: x.detach().histogram(3, range=(-1.0, 1.0)),
        lambda t, x: x.narrow_copy(1, 1, 2),
        lambda t, x: x.nonzero_static(size=4, fill_value=9),
        lambda t, x: x.split_with_sizes([1, 2], 1),
        lambda t, x: x.unsafe_chunk(2, 1),
        lambda t, x: x.unsafe_split(2, 1),
        lambda t, x: x.unsafe_split_with_sizes([2, 1], 1),
        lambda t, x: x.reshape(-1).stft(4, return_complex=True, window=t.ones(4, dtype=t.float64)),
        lambda t, x: x.new_empty_strided((2, 3), (1, 2)).stride(),
        lambda t, x: x.grad_dtype,
    ],
)
def test_further_methods(call):
    found = []
    for library in LIBRARIES:
        rng = np.random.default_rng(0)
        x = library.tensor(rng.standard_normal((2, 3)), requires_grad=True)
        result = call(library, x)
        tensors = [result] if isinstance(result, library.Tensor) else result
        if not isinstance(tensors, (list, tuple)) or not isinstance(tensors[0], library.Tensor):
            found.append([plain(result, library)])
            continue
        if tensors[0].requires_grad:
            sum((part.abs() ** 2).sum() for part in tensors).backward()
        found.append([t.detach().resolve_conj().numpy() for t in tensors] + [x.grad])
    for a, b in zip(*found, strict=True):
        if isinstance(a, str) or a is None:
            assert a == b
        else:
            np.testing.assert_allclose(a, b, rtol=1e-12)
