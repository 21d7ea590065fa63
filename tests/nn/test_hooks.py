"""Hooks of modules: order, replacement, removal, and gradients that are the module's alone."""

import warnings

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import nn
from tensorgrad.nn.hooks import everywhere


def layer(value=2.0):
    made = nn.Linear(1, 1, bias=False)
    nn.init.constant_(made.weight, value)
    return made


def test_forward_hooks_see_and_replace():
    lin, seen = layer(), []
    x = tg.ones(1, 1)
    lin.register_forward_pre_hook(lambda m, args: seen.append(("pre", args[0].item())))
    lin.register_forward_pre_hook(lambda m, args: args[0] + 1)
    lin.register_forward_hook(
        lambda m, args, out: seen.append(("post", args[0].item(), out.item()))
    )
    handle = lin.register_forward_hook(lambda m, args, out: -out)
    assert lin(x).item() == -4
    assert seen == [("pre", 1.0), ("post", 2.0, 4.0)]
    handle.remove()
    handle.remove()
    assert lin(x).item() == 4


def test_a_hook_as_a_context_manager():
    lin = layer()
    with lin.register_forward_hook(lambda m, args, out: out * 0):
        assert lin(tg.ones(1, 1)).item() == 0
    assert lin(tg.ones(1, 1)).item() == 2


def test_calls_take_the_short_way_again_when_all_hooks_are_removed():
    lin, seen = nn.Linear(2, 2), []
    handles = (
        lin.register_forward_hook(lambda module, args, output: seen.append("its own")),
        nn.modules.module.register_module_forward_hook(lambda *three: seen.append("of all")),
    )
    lin(tg.ones(2))
    assert seen == ["of all", "its own"]
    for handle in handles:
        handle.remove()
    lin(tg.ones(2))
    assert seen == ["of all", "its own"]
    assert lin._hooks.idle
    assert everywhere.hooks.idle
    lin.register_forward_hook(lambda module, args, output: seen.append("again"))
    lin(tg.ones(2))
    assert seen[2:] == ["again"]


def test_of_removed_backward_hooks_the_kind_is_remembered():
    lin = nn.Linear(2, 2)
    lin.register_full_backward_hook(lambda *three: None).remove()
    lin(tg.ones(2))
    with pytest.raises(RuntimeError, match="both regular backward hooks and full"):
        lin.register_backward_hook(lambda *three: None)


def test_hooks_run_in_the_modules_scope():
    lin = layer()
    lin.register_forward_hook(lambda m, args, out: out * 3)
    net = nn.Sequential(lin)
    assert net(tg.ones(1, 1)).grad_fn.scope.path == "0"


def test_full_backward_hook_has_the_modules_own_gradients():
    lin, seen = layer(3.0), []
    lin.register_full_backward_hook(lambda m, gi, go: seen.append((gi[0].item(), go[0].item())))
    x = tg.ones(1, 1, requires_grad=True)
    (lin(x) * 2 + 100 * x).sum().backward()
    assert seen == [(6.0, 2.0)]
    assert x.grad.item() == 106


def test_full_backward_hook_may_replace_the_gradient():
    lin = layer(3.0)
    lin.register_full_backward_pre_hook(lambda m, go: (go[0] * 10,))
    lin.register_full_backward_hook(lambda m, gi, go: (gi[0] + 1,))
    x = tg.ones(1, 1, requires_grad=True)
    lin(x).sum().backward()
    assert x.grad.item() == 31
    assert lin.weight.grad.item() == 10


def test_hooks_on_every_layer_of_a_model_change_nothing():
    tg.manual_seed(0)
    net = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))
    x = tg.randn(5, 3)

    def gradients():
        net.zero_grad()
        net(x).square().sum().backward()
        return [p.grad.numpy().copy() for p in net.parameters()]

    plain = gradients()
    order = []
    for i, module in enumerate(net):
        module.register_full_backward_hook(lambda m, gi, go, i=i: order.append(i))
    with pytest.warns(UserWarning, match="Linear.*no inputs require"):  # of the first layer
        hooked = gradients()
    assert order == [2, 1, 0]
    for a, b in zip(plain, hooked):
        assert np.array_equal(a, b)


