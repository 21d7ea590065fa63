"""What a derivation reads from the program's lines: what it calls a result, its operands, an index.

The lines are found by the interpreter's own table of positions, which each version of Python fills
in its own way: comprehensions are inlined from 3.12 on, calls with keywords have an instruction of
their own from 3.13 on, and an instruction that has run often is replaced by a special one.
"""

from __future__ import annotations

import pytest

import tensorgrad as tg
from tensorgrad.graph.provenance import locate
from tensorgrad.viz.derivation.source import Sources


def read(tensor, output=None):
    """The line counted from the function's, the target, the operands and the index."""
    node, sources = tensor._node, Sources()
    return sources.target(node, output), sources.operands(node), sources.index(node)


def line(tensor):
    return locate(tensor._node.code, tensor._node.lasti).lineno - tensor._node.code.co_firstlineno


@pytest.fixture
def x():
    return tg.ones(3, 3, requires_grad=True)


def test_operators(x):
    w = x.detach() * 2
    y = x * w
    assert read(y) == ("y", ("x", "w"), None)
    z = (y
         + w)  # fmt: skip
    assert read(z) == ("z", ("y", "w"), None)
    y = -z
    assert read(y) == ("y", ("z",), None)
    y += w
    assert read(y) == ("y", ("y", "w"), None)
    if (walrus := x @ w) is not None:
        assert read(walrus) == ("walrus", ("x", "w"), None)
    known: tg.Tensor = x - w
    assert read(known) == ("known", ("x", "w"), None)


def test_indices(x):
    row = x[1]
    assert read(row) == ("row", ("x",), "1")
    rows = x[1:2]  # an instruction of its own from 3.12 on
    assert read(rows) == ("rows", ("x",), "1:2")
    part = x[:, 0]
    assert read(part) == ("part", ("x",), ":, 0")
    copy = x.clone()
    copy[1:2] = row
    assert read(copy)[1:] == (("copy",), "1:2")


def test_calls(x):
    y = x.exp()
    assert read(y) == ("y", ("x",), None)
    y = tg.exp(x)
    assert read(y) == ("y", ("x",), None)
    y = tg.sum(x, dim=0, keepdim=True)
    assert read(y) == ("y", ("x",), None)
    y = tg.maximum(
        x,
        y,
    )
    assert read(y) == ("y", ("x", "y"), None)
    assert line(y) == 7  # where the call begins
    low, high = x.aminmax(dim=0)
    assert (read(low, 0)[0], read(high, 1)[0]) == ("low", "high")


def test_methods_over_several_lines(x):
    y = (
        x.exp()
        .log()
        .pow(
            2,
        )
    )
    assert read(y) == ("y", (None,), None)
    log, sources = y._node.inputs[0], Sources()
    assert sources.target(log) is None  # what a method is called of has no name
    assert sources.operands(log.inputs[0]) == ("x",)
    z = (x
         .exp())  # fmt: skip
    assert read(z) == ("z", ("x",), None)


def test_comprehensions_and_functions_in_a_function(x):
    w = x.detach()
    assert read([v * w for v in (x, x)][1])[1] == ("v", "w")
    assert read({k: v.exp() for k, v in {"a": x}.items()}["a"])[1] == ("v",)
    assert read(next(v @ w for v in (x, x)))[1] == ("v", "w")
    assert read((lambda v: v / w)(x))[1] == ("v", "w")

    class Body:
        inside = x * w

    assert read(Body.inside) == ("inside", ("x", "w"), None)


def test_what_has_run_often_is_found_as_at_first(x):
    w = x.detach()
    found = set()
    for _ in range(200):
        row = x[1]
        turned = x.T
        both = x * w
        kept = tg.sum(x, dim=0)
        relu = x.relu()
        found.add(tuple((read(t), line(t)) for t in (row, turned, both, kept, relu)))
    (one,) = found
    assert [told[0] for told, _ in one] == ["row", "turned", "both", "kept", "relu"]
    assert [at - one[0][1] for _, at in one] == [0, 1, 2, 3, 4]
