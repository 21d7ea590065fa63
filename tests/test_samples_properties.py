"""What holds of every row: dtypes, memory layouts, inputs left alone, arrays let go of."""

import gc
import inspect
import weakref

import numpy as np
import pytest
from samples import FUNCTIONS, SAMPLES
from sampling import Call, Dtype, Value, every_case, leaf, outputs_of

import tensorgrad as tg
from tensorgrad.primitive import primitives

DIFFERENTIABLE = [s for s in SAMPLES if s.differentiable]


def tensors_of(result):
    return [t for t in outputs_of(result) if isinstance(t, tg.Tensor)]


def gradients(call, outputs):
    """The gradients of the leaves for ones at the outputs, as arrays."""
    outputs = [t for t in tensors_of(outputs) if t.requires_grad]
    ones = [tg.ones_like(t) for t in outputs]
    found = tg.autograd.grad(outputs, call.leaves, ones, allow_unused=True)
    return [None if g is None else g.numpy() for g in found]


def equal(a, b):
    return np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-12)


# --- Dtypes ---------------------------------------------------------------------------------------


def single(array, requires_grad):
    kinds = {"f": np.float32, "c": np.complex64}
    kind = kinds.get(array.dtype.kind)
    return leaf(array if kind is None else array.astype(kind), requires_grad)


@every_case(DIFFERENTIABLE)
def test_float32_stays_float32(sample, number):
    drawn = sample.draw(number)
    if any(isinstance(value, Dtype) for value in drawn.params.values()) or "dtype" in drawn.params:
        return  # the case asks for a dtype
    if sample.path == "float_power":
        return  # float64 by definition
    call = Call(drawn, single)
    outputs = tensors_of(call.run(sample.function()))
    for output in outputs:
        assert output.dtype not in (tg.float64, tg.complex128)
    for given, gradient in zip(call.leaves, gradients(call, outputs), strict=True):
        assert gradient is None or gradient.dtype == given.dtype


# --- Memory ---------------------------------------------------------------------------------------


def reversed_axes(array):
    """The same values with the axes' strides in the opposite order."""
    return array.copy(order="F")  # asfortranarray makes a vector of a 0-d array


def every_second(array):
    """The same values in every second place of a larger array."""
    wide = np.zeros(tuple(2 * n for n in array.shape), array.dtype)
    part = wide[(..., *(slice(None, None, 2) for _ in array.shape))]
    part[...] = array
    return part


@every_case(SAMPLES)
@pytest.mark.parametrize("layout", [reversed_axes, every_second], ids=lambda f: f.__name__)
def test_layout_does_not_matter(sample, number, layout):
    drawn = sample.draw(number)
    plain = Call(drawn)
    strided = Call(drawn, lambda a, grad: tg.from_numpy(layout(a)).requires_grad_(grad))
    if sample.path == "Tensor.view":
        return  # its result depends on strides: test_views has it
    tg.manual_seed(0)
    expected = outputs_of(plain.run(sample.function()))
    tg.manual_seed(0)
    found = outputs_of(strided.run(sample.function()))
    for a, b in zip(expected, found, strict=True):
        if isinstance(a, tg.Tensor):
            assert a.dtype == b.dtype
            assert a.shape == b.shape
            equal(a.detach().numpy(), b.detach().numpy())
        else:
            assert a == b
    if plain.leaves and any(isinstance(t, tg.Tensor) and t.requires_grad for t in expected):
        for a, b in zip(gradients(plain, expected), gradients(strided, found), strict=True):
            assert (a is None) == (b is None)
            assert a is None or equal(a, b) is None


@every_case(SAMPLES)
def test_inputs_are_left_alone(sample, number):
    call = Call(sample.draw(number))
    before = [(t._array.copy(), t._version) for t in call.tensors]
    outputs = tensors_of(call.run(sample.function()))
    if any(t.requires_grad for t in outputs):
        gradients(call, outputs)
    for tensor, (array, version) in zip(call.tensors, before, strict=True):
        assert np.array_equal(tensor._array, array)
        assert tensor._version == version
        assert tensor.grad is None


