"""Every row of the samples table under vmap: a call on a batch equals a loop over its examples."""

import numpy as np
import pytest
from samples import SAMPLES
from sampling import Call, Value, every_case, leaf, outputs_of

import tensorgrad as tg
from tensorgrad.func import grad, vmap

SIZE = 3


def batches(sample, number, which):
    """(in_dims, arrays with SIZE examples in front where ``which`` says so, a caller)."""
    drawn = sample.draw(number)
    rng = np.random.default_rng([number, 7])
    call = Call(drawn, lambda array, wants: leaf(array, False))
    arrays, dims, kinds = [], [], []
    collected = []

    def collect(tree):
        if isinstance(tree, Value):
            collected.append(tree)
        elif isinstance(tree, (list, tuple)):
            for part in tree:
                collect(part)
        elif isinstance(tree, dict):
            for part in tree.values():
                collect(part)

    collect((drawn.args, drawn.params))
    for i, value in enumerate(collected):
        if which(i):
            rows = [value.array, *(value.drawn.draw(rng) for _ in range(SIZE - 1))]
            arrays.append(np.stack(rows))
            dims.append(0)
        else:
            arrays.append(value.array)
            dims.append(None)
        kinds.append(value.drawn)
    return call, arrays, dims, kinds


def caller(call, function):
    """The operation as a function of all its tensors, with a tuple of tensors as result."""

    def run(*tensors):
        before = call.tensors
        call.tensors, call.leaves = list(tensors), []
        try:
            result = call.run(function)
        finally:
            call.tensors = before
        return tuple(t for t in outputs_of(result) if isinstance(t, tg.Tensor))

    return run


def seeded(function):
    def run(*tensors):
        tg.manual_seed(0)
        return function(*tensors)

    return run


def close(a, b):
    np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-9, atol=1e-10)


WAYS = {
    "all": lambda i: True,
    "first": lambda i: i == 0,
    "others": lambda i: i > 0,
}


@every_case(SAMPLES)
def test_vmap_is_the_loop(sample, number):
    for way, which in WAYS.items():
        try:
            compare(sample, number, way, which)
        except Exception as error:
            error.add_note(f"with examples in these tensors: {way}")
            raise


def compare(sample, number, way, which):
    call, arrays, dims, kinds = batches(sample, number, which)
    if 0 not in dims or (way != "all" and None not in dims):
        return  # nothing is mapped, or everything, as "all" has it
    run = caller(call, sample.function())
    tensors = [tg.from_numpy(a) for a in arrays]
    examples = [
        [t[k] if dim == 0 else t for t, dim in zip(tensors, dims, strict=True)] for k in range(SIZE)
    ]
    mapped = vmap(run, in_dims=tuple(dims), randomness="same")
    try:
        found = seeded(mapped)(*tensors)
    except RuntimeError as error:
        into_shared = sample.path.endswith("_") and dims[0] is None
        if "vmap:" in str(error) and (sample.vmap or into_shared):
            return
        raise
    loop = [seeded(run)(*example) for example in examples]
    assert len(found) == len(loop[0])
    for one, parts in zip(found, zip(*loop, strict=True), strict=True):
        assert one.dtype == parts[0].dtype
        close(one, tg.stack(list(parts)))
    if not sample.differentiable:
        return
    places = tuple(i for i, kind in enumerate(kinds) if kind.grad)

    def total(*tensors):
        out = 0.0
        for k, t in enumerate(run(*tensors)):
            if t.dtype.is_floating_point or t.dtype.is_complex:
                weight = tg.from_numpy(np.cos(np.arange(t.numel()) + k).reshape(t.shape))
                part = t * weight
                out = out + (part.real.sum() + part.imag.sum() if t.is_complex() else part.sum())
        return out

    slope = grad(total, argnums=places)
    mapped = vmap(slope, in_dims=tuple(dims), randomness="same")
    try:
        loop = [seeded(slope)(*example) for example in examples]
    except RuntimeError:  # no gradient at one of them: then none for the batch
        with pytest.raises(RuntimeError):
            mapped(*tensors)
        return
    found = seeded(mapped)(*tensors)
    for one, parts in zip(found, zip(*loop, strict=True), strict=True):
        close(one, tg.stack(list(parts)))
