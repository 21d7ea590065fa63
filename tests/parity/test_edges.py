"""Numbers and places at the edge of what is allowed, as programs for PyTorch meet them."""

from __future__ import annotations

import pytest
from parity.outcomes import same

NAN = "float('nan')"
UNSIGNED = ["uint8", "uint16", "uint32", "int8", "int64"]
DATA = ["-1", "-255", "-256", "300", "255.9", "-0.5", "-1.5", "2**31", "2**63", NAN, "1e39", "1j"]
U8 = "x = torch.tensor([1, 2], dtype=torch.uint8); m = torch.tensor([True, False])"
X = "x = torch.tensor([1.0, 2.0]); i = torch.tensor([1, 2]); m = torch.tensor([True, False])"
ROWS = "v = torch.zeros(3); x = torch.arange(6.0).view(2, 3); P = torch.tensor"

ALIKE = {
    U8: [
        "torch.where(m, x, 300)", "x.where(m, 300)", "torch.where(m, x, -1)",
        "torch.where(m, -1, x)", "torch.where(m, x, torch.tensor(300))", "torch.where(x, x, 1)",
        "x.clamp(max=300)", "x.clamp(min=300)", "x.clamp(0, 300)", "x.clamp_(max=300)",
        "x.clamp(max=-1)", "x.clamp(-1, 3)", "torch.clamp_min(x, -1)", "torch.clamp_max(x, 300)",
        "x.clamp(max=torch.tensor(300))", "x.clamp(max=1.5)", "x.new_tensor(300)",
        "x.new_tensor([300])", "x.new_tensor([1.5])", "torch.scalar_tensor(300, dtype=x.dtype)",
        "m.clamp(max=True)", "m.clamp(max=1)", "m.clamp(max=2.5)",
    ],
    X: [
        "torch.where(m, x, 1e39)", "torch.where(m, x.half(), 1e6)", "torch.where(m, i, 1.5)",
        "x.half().clamp(max=1e6)", "x.clamp(max=1e39)", f"x.clamp(min={NAN})",
        "x.clamp(max=float('inf'))", "i.clamp(max=float('inf'))", "i.clamp(max=1.5)",
        "i.clamp_(max=1.5)", "i.clamp(min=np.float64(1.5))", "i.clamp(max=np.float32(1.5))",
        "i.clamp(min=np.int64(2))", "i.clamp(max=np.array(1.5))", "x.clamp([1, 2])",
        "x.new_tensor(1j)", "x.new_tensor([1j])", "x.new_full((2,), 1j)",
    ],
    "x = torch.ones(2); D = torch.float64": [
        "x.to(D, torch.float32)", "x.to(D, D)", "x.to(torch.ones(1), D)", "x.to('cpu', D)",
        "x.to('cpu', D, False, True)", "x.to(None, D)", "x.to(D, True, True)", "x.to(D, True, 3)",
        "x.to(torch.ones(1, dtype=D), False, True)", "x.to('cpu')", "x.to(device='cpu', dtype=D)",
    ],
    ROWS: [
        "v.index_select(0, P([3]))", "x.index_select(0, P([2]))", "x.index_select(1, P([3]))",
        "v.index_add(0, P([3]), torch.ones(1))", "x.index_add(0, P([-1]), torch.ones(1, 3))",
        "x.index_add(1, P([3]), torch.ones(2, 1))", "x.index_add(0, P([0, 1]), torch.ones(2))",
        "v.index_fill(0, P([-1]), 2)", "x.index_fill(1, P([-3]), 2)", "v.index_fill(0, P([3]), 2)",
        "v.index_fill_(0, P([-4]), 2)", "v.index_copy(0, P([-1]), torch.ones(1))",
        "v.put_(P([3]), torch.ones(1))", "v.put_(P([-1]), torch.ones(1))",
        "v.put_(P([-4]), torch.ones(1))", "v.put_(P([0, 1]), torch.ones(1))",
        "v.take(P([-4]))", "v.take(P([-1]))",
        "torch.take_along_dim(x, P([[-1]]), 1)", "torch.take_along_dim(v, P([-2, 0]), 0)",
    ],
    "z = torch.tensor([-4.75 - 7.5j, 1.5 + 4j])": [
        "z[0].logsumexp(0)", "z.logsumexp(0).real.round(decimals=4)",
        "z.logsumexp(0).imag.round(decimals=4)", "(z - 500).logsumexp(0).real",
    ],
    "": [
        "torch.tensor(1e39)", "torch.tensor([2**70])", "torch.tensor([2**63], dtype=torch.uint64)",
        "torch.tensor([True, -1], dtype=torch.uint8)", "torch.tensor([2**70], dtype=torch.bool)",
        "torch.tensor([[1, -1], [2, 3]], dtype=torch.uint16)", "torch.tensor([2**70, 1.0])",
        "torch.tensor([[1, 2], [3]], dtype=torch.uint8)",
        "torch.tensor([torch.tensor(300)], dtype=torch.uint8)",
        "torch.tensor([np.int64(300)], dtype=torch.uint8)",
        "torch.full(2, 1.0)", "torch.full((2,), torch.tensor([2]))",
        "torch.full_like(torch.ones(2), torch.tensor([2]))",
        "torch.Tensor(2.5)", "torch.Tensor(True)", "torch.Tensor(None)", "torch.Tensor([1j])",
        "torch.LongTensor(3.0)", "torch.FloatTensor([1j])", "torch.ByteTensor([-1])",
        "torch.ByteTensor([300])", "torch.ByteTensor(np.array([256]))",
    ],
    "A = torch.arange": [
        "A(-0.9, 2.1, 2.0, dtype=torch.int16)", "A(2.1, -2.9, -1.0, dtype=torch.int32)",
        "A(0.1, -7.9, -4.0, dtype=torch.int64)", "A(-0.9, 2.1, 2.0, dtype=torch.int64)",
        "A(0.0, -8.000001, -4.0, dtype=torch.int64)", "A(0, 64, 0.5, dtype=torch.int64)",
        "A(0, float('inf'), 2)", "A(float('nan'))", "A(0.0, 5.0, 2.0, dtype=torch.uint8)",
        "torch.linspace(4.3, -3, 50, dtype=torch.int16)", "torch.eye(-1)", "torch.eye(1, -3)",
    ],
    "x = torch.arange(6.0).view(2, 3); e = torch.ones(5, 0, 5); n = torch.tensor(2.0)": [
        "n.narrow(0, 0, 1)", "x.narrow(0, torch.tensor([0]), 1)",
        "x.narrow(0, torch.tensor(True), 1)", "x.narrow(0, torch.tensor(1), 1)",
        "x.roll(())", "torch.rot90(n)", "torch.rot90(torch.ones(5))", "torch.dstack(())",
        "x.hsplit('abc')", "x.vsplit('abc')", "torch.isclose(n, 2)", "torch.isclose(2, n)",
        "torch.isclose(n, n, rtol=-0.4)", "torch.isclose(n, n, atol=-0.4)",
        "torch.aminmax(e)", "n.unfold(0, 1, 1)", "n.unfold(0, 0, 1)", "n.unfold(0, 2, 1)",
        "torch.ones(5).gather(0, torch.ones(2, 0).long())",
        "torch.tensor(3, dtype=torch.int8).scatter_add(0, torch.tensor(0), torch.tensor(6).char())",
        "torch.nanmedian(x, 1, keepdim=True)", "torch.nanmedian(x, 1)[0]",
        "type(torch.nanmedian(x, 1)).__name__",
        "torch.nn.functional.adaptive_avg_pool2d(x, (2, 2))",
        "torch.nn.functional.adaptive_max_pool3d(e, (2, 2, 2))",
        "torch.nn.functional.adaptive_avg_pool2d(x[0], 2)",
        "torch.nn.functional.pad(x[None], (-1, 2), mode='circular')",
        "torch.nn.functional.pad(x[None], (1, -1), mode='circular')",
    ],
    "v = torch.arange(3.0); n = torch.tensor(2); k = np.int64(2)": [
        "v.roll(n)", "v.roll(k)", "v.roll(n, n - 2)", "v.roll((n, k), (0, 0))", "v.split(n)",
        "v.split([n, 1])", "v.chunk(n)", "v.chunk(k)", "v.chunk(2.0)", "v.split(1.5)",
        "v @ np.ones(3)", "v @ np.ones((3, 2))", "v.view(1, 3) @ np.float32(2)", "v @ 'a'",
    ],
    "b = torch.tensor([True, False]); i = torch.tensor([2, 1]).byte(); n = torch.tensor(2.0)": [
        "b // b", "b % b", "torch.floor_divide(b, True)", "torch.remainder(b[0], b[:1])",
        "b[:1] % 2", "torch.ldexp(n.half(), i)", "torch.ldexp(n.double(), i)", "torch.ldexp(i, i)",
        "torch.ldexp(n.to(torch.complex128), i)", "torch.ldexp(n.half().view(1), i[0])",
        "torch.ldexp(n, n.double().view(1))",
    ],
    "x = torch.arange(6); u = torch.zeros(3, dtype=torch.uint8); h = torch.zeros(2).half()": [
        "x.__setitem__(0, 1j)", "u.__setitem__(0, 300)", "(u.__setitem__(0, -1), u)",
        f"x.__setitem__(slice(2), {NAN})", "(x.__setitem__(0, 2.7), x)", "h.__setitem__(0, 1e6)",
        "x.__setitem__(0, None)", "h.__setitem__(0, 'a')", "x.__setitem__([0, 1], '1')",
        "x.__setitem__(0, [None])", "x @ 3", "3 @ x", "h.add(h, alpha=2j)", "x.add(1, alpha=2j)",
        "x.masked_select(u > 0)", "(x.__setitem__(0, np.float64(2.7)), x)",
        "x[np.array([])]", "x[slice(1.5)]", "x[::2.0]",
    ],
    "x = torch.tensor([[1.0, 0.0, 3.0]]); e = torch.ones(2, 0); n = torch.tensor(2.0)": [
        "x.all(dim=())", "x.any(())", "torch.all(n, ())", "x.to(torch.uint8).all(())", "e.any(())",
        "e.amax()", "e.amin(())", "e.amax(1)", "e.amax(0)", "x.argmax((0, 1))", "x.argmin([0])",
        "n.cumsum(1)", "n.cumsum(-1)", "torch.cumsum(x, torch.tensor(1))", "n.mT", "x[0].mT",
        "e.T.chunk(3)", "e.chunk(2, 1)", "torch.ones(0, requires_grad=True).chunk(2)[1].shape",
        "torch.unique_consecutive(e)",
    ],
    "x = torch.arange(6).view(2, 3); v = torch.arange(3); b = x.view(1, 2, 3)": [
        "torch.addmv(x[:, 0], x, v, beta=0.2, alpha=1.6)",
        "torch.addbmm(x[:, :2], b, b.mT, beta=1.6, alpha=0.2)",
        "torch.baddbmm(b[..., :2], b, b.mT, beta=1.6, alpha=2.9)",
        "torch.addmm(x[:, :2], x, x.mT, beta=1.6, alpha=0.2)", "torch.addr(x, v[:2], v, beta=True)",
        "torch.addr(x.float(), v[:2], v, alpha=False)", "torch.addr(x, v[:2], v, alpha=1.5)",
        "torch.addr(x > 2, v[:2] > 0, v > 1, beta=False, alpha=2)",
        "torch.var(x.float(), unbiased=True, correction=1)",
        "torch.std(v.float(), True, correction=1)",
        "x.float().var(1, unbiased=False, correction=0)",
        "torch.std_mean(x.float(), 1, False, correction=1)",
        "torch.div(torch.tensor([2**53 + 1, -7]), torch.tensor([1, 2]), rounding_mode='trunc')",
        "[type(mode().clone()).__name__ for mode in (torch.no_grad, torch.inference_mode)]",
    ],
}  # fmt: skip

