"""Expressions as a PyTorch program writes them, evaluated with both libraries.

A row is (what runs before, the expression). Values, dtypes, shapes and kinds of errors must agree.
"""

from __future__ import annotations

from typing import Any

import pytest
from parity.outcomes import outcome, same

import tensorgrad

torch = pytest.importorskip("torch")

INDEXED = "x = torch.arange(60).view(3, 4, 5)"
ZEROS = "z = torch.zeros(3)"
I3 = "torch.tensor([0, 0, 1])"

GRADS = "x = torch.tensor([1.0, 2.0], requires_grad=True)"
SLOPES = """
def slopes(y, order):
    found = []
    for _ in range(order):
        (y,) = torch.autograd.grad(y.sum(), x, create_graph=True)
        found.append((y, y.requires_grad))
    return found
"""
CUBE = """
class Cube(torch.autograd.Function):
    generate_vmap_rule = True
    @staticmethod
    def forward(x):
        return x**3
    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.save_for_backward(inputs[0])
    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        return g * 3 * x**2
x = torch.arange(8.0).view(2, 2, 2)
vmap, grad = torch.func.vmap, torch.func.grad
"""
SCALE = (
    GRADS
    + """
class Scale(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, k=2):
        ctx.k = k
        return x * k
    @staticmethod
    def backward(ctx, g):
        return g * ctx.k
"""
)

KINDS = ["bool", "uint8", "int8", "int32", "int64", "float16", "float32", "float64", "complex64"]
# Numbers that do not fit, and those that nearly do not, into each dtype.
NUMBERS = ["300", "-1", "256", "-300", "2.7", "1e39", "-1e39", "float('nan')", "float('-inf')"]
NUMBERS += ["2**40", "1j", "2+0j", "True"]
FILLING = [
    "torch.full((2,), {n}, dtype=torch.{d})",
    "torch.full_like(x, {n})",
    "x.new_full((1,), {n})",
    "x.fill_({n})",
    "x.masked_fill(m, {n})",
    "x.index_fill(0, torch.tensor([0]), {n})",
    "x.scatter(0, torch.tensor([0]), {n})",
    "torch.nn.functional.pad(x, (1, 0), value={n})",
    "torch.eye(2).to(torch.{d}).fill_diagonal_({n})",
]
SUMS = ["sum()", "sum(1, True)", "prod()", "prod(0)", "cumsum(1)", "cumprod(0)", "nansum(1)"]
SCALARS = ["float64(2)", "float32(2)", "float16(2)", "int64(2)", "int8(2)", "complex128(2j)"]
BESIDE = ["t * s", "s * t", "t + s", "t / s", "t // s", "t.add(s)", "torch.where(t > 0, t, s)"]

