"""nn.functional against plain NumPy and by its own laws; parity with PyTorch is elsewhere."""

import itertools

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import nn
from tensorgrad.nn import functional as F

RNG = np.random.default_rng(0)


def leaf(*shape, dtype=np.float64):
    return tg.from_numpy(RNG.standard_normal(shape).astype(dtype)).requires_grad_()


# --- Convolution ----------------------------------------------------------------------------------


def naive_conv(x, w, b, stride, padding, dilation, groups):
    """Four loops."""
    x = np.pad(x, ((0, 0), (0, 0), *((p, p) for p in padding)))
    out_channels, per_group, *kernel = w.shape
    size = [
        (n - d * (k - 1) - 1) // s + 1 for n, k, s, d in zip(x.shape[2:], kernel, stride, dilation)
    ]
    y = np.zeros((len(x), out_channels, *size))
    for o in range(out_channels):
        first = o // (out_channels // groups) * per_group
        for i, j in np.ndindex(*size):
            window = x[
                :,
                first : first + per_group,
                i * stride[0] : i * stride[0] + dilation[0] * (kernel[0] - 1) + 1 : dilation[0],
                j * stride[1] : j * stride[1] + dilation[1] * (kernel[1] - 1) + 1 : dilation[1],
            ]
            y[:, o, i, j] = (window * w[o]).sum((1, 2, 3)) + b[o]
    return y


