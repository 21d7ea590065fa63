"""Small modules that PyTorch programs import: nn.attention, distributions.utils, utils.hooks."""

import numpy as np
import pytest
import torch
import torch.nn.attention.bias

import tensorgrad as tg
from tensorgrad.distributions import utils as mine
from tensorgrad.nn.attention import SDPBackend, bias, sdpa_kernel
from tensorgrad.utils.hooks import RemovableHandle

theirs = torch.distributions.utils
RNG = np.random.default_rng(0)


@pytest.mark.parametrize("name", ["causal_lower_right", "causal_upper_left"])
@pytest.mark.parametrize("sizes", [(2, 4), (3, 3)])
def test_causal_masks(name, sizes):
    arrays = [RNG.standard_normal((1, 2, n, 4)) for n in (sizes[0], sizes[1], sizes[1])]
    found = [
        lib.nn.functional.scaled_dot_product_attention(
            *map(lib.from_numpy, arrays), attn_mask=getattr(masks, name)(*sizes)
        ).numpy()
        for lib, masks in ((tg, bias), (torch, torch.nn.attention.bias))
    ]
    np.testing.assert_allclose(*found, rtol=1e-10)
    for masks in (bias, torch.nn.attention.bias):
        with pytest.raises(AssertionError):
            getattr(masks, name)(3)


def test_sdpa_kernel():
    q = tg.ones(1, 2, 3)
    assert [b.name for b in SDPBackend] == [*torch.nn.attention.SDPBackend.__members__]
    for choice in (SDPBackend.MATH, [SDPBackend.CUDNN_ATTENTION, SDPBackend.FLASH_ATTENTION]):
        with sdpa_kernel(choice, set_priority=True):
            tg.nn.functional.scaled_dot_product_attention(q, q, q)
    with pytest.raises(RuntimeError, match=r"No viable backend.*CUDNN_ATTENTION"):
        sdpa_kernel(SDPBackend.CUDNN_ATTENTION).__enter__()
    for wrong in ("MATH", 0, ["MATH"]):
        with pytest.raises(AssertionError, match="instance of SDPBackend"):
            sdpa_kernel(wrong).__enter__()


@pytest.mark.parametrize("diag", [-2, -1, 0, 1])
def test_triangles_as_vectors(diag):
    matrices = RNG.standard_normal((2, 3, 3))
    x, y = tg.from_numpy(matrices).requires_grad_(), torch.from_numpy(matrices)
    vectors, reference = mine.tril_matrix_to_vec(x, diag), theirs.tril_matrix_to_vec(y, diag)
    assert vectors.tolist() == reference.tolist()
    back = mine.vec_to_tril_matrix(vectors, diag)
    assert back.tolist() == theirs.vec_to_tril_matrix(reference, diag).tolist()
    back.sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), np.tril(np.ones_like(matrices), diag))


def test_triangles_that_do_not_fit():
    with pytest.raises(ValueError, match=r"from -2 to 1.*got 2"):
        mine.tril_matrix_to_vec(tg.ones(2, 2), 2)
    with pytest.raises(ValueError, match="no square matrix has 4 elements"):
        mine.vec_to_tril_matrix(tg.ones(4))


def test_probabilities_and_broadcasting():
    p = np.array([0.0, 0.25, 1.0])
    for binary in (False, True):
        for name in ("probs_to_logits", "logits_to_probs"):
            found = [
                getattr(lib, name)(t(p), binary).numpy()
                for lib, t in ((mine, tg.tensor), (theirs, torch.tensor))
            ]
            np.testing.assert_allclose(*found, rtol=1e-6)
    a, b = mine.broadcast_all(1, tg.ones(2, dtype=tg.float64))
    assert (a.tolist(), a.dtype, tuple(b.shape)) == ([1, 1], tg.float64, (2,))


def test_a_lazy_property_is_computed_once_with_its_graph():
    class Doubled:
        def __init__(self, x):
            self.x, self.calls = x, 0

        @mine.lazy_property
        def y(self):
            self.calls += 1
            return self.x * 2

    doubled = Doubled(tg.ones(1, requires_grad=True))
    with tg.no_grad():
        first = doubled.y
    assert first is doubled.y
    assert first.requires_grad
    assert doubled.calls == 1
    assert isinstance(Doubled.y, mine.lazy_property)


def test_a_hook_returns_a_removable_handle():
    assert isinstance(tg.ones(1, requires_grad=True).register_hook(print), RemovableHandle)
