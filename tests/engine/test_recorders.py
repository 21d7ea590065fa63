"""The quick recorders and the quick walk give what the general ones give."""

import threading

import numpy as np
import pytest
from recorder_tools import leaf, same, what

import tensorgrad as tg
from tensorgrad.autograd import observe_backward
from tensorgrad.graph import storages
from tensorgrad.graph.node import edge_of
from tensorgrad.machine import constants
from tensorgrad.primitive import primitives, raw, recorded, scalars
from tensorgrad.recording.general import general

UNARY = [op for op in primitives.values() if op.ufunc and len(op.arguments) == 1]
BINARY = [op for op in primitives.values() if op.ufunc and len(op.arguments) == 2 and op.rules]


@pytest.mark.parametrize("op", UNARY, ids=lambda op: op.name)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(), (3,), (2, 3)])
def test_one_argument(op, dtype, shape):
    for grad in (True, False):
        x = leaf(*shape, dtype=dtype, grad=grad)
        edge_of(x)  # so that both find the same
        same(op, x)
        same(op, x * 1)


KEEPING = {
    "gelu": {"tanh": True},
    "cross_entropy": {"target": np.arange(4) % 3, "weight": np.full(4, 0.25, np.float32)},
}


@pytest.mark.parametrize("name", KEEPING)
@pytest.mark.parametrize("grad", [True, False])
@pytest.mark.parametrize("view", [True, False])
def test_one_argument_and_something_kept(name, grad, view):
    assert set(KEEPING) == {
        op.name for op in primitives.values() if op.keep_flag and len(op.arguments) == 1
    }
    op, params = primitives[name], KEEPING[name]
    base = leaf(5, 3, grad=False)
    x = base[:4] if view else base[:4].clone()
    if grad:
        base.mul_(leaf(1))  # now the view has a gradient
        x = x if view else x.requires_grad_()
    edge = edge_of(x)  # so that both find the same
    found = []
    for record in (getattr(recorded, name), general(op)):
        out = record(x, **params)
        node = out._node
        assert (node is None) == (edge is None)
        extras = {}
        if node is not None:
            *node.saved, extras = node.saved
            assert sorted(extras) == sorted(op.keeps)
        found.append((out._array, what(node), extras.get("cache")))
    quick, slow = found
    np.testing.assert_array_equal(quick[0], slow[0])
    assert quick[0].dtype is slow[0].dtype
    assert {**(quick[1] or {}), "line": None} == {**(slow[1] or {}), "line": None}
    caches = [cache if isinstance(cache, tuple) else (cache,) for cache in (quick[2], slow[2])]
    for a, b in zip(*caches, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("op", BINARY, ids=lambda op: op.name)
@pytest.mark.parametrize("shapes", [((), ()), ((2, 3), (2, 3)), ((2, 3), (3,)), ((2, 3), ())])
def test_two_arguments(op, shapes):
    for a_dtype, b_dtype in ((np.float32,) * 2, (np.float64,) * 2, (np.float32, np.float64)):
        for a_grad, b_grad in ((True, True), (True, False), (False, True), (False, False)):
            a = leaf(*shapes[0], dtype=a_dtype, grad=a_grad)
            b = leaf(*shapes[1], dtype=b_dtype, grad=b_grad, seed=1)
            keep = [edge_of(a), edge_of(b)]
            if a_dtype is b_dtype:  # a promoted copy is another array each time
                same(op, a, b)
            del keep


@pytest.mark.parametrize("op", BINARY, ids=lambda op: op.name)
@pytest.mark.parametrize("number", [2.5, 3, 0.0, -0.0, 0, True, float("inf"), 1e300])
def test_numbers(op, number):
    x = leaf(2, 3)
    keep = edge_of(x)
    with np.errstate(all="ignore"):
        quick, slow = [call(x, number) for call in (getattr(recorded, op.name), general(op))]
        np.testing.assert_array_equal(quick._array, slow._array)
        np.testing.assert_array_equal(np.signbit(quick._array), np.signbit(slow._array))
        assert quick._array.dtype is slow._array.dtype
        assert quick._node.saved[2] == slow._node.saved[2]
        quick, slow = [call(number, x) for call in (getattr(recorded, op.name), general(op))]
        np.testing.assert_array_equal(quick._array, slow._array)
        assert quick._node.input_specs == slow._node.input_specs
    del keep


def test_not_more_numbers_are_kept_than_the_limit():
    x = leaf(2)
    for i in range(3 * constants.LIMIT):
        x * (i + 0.5)
    assert len(constants.singles) <= constants.LIMIT
    np.testing.assert_array_equal((x * 7.5)._array, x._array * np.float32(7.5))


def graph(x, y):
    """Arithmetic, an operation beside it, an input used several times."""
    z = x * y + x / y - (-x) * 0.5
    z = z * z + (z * 2.0).tanh() * x + y.relu() + (z - 9.0).relu() + (x * 0.0).relu()
    z = z + x.exp() * y.log() + (x * y).sqrt().sigmoid()
    return (2.0 - z) / (z * z + 1.0)


def test_single_numbers_have_the_gradients_of_arrays():
    found = []
    for shape in ((), (1,)):
        for dtype in (np.float32, np.float64):
            x, y = leaf(*shape, dtype=dtype), leaf(*shape, dtype=dtype, seed=1)
            graph(x, y).sum().backward()
            assert type(x.grad._array) is type(y.grad._array) is np.ndarray
            assert x.grad._array.dtype == dtype
            assert x.grad._array.shape == shape
            found.append([float(x.grad), float(y.grad)])
    np.testing.assert_allclose(found[0], found[2], rtol=1e-6)
    np.testing.assert_allclose(found[1], found[3], rtol=1e-14)


@pytest.mark.parametrize("shape", [(), (2, 3)])
def test_the_watched_walk_gives_the_same_and_arrays_only(shape):
    x, y = leaf(*shape), leaf(*shape, seed=1)
    graph(x, y).sum().backward()
    seen = []
    expected = [x.grad, y.grad]
    x.grad = y.grad = None
    with observe_backward(lambda node, g: seen.append(type(g))):
        graph(x, y).sum().backward()
    assert set(seen) == {np.ndarray}
    for got, wanted in zip((x.grad, y.grad), expected, strict=True):
        np.testing.assert_allclose(got._array, wanted._array, rtol=1e-6)


def test_a_hook_within_single_numbers_sees_tensors():
    x = leaf()
    y = x * 2.0
    seen = []
    y.register_hook(lambda g: seen.append(g) or g * 3)
    (y * y + y).backward()
    assert isinstance(seen[0], tg.Tensor)
    assert float(x.grad) == pytest.approx(float((2 * y + 1) * 6))


def test_a_seed_that_all_losses_share_is_not_given_away():
    x = leaf()
    x.backward()
    x.grad += 5
    y = leaf()
    y.backward()
    assert float(y.grad) == 1
    z = leaf()
    (z + 0.0).backward()
    z.grad *= 7
    y.grad = None
    (y + 0.0).backward()
    assert float(y.grad) == 1


def test_the_first_operation_of_a_file_is_where_it_stands(tmp_path):
    """Not where its caller stands, whose file may be known already."""
    file = tmp_path / "fresh.py"
    file.write_text("def run(x):\n    return [x.exp(),\n            x * 2.0, -x]\n")
    scope = {"__name__": "fresh"}
    exec(compile(file.read_text(), str(file), "exec"), scope)
    x = leaf(2)
    assert x.exp().grad_fn.location.filename == __file__
    assert [y.grad_fn.location.lineno for y in scope["run"](x)] == [2, 3, 3]
    assert scope["run"](x)[0].grad_fn.location.filename == str(file)


@pytest.mark.parametrize("needs", range(8))
def test_three_arguments(needs):
    x, w, b = (
        leaf(*shape, grad=bool(needs >> i & 1)) for i, shape in enumerate([(4, 3), (2, 3), (2,)])
    )
    keep = [edge_of(t) for t in (x, w, b)]
    same(primitives["linear"], x, w, b)
    same(primitives["linear"], x, w, None)
    same(primitives["linear"], leaf(2, 4, 3, grad=False), w, b)
    p, q = leaf(2, 3, grad=bool(needs & 1)), leaf(2, 3, grad=bool(needs & 2), seed=1)
    keep += [edge_of(p), edge_of(q)]
    same(primitives["where"], p > 1.0, p, q)
    same(primitives["where"], p > 1.0, p, 2.0)


def gradients(make, *, leaves, watched=False):
    """The gradients of the leaves after a backward through one operation, and what it kept."""
    for x in leaves:
        x.grad = None
    out = make(*leaves)
    seed = tg.from_numpy(np.linspace(1, 2, out.numel(), dtype=np.float32).reshape(out.shape))
    if watched:  # takes the general walk
        with observe_backward(lambda node, g: None):
            out.backward(seed)
    else:
        out.backward(seed)
    node = out.grad_fn
    return [None if x.grad is None else x.grad._array for x in leaves], node.saved, node.storages


@pytest.mark.parametrize(
    "make",
    [
        lambda x, y: -x,
        lambda x, y: x + y,
        lambda x, y: x * y,
        lambda x, y: x * x,
        lambda x, y: x * 2.5,
        lambda x, y: x / y[0].detach(),
        lambda x, y: x.sum(dim=1),
        lambda x, y: tg.where(x > 1.0, x, y),
        lambda x, y: tg.cat([x, y]),
        lambda x, y: tg.cat([x, x, y]),
        lambda x, y: x.reshape(6),
        lambda x, y: x.transpose(0, 1),
    ],
)
def test_a_walk_over_leaves_alone_is_the_walk(make):
    leaves = [leaf(2, 3), leaf(2, 3, seed=1)]
    quick, quick_saved, quick_storages = gradients(make, leaves=leaves)
    slow, slow_saved, slow_storages = gradients(make, leaves=leaves, watched=True)
    for got, wanted in zip(quick, slow, strict=True):
        assert (got is None) == (wanted is None)
        if wanted is not None:
            np.testing.assert_array_equal(got, wanted)
            assert got.flags.c_contiguous
            assert got.flags.writeable
    assert quick_storages is slow_storages is None
    assert type(quick_saved) is type(slow_saved)


def test_a_walk_over_leaves_alone_gives_each_leaf_its_own_gradient():
    x, y = leaf(2, 3), leaf(2, 3, seed=1)
    seed = tg.ones(2, 3)
    (x + y).backward(seed)
    x.grad += 5
    np.testing.assert_array_equal(y.grad._array, 1)
    np.testing.assert_array_equal(seed._array, 1)
    held = x.grad
    (x * 2).backward(seed)
    assert x.grad is held
    np.testing.assert_array_equal(held._array, 8)


def test_a_walk_over_leaves_alone_calls_the_hooks():
    x, y = leaf(2, 3), leaf(2, 3, seed=1)
    seen = []
    x.register_hook(lambda g: seen.append("hook") or g * 3)
    x.register_post_accumulate_grad_hook(lambda t: seen.append("after"))
    out = x * y
    out.register_hook(lambda g: seen.append("out") or g * 2)
    out.backward(tg.ones(2, 3))
    assert seen == ["out", "hook", "after"]
    np.testing.assert_allclose(x.grad._array, 6 * y._array)
    np.testing.assert_allclose(y.grad._array, 2 * x._array)


def test_a_walk_over_leaves_alone_refuses_what_the_walk_refuses():
    x, y = leaf(2, 3), leaf(2, 3, seed=1)
    out = x * y
    out.backward(tg.ones(2, 3), retain_graph=True)
    out.backward(tg.ones(2, 3))
    np.testing.assert_allclose(x.grad._array, 2 * y._array)
    with pytest.raises(RuntimeError, match="second time"):
        out.backward(tg.ones(2, 3))
    out = x * y
    with tg.no_grad():
        y += 1
    with pytest.raises(RuntimeError, match=r"test_recorders\.py"):
        out.backward(tg.ones(2, 3))


def test_methods_of_one_operand_refuse_arguments_and_say_where():
    x = leaf(2, 3)
    for name in ("exp", "abs", "relu", "tanh", "neg"):
        method = getattr(x, name)
        assert method().grad_fn.location.function == (
            "test_methods_of_one_operand_refuse_arguments_and_say_where"
        )
        with pytest.raises(TypeError):
            method(1)
        with pytest.raises(TypeError):
            method(base=2)


EVEN = [op for op in primitives.values() if op.even and op.differentiable]


@pytest.mark.parametrize("op", EVEN, ids=lambda op: op.name)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_even_rules_give_arrays_of_the_outputs_shape_and_dtype(op, dtype):
    """The walk relies on it and does not look."""
    arrays = [leaf(2, 3, dtype=dtype, seed=i)._array for i in range(len(op.arguments))]
    y = np.asarray(op.forward(*arrays))
    g = np.ones_like(y)
    for rule in op.rules:
        found = rule(raw, g, y, *arrays)
        assert type(found) is np.ndarray
        assert found.shape == y.shape
        assert found.dtype == y.dtype == dtype
    if op.arithmetic:
        numbers = [a[0, 0] for a in arrays]
        for rule in op.rules:
            assert rule(scalars, g[0, 0], y[0, 0], *numbers).dtype == dtype


def test_the_newest_node_comes_first():
    """Whatever the shape of the graph: a node runs after all that lead to it, and once."""
    rng = np.random.default_rng(0)
    for _ in range(20):
        x = leaf(2)
        made = [x]
        for _ in range(30):
            a, b = (made[int(i)] for i in rng.integers(0, len(made), 2))
            made.append(a * 0.5 + b * 0.25 if rng.random() < 0.8 else (a - b).tanh())
        out = sum(made[-5:]).sum()
        out.backward(retain_graph=True)
        quick, x.grad = x.grad._array, None
        with observe_backward(lambda node, g: None):
            out.backward()
        np.testing.assert_allclose(quick, x.grad._array, rtol=1e-5)


def test_a_write_before_the_node_was_made_is_no_reason_to_stop():
    x, y = leaf(2, 3), leaf(2, 3, seed=1)
    with tg.no_grad():
        y += 1
    z = x * y
    other = leaf(2)
    with tg.no_grad():
        other += 1  # after the node, but of another memory
    (z * 1).sum().backward()
    np.testing.assert_array_equal(x.grad._array, y._array)
    z = x * y
    (z * 1).sum().backward()  # the accumulation into x.grad was a write, too
    z = (x * y).exp()
    with tg.no_grad():
        z += 1
    with pytest.raises(RuntimeError, match=r"output of exp"):
        z.sum().backward()


def test_threads_do_not_take_back_each_others_writes():
    before = storages.latest

    def note(first):
        for stamp in range(first, first + 2000):
            storages.note_stamp(stamp)

    threads = [threading.Thread(target=note, args=(before + 1 + k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert storages.latest == before + 2003
    storages.latest = before  # those numbers were not drawn


def test_two_edges_need_no_tuple():
    x, y = leaf(2), leaf(2, seed=1)
    for out, count in ((x.exp(), 1), (x * y, 2), (x * 2.0, 2), (tg.where(x > 1, x, y), 3)):
        node = out.grad_fn
        assert len(node.inputs) == count
        assert next(n for n in node.inputs if n is not None) is edge_of(x)
    node.inputs = (None, None, edge_of(y))
    assert node.inputs == (None, None, edge_of(y))


def test_what_becomes_whole_numbers_or_bools_is_not_recorded():
    leaf = tg.tensor([1.5, 2.5], requires_grad=True)
    for x in (leaf, leaf * 2, leaf[:1]):
        for made in (x.long(), x.bool(), x.to(tg.uint8), x.type(tg.int32), x.sum(dtype=tg.int64)):
            assert not made.requires_grad
            assert made.grad_fn is None
            assert made.is_leaf
            made.numpy()
        assert x.half().requires_grad
    rows = tg.func.vmap(lambda row: row.long())(tg.ones(2, 3, requires_grad=True))
    assert not rows.requires_grad
