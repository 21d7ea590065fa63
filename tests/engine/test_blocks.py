"""Large elementwise operations in blocks give what whole arrays give."""

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad.backward import shortcuts
from tensorgrad.machine import blocks
from tensorgrad.recording import recorders

CASES = {
    "one array": (lambda x: x.tanh(), [(7, 5)]),
    "several operations in a rule": (lambda x: x.sigmoid() * x.exp(), [(7, 5)]),
    "a vector": (lambda x: (x * 3 - 1) ** 2 / 7, [(35,)]),
    "the same rows": (lambda x, y: x * y + y, [(7, 5), (7, 5)]),
    "broadcast along the rows": (lambda x, w, b: x * w + b, [(7, 5), (5,), (1, 5)]),
    "one number for all": (lambda x, w: w * x, [(7, 5), ()]),
    "broadcast along the columns": (lambda x, w: x / w.exp(), [(7, 5), (7, 1)]),
    "three axes": (lambda x, w: x - w, [(7, 3, 5), (3, 1)]),
    "a wider argument": (lambda x, w: w * x, [(5,), (7, 5)]),
    "both broadcast": (lambda x, w: w * x, [(1, 5), (7, 1)]),
    "a mask": (lambda x: x.masked_fill(tg.arange(35).reshape(7, 5) % 3 == 0, 2.0), [(7, 5)]),
    "kinks": (lambda x: x.relu() + x.abs() + x.clamp(-0.5, 0.5), [(7, 5)]),
    "a choice": (lambda x, y: tg.where(x > y, x, y).maximum(x * 2), [(7, 5), (7, 5)]),
    "powers": (lambda x, y: x.abs() ** y, [(7, 5), (7, 5)]),
    "heads of features": (lambda x: x.transpose(0, 1).tanh().exp(), [(5, 7)]),
    "channels last": (lambda x: x.permute(0, 3, 1, 2).tanh().relu(), [(7, 2, 3, 5)]),
    "one row": (lambda x: x.tanh(), [(1, 35)]),
    "nothing": (lambda x: x.tanh(), [(0, 5)]),
}


def run(function, shapes, dtype):
    rng = np.random.default_rng(0)
    leaves = [tg.from_numpy(rng.standard_normal(s).astype(dtype)).requires_grad_() for s in shapes]
    y = function(*leaves)
    weight = tg.from_numpy(np.asarray(rng.standard_normal(y.shape)).astype(dtype))
    (y * weight).sum().backward()
    return [y.detach().numpy(), *(leaf.grad.numpy() for leaf in leaves)]


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_blocks_change_nothing(monkeypatch, name, dtype):
    whole = run(*CASES[name], dtype)
    for module, size in ((blocks, "LARGE"), (recorders, "ROOMY"), (shortcuts, "LARGE")):
        monkeypatch.setattr(module, size, 1)
    monkeypatch.setattr(blocks, "_BLOCK", 12)
    close = {"rtol": 1e-12, "atol": 1e-13} if dtype == "float64" else {"rtol": 1e-5, "atol": 1e-6}
    for a, b in zip(run(*CASES[name], dtype), whole, strict=True):
        assert a.dtype == b.dtype
        np.testing.assert_allclose(a, b, **close)


def test_blocks_are_used(monkeypatch):
    counted = []

    def split(work, size):
        counted.append(size)
        work(0, size)

    monkeypatch.setattr(blocks, "split", split)
    x = tg.ones(1024, 1024, requires_grad=True)
    w = tg.ones(1024, requires_grad=True)
    y = (x * w).tanh()
    assert counted == [8, 8]
    (y * 2).backward(tg.ones(1024, 1024))
    # A product, and the rules: of it, of tanh, and two of the first. Theirs is a block done before.
    assert counted == [8, 8, 8, 7, 7, 7, 7]


def test_several_threads_give_the_same_bits():
    x = np.random.default_rng(0).standard_normal((1200, 700)).astype("f4")
    w = np.random.default_rng(1).standard_normal(700).astype("f4")
    threads, found = tg.get_num_threads(), []
    for count in (1, 2):
        tg.set_num_threads(count)
        try:
            leaves = [tg.from_numpy(a.copy()).requires_grad_() for a in (x, w)]
            y = (leaves[0] * leaves[1]).tanh()
            y.sum().backward()
            found.append([y.detach().numpy(), *(leaf.grad.numpy() for leaf in leaves)])
        finally:
            tg.set_num_threads(threads)
    for one, two in zip(*found, strict=True):
        np.testing.assert_array_equal(one, two)


def test_an_error_in_a_block_is_the_operation_s():
    x = tg.ones(1024, 1024)
    with pytest.raises(RuntimeError, match=r"add.*1024"):
        x + tg.ones(1023, 1024)
