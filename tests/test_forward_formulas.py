"""What primitives compute, as a derivation prints it: evaluated, it must equal the forward."""

import numpy as np
import pytest
from samples import SAMPLES
from sampling import Call, Value, every_case, outputs_of

from tensorgrad.formula import evaluate, parse
from tensorgrad.formula.forward import FORWARD, forward_formula
from tensorgrad.primitive import primitives, recorded

KNOWN = {*FORWARD, "conv"}
ROWS = [s for s in SAMPLES if s.primitive in KNOWN]


@every_case(ROWS)
def test_formula_equals_forward(sample, number):
    op = primitives[sample.primitive]
    drawn = sample.draw(number)
    arrays = [v.array if isinstance(v, Value) else v for v in drawn.args]
    shapes = [None if a is None else np.shape(a) for a in arrays]
    formula = forward_formula(op, shapes, drawn.params)
    if formula is None or any(np.iscomplexobj(a) for a in arrays):
        return
    own = sample.path.startswith("primitive.")
    (output,) = outputs_of(
        Call(drawn).run(sample.function() if own else getattr(recorded, op.name))
    )
    y = output.detach().numpy()
    names = dict(zip(op.arguments, arrays, strict=False)) | drawn.params | {"none": None}
    found = np.asarray(evaluate(formula, names))
    assert found.size == y.size, formula
    np.testing.assert_allclose(found.reshape(y.shape), y, rtol=1e-10, atol=1e-10, err_msg=formula)


@pytest.mark.parametrize("name", FORWARD)
def test_every_formula_is_of_a_primitive_and_in_the_grammar(name):
    assert name in primitives
    parse(FORWARD[name])
    assert any(s.primitive == name for s in SAMPLES), "nothing evaluates it"