WEIGHED = """
x = torch.tensor([[1.0, 4.0, 2.0], [3.0, 1.0, 5.0]], dtype=torch.float64, requires_grad=True)
w = torch.tensor([0.5, 0.25, 2.0], dtype=torch.float64, requires_grad=True)
f = torch.tensor([1, 3, 2])
"""
COV = ["aweights=w", "aweights=w, correction=0", "aweights=w, fweights=f", "fweights=f"]


@pytest.mark.parametrize("options", COV)
def test_cov_is_differentiable_in_its_weights(options: str) -> None:
    program = WEIGHED + f"c = torch.cov(x, {options}); (c * c).sum().backward()"
    same(
        program + "\nr = lambda t: t if t is None else (t * 1e6).round()",
        "r(c.detach())", "r(x.grad)", "r(w.grad)",
    )  # fmt: skip


def test_cov_of_one_variable_is_a_number() -> None:
    same(
        WEIGHED,
        "torch.cov(x[:1]).shape", "torch.corrcoef(x[:1]).shape", "torch.cov(x[0]).shape",
        "torch.cov(x, fweights=-f)", "torch.cov(x, aweights=-w)",
        "torch.cov(x.half(), aweights=w.float()).dtype.itemsize",
    )  # fmt: skip


@pytest.mark.parametrize("name", ["quantile", "nanquantile"])
def test_a_quantile_is_differentiable_in_its_level(name: str) -> None:
    before = WEIGHED + "q = torch.tensor([0.3, 0.9], dtype=torch.float64, requires_grad=True)"
    for options in ("", ", 1", ", 0, True", ", interpolation='lower'"):
        call = f"torch.{name}(x, q{options})"
        program = f"\ny = {call}; y.square().sum().backward(); r = lambda g: (g * 1e6).round()"
        same(
            before + program, "r(y.detach())", "r(x.grad)", "None if q.grad is None else r(q.grad)"
        )
    same(before + "\nx.data[0, 1] = np.nan", f"torch.{name}(x, q, 1)")


