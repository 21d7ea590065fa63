"""Formulas: each says what its rule computes, and reads as it should."""

import numpy as np
import pytest
from samples import SAMPLES
from sampling import Call, Value, every_case, outputs_of

import tensorgrad as tg
from tensorgrad.formula import FormulaError, evaluate, fit, formulas_of, parse, to_text
from tensorgrad.primitive import primitives, recorded

ROWS = [s for s in SAMPLES if s.primitive and primitives[s.primitive].formula is not None]


@every_case(ROWS)
def test_formula_equals_rule(sample, number):
    op = primitives[sample.primitive]
    drawn = sample.draw(number)
    arrays = [v.array if isinstance(v, Value) else v for v in drawn.args]
    if op.holomorphic and any(np.iscomplexobj(a) for a in arrays):
        return  # the engine conjugates around holomorphic rules: the formula is the real one
    call = Call(drawn)
    own = sample.path.startswith("primitive.")
    outputs = outputs_of(call.run(sample.function() if own else getattr(recorded, op.name)))
    rng = np.random.default_rng(number)
    seeds = [rng.standard_normal(t.shape) for t in outputs]
    names = dict(zip(op.arguments, arrays, strict=False)) | drawn.params
    if op.outputs:
        names |= {f"g{i}": g for i, g in enumerate(seeds)}
        names |= {f"y{i}": t.detach().numpy() for i, t in enumerate(outputs)}
    else:
        names |= {"g": seeds[0], "y": outputs[0].detach().numpy()}
    by_rule = iter(tg.autograd.grad(outputs, call.leaves, [tg.from_numpy(g) for g in seeds]))
    formulas = formulas_of(op, [None if a is None else np.shape(a) for a in arrays], drawn.params)
    compared = 0
    for value, array, formula in zip(drawn.args, arrays, formulas, strict=True):
        if not isinstance(value, Value) or not value.drawn.grad:
            continue
        expected = next(by_rule).numpy()
        by_formula = fit(evaluate(formula, names), array.shape)
        if not np.iscomplexobj(array):
            by_formula = by_formula.real
        np.testing.assert_allclose(by_formula, expected, rtol=1e-10, atol=1e-10, err_msg=formula)
        compared += 1
    assert compared == len(call.leaves)


@pytest.mark.parametrize("op", primitives.values(), ids=lambda op: op.name)
def test_what_has_a_gradient_has_a_formula(op):
    assert (op.formula is not None or op.prose is not None) == op.differentiable
    assert op.formula is None or op.prose is None
    if isinstance(op.formula, str):
        parse(op.formula)
    elif isinstance(op.formula, tuple):
        without = [r is None or hasattr(r, "refuses") for r in op.rules or op.formula]
        assert [f is None for f in op.formula] == without
        for formula in op.formula:
            assert formula is None or parse(formula)


def test_prose_is_the_exception():
    explained = [op for op in primitives.values() if op.differentiable]
    assert sum(op.prose is not None for op in explained) <= len(explained) / 10


@pytest.mark.parametrize(
    ("formula", "argument", "text"),
    [
        ("g * b", "a", "ā = ȳ ⊙ b"),
        ("-g * a / b**2", "b", "b̄ = −ȳ ⊙ a / b²"),
        ("g * p * x**(p - 1)", "x", "x̄ = ȳ ⊙ p ⊙ xᵖ⁻¹"),
        ("g * [min <= x <= max]", "x", "x̄ = ȳ ⊙ [min ≤ x ≤ max]"),
        ("g * ([a > b] + [a == b] / 2)", "a", "ā = ȳ ⊙ ([a > b] + [a = b] / 2)"),
        ("g * [~c]", "b", "b̄ = ȳ ⊙ [¬c]"),
        ("a.T @ g", "b", "b̄ = aᵀ ȳ"),
        ("y * (g - sum(g * y, axis))", "x", "x̄ = y ⊙ (ȳ − Σ (ȳ ⊙ y))"),
        ("g / (2 * y)", "x", "x̄ = ȳ / (2·y)"),
        ("a - (b - c)", None, "a − (b − c)"),
        ("a * -b", None, "a ⊙ (−b)"),
        ("(a + b)**x", None, "(a + b)^x"),
        ("join(g0, g1, axis)", "x", "x̄ = join(ȳ₀, ȳ₁, axis)"),
        ("g[index]", "x", "x̄ = ȳ[index]"),
        ("(g - normal(x, eps)) / deviation(x, eps)", "x", "x̄ = (ȳ − x̂) / σ"),
        ("1j * g", "x", "x̄ = i·ȳ"),
        ("[a < b and b != c or ~a]", None, "[(a < b ∧ b ≠ c) ∨ ¬a]"),
    ],
)
def test_text(formula, argument, text):
    assert to_text(formula, argument) == text


@pytest.mark.parametrize(
    "formula",
    [
        "g *", "__import__('os')", "g.__class__", "x.shape", "lambda: g", "[a, b]", "g[0]", "'g'",
        "True", "unheard(g)", "sum(g, axis=0)", "sum(*g)", "g if x else y", "g // 2", "(g := x)",
        "[x for x in g]", "{g}", "g @ b; x", "np.exp(g)", "exp(g)(x)", "a is b", "g[x:y]",
    ],
)  # fmt: skip
def test_outside_the_grammar(formula):
    with pytest.raises(FormulaError):
        parse(formula)


def test_a_name_that_is_not_there():
    with pytest.raises(FormulaError, match=r"'b'.*there are 'g'"):
        evaluate("g * b", {"g": np.ones(2)})


def test_values():
    x = np.array([-1.0, 0.5, 3.0])
    names = {"x": x, "low": 0, "c": x > 0, "i": np.array([2, 0])}
    assert evaluate("[low < x < 1]", names).tolist() == [0, 1, 0]
    assert evaluate("[~c or x == 3]", names).tolist() == [1, 0, 1]
    assert evaluate("x[i] ** 2", names).tolist() == [9, 1]
    assert evaluate("[c]", names).dtype == np.float64
    assert fit(np.ones((4, 2, 3)), (2, 1)).tolist() == [[12], [12]]
    assert fit(2.0, (2,)).tolist() == [2, 2]
