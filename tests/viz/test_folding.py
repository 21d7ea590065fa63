"""Equal blocks drawn once, modules closed below a depth, colours of gradients."""

from __future__ import annotations

import re

import pytest

import tensorgrad as tg
from tensorgrad import nn, viz
from tensorgrad.primitive import push_scope
from tensorgrad.viz.drawing.heat import HeatScale


class Block(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.fc = nn.Linear(width, width)

    def forward(self, x):
        return x + self.fc(x).tanh()


class Net(nn.Module):
    def __init__(self, blocks):
        super().__init__()
        self.stem = nn.Linear(3, 4)
        self.blocks = nn.ModuleList(blocks)
        self.head = nn.Linear(4, 2)

    def forward(self, x):
        x = self.stem(x)
        for block in self.blocks:
            x = block(x)
        return self.head(x)


def loss_of(model):
    return model(tg.ones(5, 3)).sum()


def labels(figure):
    return [group.label for group in figure.snapshot.groups]


def check(snapshot):
    """Hold what every snapshot promises."""
    ids = {v.id for v in snapshot.vertices}
    assert [v.id for v in snapshot.vertices] == list(range(len(ids)))
    for vertex in snapshot.vertices:
        assert all(a.source is None or a.source < vertex.id for a in vertex.arguments)
        assert vertex.group is None or vertex.group < len(snapshot.groups)
    for edge in snapshot.edges:
        assert edge.source < edge.target
    for k, group in enumerate(snapshot.groups):
        assert group.id == k
        assert group.parent is None or group.parent < k


def test_twelve_equal_blocks_are_one_box():
    model = Net(Block(4) for _ in range(12))
    figure = viz.graph(loss_of(model), model, engine="builtin")
    assert "blocks.0 … blocks.11: Block ×12" in labels(figure)
    assert sum(v.op == "tanh" for v in figure.snapshot.vertices) == 1
    assert figure.snapshot.operations == 3 + 12 * 3
    assert len(figure.snapshot.leaves) == 28
    check(figure.snapshot)
    assert "Block ×12" in str(figure)
    assert "39 operations, 28 leaf tensors" in str(figure)
    whole = viz.graph(loss_of(model), model, fold_repeats=False)
    assert sum(v.op == "tanh" for v in whole.snapshot.vertices) == 12
    # What comes before and after is connected with the one that is drawn.
    names = {v.id: v.op for v in figure.snapshot.vertices}
    pairs = {(names[e.source], names[e.target]) for e in figure.snapshot.edges}
    assert ("linear", "add") in pairs
    assert ("add", "linear") in pairs


def test_two_are_not_folded_and_neither_is_what_differs():
    two = Net(Block(4) for _ in range(2))
    assert "×" not in "".join(labels(viz.graph(loss_of(two), two)))
    blocks = [Block(4) for _ in range(7)]
    blocks[3].fc.bias = None
    model = Net(blocks)
    found = [name for name in labels(viz.graph(loss_of(model), model)) if "×" in name]
    assert found == ["blocks.0 … blocks.2: Block ×3", "blocks.4 … blocks.6: Block ×3"]


def test_several_modules_in_a_row_may_repeat_together():
    layers = [layer for _ in range(4) for layer in (nn.Linear(4, 4), nn.ReLU())]
    model = nn.Sequential(nn.Linear(3, 4), *layers)
    figure = viz.graph(loss_of(model), model, engine="builtin")
    assert "1 … 8: Linear, ReLU ×4" in labels(figure)
    assert [v.op for v in figure.snapshot.of_kind("op")] == ["linear", "linear", "relu", "sum"]
    check(figure.snapshot)
    assert len(figure.layout().groups) == len(figure.snapshot.groups)


def test_runs_within_a_folded_run():
    class Stage(nn.Module):
        def __init__(self):
            super().__init__()
            self.blocks = nn.ModuleList(Block(4) for _ in range(5))

        def forward(self, x):
            for block in self.blocks:
                x = block(x)
            return x

    model = nn.Sequential(nn.Linear(3, 4), Stage(), Stage(), Stage())
    figure = viz.graph(loss_of(model), model)
    assert "1 … 3: Stage ×3" in labels(figure)
    assert "blocks.0 … blocks.4: Block ×5" in labels(figure)
    assert sum(v.op == "tanh" for v in figure.snapshot.vertices) == 1
    check(figure.snapshot)


def test_a_cell_unrolled_in_time():
    cell, out = nn.LSTMCell(2, 3), nn.Linear(3, 1)
    h, c = tg.zeros(1, 3), tg.zeros(1, 3)
    given = []
    for _ in range(20):
        h, c = cell(tg.ones(1, 2), (h, c))
        given.append(out(h))
    figure = viz.graph(tg.stack(given).sum(), {"w": cell.weight_ih})
    # The first step reads no state that needs a gradient, and nobody reads the last one's cell.
    assert len(figure.snapshot.vertices) < 60
    # A step of the cell and what is stacked of it are one box, as are their edges to the stack.
    folded = [group for group in figure.snapshot.groups if group.times > 1]
    assert [group.times for group in folded] == [18]
    assert "×18" in figure.svg()
    assert any(edge.times == 18 for edge in figure.snapshot.edges)
    check(figure.snapshot)


def test_what_flows_from_one_repetition_around_the_next_is_no_cycle():
    a, b = tg.ones(2, requires_grad=True), tg.ones(2, requires_grad=True)
    x, skip = a, b
    for _ in range(6):
        with push_scope("block", "Block", 0):
            y = x * skip
        with push_scope("other", "Other", 0):
            skip = y.exp()
        x = y
    check(viz.graph((x + skip).sum()).snapshot)


@pytest.mark.parametrize("seed", range(12))
def test_random_graphs_stay_graphs(random_graph, seed):
    root = random_graph(150, seed)
    for depth in (None, 0, 1, 2):
        snapshot = viz.graph(root, depth=depth).snapshot
        check(snapshot)
        assert viz.graph(root, depth=depth).snapshot == snapshot


def test_depth_closes_modules():
    model = Net(Block(4) for _ in range(3))
    loss = loss_of(model)
    figures = [viz.graph(loss, model, depth, engine="builtin") for depth in range(4)]
    kinds = [[v.name for v in f.snapshot.of_kind("module")] for f in figures]
    assert kinds[0] == ["Net"]
    assert kinds[1] == ["stem: Linear", "blocks.0 … blocks.2: Block ×3", "head: Linear"]
    assert kinds[2] == ["fc: Linear"]
    assert kinds[3] == []
    net = next(figures[0].snapshot.of_kind("module"))
    assert net.shape == (5, 2)
    assert "Net" in figures[0].svg()
    assert "%1 = [Net]()" in str(figures[0])
    for figure in figures:
        check(figure.snapshot)
        figure.svg()
        assert "digraph" in figure.dot()
    with pytest.raises(ValueError, match="depth must be an int from 0"):
        viz.graph(loss, depth=-1)
    with pytest.raises(TypeError, match="fold_repeats must be True or False"):
        viz.graph(loss, fold_repeats="no")


def test_gradients_as_colours():
    model = Net(Block(4) for _ in range(2))
    loss = loss_of(model)
    with viz.trace_backward(loss) as trace:
        loss.backward()
    figure = viz.graph(loss, model, trace=trace, show=("shape", "grad"), engine="builtin")
    vertices = {v.op or v.name: v for v in figure.snapshot.vertices}
    assert vertices["sum"].gradient == 1.0
    weight = next(v for v in figure.snapshot.of_kind("leaf") if v.name == "head.weight")
    norm = float((model.head.weight.grad**2).sum() ** 0.5)
    assert weight.gradient == pytest.approx(norm, rel=1e-6)
    assert "‖grad‖" in str(figure)
    assert 'class="node op heat' in figure.svg()
    assert "‖gradient‖" in figure.svg()
    assert "fontcolor" in figure.dot()
    plain = viz.graph(loss, model, engine="builtin").svg()
    assert "heat" not in plain


def test_a_gradient_that_was_not_computed_is_not_zero():
    used, unused = tg.ones(2, requires_grad=True), tg.ones(2, requires_grad=True)
    loss, other = (used * 0).sum(), unused.sum()
    with viz.trace_backward(loss) as trace:
        loss.backward()
    figure = viz.graph((loss, other), {"used": used, "unused": unused}, trace=trace, show="grad")
    by_name = {v.name: v.gradient for v in figure.snapshot.of_kind("leaf")}
    assert by_name == {"used": 0.0, "unused": None}
    assert "unused" in str(figure)
    assert "no gradient" in str(figure)
    leaves = viz.graph(loss, {"used": used}, show="grad")
    assert [v.gradient for v in leaves.snapshot.of_kind("op")] == [None, None]
    assert [v.gradient for v in leaves.snapshot.of_kind("leaf")] == [0.0]
    with pytest.raises(TypeError, match="trace must be what"):
        viz.graph(loss, trace={})


def test_the_scale_of_colours():
    scale = HeatScale([1e-6, 1.0, None, float("nan"), 0.0])
    marks = [scale.mark(n) for n in (1e-6, 1.0, None, 0.0, float("nan"), float("inf"), 1e9)]
    assert marks == ["heat0", "heat8", "", "zero", "bad", "bad", "heat8"]
    near = HeatScale([1.0, 1.01])
    assert near.mark(1.0) == near.mark(1.01) == "heat4"
    assert HeatScale([None]).mark(None) == ""


def test_what_a_folded_run_gives_to_a_stack_is_written_once():
    cell, h, given = nn.RNNCell(3, 2), tg.zeros(4, 2), []
    for _ in range(30):
        h = cell(tg.ones(4, 3), h)
        given.append(h)
    text = str(viz.graph(tg.stack(given).sum(), cell))
    assert re.search(r"= stack\(%\d+, %\d+ ×29\)", text)
    assert max(map(len, text.splitlines())) < 120


def test_two_streams_through_the_same_layers_stay_two():
    layers = nn.ModuleList([nn.Linear(4, 4) for _ in range(5)])
    a, b = (tg.randn(2, 4, requires_grad=True) for _ in range(2))
    for layer in layers:
        a, b = layer(a).relu() + a, layer(b).relu() + b
    drawn = viz.graph((a - b).sum()).snapshot
    # Both streams four times, after the first step, which reads leaves; not one of ten.
    assert max(g.times for g in drawn.groups) == 4
    assert len([v for v in drawn.vertices if v.op == "linear"]) == 4


def test_the_legend_tells_of_what_is_not_on_the_scale():
    known, _ = HeatScale([1.0, 2.0]).legend(0, 0)
    assert [e.children[0] for e in known if e.tag == "text"][-1] == "none"
    words = " ".join(str(e) for e in HeatScale([1.0, 0.0, float("nan")]).legend(0, 0)[0])
    assert "zero" in words
    assert "not finite" in words
    broken = " ".join(str(e) for e in HeatScale([float("nan")]).legend(0, 0)[0])
    assert "not finite" in broken
    assert "no gradient" not in broken