FUNCTION = """
class F(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x * 1, None
    @staticmethod
    def backward(ctx, g, nothing):
        return BACK
x = torch.ones(2, requires_grad=True)
y, nothing = F.apply(x)
"""


def test_gradients_of_functions_and_of_inputs() -> None:
    same(FUNCTION.replace("BACK", "(nothing is None) * g") + "y.sum().backward()", "x.grad")
    same(FUNCTION.replace("BACK", "3.0"), "y.sum().backward()")
    before = "x = torch.ones(2, requires_grad=True); y = x * 2"
    same(before + "; y.retain_grad(); (y * 3).sum().backward(inputs=[y])", "y.grad", "x.grad")
    same(before + "; (y * 3).sum().backward(inputs=[y, x])", "x.grad")
    same(before, "setattr(y, 'requires_grad', True)", "y.requires_grad_().requires_grad")
    same(before, "[*torch.autograd.grad((y * x).sum(), dict(a=x, b=y)).items()]")
    same(before, "torch.autograd.grad(y.sum(), __import__('collections').OrderedDict(a=x))")
    same(before, "setattr(x, 'data', torch.ones(2).long())", "setattr(x, 'data', y.double())")
    empties = "e = torch.ones(0, requires_grad=True); torch.cat([e, e]).sum().backward()"
    same(empties, "e.grad")


