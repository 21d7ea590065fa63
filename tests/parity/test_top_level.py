"""Functions of the top level beside PyTorch's: awkward inputs and bad arguments."""

import warnings

import numpy as np
import pytest
import torch

import tensorgrad as tg

Y = [[1.0, 2.0, 4.0], [3.0, 5.0, 9.0]]

# What must come out alike: a value, or an error of the same family.
ALIKE = {
    "trapezoid of nothing": lambda t: t.trapezoid(t.ones(0)),
    "trapezoid of empty rows": lambda t: t.trapezoid(t.ones(2, 0)),
    "trapezoid of a number": lambda t: t.trapezoid(t.tensor(1.0)),
    "trapezoid of bools": lambda t: t.trapezoid(t.tensor([True, False])),
    "trapezoid x": lambda t: t.trapezoid(t.tensor(Y), t.tensor([0.0, 1.0])),
    "trapezoid dx": lambda t: t.trapezoid(t.tensor(Y), dx=True),
    "cumulative_trapezoid of nothing": lambda t: t.cumulative_trapezoid(t.ones(0)),
    "gradient of a number": lambda t: t.gradient(t.tensor(1.0)),
    "gradient order": lambda t: t.gradient(t.tensor(Y), dim=1, edge_order=3),
    "gradient size": lambda t: t.gradient(t.tensor(Y), dim=0, edge_order=2),
    "gradient twice": lambda t: t.gradient(t.tensor(Y), dim=(0, 0)),
    "gradient spacings": lambda t: t.gradient(t.tensor(Y), spacing=[1.0, 2.0], dim=1),
    "gradient of halves": lambda t: t.gradient(t.tensor(Y).double(), spacing=0.25)[1],
    "histogram of ones": lambda t: t.histogram(t.ones(3), 2),
    "histogram without bins": lambda t: t.histogram(t.tensor(Y), 0),
    "histogram range": lambda t: t.histogram(t.tensor(Y), 2, range=(3.0, 1.0)),
    "histogram types": lambda t: t.histogram(t.tensor(Y).double(), t.tensor([0.0, 1.0])),
    "histogram of NaN": lambda t: t.histogram(t.tensor([float("nan"), 1.0]), 2),
    "histogram beside NaN": lambda t: t.histogram(
        t.tensor([float("nan"), 1.0, 2.0]), 2, range=(0.0, 2.0)
    ),
    "histogramdd dims": lambda t: t.histogramdd(t.tensor(Y), [2, 2]),
    "histogramdd rank": lambda t: t.histogramdd(t.ones(3), 2),
    "hash mode": lambda t: t.hash_tensor(t.ones(2), mode=1),
    "hash of nothing": lambda t: t.hash_tensor(t.ones(0)),
    "hash of int8": lambda t: t.hash_tensor(t.tensor([-1, 3], dtype=t.int8)),
    "index_reduce sum": lambda t: t.index_reduce(
        t.tensor(Y), 0, t.tensor([0, 0]), t.tensor(Y), "sum"
    ),
    "index_reduce count": lambda t: t.index_reduce(
        t.tensor(Y), 0, t.tensor([0]), t.tensor(Y), "mean"
    ),
    "index_reduce integers": lambda t: t.index_reduce(
        t.tensor([1, 4, 9]), 0, t.tensor([0, 0]), t.tensor([5, 6]), "mean"
    ),
    "segment_reduce lengths": lambda t: t.segment_reduce(
        t.tensor(Y), "sum", lengths=t.tensor([1, 2])
    ),
    "segment_reduce empty": lambda t: t.segment_reduce(
        t.tensor(Y), "mean", lengths=t.tensor([2, 0])
    ),
    "segment_reduce empty max": lambda t: t.segment_reduce(
        t.tensor(Y), "max", lengths=t.tensor([0, 2, 0])
    ),
    "segment_reduce indices": lambda t: t.segment_reduce(
        t.tensor(Y), "sum", indices=t.tensor([1, 1])
    ),
    "view bytes": lambda t: t.tensor(Y).view(t.int32),
    "view smaller": lambda t: t.tensor(Y).view(t.uint8).shape[1],
    "view larger": lambda t: t.ones(2, 4, dtype=t.int16).view(t.int64),
    "view larger, odd": lambda t: t.ones(2, 3, dtype=t.int16).view(t.int64),
    "view smaller, transposed": lambda t: t.tensor(Y).t().view(t.int8),
    "view of a number": lambda t: t.tensor(1.0).view(t.int8),
    "view by name": lambda t: t.tensor(Y).view(dtype=t.int32),
    "view size by name": lambda t: t.tensor(Y).view(size=(3, 2)),
    "reshape by name": lambda t: t.tensor(Y).reshape(shape=(3, 2)),
    "permute by name": lambda t: t.tensor(Y).permute(dims=(1, 0)),
    "flip by name": lambda t: t.tensor(Y).flip(dims=(1,)),
    "tile by name": lambda t: t.tensor(Y).tile(dims=(2,)),
    "repeat by name": lambda t: t.tensor(Y).repeat(repeats=(2, 1)),
    "expand by name": lambda t: t.tensor([[1.0], [2.0]]).expand(size=(2, 3)),
    "broadcast_to by name": lambda t: t.tensor([1.0, 2.0]).broadcast_to(size=(2, 2)),
    "broadcast_to by ints": lambda t: t.tensor([1.0, 2.0]).broadcast_to(2, 2),
    "reshape twice": lambda t: t.tensor(Y).reshape(6, shape=(6,)),
    "fill with a vector": lambda t: t.fill(t.ones(2), t.ones(2)),
    "slice_copy step": lambda t: t.slice_copy(t.ones(2), 0, 0, 1, 0),
    "unravel_index of floats": lambda t: t.unravel_index(t.ones(2), (2, 3)),
    "unravel_index negative": lambda t: t.unravel_index(t.tensor([1]), (2, -3)),
    "nonzero_static size": lambda t: t.nonzero_static(t.ones(2), size=-1),
    "is_nonzero": lambda t: t.is_nonzero(t.ones(2)),
    "is_nonzero of one": lambda t: t.is_nonzero(t.zeros(1, 1)),
    "result_type": lambda t: str(t.result_type(t.tensor(1.0).double(), t.ones(2))),
    "promote_types": lambda t: str(t.promote_types(t.uint8, t.int16)),
    "hann_window length": lambda t: t.hann_window(-1),
    "hamming_window type": lambda t: t.hamming_window(5, dtype=t.int64),
    "windows length": lambda t: t.signal.windows.hann(-5),
    "windows type": lambda t: t.signal.windows.nuttall(5, dtype=t.int64),
    "windows std": lambda t: t.signal.windows.gaussian(5, std=-1),
    "windows tau": lambda t: t.signal.windows.exponential(5, tau=0),
    "windows beta": lambda t: t.signal.windows.kaiser(5, beta=-1),
    "windows centre": lambda t: t.signal.windows.exponential(5, center=1),
    "windows nothing": lambda t: t.signal.windows.general_cosine(5, a=[]),
    "windows number": lambda t: t.signal.windows.general_cosine(5, a=1),
    "stft complexity": lambda t: t.stft(t.ones(8), 4),
    "stft of integers": lambda t: t.stft(t.ones(8).long(), 4, return_complex=True),
    "stft rank": lambda t: t.stft(t.ones(2, 2, 8), 4, return_complex=True),
    "stft n_fft": lambda t: t.stft(t.ones(8), 9, center=False, return_complex=True),
    "stft hop": lambda t: t.stft(t.ones(8), 4, 0, return_complex=True),
    "stft win": lambda t: t.stft(t.ones(8), 4, 1, 5, return_complex=True),
    "stft window": lambda t: t.stft(t.ones(8), 4, window=t.ones(3), return_complex=True),
    "stft mode": lambda t: t.stft(t.ones(8), 4, pad_mode="odd", return_complex=True),
    "stft border": lambda t: t.stft(t.ones(2), 4, return_complex=True),
    "stft halves": lambda t: t.stft(t.ones(8, dtype=t.complex64), 4, onesided=True),
    "stft align": lambda t: t.stft(t.ones(8), 4, align_to_window=True, return_complex=True),
    "istft of reals": lambda t: t.istft(t.ones(3, 4), 4),
    "istft bins": lambda t: t.istft(t.ones(4, 4, dtype=t.complex64), 4, onesided=True),
    "istft zeros": lambda t: t.istft(
        t.ones(3, 4, dtype=t.complex64), 4, 4, window=t.tensor([0.0, 1.0, 1.0, 0.0])
    ),
    "istft long": lambda t: t.istft(t.ones(3, 4, dtype=t.complex64), 4, length=20),
    "dist of integers": lambda t: t.dist(t.ones(2).long(), t.ones(2).long()),
    "dist of equals": lambda t: t.dist(t.ones(2), t.ones(2)),
    "pca_lowrank q": lambda t: t.pca_lowrank(t.ones(3, 2), 5),
    "pca_lowrank niter": lambda t: t.pca_lowrank(t.ones(3, 2), niter=-1),
    "lu_unpack type": lambda t: t.lu_unpack(t.eye(2), t.tensor([1, 2])),
    "lu of a singular one": lambda t: t.lu(t.zeros(2, 2), get_infos=True)[2],
    "det by name": lambda t: t.det(input=t.eye(2)),
    "slogdet by name": lambda t: t.slogdet(input=t.eye(2)),
    "adjoint by name": lambda t: t.adjoint(input=t.eye(2)),
    "cholesky_solve by name": lambda t: t.cholesky_solve(input=t.ones(2, 1), input2=t.eye(2)),
    "cholesky_inverse by name": lambda t: t.cholesky_inverse(input=t.eye(2)),
    "arange end": lambda t: t.arange(end=3),
    "arange start, end": lambda t: t.arange(start=1, end=3, layout=t.strided),
    "arange nothing": lambda t: t.arange(),
    "zeros size": lambda t: t.zeros(size=(2, 3)),
    "ones size": lambda t: t.ones(size=[2]),
    "zeros twice": lambda t: t.zeros(2, size=(2,)),
    "rand size": lambda t: t.rand(size=(2, 0)),
    "randint high": lambda t: t.randint(high=1, size=(2,)),
    "randint without size": lambda t: t.randint(3),
    "ones_like pinned": lambda t: t.ones_like(t.zeros(2), pin_memory=False),
    "rand_like generator": lambda t: t.rand_like(t.zeros(0), generator=t.Generator()),
    "logspace": lambda t: t.logspace(0, 2, 5, dtype=t.float64),
    "logspace base": lambda t: t.logspace(0.5, 2.5, 3, 2, dtype=t.float64),
    "logspace of integers": lambda t: t.logspace(1.7, 3.2, 4, dtype=t.int64),
    "logspace one": lambda t: t.logspace(1, 2, 1),
    "logspace none": lambda t: t.logspace(1, 2, 0),
    "logspace fewer": lambda t: t.logspace(1, 2, -1),
    "logspace tensors": lambda t: t.logspace(t.tensor(0.0), t.tensor(1), 3),
    "range": lambda t: t.range(1, 4),
    "range of halves": lambda t: t.range(0, 2, 0.5, dtype=t.float64),
    "range down": lambda t: t.range(3, 0, -1.5),
    "range sign": lambda t: t.range(4, 1),
    "range step": lambda t: t.range(4, 1, 0),
    "range infinite": lambda t: t.range(0, float("inf")),
    "scalar_tensor": lambda t: t.scalar_tensor(3),
    "scalar_tensor int": lambda t: t.scalar_tensor(3, dtype=t.int32),
    "scalar_tensor complex": lambda t: t.scalar_tensor(1 + 2j),
    "empty_strided": lambda t: t.empty_strided((2, 3), (1, 2)).stride(),
    "empty_strided lengths": lambda t: t.empty_strided((2, 3), (1,)),
    "empty_strided sign": lambda t: t.empty_strided((2, 3), (-1, 1)),
    "empty_permuted": lambda t: t.empty_permuted((2, 3, 4), (0, 2, 1)).stride(),
    "empty_permuted twice": lambda t: t.empty_permuted((2, 3), (1, 1)),
    "frombuffer": lambda t: t.frombuffer(bytearray(b"12345678"), dtype=t.int32),
    "frombuffer part": lambda t: t.frombuffer(
        bytearray(b"12345678"), dtype=t.int8, count=3, offset=2
    ),
    "frombuffer size": lambda t: t.frombuffer(bytearray(b"123456789"), dtype=t.int32),
    "frombuffer nothing": lambda t: t.frombuffer(bytearray(b""), dtype=t.int32),
    "frombuffer offset": lambda t: t.frombuffer(bytearray(b"1234"), dtype=t.int8, offset=4),
    "frombuffer count": lambda t: t.frombuffer(bytearray(b"1234"), dtype=t.int8, count=5),
    "frombuffer none": lambda t: t.frombuffer(bytearray(b"1234"), dtype=t.int8, count=0),
    "default device": lambda t: str(t.get_default_device()),
    "deterministic": lambda t: t.are_deterministic_algorithms_enabled(),
    "debug mode": lambda t: t.set_deterministic_debug_mode("loud"),
    "debug mode 3": lambda t: t.set_deterministic_debug_mode(3),
    "debug mode 1.5": lambda t: t.set_deterministic_debug_mode(1.5),
    "precision": lambda t: t.get_float32_matmul_precision(),
    "warn always": lambda t: t.set_warn_always(1),
    "typename": lambda t: t.typename(t.ones(2)),
    "typename long": lambda t: t.typename(t.ones(2).long()),
    "typename function": lambda t: t.typename(warnings.warn),
}


