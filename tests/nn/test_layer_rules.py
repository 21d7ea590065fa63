"""Rules of simple layers, on arrays and without a scope, give what the layers' forwards give."""

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import nn
from tensorgrad.nn import short_calls
from tensorgrad.nn.utils import parametrize
from tensorgrad.ops import linalg

LAYERS = {
    "linear": lambda: nn.Linear(6, 5),
    "linear without bias": lambda: nn.Linear(6, 5, bias=False),
    "wide linear": lambda: nn.Linear(6, 900),
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
    "relu": nn.ReLU,
    "gelu": nn.GELU,
    "gelu by tanh": lambda: nn.GELU("tanh"),
    "batch norm": lambda: nn.BatchNorm1d(6),
    "batch norm without statistics": lambda: nn.BatchNorm1d(6, track_running_stats=False),
    "batch norm without weights": lambda: nn.BatchNorm1d(6, affine=False),
    "layer norm": lambda: nn.LayerNorm(6),
    "layer norm without bias": lambda: nn.LayerNorm(6, bias=False),
    "layer norm without weights": lambda: nn.LayerNorm(6, elementwise_affine=False),
    "layer norm of two axes": lambda: nn.LayerNorm((7, 6)),
}


def test_every_rule_has_a_layer_here():
    elsewhere = {nn.Conv2d.forward, nn.MaxPool2d.forward}  # in test_window_rules
    elsewhere |= {nn.LSTM.forward, nn.GRU.forward, nn.RNN.forward}  # in test_recurrent_rules
    elsewhere |= {nn.Flatten.forward}  # in test_flatten_rule
    here = {type(make()).forward for make in LAYERS.values()} | {nn.Embedding.forward}
    assert here | elsewhere == set(short_calls.RULES)


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("dtype", [tg.float32, tg.float64])
@pytest.mark.parametrize("order", ["C", "F"])
def test_a_call_gives_what_the_forward_gives(name, dtype, order, rules_run):
    tg.manual_seed(0)
    layer = LAYERS[name]().to(dtype).eval()
    if getattr(layer, "running_var", None) is not None:
        layer.running_var.uniform_(0.5, 2)
        layer.running_mean.uniform_(-1, 1)
    x = tg.randn(7, 6, dtype=dtype) if order == "C" else tg.randn(6, 7, dtype=dtype).T
    kept = x.numpy().copy()
    with tg.no_grad():
        found, wanted = layer(x), layer.forward(x)
    near = 1e-5 if dtype is tg.float32 else 1e-12
    np.testing.assert_allclose(found.numpy(), wanted.numpy(), rtol=near, atol=near)
    assert found.dtype == wanted.dtype
    assert found.stride() == wanted.stride()
    assert not found.requires_grad
    np.testing.assert_array_equal(x.numpy(), kept)
    has_rule = name != "batch norm without statistics"
    assert rules_run == ([layer] if has_rule else [])


@pytest.mark.parametrize("kind", [nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d])
@pytest.mark.parametrize("affine", [True, False])
@pytest.mark.parametrize("last", [False, True], ids=["in C order", "channels last"])
def test_batch_norm_of_images_in_evaluation(kind, affine, last, rules_run):
    tg.manual_seed(0)
    layer = kind(3, affine=affine).eval()
    layer.running_var.uniform_(0.5, 2)
    layer.running_mean.uniform_(-1, 1)
    sizes = (2, 3, *(4, 5, 6)[: layer._ranks[-1] - 2])
    x = tg.randn(sizes)
    if last:
        x = tg.from_numpy(np.moveaxis(np.ascontiguousarray(np.moveaxis(x.numpy(), 1, -1)), -1, 1))
    kept = x.numpy().copy()
    with tg.no_grad():
        found, wanted = layer(x), layer.forward(x)
    np.testing.assert_array_equal(found.numpy(), wanted.numpy())
    assert found.stride() == wanted.stride()
    np.testing.assert_array_equal(x.numpy(), kept)
    assert rules_run == [layer]