STATEMENTS = [
    # numbers are taken out before arrays are placed
    (INDEXED, "x[0, :, [1, 2]]"),
    (INDEXED, "x[:, [0, 1], 2]"),
    (INDEXED, "x[[0, 1], :, 0]"),
    (INDEXED, "x[0, None, :, [1, 2]]"),
    (INDEXED, "x[1, ..., torch.tensor([True, False, True, False, True])]"),
    (INDEXED + "\nx[0, :, [1, 2]] = torch.arange(8).view(4, 2)", "x"),
    (INDEXED + "\nx[-1, :, [1, 2]] = 0", "x"),
    # a list of sequences is a tuple, with a warning
    (INDEXED, "x[[[0, 1], [1, 2]]]"),
    (INDEXED, "x[[torch.tensor(0), torch.tensor(1)]]"),
    (INDEXED, "x[[None, 0]]"),
    (INDEXED, "x[[slice(0, 1), 0]]"),
    (INDEXED, "x[np.array([[0, 1], [1, 2]])]"),
    (INDEXED, "x[[[0, 1]] * 32].shape"),
    (INDEXED, "x[torch.ones(3, 4, dtype=torch.uint8)]"),
    (INDEXED, "x[torch.tensor(1, dtype=torch.uint8)].shape"),
    (INDEXED, "x[torch.tensor([0, 1], dtype=torch.int8)]"),
    (INDEXED, "x[torch.tensor(1, dtype=torch.int8)]"),
    (INDEXED + "\ndel x[0]", "x"),
    (INDEXED, "x['a']"),
    (INDEXED, "x[0, 'a']"),
    (INDEXED, "x[['a']]"),
    (INDEXED + "\nx[b'a'] = 1", "x"),
    # what Python's protocols ask of a tensor
    ("", "'a' in torch.tensor([1])"),
    ("", "[1] in torch.tensor([1])"),
    ("", "(np.float64(1) in torch.tensor([1]), True in torch.tensor([1]))"),
    ("", "reversed(torch.arange(6).view(3, 2))"),
    ("", "int(torch.tensor([1, 2]))"),
    ("", "float(torch.tensor([]))"),
    ("", "complex(torch.tensor([1, 2]))"),
    ("", "int(torch.tensor(1j))"),
    ("", "float(torch.tensor(1j))"),
    ("", "(int(torch.tensor([2 + 0j])), float(torch.tensor([2 + 0j])))"),
    # powers of nothing, and conversions that name a layout
    ("", "torch.tensor([0, 1, -1, 2]) ** torch.tensor([-1, -3, -3, -1])"),
    ("", "(0 ** torch.tensor([-1, 0, 2]), 2 ** torch.tensor([-1, 0, 2]))"),
    (
        "x = torch.tensor([-0.5, 0, 2], requires_grad=True)",
        "torch.autograd.grad((0.0**x).sum(), x)",
    ),
    (
        "x = torch.tensor([-0.5, 0, 2], requires_grad=True)",
        "torch.autograd.grad((torch.zeros(3) ** x).sum(), x)",
    ),
    (ZEROS, "z.double(memory_format=torch.contiguous_format)"),
    # sums of small integers on the way to a result
    ("a = torch.arange(4).byte().view(2, 2)", "torch.tensordot(a, torch.ones(2, 2, 3).byte())"),
    ("a = torch.ones(2, 1, 2).byte()", "torch.tensordot(a[:1], a, dims=([0, 1], [2, 0]))"),
    ("a = torch.arange(4).byte().view(2, 2)", "(torch.einsum('ij->j', a), torch.einsum('ii', a))"),
    (
        "a, b = torch.tensor(200).byte(), torch.tensor(3).byte()",
        "a.scatter_reduce(0, torch.tensor(0), b, 'prod')",
    ),
    (ZEROS, "z.long(torch.preserve_format)"),
    # writing at indices
    (ZEROS, f"z.index_put(({I3},), torch.ones(3).double())"),
    (ZEROS, f"z.index_put({I3}, torch.ones(3))"),
    (ZEROS, "z.index_put((None,), torch.ones(3))"),
    (ZEROS, f"z.index_put(({I3},), 1.0)"),
    (ZEROS, f"z.index_put_([{I3}], torch.tensor([1.0, 2, 3]), accumulate=True)"),
    (ZEROS, "z.index_add(0, torch.tensor([0, 0]), torch.tensor([1, 2]))"),
    (ZEROS, "z.index_copy(0, torch.tensor([0]), torch.tensor([1]))"),
    (ZEROS, "z.index_reduce(0, torch.tensor([0]), torch.tensor([1]), 'prod')"),
    (ZEROS, "z.scatter(0, torch.tensor([7]), 1.0)"),
    (ZEROS, "z.scatter_reduce(0, torch.tensor([0, 0]), torch.tensor([1.0, 2]), 'max')"),
    (ZEROS, "z.scatter_reduce_(0, torch.tensor([0, 0]), torch.tensor([-1.0, 2]), 'min')"),
    (ZEROS, "z.scatter_reduce(0, torch.tensor([0]), torch.tensor([1.0]), 'median')"),
    (ZEROS, "z.scatter_add(0, torch.tensor([7]), torch.ones(1))"),
    ("", "torch.tensor(3.0).index_select(0, torch.tensor([0]))"),
    ("", "torch.tensor(3.0).index_select(0, torch.tensor([1]))"),
    # reductions
    ("", "(torch.arange(4).argmin(keepdim=True), torch.ones(2, 3).argmax(keepdim=True))"),
    ("", "torch.tensor([1.0, -np.inf, np.nan, 0.0]).sign()"),
    ("", "torch.tensor([1.0, -np.inf, np.nan, 0.0]).sgn()"),
    ("b = torch.ones(2, 2).to(torch.uint8)", "(b.all(), b.any(0), torch.all(b, 1, True))"),
    ("", "torch.ones(2, 2).prod((0, 1))"),
    ("", "torch.tensor(3.0).flip(0)"),
    ("", "torch.tensor(3.0).flip(1)"),
    ("", "torch.arange(6.0).view(2, 3).norm('nuc').round(decimals=4)"),
    ("", "torch.norm(torch.arange(12.0).view(2, 2, 3), 'nuc', (0, 2)).round(decimals=4)"),
    ("", "torch.ones(2, 2, 2).norm('nuc')"),
    ("", "repr(torch.arange(3).max(0)).replace('tensorgrad', 'torch')"),
    ("", "repr(torch.linalg.slogdet(torch.eye(2))).replace('tensorgrad', 'torch')"),
    ("", "__import__('pickle').loads(__import__('pickle').dumps(torch.arange(3).topk(2)))"),
    # Python's types as dtypes, sizes
    ("", "(torch.zeros(2, dtype=float), torch.tensor([1], dtype=float), torch.ones(1).to(float))"),
    ("", "(torch.ones(1, dtype=complex).dtype.is_complex, torch.ones(1, dtype=complex))"),
    ("", "(torch.tensor(1.0), torch.tensor(1j), torch.ones(1) * 1j, torch.tensor([1]) * 1.5)"),
    ("", "torch.Size([2.5])"),
    ("", "torch.Size([1]) + [2]"),
    ("", "tuple(torch.Size(torch.tensor([1, 2])))"),
    # gradients
    (GRADS, "torch.autograd.grad(x.sum(), 'a')"),
    (GRADS, "torch.autograd.grad((), ())"),
    (GRADS, "torch.autograd.grad(x.sum(), [])"),
    (GRADS + "\nx.register_hook(lambda g: 'a')", "x.sum().backward()"),
    (GRADS + SLOPES, "slopes(x**2, 3)"),
    (GRADS + SLOPES, "slopes(x**2, 4)"),
    (GRADS + SLOPES, "slopes(x.square() * 2, 3)"),
    (GRADS + SLOPES, "slopes(x**3, 4)"),
    (GRADS + SLOPES, "slopes(torch.pow(x, 1), 2)"),
    (GRADS + SLOPES, "slopes(x.pow(2).sum() ** 2, 4)"),
    ("x = torch.tensor([np.nan, -1.0], requires_grad=True)" + SLOPES, "slopes(x.abs(), 1)"),
    (GRADS + "\ny = __import__('copy').copy(x * 2)", "(y, y.is_leaf, y.requires_grad)"),
    (SCALE, "Scale.apply(x, k=3)"),
    (SCALE + "\nScale.apply(x, k=3).sum().backward()", "x.grad"),
    (SCALE + "\nScale.apply(x).sum().backward()", "x.grad"),
    (CUBE, "vmap(vmap(Cube.apply))(x)"),
    (CUBE, "vmap(vmap(vmap(grad(Cube.apply))))(x)"),
    (CUBE, "vmap(vmap(vmap(grad(grad(Cube.apply)))))(x)"),
    (CUBE, "vmap(grad(lambda x: vmap(Cube.apply)(x).sum()))(x)"),
    # NumPy's arrays, and what is no number
    ("", "torch.tensor(None)"),
    ("", "torch.tensor(object())"),
    ("", "torch.tensor('a')"),
    ("", "torch.tensor(['a', 'b'])"),
    ("", "torch.tensor([[1, 'a']])"),
    ("", "torch.tensor([b'a'])"),
    ("", "torch.tensor([1, None])"),
    ("", "torch.tensor([object()])"),
    ("", "torch.linspace(0, 1, -1)"),
    ("", "torch.device('cpu:a')"),
    ("", "torch.device('cpu:')"),
    ("", "torch.device('cpu:-1')"),
    ("", "torch.device('cpu:01')"),
    ("", "torch.from_numpy(np.ones(4)[::-1])"),
    ("", "torch.from_numpy(np.arange(6).reshape(2, 3).T)"),
    # strides of new dimensions, windows that are views
    (INDEXED, "(x[None].stride(), x[:, None].stride(), x[..., None].stride())"),
    (INDEXED, "x[None, :, 1, ..., None].permute(1, 3, 0, 2).stride()"),
    (INDEXED, "x.permute(2, 0, 1).unsqueeze(1).stride()"),
    (INDEXED, "x.unsqueeze(0).permute(1, 0, 2, 3).stride()"),
    ("", "torch.ones(()).unsqueeze(-1).stride()"),
    (INDEXED + "\nx.unfold(2, 2, 2)[0, 0, 1, 1] = 100", "x"),
    (INDEXED, "x.unfold(1, 2, 2).stride()"),
    (INDEXED, "x.unfold(2, 1, 2)"),
]


