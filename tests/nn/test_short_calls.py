"""What a Sequential computes itself is what its modules compute, and says the same of itself."""

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import nn
from tensorgrad.autograd import observe_forward
from tensorgrad.graph.node import local


def model(*, bias=True):
    tg.manual_seed(0)
    net = nn.Sequential(
        nn.Linear(6, 5, bias=bias), nn.Tanh(), nn.Linear(5, 200), nn.BatchNorm1d(200), nn.ReLU(),
        nn.Linear(200, 150), nn.Sigmoid(), nn.GELU(), nn.Linear(150, 3),
    )  # fmt: skip
    for norm in (net[3],):
        norm.running_mean.uniform_(-1, 1)
        norm.running_var.uniform_(0.5, 2)
    return net


def one_by_one(net, x):
    for module in net:
        x = module(x)
    return x


@pytest.mark.parametrize("rows", [1, 2, 33, 150, 300])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("grad", [False, True])
def test_the_result_is_that_of_the_modules(rows, dtype, grad):
    net = model(bias=rows != 2).to(tg.as_tensor(np.zeros((), dtype)).dtype).eval()
    x = tg.from_numpy(np.random.default_rng(0).standard_normal((rows, 6)).astype(dtype))
    kept = x.numpy().copy()
    with tg.set_grad_enabled(grad):
        found, wanted = net(x), one_by_one(net, x)
    tight = {"rtol": 1e-5, "atol": 1e-6} if dtype is np.float32 else {"rtol": 1e-12, "atol": 1e-13}
    np.testing.assert_allclose(found.detach().numpy(), wanted.detach().numpy(), **tight)
    assert found.dtype == wanted.dtype
    assert found.requires_grad == grad
    assert found.detach().numpy().flags.c_contiguous
    np.testing.assert_array_equal(x.numpy(), kept)


def test_an_observer_sees_the_nodes_of_the_modules():
    net = model().eval()
    nodes = []
    with observe_forward(lambda node, out: nodes.append((node, out.shape))):
        itself = net(tg.randn(4, 6))
        count = len(nodes)
        modules = one_by_one(net, tg.randn(4, 6))
    of_itself, of_modules = nodes[:count], nodes[count:]
    assert of_itself[-1][0] is itself.grad_fn
    assert of_modules[-1][0] is modules.grad_fn
    assert [(n.op.name, shape) for n, shape in of_itself] == [
        (n.op.name, shape) for n, shape in of_modules
    ]
    classes = ["Linear", "Tanh", "Linear", "BatchNorm1d", "ReLU", "Linear", "Sigmoid", "GELU"]
    assert list(dict.fromkeys((n.scope.name, n.scope.cls) for n, _ in of_itself)) == [
        (str(k), name) for k, name in enumerate([*classes, "Linear"])
    ]