@every_case([s for s in DIFFERENTIABLE if s.primitive])
def test_only_what_is_declared_is_kept(sample, number):
    """What a primitive does not say it saves is freed although the graph lives."""
    op = primitives[sample.primitive]
    call = Call(sample.draw(number))
    copies = [t.clone() if t.requires_grad else t for t in call.leaves]
    place = {id(t): i for i, t in enumerate(call.leaves)}
    names = []  # the name of each leaf's argument
    for i, value in enumerate(sample.cases[number].args):
        if getattr(value, "grad", False):
            names.append(op.arguments[i] if i < len(op.arguments) else "*")
    wanted = op.wanted([name in names or "*" in names for name in op.arguments] or [True])
    assert len(names) == len(copies) == len(place)
    gc.disable()
    try:
        outputs = tensors_of(call.run(sample.function(), *copies))
        shared = [any(np.shares_memory(c._array, o._array) for o in outputs) for c in copies]
        watched = [weakref.ref(c._array) for c in copies]
        graph = [t.grad_fn for t in outputs]
        result = [weakref.ref(t._array) for t in outputs]
        del copies[:], outputs[:]
        for name, view, reference in zip(names, shared, watched, strict=True):
            if name not in wanted and not view:
                assert reference() is None, f"{op.name} keeps {name}, which it does not declare"
        if "y" not in wanted and not any(shared):
            assert all(r() is None for r in result), f"{op.name} keeps its output"
        assert graph
    finally:
        gc.enable()


# --- Broadcasting ---------------------------------------------------------------------------------


def broadcasting(sample, number):
    args = sample.cases[number].args
    shapes = {a.shape for a in args if hasattr(a, "shape")}
    return len(args) == 2 and len(shapes) == 2 and not sample.cases[number].params


BINARY = [s for s in FUNCTIONS if s.primitive and len(primitives[s.primitive].arguments) == 2]


@every_case([s for s in BINARY if s.primitive != "matmul"])
def test_broadcasting_is_expanding(sample, number):
    """Broadcast arguments give what expanded ones give, and the summed gradients."""
    if not broadcasting(sample, number):
        return
    drawn = sample.draw(number)
    implicit, explicit = Call(drawn), Call(drawn)
    shape = np.broadcast_shapes(*(t.shape for t in implicit.tensors))
    wide = [t.expand(*shape) for t in explicit.tensors]
    expected = sample.function()(*wide)
    found = implicit.run(sample.function())
    equal(found.detach().numpy(), expected.detach().numpy())
    if sample.differentiable:
        for a, b in zip(gradients(implicit, [found]), gradients(explicit, [expected]), strict=True):
            equal(a, b)


# --- Methods --------------------------------------------------------------------------------------


def method_of(sample, suffix=""):
    """The method of Tensor with the name of a public function, if there is one."""
    name = sample.path + suffix
    usable = sample.path.isidentifier() and callable(getattr(tg.Tensor, name, None))
    return name if usable and isinstance(sample.cases[0].args[0], object) else None


def first_is_tensor(drawn):
    return bool(drawn.args) and isinstance(drawn.args[0], Value)


@every_case([s for s in FUNCTIONS if method_of(s) and not s.path.endswith("_")])
def test_method_is_the_function(sample, number):
    drawn = sample.draw(number)
    if not first_is_tensor(drawn):
        return
    name = method_of(sample)
    by_function, by_method = Call(drawn), Call(drawn)
    expected = outputs_of(by_function.run(getattr(tg, name)))
    if name == "where":  # x.where(condition, other): the arguments are in another order
        return
    found = outputs_of(by_method.run(lambda x, *args, **kw: getattr(x, name)(*args, **kw)))
    for a, b in zip(expected, found, strict=True):
        if isinstance(a, tg.Tensor):
            assert a.dtype == b.dtype
            assert np.array_equal(a.detach().numpy(), b.detach().numpy(), equal_nan=True)
        else:
            assert a == b


# detach_ writes nothing, it only cuts; the others change the shape (parity/test_inplace_shape.py).
NOT_WRITTEN = {"as_strided", "detach", "squeeze", "swapaxes", "t", "transpose", "unsqueeze"}


