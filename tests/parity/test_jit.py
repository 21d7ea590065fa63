"""Programs that script and trace give the same numbers; nothing is compiled here."""

from __future__ import annotations

import pytest
from parity.outcomes import same

import tensorgrad as tg

SCRIPTED = """
import warnings
warnings.simplefilter("ignore")

def gate(x, k: float = 2.0):
    if torch.jit.is_scripting():
        return x * torch.sigmoid(k * x)
    return x * torch.sigmoid(k * x)

class Layer(torch.nn.Module):
    scale: torch.jit.Final[float]
    def __init__(self):
        super().__init__()
        self.scale = 0.5
        self.weight = torch.nn.Parameter(torch.arange(6.0).view(2, 3) / 7)
    def forward(self, x):
        return torch.nn.functional.linear(x, self.weight) * self.scale
    @torch.jit.export
    def twice(self, x):
        return self.forward(x) * 2
    @torch.jit.unused
    def other(self, x):
        return [x]
    @torch.jit.ignore
    def another(self, x):
        return {x}

linear = torch.nn.Linear(3, 2)
linear.weight.data, linear.bias.data = torch.arange(6.0).view(2, 3) / 7, torch.zeros(2)
layer, x = Layer(), torch.tensor([[1.0, -2.0, 3.0]], requires_grad=True)
r = lambda t: (t.detach() * 1e4).round()
"""


def test_scripted_and_traced_programs_compute_the_same() -> None:
    same(
        SCRIPTED,
        "r(layer(x))", "r(torch.jit.trace(linear, x)(x))", "r(torch.jit.trace(gate, (x,))(x))",
        "r(layer.twice(x))", "torch.jit.annotate(float, 3.0)", "torch.jit.is_tracing()",
        "torch.jit.trace(layer)", "torch.jit.script(3)", "torch.jit.freeze(layer)",
        "(torch.jit.trace(linear, x)(x).sum().backward(), r(x.grad))[1]",
        "r(torch.jit.trace(linear, example_kwarg_inputs={'input': x})(x))",
    )  # fmt: skip


def test_what_is_given_comes_back() -> None:
    model = tg.nn.Linear(2, 1)
    assert tg.jit.script(model) is model
    assert tg.jit.trace(model, tg.ones(1, 2)) is model
    assert tg.jit.optimize_for_inference(tg.jit.freeze(model.eval())) is model
    assert tg.jit.ignore(drop=True)(len) is tg.jit.ignore(len) is tg.jit.script_if_tracing(len)
    with pytest.raises(RuntimeError, match="second"):
        tg.jit.trace(model, tg.ones(1, 3))  # the example is run
    for refused in (lambda: tg.jit.save(model, "m.pt"), lambda: tg.jit.load("m.pt")):
        with pytest.raises(RuntimeError, match="state_dict"):
            refused()


def test_nothing_is_a_compiled_program():
    for kind in (tg.jit.ScriptModule, tg.jit.ScriptFunction):
        assert not isinstance(tg.jit.script(tg.nn.Linear(1, 1)), kind)
        assert not isinstance(tg.jit.script(len), kind)
        with pytest.raises(RuntimeError, match=f"{kind.__name__}: nothing is compiled"):
            kind()