def outcome(function, library):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return function(library)
        except Exception as error:
            return error


def same(a, b):
    if isinstance(b, Exception):
        assert isinstance(a, Exception), f"PyTorch raises {b!r:.200}"
        assert isinstance(a, type(b)) or isinstance(b, type(a)), f"{a!r} instead of {b!r}"
    elif isinstance(b, torch.Tensor):
        assert a.dtype.name == str(b.dtype).removeprefix("torch.")
        assert tuple(a.shape) == tuple(b.shape)
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-6, atol=1e-7, equal_nan=True)
    elif isinstance(b, (tuple, list)):
        assert len(a) == len(b)
        for one, other in zip(a, b, strict=True):
            same(one, other)
    elif isinstance(b, str):
        assert a.replace("tensorgrad", "torch") == b
    else:
        assert a == b


@pytest.mark.parametrize("name", ALIKE)
def test_alike(name):
    a, b = outcome(ALIKE[name], tg), outcome(ALIKE[name], torch)
    if isinstance(a, Exception) and not isinstance(b, Exception):
        raise AssertionError("PyTorch accepts it") from a
    same(a, b)


@pytest.mark.parametrize("a", [d for d in dir(torch) if isinstance(getattr(torch, d), torch.dtype)])
def test_can_cast(a):
    for b in ("bool", "uint8", "int8", "int64", "float16", "float64", "complex64"):
        if hasattr(tg, a):
            ours = tg.can_cast(getattr(tg, a), getattr(tg, b))
            assert ours == torch.can_cast(getattr(torch, a), getattr(torch, b)), (a, b)


