"""viz.derive: every step of the chain rule, with its formula, its numbers and a check of them."""

from __future__ import annotations

import json
import re
from xml.etree import ElementTree

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import nn, viz
from tensorgrad.viz.figures.words import cells as columns

SVG = "{http://www.w3.org/2000/svg}"


def draw(*shape, seed=0, grad=True):
    values = np.random.default_rng(seed).standard_normal(shape)
    return tg.tensor(values, requires_grad=grad)


def formulas(figure):
    """What each step gives, as ``left = right``, in order."""
    return [
        f"{way['gradient']['text']} = {way['formula']['text']}"
        for step in figure.data["steps"]
        for way in step["gives"]
    ]


def errors(figure):
    """Every relative error beside differences, of steps and of the whole."""
    data = figure.data
    ways = [way for step in data["steps"] for way in step["gives"]]
    return [item["check"]["relative_error"] for item in ways + data["results"]]


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(4, 6)
        self.fc2 = nn.Linear(6, 6)
        self.fc3 = nn.Linear(6, 3)

    def forward(self, x):
        h = self.fc1(x).tanh()
        k = tg.relu(self.fc2(h))
        s = k + h
        return self.fc3(s)


def network():
    tg.manual_seed(0)
    model = Net().double()
    x, t = tg.randn(8, 4, dtype=tg.float64), tg.randint(0, 3, (8,))
    loss = nn.functional.cross_entropy(model(x), t)
    return model, loss


def test_a_network_with_a_branch():
    model, loss = network()
    figure = viz.derive(loss, "fc1.weight", params=model)
    assert formulas(figure) == [
        "∂loss/∂x₁ = (softmax(x₁) − onehot(t)) / N",
        "∂loss/∂s = (∂loss/∂x₁) fc3.weight",
        "∂loss/∂k = ∂loss/∂s",
        "(∂loss/∂h)₃ = ∂loss/∂s",
        "∂loss/∂x₂ = ∂loss/∂k ⊙ [x₂ > 0]",
        "(∂loss/∂h)₅ = (∂loss/∂x₂) fc2.weight",
        "∂loss/∂x₃ = ∂loss/∂h ⊙ (1 − h²)",
        "∂loss/∂fc1.weight = (∂loss/∂x₃)ᵀ x",
    ]
    assert max(errors(figure)) < 1e-7
    data = figure.data
    assert data["sizes"] == {"N": 8}
    assert [term["text"] for term in data["steps"][5]["terms"]] == ["(∂loss/∂h)₃", "(∂loss/∂h)₅"]
    (result,) = data["results"]
    assert (result["paths"], result["shape"]) == ("2", [6, 4])
    loss.backward()
    assert result["norm"] == pytest.approx(float(model.fc1.weight.grad.norm()), rel=1e-12)
    assert [step["modules"][-1] for step in data["steps"][1:3]] == ["fc3: Linear", "Net"]


def test_columns():
    model, loss = network()
    found = formulas(viz.derive(loss, model, convention="column"))
    assert "∂loss/∂s = fc3.weightᵀ (∂loss/∂x₁)" in found
    assert "∂loss/∂fc1.weight = (∂loss/∂x₃) xᵀ" in found
    assert "∂loss/∂fc1.bias = (∂loss/∂x₃) 𝟏" in found


def test_it_leaves_the_graph_and_grad_alone():
    model, loss = network()
    str(viz.derive(loss, model))
    assert all(p.grad is None for p in model.parameters())
    loss.backward()


def test_as_many_paths_as_atoms():
    a = tg.tensor(1.5, dtype=tg.float64, requires_grad=True)
    u = a
    for _ in range(50):
        u = u + u
    (result,) = viz.derive(u, a).data["results"]
    assert result["paths"] == str(2**50)
    assert result["norm"] == 2.0**50
    assert "2^50 paths" in str(viz.derive(u, a))


def test_a_sum_only_where_there_is_a_broadcast():
    b = draw(3, seed=1)
    x = draw(4, 3, grad=False)
    assert "∂l/∂b = Σₙ ∂l/∂y" in formulas(viz.derive(summed(x, b), b))
    assert "∂l/∂b = ∂l/∂y" in formulas(viz.derive(summed(x[0], b), b))
    assert "∂l/∂b = ∂l/∂y" in formulas(viz.derive(summed(x[:1], b), b))