def test_batch_norm_refuses_a_negative_eps_in_evaluation():
    with tg.no_grad(), pytest.raises(ValueError, match="eps must be non-negative"):
        nn.BatchNorm2d(3, eps=-0.5).eval()(tg.randn(2, 3, 4, 4))


@pytest.mark.parametrize("shape", [(), (6,), (2, 3, 6), (0, 6)])
@pytest.mark.parametrize("name", ["linear", "tanh", "sigmoid", "relu", "gelu", "layer norm"])
def test_a_call_on_other_shapes(name, shape, rules_run):
    layer, x = LAYERS[name](), tg.randn(*shape)
    if name in ("linear", "layer norm") and not shape:
        with tg.no_grad(), pytest.raises(RuntimeError, match=r"linear|layer_norm"):
            layer(x)
        return
    with tg.no_grad():
        found, wanted = layer(x), layer.forward(x)
    assert found.shape == wanted.shape
    np.testing.assert_allclose(found.numpy(), wanted.numpy(), rtol=1e-5, atol=1e-6)
    assert rules_run == [layer] or not shape  # NumPy makes a number of some


@pytest.mark.parametrize("dtype", [tg.int64, tg.int32])
def test_embedding(dtype, rules_run):
    layer = nn.Embedding(7, 3, padding_idx=2)
    index = tg.tensor([[0, 6, 2], [2, 5, 1]], dtype=dtype)
    with tg.no_grad():
        found = layer(index)
        assert rules_run == [layer]
        empty = layer(index[:0])
    np.testing.assert_array_equal(found.numpy(), layer(index).detach().numpy())
    found.zero_()  # no memory of the table's
    assert layer.weight.abs().sum() > 0
    assert empty.shape == (0, 3, 3)


class Own(nn.Module):
    """As programs write their models."""

    def __init__(self):
        super().__init__()
        self.a, self.b, self.squash = nn.Linear(6, 5), nn.Linear(5, 4), nn.Tanh()

    def forward(self, x):
        return self.b(self.squash(self.a(x)))


def test_a_users_module_goes_the_short_way(rules_run):
    net, x = Own(), tg.randn(3, 6)
    wanted = net(x)
    assert rules_run == []
    with tg.no_grad():
        found = net(x)
    np.testing.assert_allclose(found.numpy(), wanted.detach().numpy(), rtol=1e-5, atol=1e-6)
    assert rules_run == [net.a, net.squash, net.b]
    assert wanted.grad_fn.scope.call == 0
    assert net(x).grad_fn.scope.call == 2  # unrecorded calls count


@pytest.mark.parametrize("make", [Own, lambda: nn.Sequential(nn.Linear(6, 5), nn.Linear(5, 4))])
@pytest.mark.parametrize("grad", [False, True])
def test_errors_say_where(make, grad):
    net = make()
    first = next(name for name, _ in net.named_children())
    with tg.set_grad_enabled(grad), pytest.raises(RuntimeError, match="linear") as caught:
        net(tg.randn(3, 5))
    assert caught.value.__notes__ == [f"in the forward of Linear {first!r}"]
    assert "test_layer_rules.py" in str(caught.value)


def test_hooks_functions_and_subclasses_of_a_module_alone(rules_run, monkeypatch):
    x = tg.randn(5, 3)
    layer = nn.Linear(3, 3)
    with tg.no_grad():
        seen = []
        handle = layer.register_forward_hook(lambda m, args, y: seen.append(m) or y * 0)
        assert float(layer(x).abs().sum()) == 0
        handle.remove()
        handle = layer.register_forward_pre_hook(lambda m, args: (args[0] * 0,))
        np.testing.assert_array_equal(layer(x).numpy()[2], layer.bias.detach().numpy())
        handle.remove()
        handle = nn.modules.module.register_module_forward_hook(lambda m, args, y: seen.append(m))
        layer(x)
        handle.remove()
        assert seen == [layer, layer]
        assert rules_run == []
        layer.forward = lambda y: y * 0
        assert float(layer(x).abs().sum()) == 0
        del layer.forward
        assert float(layer(input=x).abs().sum()) > 0
        assert rules_run == []
        layer(x)
        assert rules_run == [layer]  # hooks that are gone cost nothing more
        monkeypatch.setattr(nn.Linear, "forward", lambda self, y: y * 0)
        assert float(layer(x).abs().sum()) == 0