def test_view_as_another_dtype_shares_memory():
    x = tg.tensor([1.0, 2.0], requires_grad=True)
    y = (x * x).sum()
    bits = x.detach().view(tg.int32)
    bits[0] = 0
    assert x.tolist() == [0.0, 2.0]
    with pytest.raises(RuntimeError, match=r"in place|modified"):
        y.backward()
    with pytest.raises(RuntimeError, match="have no gradient"):
        x.view(tg.float64)


def test_low_rank():
    rng = np.random.default_rng(0)
    matrix = rng.standard_normal((7, 3)) @ rng.standard_normal((3, 5))
    for name, more in (("svd_lowrank", {"q": 4}), ("pca_lowrank", {"q": 3, "niter": 3})):
        left, values, right = getattr(tg, name)(tg.from_numpy(matrix), **more)
        parts = getattr(torch, name)(torch.from_numpy(matrix), **more)
        assert [tuple(p.shape) for p in (left, values, right)] == [tuple(p.shape) for p in parts]
        np.testing.assert_allclose(values.numpy(), parts[1].numpy(), atol=1e-10)
        product = (left * values) @ right.T
        np.testing.assert_allclose(
            product.numpy(), ((parts[0] * parts[1]) @ parts[2].T).numpy(), atol=1e-10
        )


