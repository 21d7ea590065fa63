"""linspace, logspace and the grids made of it, beside PyTorch's: to the bit."""

import numpy as np
import pytest
import torch

import tensorgrad as tg

ENDS = [(-1, 1), (0.3, 2.7), (-5, 0.1), (7, 7), (1e-3, -1e3)]


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("ends", ENDS, ids=str)
def test_linspace_has_pytorchs_bits(dtype, ends):
    if dtype == "float64" and np.finfo(np.longdouble).nmant < 60:
        pytest.skip("this machine has no type longer than float64")
    for steps in (0, 1, 2, 3, 7, 28, 99, 1000):
        found = tg.linspace(*ends, steps, dtype=getattr(tg, dtype))
        wanted = torch.linspace(*ends, steps, dtype=getattr(torch, dtype))
        np.testing.assert_array_equal(found.numpy(), wanted.numpy())
        assert str(found.dtype)[11:] == str(wanted.dtype)[6:]


@pytest.mark.parametrize("dtype", ["int64", "int32", "uint8", "int8"])
@pytest.mark.parametrize("ends", [(0, 1), (3, 27), (0, 100), (4.9, 9.9), (100, 7)], ids=str)
def test_linspace_of_whole_numbers(dtype, ends):
    for steps in (1, 2, 5, 23, 64):
        found = tg.linspace(*ends, steps, dtype=getattr(tg, dtype))
        wanted = torch.linspace(*ends, steps, dtype=getattr(torch, dtype))
        np.testing.assert_array_equal(found.numpy(), wanted.numpy())


@pytest.mark.parametrize("name", ["linspace", "logspace"])
@pytest.mark.parametrize("ends", [(0, 1j), (1 + 1j, 2), (-1j, 1j)], ids=str)
@pytest.mark.parametrize("dtype", [None, "complex64", "complex128", "float32", "int64"])
def test_complex_ends(name, ends, dtype):
    def made(library):
        kind = dtype and getattr(library, dtype)
        return getattr(library, name)(*ends, 7, dtype=kind).numpy()

    if dtype in ("float32", "int64"):
        for library in (tg, torch):
            with pytest.raises(RuntimeError, match="safely cast"):
                made(library)
        return
    near = 1e-12 if dtype == "complex128" else 1e-6
    np.testing.assert_allclose(made(tg), made(torch), rtol=near, atol=near)
    assert made(tg).dtype == made(torch).dtype


@pytest.mark.parametrize("name", ["linspace", "logspace"])
@pytest.mark.parametrize(
    ("ends", "dtype"),
    [((0, 1), "bool"), ((0, 300), "uint8"), ((0, float("nan")), "int64"),
     ((0, float("inf")), "int32")],
    ids=str,
)  # fmt: skip
def test_what_a_dtype_does_not_have_is_refused(name, ends, dtype):
    for library in (tg, torch):
        with pytest.raises((RuntimeError, NotImplementedError)):
            getattr(library, name)(*ends, 4, dtype=getattr(library, dtype))


def test_ends_that_are_further_apart_than_the_largest_number():
    assert tg.linspace(-3e38, 3e38, 3).tolist()[1] == 0  # PyTorch's is inf
    assert tg.linspace(1, float("inf"), 3).tolist()[-1] == float("inf")


@pytest.mark.filterwarnings("ignore:Since version 1.3.0:UserWarning")  # PyTorch's, of one pixel
@pytest.mark.parametrize("align", [False, True])
@pytest.mark.parametrize("size", [(1, 1, 28, 28), (2, 1, 7, 9), (1, 1, 1, 4), (1, 2, 3, 4, 5)])
def test_the_grid_of_the_identity_has_pytorchs_bits(size, align):
    # Its places are pixels, where the gradient of bilinear sampling jumps: a spatial transformer
    # begins there.
    n = len(size) - 2
    theta = np.broadcast_to(np.eye(n, n + 1, dtype=np.float32), (size[0], n, n + 1)).copy()
    image = np.random.default_rng(0).standard_normal(size).astype(np.float32)
    grids, slopes = [], []
    for library in (tg, torch):
        functional = library.nn.functional
        t = library.from_numpy(theta.copy()).requires_grad_()
        grid = functional.affine_grid(t, size, align_corners=align)
        out = functional.grid_sample(library.from_numpy(image), grid, align_corners=align)
        (out * out).sum().backward()
        grids.append(grid.detach().numpy())
        slopes.append(t.grad.numpy())
    np.testing.assert_array_equal(*grids)
    np.testing.assert_allclose(*slopes, rtol=1e-3, atol=1e-3)


def test_whole_numbers_below_what_the_dtype_has_are_refused():
    with pytest.raises(RuntimeError, match="cannot be converted to type uint8"):
        tg.linspace(-1, 3, 4, dtype=tg.uint8)  # PyTorch goes from 255 to 3