@pytest.mark.parametrize("kind", KINDS)
def test_a_number_fits_or_is_refused(kind: str) -> None:
    before = f"x = torch.ones(2).to(torch.{kind}); m = torch.tensor([True, False])"
    for number in NUMBERS:
        # Where PyTorch refuses even real complex numbers, or makes infinities of large ones.
        odd = ("pad", "index_fill") if "j" in number else ("new_full",) * (kind == "float16")
        odd += ("pad",) * (kind == "uint8" and number == "-1")  # and wraps it everywhere else
        places = [place for place in FILLING if not any(word in place for word in odd)]
        same(before, *(place.format(n=number, d=kind) for place in places))


@pytest.mark.parametrize("kind", KINDS[1:8])
def test_sums_and_products_have_the_dtype_asked_for(kind: str) -> None:
    before = "x = torch.tensor([[1.5, 2.5], [200, 3]])"
    same(before, *(f"x.{f[:-1]}, dtype=torch.{kind})".replace("(,", "(") for f in SUMS))
    same("x = torch.tensor([2, 3])", f"torch.cumprod(x[0], 0, dtype=torch.{kind})")
    same(before, *(f"x.{f}(1, dtype=torch.{kind}).shape" for f in ("softmax", "log_softmax")))


@pytest.mark.parametrize("scalar", SCALARS)
def test_numpys_scalars_beside_tensors_are_numbers(scalar: str) -> None:
    for kind in KINDS[:5] + KINDS[6:]:
        before = f"t = torch.ones(2).to(torch.{kind}); s = np.{scalar}"
        same(before, *(BESIDE if "complex" not in scalar + kind else BESIDE[:4]))
    same("", f"torch.full((2,), np.{scalar})", f"torch.tensor(np.{scalar})")


@pytest.mark.parametrize(("before", "expression"), STATEMENTS)
def test_a_statement_means_the_same(before: str, expression: str) -> None:
    wanted = outcome(torch, before, expression)
    found = outcome(tensorgrad, before, expression)
    assert repr(found) == repr(wanted)


@pytest.mark.parametrize(
    ("index", "words"),
    [([[0, 1], [1, 2]], "non-tuple sequence"), (torch.ones(3, dtype=torch.uint8), "uint8")],
)
def test_old_ways_to_index_warn(index: Any, words: str) -> None:
    x = tensorgrad.arange(60).view(3, 4, 5)
    if not isinstance(index, list):
        index = tensorgrad.tensor(index.numpy())
    with pytest.warns(UserWarning, match=words) as caught:
        x[index]
    assert caught[0].filename == __file__


def test_reading_grad_of_what_keeps_none_warns() -> None:
    x = tensorgrad.ones(2, requires_grad=True)
    y = x * 2
    with pytest.warns(UserWarning, match="not a leaf") as caught:
        assert y.grad is None
    assert caught[0].filename == __file__
    y.retain_grad()
    assert y.grad is None
    assert x.grad is None
    assert x.detach().grad is None