def test_a_wide_last_layer_leaves_rows():
    layer = nn.Sequential(nn.Linear(300, 200))
    x = tg.randn(50, 300)
    with tg.no_grad():
        found = layer(x)
        assert found.numpy().flags.c_contiguous
        np.testing.assert_allclose(found.numpy(), layer[0](x).numpy(), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("shape", [(), (4,), (2, 3, 4)])
def test_other_shapes(shape):
    x = tg.randn(*shape)
    net = nn.Sequential(nn.Tanh(), nn.Sigmoid(), nn.ReLU())
    if shape:
        net.insert(1, nn.Linear(4, 4))
    with tg.no_grad():
        found, wanted = net(x), one_by_one(net, x)
    assert found.shape == wanted.shape
    assert type(found._array) is np.ndarray
    np.testing.assert_allclose(found.numpy(), wanted.numpy(), rtol=1e-6)


def test_the_first_layer_does_not_write_the_input():
    for layer in (nn.Tanh(), nn.Sigmoid(), nn.ReLU(), nn.BatchNorm1d(3).eval()):
        x = tg.randn(4, 3)
        kept = x.numpy().copy()
        with tg.no_grad():
            nn.Sequential(layer)(x)
        np.testing.assert_array_equal(x.numpy(), kept)


def test_in_place_is_in_place():
    for mode in (tg.no_grad(), tg.enable_grad()):
        x = tg.tensor([-1.0, 2.0])
        with mode:
            found = nn.Sequential(nn.ReLU(inplace=True))(x)
        assert found is x
        assert x.tolist() == [0.0, 2.0]


def test_nodes_know_scope_line_and_call():
    net = nn.Sequential(nn.Sequential(nn.Linear(3, 4), nn.Tanh()), nn.Linear(4, 2))
    x = tg.randn(5, 3)
    with tg.no_grad():
        net(x)
    seen = []
    for call in (net, lambda x: one_by_one(net[0], x)):
        node = call(x).grad_fn
        nodes = []
        while node is not None and node.op.name != "accumulate_grad":
            nodes.append((node.op.name, node.scope.path, node.scope.cls, node.scope.call))
            assert node.location.filename == __file__
            node = next((edge for edge in node.inputs if edge is not None), None)
        seen.append(nodes)
    assert seen[0] == [
        ("linear", "1", "Linear", 1),
        ("tanh", "0.1", "Tanh", 1),
        ("linear", "0.0", "Linear", 1),
    ]
    assert seen[1] == [("tanh", "1", "Tanh", 2), ("linear", "0", "Linear", 2)]


def test_the_line_is_the_users_even_after_an_error():
    net = nn.Sequential(nn.Linear(3, 4))
    with pytest.raises(RuntimeError, match="linear") as caught:
        net(tg.randn(5, 2))
    assert any("in the forward of Linear '0'" in note for note in caught.value.__notes__)
    node = tg.randn(3, requires_grad=True).exp().grad_fn
    assert node.location.function == "test_the_line_is_the_users_even_after_an_error"
    assert node.scope is None
    with tg.no_grad(), pytest.raises(RuntimeError, match="linear"):
        net(tg.randn(5, 2))
    with tg.no_grad(), pytest.raises(TypeError, match="Tensor"):
        net([1.0, 2.0, 3.0])
    with tg.no_grad(), pytest.raises(RuntimeError, match="one dtype"):
        net(tg.randn(5, 3).double())


@pytest.mark.parametrize("grad", [False, True])
def test_hooks_and_changed_forwards_are_heeded(monkeypatch, grad):
    x = tg.randn(5, 3)
    with tg.set_grad_enabled(grad):
        net = nn.Sequential(nn.Linear(3, 3), nn.Tanh())
        seen = []
        handle = net[1].register_forward_hook(lambda m, args, y: seen.append(m) or y * 0)
        assert float(net(x).abs().sum()) == 0
        assert seen == [net[1]]
        handle.remove()
        assert float(net(x).abs().sum()) > 0
        net[1].forward = lambda y: y * 0
        assert float(net(x).abs().sum()) == 0
        del net[1].forward
        handle = nn.modules.module.register_module_forward_hook(lambda m, args, y: seen.append(m))
        net(x)
        handle.remove()
        assert seen[1:] == [net[0], net[1], net]
        monkeypatch.setattr(nn.Tanh, "forward", lambda self, y: y * 0)
        assert float(net(x).abs().sum()) == 0

        class Own(nn.Linear):
            def forward(self, y):
                return y * 0

        assert float(nn.Sequential(Own(3, 3))(x).abs().sum()) == 0


def test_observers_see_every_layer_and_their_own_line():
    net = nn.Sequential(nn.Linear(3, 3), nn.Tanh())
    names = []
    places = []

    def observer(node, out):
        names.append(node.op.name)
        if node.op.name == "tanh":
            places.append((out * 2).grad_fn.location.function)
            places.append(tg.cat([out, out]).grad_fn.location.function)

    with observe_forward(observer):
        net(tg.randn(2, 3))
    assert names == ["linear", "tanh", "mul", "cat"]
    assert [place.rsplit(".")[-1] for place in places] == ["observer", "observer"]


def test_gradients_are_those_of_the_modules():
    net = model().train()
    x = tg.randn(8, 6)
    found = []
    for call in (net, lambda x: one_by_one(net, x)):
        net.zero_grad()
        call(x).square().sum().backward()
        found.append([p.grad.numpy().copy() for p in net.parameters()])
    for a, b in zip(*found, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


def test_inference_mode_marks_the_result():
    net = nn.Sequential(nn.Linear(3, 3), nn.Tanh())
    with tg.inference_mode():
        assert net(tg.randn(2, 3)).is_inference()
    with tg.no_grad():
        assert not net(tg.randn(2, 3)).is_inference()


def test_under_vmap():
    net = nn.Sequential(nn.Linear(3, 4), nn.Tanh())
    x = tg.randn(5, 3)
    with tg.no_grad():
        mapped = tg.func.vmap(net)(x)
        np.testing.assert_allclose(mapped.numpy(), net(x).numpy(), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("dtype", [tg.float32, tg.float64])
@pytest.mark.parametrize("affine", ["both", "weight", "none"])
def test_layer_norm_of_unrecorded_values(dtype, affine):
    tg.manual_seed(0)
    layer = nn.LayerNorm((4, 3), elementwise_affine=affine != "none", bias=affine == "both")
    layer.to(dtype)
    for p in layer.parameters():
        nn.init.normal_(p)
    x = tg.randn(2, 5, 4, 3, dtype=dtype)
    kept = x.numpy().copy()
    with tg.no_grad():
        found = layer(x)
    wanted = nn.functional.layer_norm(x, (4, 3), layer.weight, layer.bias)
    np.testing.assert_array_equal(found.numpy(), wanted.detach().numpy())
    np.testing.assert_array_equal(x.numpy(), kept)
    assert found.dtype == dtype


def test_what_is_wrong_with_norms_and_tables_is_said_without_a_gradient_too():
    table, norm = nn.Embedding(7, 3), nn.LayerNorm(3)
    with tg.no_grad():
        for bad in ([7], [-1], [-8]):
            with pytest.raises(IndexError, match=r"in self: -?\d, for a weight of 7 rows"):
                table(tg.tensor(bad))
        for wrong in (tg.tensor([1.0]), tg.tensor([1], dtype=tg.int16)):
            with pytest.raises(RuntimeError, match="to have a scalar type of int64"):
                table(wrong)
            with pytest.raises(RuntimeError, match="to have a scalar type of int64"):
                nn.Sequential(table)(wrong)
        with pytest.raises(RuntimeError, match="expected input with shape"):
            norm(tg.randn(2, 4))
        with pytest.raises(RuntimeError, match="mixed dtype"):
            norm(tg.randn(2, 3, dtype=tg.float64))


def test_rows_that_are_too_long_are_shortened_without_a_gradient_too():
    table = nn.Embedding(4, 3, max_norm=1.0)
    with tg.no_grad():
        table.weight.fill_(2.0)
        found = table(tg.tensor([1]))
    np.testing.assert_allclose(np.linalg.norm(found.numpy()), 1, rtol=1e-5)
    np.testing.assert_array_equal(table.weight.detach().numpy()[0], 2)


@pytest.mark.parametrize("shape", [(3, 6), (2, 3, 6)])
@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_place_without_a_module(shape, place):
    net = nn.Sequential(nn.Linear(6, 6), nn.ReLU(), nn.Tanh())
    net._modules[str(place)] = None
    for grad in (False, True):
        with tg.set_grad_enabled(grad), pytest.raises(TypeError, match="not callable"):
            net(tg.randn(*shape))


class Probe(nn.Module):
    """A user's module: it notes in which scope it runs, and may fail."""

    def __init__(self, fail=False):
        super().__init__()
        self.seen, self.fail = [], fail

    def forward(self, x):
        self.seen.append((local.context.scope.path, local.context.scope.parent.cls))
        if self.fail:
            raise ValueError("as asked")
        with tg.enable_grad():
            self.made = x * tg.ones(1, requires_grad=True)
        return x * 2


@pytest.mark.parametrize("shape", [(3, 6), (2, 3, 6)])
@pytest.mark.parametrize("place", [0, 1, 2, 4])
def test_a_users_module_in_between_runs_in_its_scope(shape, place, rules_run):
    inner = [nn.Linear(6, 6), nn.ReLU(), nn.Linear(6, 6), nn.Tanh()]
    inner.insert(place, probe := Probe())
    net = nn.Sequential(nn.Linear(6, 6), nn.Sequential(*inner), nn.Dropout(), nn.Sigmoid()).eval()
    x = tg.randn(*shape)
    outside = local.context.scope
    with tg.no_grad():
        found = net(x)
    assert local.context.scope is outside
    assert local.context.module is None
    assert probe.seen == [(f"1.{place}", "Sequential")]
    assert probe.made.grad_fn.scope.path == f"1.{place}"
    ruled = [m for m in net.modules() if isinstance(m, (nn.Linear, nn.ReLU, nn.Tanh, nn.Sigmoid))]
    assert rules_run == ruled
    wanted = one_by_one(net, x)
    np.testing.assert_allclose(found.numpy(), wanted.detach().numpy(), rtol=1e-5, atol=1e-6)
    assert probe.seen[1:] == probe.seen[:1]  # as where operations are recorded


def test_what_a_users_module_in_between_raises_is_shown_and_told_its_place():
    net = nn.Sequential(nn.Linear(6, 6), nn.Sequential(nn.Tanh(), Probe(fail=True)))
    outside = local.context.scope
    with tg.no_grad(), pytest.raises(ValueError, match="as asked") as caught:
        net(tg.randn(3, 6))
    assert caught.value.__notes__ == ["in the forward of Probe '1.1'"]
    assert local.context.scope is outside


@pytest.mark.parametrize("value", [None, [1.0, 2.0], "text"])
def test_no_tensor_goes_to_the_first_module(value):
    class Back(nn.Module):
        def forward(self, x):
            return x

    with tg.no_grad():
        assert nn.Sequential(Back(), Back())(value) is value
        assert nn.Sequential()(value) is value
        x = tg.randn(2, 3)
        assert nn.Sequential(Back(), nn.Identity())(x) is x


def test_weights_that_are_no_matrices_are_refused_without_a_gradient_too():
    net = nn.Sequential(nn.Linear(6, 4, bias=False))
    for shape in [(4, 6, 2), (4, 2, 6)]:
        net[0].weight = nn.Parameter(tg.randn(*shape))
        for grad in (False, True):
            with tg.set_grad_enabled(grad), pytest.raises(RuntimeError):
                net(tg.randn(6, 6))