class Doubled(nn.Module):
    def forward(self, weight):
        return weight * 2


@pytest.mark.parametrize("wrap", [lambda layer: layer, nn.Sequential])
def test_computed_weights(wrap):
    layer, x = nn.Linear(3, 3, bias=False), tg.randn(5, 3)
    wanted = layer(x).detach() * 2
    parametrize.register_parametrization(layer, "weight", Doubled())
    net = wrap(layer)
    with tg.no_grad():
        np.testing.assert_allclose(net(x).numpy(), wanted.numpy(), rtol=1e-6)
    doubling = net(x).grad_fn.inputs[1]
    assert doubling.op.name == "mul"
    assert doubling.location.function == "Doubled.forward"


def test_a_norm_that_checks_its_input_itself(rules_run):
    class Strict(nn.BatchNorm1d):
        def _check_input_dim(self, input):
            raise ValueError("not today")

    with tg.no_grad(), pytest.raises(ValueError, match="not today"):
        Strict(3).eval()(tg.randn(4, 3))
    assert rules_run == []


def test_what_records_inside_knows_its_module():
    class Inner(nn.Module):
        def forward(self, x):
            with tg.enable_grad():
                return x.requires_grad_().exp()

    with tg.no_grad():
        node = nn.Sequential(nn.Tanh(), Inner())(tg.randn(3)).grad_fn
    assert (node.scope.path, node.scope.cls) == ("1", "Inner")


def test_a_module_alone_under_vmap_and_in_inference_mode():
    layer, x = nn.Linear(3, 4), tg.randn(5, 3)
    with tg.no_grad():
        mapped = tg.func.vmap(layer)(x)
        np.testing.assert_allclose(mapped.numpy(), layer(x).numpy(), rtol=1e-5, atol=1e-6)
    with tg.inference_mode():
        assert layer(x).is_inference()
    with tg.no_grad():
        assert not layer(x).is_inference()


@pytest.mark.parametrize("dtype", [tg.float32, tg.float64])
def test_a_bias_that_changes_is_added_as_it_is_now(dtype):
    layer = nn.Linear(3, 4, dtype=dtype)
    rows = [tg.randn(n, 3, dtype=dtype) for n in (2, 5, 2)]
    for turn in range(3):
        if turn == 1:
            layer.bias.detach().numpy()[1] = 7  # past every version
        if turn == 2:
            layer.bias = nn.Parameter(-layer.bias.detach())
        for x in rows:
            with tg.no_grad():
                found = layer(x)
            wanted = x.numpy() @ layer.weight.detach().numpy().T + layer.bias.detach().numpy()
            np.testing.assert_allclose(found.numpy(), wanted, rtol=1e-5, atol=1e-6)
            found.zero_()


def test_biases_of_more_layers_than_are_kept(monkeypatch):
    monkeypatch.setattr(linalg, "_KEPT", 3)
    layers, x = [nn.Linear(3, 4) for _ in range(8)], tg.randn(5, 3)
    for layer in layers * 2:
        with tg.no_grad():
            found = layer(x)
        np.testing.assert_allclose(found.numpy(), layer(x).detach().numpy(), rtol=1e-5, atol=1e-6)
        assert len(linalg._repeated[layer.bias.numpy(force=True).dtype]) <= 3
