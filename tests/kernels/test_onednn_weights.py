"""Weights in the order that oneDNN wants: cut into blocks by NumPy where they are small."""

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad.kernels.onednn import convolution, layouts, library, primitive


def drawn(rng, *shape):
    return rng.standard_normal(shape).astype(np.float32)


@pytest.mark.parametrize(
    ("tag", "shape", "axes"),
    [
        (5, (3, 4, 5, 6), (3, 4, 5, 6)),  # dnnl_abcd: no blocks
        (107, (16, 24, 3, 5), (2, 8, 3, 8, 3, 5)),  # dnnl_ABcd8b8a
        (85, (32, 16, 3, 2), (2, 16, 1, 4, 4, 3, 2)),  # dnnl_ABcd4b16a4b: an axis cut twice
        (216, (16, 5, 3, 3), (2, 8, 5, 3, 3)),  # dnnl_Acdb8a
        (162, (2, 8, 16, 3, 3), (2, 1, 8, 2, 8, 3, 3)),  # dnnl_aBCde8c8b: groups
        (107, (16, 1, 5, 5), (2, 8, 1, 1, 5, 5)),  # one block, of which an eighth is used
        (107, (5, 3, 2, 3), (1, 5, 1, 3, 2, 3)),
        (85, (32, 12, 3, 2), None),  # an axis cut twice has a gap
        (107, (12, 8, 3, 3), None),  # the last block has a gap
        (107, (64, 64, 3, 3), None),  # large
    ],
)
def test_small_weights_in_blocks(onednn, tag, shape, axes):
    handle = onednn.new(
        "memory_desc_create_with_tag", len(shape), primitive._dims(shape), library.F32, tag
    )
    layout = primitive.Layout(handle, None, None, onednn)
    found = layouts.in_blocks(shape, layout)
    if axes is None:
        assert found is None
        return
    memory, array = found
    assert array.shape == axes
    x = drawn(np.random.default_rng(0), *shape)
    array[...] = x.reshape(axes)
    copy, expected = primitive.reorder(primitive.Layout.of(shape), layout), primitive.empty(layout)
    if copy is None:
        expected = x
    else:
        copy.run(x, expected)
    np.testing.assert_array_equal(memory, expected.view(np.float32).ravel())


def test_weights_of_another_call_are_not_taken_for_these(onednn):
    """The memory of small ones is kept, and each call's own are copied there."""
    rng = np.random.default_rng(0)
    x, g = drawn(rng, 4, 16, 14, 14), drawn(rng, 4, 16, 14, 14)
    how = ((1, 1), ((1, 1), (1, 1)), (1, 1), 1)
    weights = [drawn(rng, 16, 16, 3, 3) for _ in range(2)]
    for w in (*weights, weights[0]):
        y = convolution.convolve(x, w, None, *how)
        with tg.backends.use_kernels("reference"):
            expected = tg.nn.functional.conv2d(tg.tensor(x), tg.tensor(w), padding=1).numpy()
        np.testing.assert_allclose(y, expected, rtol=1e-4, atol=1e-4)
    first = convolution.weight_gradient(x, g, (16, 16, 3, 3), *how)
    kept = first.copy()
    convolution.weight_gradient(2 * x, g, (16, 16, 3, 3), *how)
    assert np.array_equal(first, kept)
