"""Rules of which the walk takes the shapes and the dtype on trust."""

import numpy as np
from samples import SAMPLES
from sampling import Call, every_case, outputs_of

from tensorgrad.autograd import observe_forward
from tensorgrad.primitive import primitives, raw

EXACT = [s for s in SAMPLES if s.primitive and primitives[s.primitive].exact]


def test_each_has_a_row():
    assert {s.primitive for s in EXACT} == {op.name for op in primitives.values() if op.exact}


@every_case(EXACT)
def test_gradients_have_the_shapes_and_the_dtype_of_the_arguments(sample, number):
    seen = []
    with observe_forward(lambda node, out: seen.append(node)):
        outputs_of(Call(sample.draw(number)).run(sample.function()))
    nodes = [node for node in seen if node.op.exact]
    assert nodes
    for node in nodes:
        g, words = np.ones(node.shape, node.dtype), node.params or {}
        saved = node.saved or (None, *node.inputs)
        if node.op.keeps:
            *saved, extras = saved
            words = {**words, **extras}
        for edge, rule in zip(node.inputs, node.op.rules, strict=True):
            if edge is not None:
                d = np.asarray(rule(raw, g, *saved, **words))
                assert (d.shape, d.dtype) == (edge.shape, edge.dtype)