def summed(x, b):
    y = x + b
    l = (y * y).sum()  # noqa: E741  (reports call it so)
    return named(l)


def named(l):  # noqa: E741
    """The loss, so that its name here is not that of the caller."""
    return l


def test_a_freed_graph_is_said_to_be_freed():
    model, loss = network()
    loss.backward()
    figure = viz.derive(loss, model)
    assert "freed by backward()" in str(figure)
    assert all(way["norm"] is None for step in figure.data["steps"] for way in step["gives"])
    assert "∂loss/∂fc3.weight = (∂loss/∂x₁)ᵀ s" in formulas(figure)
    assert "‖·‖ 0" not in str(figure)


def test_a_variable_that_is_not_reached():
    x, y = draw(3), draw(3)
    text = str(viz.derive((x * x).sum(), [x, y]))
    assert "does not depend on it" in text


def test_your_own_backward():
    class Cube(tg.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x**3

        @staticmethod
        def backward(ctx, g):
            (x,) = ctx.saved_tensors
            return 3 * g * x**2

    x = draw(3)
    text = str(viz.derive(Cube.apply(x).sum(), x))
    assert "your own backward, Cube.backward" in text
    assert "not checked" in text


@pytest.mark.parametrize(
    ("arguments", "error", "match"),
    [
        (lambda x: (3, x), TypeError, "loss must be a Tensor, got int"),
        (lambda x: (x * x, x), RuntimeError, "reduce it to one number"),
        (lambda x: ((x * x).sum().detach(), x), RuntimeError, "no graph"),
        (lambda x: ((x * x).sum(), "w"), ValueError, "no parameter is called 'w'"),
        (lambda x: ((x * x).sum(), []), ValueError, "wrt is empty"),
        (lambda x: ((x * x).sum(), 3), TypeError, "wrt must be"),
        (lambda x: ((x * x).sum(), x.detach()), RuntimeError, "does not require grad"),
    ],
)
def test_refusals(arguments, error, match):
    with pytest.raises(error, match=match):
        viz.derive(*arguments(draw(3)))


def test_choices():
    x = draw(3)
    with pytest.raises(ValueError, match="'row' or 'column'"):
        viz.derive((x * x).sum(), x, convention="rows")


@pytest.mark.parametrize("suffix", ["txt", "html", "tex", "json", "svg"])
def test_files(tmp_path, suffix):
    model, loss = network()
    figure = viz.derive(loss, model)
    first = figure.save(tmp_path / f"a.{suffix}").read_bytes()
    again = viz.derive(network()[1], model)
    assert first
    if suffix == "json":
        assert json.loads(first)["kind"] == "derivation"
    assert viz.derive(loss, model).save(tmp_path / f"b.{suffix}").read_bytes() == first
    assert again.derivation.results[0].reached is False  # of another model
    with pytest.raises(ValueError, match="not one of"):
        figure.save(tmp_path / "a.dot")


def test_its_picture_is_the_text_column_by_column():
    model, loss = network()
    figure = viz.derive(loss, model)
    words = [t.text for t in ElementTree.fromstring(figure.svg()).iter(SVG + "text")]
    squeezed = "".join(str(figure).replace("─", "").split())
    assert "".join("".join(words).split()) == squeezed
    assert figure.svg() == viz.derive(loss, model).svg()


def test_in_a_notebook():
    model, loss = network()
    bundle = viz.derive(loss, model)._repr_mimebundle_()
    assert set(bundle) == {"text/plain", "image/svg+xml", "text/html"}
    assert "<math" in bundle["text/html"]
    assert "<script" not in bundle["text/html"]
    # A frame is for what has scripts. Styles stay within the figure's own element.
    assert "<iframe" not in bundle["text/html"]
    style = bundle["text/html"].partition("</style>")[0].partition("<style>")[2]
    selectors = [part.rpartition("}")[2].strip() for part in style.split("{")[:-1]]
    rules = [rule for rule in selectors if not rule.startswith("@")]
    assert rules
    assert all(one.strip().startswith(".tg-") for rule in rules for one in rule.split(","))


def test_constants_that_differ_are_not_called_alike():
    x = tg.tensor([1.0, -2.0, 3.0], dtype=tg.float64, requires_grad=True)
    slope = tg.tensor([0.3], dtype=tg.float64, requires_grad=True)
    text = str(viz.derive(tg.nn.functional.prelu(x, slope).sum(), x))
    assert "x ⊙ [kept]" in text
    assert "x ⊙ [kept₂]" in text
    same = tg.tensor([2.0, 3.0, 4.0], dtype=tg.float64)
    text = str(viz.derive((x * same * same).sum(), x))
    assert "same₂" not in text


def test_a_gradient_is_as_exact_as_the_coarsest_number_on_its_way():
    x = tg.tensor([[0.3, -0.2, 0.7]], dtype=tg.float64, requires_grad=True)
    y = tg.softmax(x, 1, dtype=tg.float32)
    data = viz.derive((y * y).sum(), x).data
    assert 1e-9 < data["results"][0]["check"]["relative_error"] < 1e-5
    assert "✗" not in str(viz.derive((y * y).sum(), x))


def test_of_a_gradient_that_is_only_rounding_differences_say_nothing():
    size = tg.tensor([[1.3, 0.4], [0.8, 1.7]], dtype=tg.float64, requires_grad=True)
    angle = tg.tensor([[0.3, 2.0], [-0.7, 1.1]], dtype=tg.float64, requires_grad=True)
    z = tg.polar(size, angle)
    text = str(viz.derive((z * z).abs().sum(), angle))  # |z|² does not depend on it
    assert "✗" not in text
    assert "their own rounding" in " ".join(text.split())


def test_the_real_part_of_a_complex_variable_is_checked():
    z = tg.tensor([1 + 2j, 3 - 1j], requires_grad=True)
    assert "not checked" not in str(viz.derive(z.real.sum(), z))


def test_a_long_chain_is_checked_step_by_step():
    x = tg.tensor([0.1, 0.2], dtype=tg.float64, requires_grad=True)
    y = x
    for _ in range(300):
        y = (y + x).tanh()
    text = str(viz.derive(y.sum(), x))
    assert text.count("✓") > 900
    assert "✗" not in text


def test_constants_are_called_as_the_callers_variables():
    model = nn.Linear(3, 2).double()
    left, b = tg.randn(4, 3, dtype=tg.float64), tg.randn(4, 2, dtype=tg.float64)
    x = tg.zeros(7)
    a = model(left)
    out = (a * (1 - b)).sum() + (a * b).sum() + (model(left * 2) ** 2).sum() + x.sum()
    text = viz.derive(out, model, differences=False).text()
    assert re.search(r"a = left Wᵀ \+ b\b", text)
    # A formula's own letter means one thing: the layer's bias is b, what is multiplied is not.
    # Nor are any two of what is not kept: b, 1 - b and the sum that is added last.
    constants = re.findall(r"= a ⊙ (b[₂₃₄])\b", text) + re.findall(r"= x₁ \+ (b[₂₃₄])\b", text)
    assert len(set(constants)) == 3
    assert not re.search(r"⊙ b\b", text)
    # The other input has the name of no variable, neither the caller's x nor one of the steps.
    steps = re.findall(r"^ +\d+  (\S+) =", text, re.MULTILINE)
    (other,) = (n for n in re.findall(r"= (\S+) Wᵀ \+ b\b", text) if n != "left")
    assert other not in {*steps, "x"}
    assert len(set(steps)) == len(steps)


def test_every_line_fits_into_a_terminal():
    attention = nn.MultiheadAttention(8, 2, batch_first=True)
    x = tg.randn(2, 3, 8)
    scores = tg.randn(2, 3, 3, requires_grad=True)
    weights = (scores * 2).softmax(-1)
    loss = (attention(x, x, x)[0] + weights @ x).pow(2).mean()
    text = viz.derive(loss, [scores, *attention.parameters()], differences=False).text()
    assert "if i ≠ j" in text
    assert [line for line in text.splitlines() if columns(line) > 80] == []
    for line in str(viz.graph(loss, attention)).splitlines():
        assert len(line) <= 100, line