@pytest.mark.parametrize("largest", [True, False])
@pytest.mark.parametrize("general", [True, False])
def test_lobpcg(largest, general):
    rng = np.random.default_rng(0)
    a, b = (m @ m.T + 8 * np.eye(8) for m in rng.standard_normal((2, 8, 8)))
    found = []
    for library in (tg, torch):
        second = library.from_numpy(b) if general else None
        if library is torch:
            torch.manual_seed(0)
        values, vectors = library.lobpcg(
            library.from_numpy(a), 2, second, largest=largest, niter=200, tol=1e-12
        )
        found.append((values.numpy(), np.abs(vectors.numpy())))
    np.testing.assert_allclose(found[0][0], found[1][0], rtol=1e-8)
    np.testing.assert_allclose(found[0][1], found[1][1], atol=1e-5)


@pytest.mark.parametrize("shape", [(3, 3), (4, 2), (2, 2, 3)])
@pytest.mark.parametrize("some", [True, False])
def test_svd(shape, some):
    array = np.random.default_rng(0).standard_normal(shape)
    ours, other = tg.svd(tg.from_numpy(array), some), torch.svd(torch.from_numpy(array), some)
    for a, b in zip(ours, other, strict=True):
        np.testing.assert_allclose(np.abs(a.numpy()), np.abs(b.numpy()), atol=1e-12)
    k = min(shape[-2:])
    back = (ours.U[..., :k] * ours.S.unsqueeze(-2)) @ ours.V[..., :k].mT
    np.testing.assert_allclose(back.numpy(), array, atol=1e-12)