def test_hooks_work_when_gradients_are_differentiated():
    lin = layer(3.0)
    seen = []
    lin.register_full_backward_hook(lambda m, gi, go: seen.append(gi[0].requires_grad))
    x = tg.ones(1, 1, requires_grad=True)
    y = lin(x) ** 2
    (g,) = tg.autograd.grad(y.sum(), x, create_graph=True)
    g.sum().backward()
    assert seen[0] is True
    assert x.grad.item() == pytest.approx(18)


def test_an_inplace_activation_behind_a_hook_is_refused():
    sig = nn.Sigmoid()
    sig.register_full_backward_hook(lambda m, gi, go: None)
    x = tg.ones(2, requires_grad=True)
    y = sig(x)
    with pytest.raises(RuntimeError, match="handed through"):  # PyTorch: "is a view and is being"
        nn.functional.relu(y, inplace=True)
    y.sum().backward()


def test_backward_hooks_are_silent_without_recording():
    lin = layer()
    lin.register_full_backward_hook(lambda m, gi, go: pytest.fail("called"))
    with tg.no_grad():
        assert not lin(tg.ones(1, 1)).requires_grad


def test_errors_of_hooks_name_what_was_wrong():
    lin = layer()
    lin.register_full_backward_hook(lambda m, gi, go: (gi[0], gi[0]))
    with pytest.raises(RuntimeError, match="full_backward_hook returned 2 gradients"):
        lin(tg.ones(1, 1, requires_grad=True)).sum().backward()
    other = layer()
    other.register_forward_pre_hook(lambda m, args, kwargs: 5, with_kwargs=True)
    with pytest.raises(RuntimeError, match=r"Linear.*\(new_args, new_kwargs\)"):
        other(tg.ones(1, 1))


def test_what_a_hook_returns_must_be_gradients():
    for returned in (3, ("a",)):
        lin = layer()
        lin.register_full_backward_hook(lambda m, gi, go, r=returned: r)
        with pytest.raises(TypeError, match=r"full_backward_hook returned (int|str); a tuple"):
            lin(tg.ones(1, 1, requires_grad=True)).sum().backward()


def test_outputs_and_inputs_without_a_gradient():
    """What is detached stays so; a Tensor that got no gradient counts as zeros, as in PyTorch."""

    class Parts(nn.Module):
        def forward(self, a, b, c, d):
            return a * 2, a.detach(), a > 0

    parts, seen = Parts(), []
    parts.register_full_backward_hook(lambda m, gi, go: seen.extend([gi, go]))
    a = tg.ones(2, requires_grad=True)
    results = parts(a, tg.ones(1, 3), tg.tensor([1, 2]), 5)
    assert [out.requires_grad for out in results] == [True, False, False]
    results[0].sum().backward()
    (of_a, of_b, of_c, of_d), grad_output = seen
    assert of_a.tolist() == [2, 2]
    assert of_b.tolist() == [[0, 0, 0]]
    assert (of_c.tolist(), of_c.dtype) == ([0, 0], tg.int64)
    assert of_d is None
    assert grad_output[1:] == (None, None)


def test_a_hook_without_inputs_that_require_grad_warns():
    lin = layer()
    lin.register_full_backward_pre_hook(lambda m, go: None)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        lin(tg.ones(1, 1, requires_grad=True)).sum().backward()
    with pytest.warns(UserWarning, match="no inputs require"):
        lin(tg.ones(1, 1)).sum().backward()


def test_an_always_called_hook_that_fails_does_not_hide_the_first_error():
    layer = nn.Linear(2, 2)

    def fail(module, args, output):
        raise ValueError("of the hook")

    layer.register_forward_hook(fail, always_call=True)
    with (
        pytest.warns(UserWarning, match=r"silenced .* of the hook"),
        pytest.raises(RuntimeError, match="linear"),
    ):
        layer(tg.ones(1, 3))
    with pytest.raises(ValueError, match="of the hook"):  # nothing else was raised
        layer(tg.ones(1, 2))