@every_case([s for s in FUNCTIONS if method_of(s, "_") and s.path not in NOT_WRITTEN])
def test_in_place_is_the_function(sample, number):
    """x.exp_() leaves in x what x.exp() gives, with the same gradients."""
    drawn = sample.draw(number)
    if not first_is_tensor(drawn):
        return
    name = method_of(sample, "_")
    plain, written = Call(drawn), Call(drawn)
    expected = plain.run(getattr(tg, sample.path))
    start = written.tensors[0]
    if expected.shape != start.shape or (expected.dtype != start.dtype and sample.differentiable):
        with pytest.raises(RuntimeError):
            written.run(lambda x, *args, **kw: getattr(x.clone(), name)(*args, **kw))
        return
    held = start.clone()
    address = held.data_ptr()
    returned = written.run(lambda x, *args, **kw: getattr(held, name)(*args, **kw))
    assert returned is held
    assert held.data_ptr() == address
    assert held._version == 1
    equal(held.detach().numpy(), expected.detach().numpy())
    if not sample.differentiable:  # a comparison: its answer is written over what had a gradient
        if held.requires_grad:
            assert all(g is None or not g.any() for g in gradients(written, [held]))
        return
    for a, b in zip(gradients(plain, [expected]), gradients(written, [held]), strict=True):
        assert (a is None) == (b is None)
        assert a is None or equal(a, b) is None


# --- Gradients behind a mask ----------------------------------------------------------------------

X = np.array([[-2.0, 1.0, 0.3], [0.6, -0.5, 2.0]])
MASK = X > 0
BEHIND = {
    "relu": (lambda x: tg.relu(x), MASK),
    "clamp": (lambda x: tg.clamp(x, -1, 1), (X >= -1) & (X <= 1)),
    "where": (lambda x: tg.where(tg.from_numpy(MASK), x, 0.0), MASK),
    "masked_fill": (lambda x: tg.masked_fill(x, tg.from_numpy(MASK), 1.0), ~MASK),
    "sign": (tg.sign, np.zeros_like(MASK)),
    "floor": (tg.floor, np.zeros_like(MASK)),
    "round": (tg.round, np.zeros_like(MASK)),
    "floor_divide": (lambda x: tg.floor_divide(x, 0.7), np.zeros_like(MASK)),
    "pow 0": (lambda x: tg.pow(x, 0), np.zeros_like(MASK)),
    "tril": (tg.tril, np.tril(np.ones((2, 3), bool))),
    "triu": (tg.triu, np.triu(np.ones((2, 3), bool))),
    "dropout": (lambda x: tg.nn.functional.dropout(x, 1.0), np.zeros_like(MASK)),
    "relu of nn": (lambda x: tg.nn.functional.relu(x), MASK),
}


@pytest.mark.parametrize("gradient", [np.inf, -np.inf, np.nan])
@pytest.mark.parametrize("name", BEHIND)
def test_nothing_passes_a_mask(name, gradient):
    """0 times infinity is NaN; what a mask lets not through has gradient 0 all the same."""
    function, passing = BEHIND[name]
    x = leaf(X, True)
    y = function(x)
    y.backward(tg.full(y.shape, gradient, dtype=tg.float64))
    assert np.array_equal(x.grad.numpy() == 0, ~passing)


def test_every_function_names_its_arguments_as_documented():
    """Public functions have no *args but where PyTorch's have.

    An in-place function hands everything to the method of its name, whose signature counts.
    """
    variadic = {
        "broadcast_tensors", "broadcast_shapes", "einsum", "block_diag", "cartesian_prod",
        "chain_matmul", "meshgrid", "atleast_1d", "atleast_2d", "atleast_3d",
        "lstm", "gru", "rnn_tanh", "rnn_relu",
    }  # fmt: skip
    for sample in FUNCTIONS:
        if sample.path.isidentifier() and sample.path not in variadic:
            holder = tg.Tensor if sample.path.endswith("_") else tg
            kinds = inspect.signature(getattr(holder, sample.path)).parameters.values()
            assert not any(p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD) for p in kinds), sample.path