@pytest.mark.parametrize("library", [tg, torch], ids=["tensorgrad", "torch"])
def test_settings(library):
    assert library.is_warn_always_enabled() is False
    try:
        library.set_warn_always(True)
        assert library.is_warn_always_enabled() is True
        library.use_deterministic_algorithms(True, warn_only=True)
        assert library.are_deterministic_algorithms_enabled()
        assert library.is_deterministic_algorithms_warn_only_enabled()
        assert library.get_deterministic_debug_mode() == 1
        library.set_deterministic_debug_mode("error")
        assert library.get_deterministic_debug_mode() == 2
        assert not library.is_deterministic_algorithms_warn_only_enabled()
        library.set_float32_matmul_precision("high")
        assert library.get_float32_matmul_precision() == "high"
        library.set_default_device("cpu")
        assert str(library.get_default_device()) == "cpu"
    finally:
        library.set_warn_always(False)
        library.use_deterministic_algorithms(False)
        library.set_float32_matmul_precision("highest")
        library.set_default_device(None)


def test_settings_that_are_refused():
    assert tg.set_flush_denormal(True) is False
    with pytest.raises(RuntimeError, match="not available"):
        tg.set_default_device("cuda")
    with pytest.raises(RuntimeError, match="precision"):
        tg.set_float32_matmul_precision("low")


def test_memory_is_shared_with_a_buffer():
    memory = bytearray(np.arange(4, dtype=np.float32).tobytes())
    x = tg.frombuffer(memory, dtype=tg.float32)
    x[1] = 9
    assert np.frombuffer(memory, np.float32).tolist() == [0, 9, 2, 3]
    with pytest.raises(RuntimeError, match="read-only"):
        tg.frombuffer(b"1234", dtype=tg.int8).zero_()


def test_a_file_as_memory(tmp_path):
    for library, name in ((tg, "a"), (torch, "b")):
        path = str(tmp_path / name)
        x = library.from_file(path, shared=True, size=4, dtype=library.float64)
        x.fill_(2)
        x[1] = 7
        del x
        y = library.from_file(path, size=3, dtype=library.float64)
        assert y.tolist() == [2, 7, 2]
        y.zero_()
        assert np.fromfile(path).tolist() == [2, 7, 2, 2]
        with pytest.raises(RuntimeError):
            library.from_file(path, size=9, dtype=library.float64)