def test_a_rounded_quotient_has_gradient_zero_at_infinity_and_nan_too() -> None:
    numbers = f"[float('inf'), -float('inf'), {NAN}, 1.0, 0.0, -0.0]"
    before = f"a = torch.tensor({numbers}, requires_grad=True); b = a.detach()[:, None].clone()"
    for mode in ("trunc", "floor"):
        program = f"torch.div(a, b.requires_grad_(), rounding_mode='{mode}').sum().backward()"
        same(f"{before}; {program}", "a.grad.abs()", "b.grad.abs()")


HOOKED = """
def hook(module, args, output):
    raise KeyError("hook")
seen = []
linear = torch.nn.Linear(2, 2)
linear.register_forward_hook(hook)
linear.register_forward_hook(lambda *told: seen.append(told[2] is None), always_call=True)
try:
    linear(torch.ones(1, 2))
except KeyError:
    seen.append("raised")
"""


def test_a_hook_that_is_always_called_has_the_output_when_another_hook_raised() -> None:
    same(HOOKED, "seen")
    same(HOOKED, "linear.set_submodule('weight', torch.nn.ReLU())")


OLDER = """
def continued(cls, option, **given):
    p = torch.nn.Parameter(torch.ones(2))
    optimizer = cls([p], lr=0.1, **given)
    p.sum().backward()
    optimizer.step()
    state = optimizer.state_dict()
    del state["param_groups"][0][option]
    optimizer.load_state_dict(state)
    optimizer.step()
    return optimizer.param_groups[0][option], (p.detach() * 1e4).round()
"""


def test_optimizers_continue_from_states_of_versions_that_had_fewer_options() -> None:
    names = {"Adam": "amsgrad", "AdamW": "amsgrad", "SGD": "nesterov", "NAdam": "maximize"}
    for name, option in names.items():
        same(OLDER, f"continued(torch.optim.{name}, '{option}')")
    same(OLDER, *(f"continued(torch.optim.RMSprop, '{o}')" for o in ("momentum", "centered")))
    same(OLDER, "continued(torch.optim.SGD, 'momentum')")


def test_types_are_added_to_what_is_collated_by_pytorchs_path() -> None:
    known = "torch.utils.data._utils.collate.default_collate_fn_map"
    before = f"""
class Mine: pass
{known}[Mine] = lambda batch, collate_fn_map=None: len(batch)
together = torch.utils.data.default_collate([Mine(), Mine()])
del {known}[Mine]
"""
    same(before, "together", "torch.utils.data.default_collate([Mine()])")


def test_cosine_similarity_of_broadcast_shapes() -> None:
    before = WEIGHED + "c = torch.nn.functional.cosine_similarity"
    for a, b in (("x[None]", "x[:, None]"), ("x[:, :1]", "x"), ("x", "x[0]"), ("x[0, 0]", "x")):
        for dim in (-2, -1, 0, 1):
            same(before, f"(c({a}, {b}, dim={dim}) * 1e9).round()")


@pytest.mark.parametrize("kind", UNSIGNED)
def test_data_fit_a_dtype_or_are_refused(kind: str) -> None:
    for number in DATA:
        same("", f"torch.tensor({number}, dtype=torch.{kind})")
        same("", f"torch.tensor([1, {number}], dtype=torch.{kind})")


@pytest.mark.parametrize("before", ALIKE)
def test_edges(before: str) -> None:
    for expression in ALIKE[before]:
        same(before, expression)