@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize("stride", [(1, 1), (2, 3)])
@pytest.mark.parametrize("dilation", [(1, 1), (2, 1)])
def test_conv2d_is_the_loop(groups, stride, dilation):
    x, w, b = leaf(2, 4, 7, 6), leaf(6, 4 // groups, 3, 2), leaf(6)
    y = F.conv2d(x, w, b, stride, (1, 2), dilation, groups)
    arrays = [t.detach().numpy() for t in (x, w, b)]
    np.testing.assert_allclose(
        y.detach().numpy(), naive_conv(*arrays, stride, (1, 2), dilation, groups), atol=1e-12
    )


@pytest.mark.parametrize("kernel", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("dilation", [1, 2])
def test_same_padding_keeps_the_size(kernel, dilation):
    y = F.conv2d(leaf(1, 2, 9, 8), leaf(3, 2, kernel, kernel), padding="same", dilation=dilation)
    assert y.shape == (1, 3, 9, 8)


def test_a_sample_alone_is_a_batch_of_one():
    x, w = leaf(2, 5, 5), leaf(3, 2, 3, 3)
    assert F.conv2d(x, w).shape == (3, 3, 3)
    assert np.array_equal(F.conv2d(x, w).tolist(), F.conv2d(x[None], w)[0].tolist())
    for pool in (F.max_pool2d, F.avg_pool2d):
        assert np.array_equal(pool(x, 2).tolist(), pool(x[None], 2)[0].tolist())


def test_errors_of_the_primitives_name_the_line():
    with pytest.raises(RuntimeError, match=r"test_functional\.py:\d+"):
        F.conv2d(leaf(1, 3, 5, 5), leaf(4, 2, 3, 3))
    with pytest.raises(RuntimeError, match=r"linear\(float64\(2, 3\).*test_functional\.py:\d+"):
        F.linear(leaf(2, 3), leaf(4, 5))


# --- Pooling --------------------------------------------------------------------------------------


@pytest.mark.parametrize("ceil_mode", [False, True])
def test_indices_of_max_pooling_point_at_the_maxima(ceil_mode):
    x = leaf(2, 3, 7, 6)
    for kernel, stride, padding in [(2, 2, 0), (3, 2, 1), ((3, 2), (1, 2), (1, 0))]:
        y, index = F.max_pool2d(
            x, kernel, stride, padding, ceil_mode=ceil_mode, return_indices=True
        )
        flat = x.detach().numpy().reshape(2, 3, -1)
        found = np.take_along_axis(flat, index.numpy().reshape(2, 3, -1), -1)
        assert np.array_equal(found.reshape(y.shape), y.detach().numpy())
        assert index.dtype == tg.int64


def test_max_pooling_of_nan_and_infinity():
    x = tg.tensor([[[[1.0, np.nan], [2.0, 3.0]]], [[[-np.inf, -np.inf], [-np.inf, -np.inf]]]])
    x.requires_grad_()
    y = F.max_pool2d(x, 2)
    assert np.isnan(y[0].item())
    assert y[1].item() == -np.inf
    y.backward(tg.ones_like(y))
    assert x.grad.tolist() == [[[[0, 1], [0, 0]]], [[[1, 0], [0, 0]]]]


def test_a_gradient_of_infinity_stays_at_its_winner():
    x = tg.tensor([[[[1.0, 2.0], [3.0, 4.0]]]], requires_grad=True)
    F.max_pool2d(x, 2).backward(tg.full((1, 1, 1, 1), np.inf))
    assert x.grad.tolist() == [[[[0, 0], [0, np.inf]]]]


def test_adaptive_pooling_is_the_mean_of_parts():
    x = leaf(1, 2, 7, 5)
    y = F.adaptive_avg_pool2d(x, (3, 2)).detach().numpy()
    array = x.detach().numpy()
    for i, j in itertools.product(range(3), range(2)):
        rows = slice(i * 7 // 3, -(-(i + 1) * 7 // 3))
        columns = slice(j * 5 // 2, -(-(j + 1) * 5 // 2))
        np.testing.assert_allclose(y[..., i, j], array[..., rows, columns].mean((-2, -1)))


def test_average_of_an_input_of_ones_is_one_without_the_padding():
    ones = tg.ones(1, 1, 5, 5)
    y = F.avg_pool2d(ones, 3, 2, 1, ceil_mode=True, count_include_pad=False)
    assert (y == 1).all().item()
    assert F.avg_pool2d(ones, 3, 2, 1)[0, 0, 0, 0].item() == pytest.approx(4 / 9)


# --- Activations ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "slope"),
    [("relu", 0.0), ("leaky_relu", 0.01), ("elu", 1.0), ("silu", 0.5), ("softplus", 0.5)],
)
def test_derivative_at_zero(name, slope):
    x = tg.zeros(1, dtype=tg.float64, requires_grad=True)
    getattr(F, name)(x).sum().backward()
    assert x.grad.item() == pytest.approx(slope)


@pytest.mark.parametrize(
    "name", ["relu", "elu", "leaky_relu", "softplus", "silu", "gelu", "logsigmoid"]
)
def test_no_overflow_spoils_a_gradient(name):
    x = tg.tensor([-1e4, -800.0, 800.0, 1e4], dtype=tg.float64, requires_grad=True)
    getattr(F, name)(x).sum().backward()
    assert np.isfinite(x.grad.numpy()).all()


@pytest.mark.parametrize("name", ["relu", "leaky_relu", "elu", "silu"])
def test_in_place_is_seen_by_the_graph(name):
    x = leaf(3, 4)
    y = x * 1
    z = y.exp()  # does not need y again
    w = y * y  # does
    out = getattr(F, name)(y, inplace=True)
    assert out is y
    z.sum().backward()
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        w.sum().backward()


# --- Dropout --------------------------------------------------------------------------------------


def test_dropout_keeps_the_mean_and_the_rate():
    tg.manual_seed(0)
    x = tg.ones(200, 300, requires_grad=True)
    y = F.dropout(x, 0.3)
    kept = y.detach().numpy() != 0
    assert abs(kept.mean() - 0.7) < 0.01
    np.testing.assert_allclose(y.detach().numpy()[kept], 1 / 0.7, rtol=1e-6)
    y.backward(tg.ones_like(y))
    assert np.array_equal(x.grad.numpy(), y.detach().numpy())


def test_dropout_follows_the_seed_whatever_the_memory_layout():
    x = np.arange(1.0, 121.0).reshape(2, 3, 4, 5)
    tg.manual_seed(3)
    a = F.dropout(tg.from_numpy(x), 0.5)
    tg.manual_seed(3)
    b = F.dropout(tg.from_numpy(np.asfortranarray(x)), 0.5)
    assert np.array_equal(a.numpy(), b.numpy())
    assert not np.array_equal(a.numpy(), F.dropout(tg.from_numpy(x), 0.5).numpy())


def test_what_dropout_drops_is_zero_even_if_it_was_infinite():
    x = tg.full((1000,), np.inf, requires_grad=True)
    y = F.dropout(x, 0.5)
    assert set(y.tolist()) == {0.0, np.inf}
    y.backward(tg.full((1000,), np.nan))
    assert np.array_equal(np.isnan(x.grad.numpy()), y.detach().numpy() == np.inf)


def test_a_dropout_layer_works_only_while_training():
    layer = nn.Dropout(0.5)
    x = tg.ones(100)
    assert (layer(x) == 0).any().item()
    assert layer.eval()(x) is x
    y = x * 1
    assert nn.Dropout(0.5, inplace=True)(y) is y


# --- Normalisation --------------------------------------------------------------------------------


def test_batch_norm_normalises_and_tracks():
    layer = nn.BatchNorm2d(3).double()
    x = leaf(4, 3, 5, 5) * 3 + 1
    y = layer(x).detach().numpy()
    np.testing.assert_allclose(y.mean((0, 2, 3)), 0, atol=1e-12)
    np.testing.assert_allclose(y.var((0, 2, 3)), 1, atol=1e-4)
    array = x.detach().numpy()
    np.testing.assert_allclose(layer.running_mean.numpy(), 0.1 * array.mean((0, 2, 3)))
    np.testing.assert_allclose(layer.running_var.numpy(), 0.9 + 0.1 * array.var((0, 2, 3), ddof=1))
    assert layer.num_batches_tracked.item() == 1


def test_batch_norm_with_momentum_none_averages_all_batches():
    layer = nn.BatchNorm1d(2, momentum=None).double()
    batches = [leaf(5, 2).detach() for _ in range(4)]
    for batch in batches:
        layer(batch)
    wanted = np.mean([b.numpy().mean(0) for b in batches], axis=0)
    np.testing.assert_allclose(layer.running_mean.numpy(), wanted)


def test_a_batch_that_does_not_fit_is_not_tracked():
    layer = nn.BatchNorm1d(3)
    before = {k: v.clone().tolist() for k, v in layer.state_dict().items()}
    for wrong in (tg.ones(1, 3), tg.ones(4, 2), tg.ones(4, 3, dtype=tg.float64), tg.ones(3)):
        with pytest.raises((ValueError, RuntimeError)):
            layer(wrong)
        assert {k: v.tolist() for k, v in layer.state_dict().items()} == before


def test_batch_norm_of_an_empty_batch_tracks_nothing():
    layer = nn.BatchNorm1d(3)
    assert layer(tg.zeros(0, 3)).shape == (0, 3)
    assert layer.running_mean.tolist() == [0, 0, 0]
    assert layer.running_var.tolist() == [1, 1, 1]


def test_evaluation_reads_and_does_not_write():
    layer = nn.BatchNorm1d(3).eval()
    layer.running_mean.fill_(2)
    layer(leaf(4, 3, dtype=np.float32))
    assert layer.running_mean.tolist() == [2, 2, 2]
    assert layer.num_batches_tracked.item() == 0


# --- Padding, look-ups ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mode", "numpys"), [("reflect", "reflect"), ("replicate", "edge"), ("circular", "wrap")]
)
def test_padding_is_numpys(mode, numpys):
    x = leaf(2, 3, 4, 5)
    y = F.pad(x, (1, 2, 3, 0), mode=mode)
    wanted = np.pad(x.detach().numpy(), ((0, 0), (0, 0), (3, 0), (1, 2)), mode=numpys)
    assert np.array_equal(y.detach().numpy(), wanted)
    y.sum().backward()
    assert x.grad.sum().item() == pytest.approx(y.numel())


def test_one_hot_and_embedding_agree():
    index = tg.tensor([[2, 0], [1, 1]])
    table = leaf(3, 4)
    rows = F.embedding(index, table)
    product = F.one_hot(index, 3).to(tg.float64) @ table.detach()
    assert np.array_equal(rows.detach().numpy(), product.numpy())
    rows.sum().backward()
    assert table.grad[:, 0].tolist() == [1, 2, 1]


def test_refused_arguments_say_so():
    with pytest.raises(NotImplementedError, match="sparse"):
        nn.Embedding(3, 2, sparse=True)
    with pytest.raises(NotImplementedError, match="sparse"):
        F.embedding(tg.tensor([0]), leaf(3, 2), sparse=True)
    with pytest.raises(RuntimeError, match="value"):
        F.pad(leaf(2, 3), (1, 1), mode="reflect", value=3)


@pytest.mark.parametrize("rows", [7, 8, 50])
@pytest.mark.parametrize("transposed", [False, True])
def test_linear_of_few_rows_and_many_features(rows, transposed):
    # From 256 features on these are computed as weights times columns.
    rng = np.random.default_rng(rows)
    x, w, b = rng.standard_normal((rows, 300)), rng.standard_normal((1200, 300)), np.arange(1200.0)
    given = np.asfortranarray(x) if transposed else x
    y = F.linear(tg.from_numpy(given), tg.from_numpy(w), tg.from_numpy(b))
    np.testing.assert_allclose(y.numpy(), x @ w.T + b, rtol=1e-12, atol=1e-11)
    assert y.numpy().flags.c_contiguous
