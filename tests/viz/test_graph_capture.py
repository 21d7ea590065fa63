"""The snapshot: what is taken from the engine's nodes, and that nothing else is."""

from __future__ import annotations

import gc
import json
import weakref

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import nn, viz
from tensorgrad.primitive import push_scope


def kinds(figure):
    return [vertex.kind for vertex in figure.snapshot.vertices]


def ops(figure):
    return [vertex.op for vertex in figure.snapshot.of_kind("op")]


def test_vertices_come_in_the_order_of_the_program(network):
    loss, params = network()
    figure = viz.graph(loss, params)
    assert ops(figure) == ["matmul", "add", "matmul", "tanh", "add", "matmul", "mul", "sum"]
    for vertex in figure.snapshot.vertices:
        assert all(a.source is None or a.source < vertex.id for a in vertex.arguments)
    assert [v.id for v in figure.snapshot.vertices] == list(range(len(figure.snapshot.vertices)))


def test_names_shapes_dtypes_groups_and_places(network):
    loss, params = network()
    snapshot = viz.graph(loss, params).snapshot
    leaves = {leaf.name: leaf for leaf in snapshot.leaves}
    assert set(leaves) == set(params)
    assert leaves["head.weight"].shape == (4, 3)
    assert leaves["head.weight"].dtype == "float32"
    assert leaves["head.weight"].nbytes == 48
    assert [group.label for group in snapshot.groups] == [
        "Net",
        "body: Sequential",
        "0: Linear",
        "1: Linear",
        "head: Linear",
    ]
    first = next(snapshot.of_kind("op"))
    assert snapshot.groups[first.group].path == "body.0"
    assert first.shape == (5, 4)
    assert first.file in ("tests/viz/conftest.py", "conftest.py")
    assert first.line is not None
    assert first.function is not None
    assert first.function.endswith("make")


def test_an_argument_without_gradient_has_no_source(network):
    loss, _ = network()
    first = next(viz.graph(loss).snapshot.of_kind("op"))
    assert [argument.source is None for argument in first.arguments] == [True, False]
    assert "matmul(·, " in str(viz.graph(loss))


def test_equal_edges_are_merged_and_counted():
    x = tg.tensor([1.0, 2.0], requires_grad=True)
    figure = viz.graph((x * x).sum())
    assert kinds(figure) == ["leaf", "op", "op", "output"]
    assert figure.snapshot.edges[0].times == 2
    assert "×2" in figure.svg()
    assert 'label="×2"' in figure.dot()


def test_a_leaf_is_drawn_once_per_use_and_its_copies_share_one_record():
    w = tg.tensor([1.0], requires_grad=True)
    x = w
    for _ in range(300):
        x = x * w
    figure = viz.graph(x, {"w": w})
    assert kinds(figure).count("leaf") == 300
    assert len(figure.snapshot.leaves) == 1
    assert figure.snapshot.leaves[0].uses == 300
    assert {v.leaf for v in figure.snapshot.of_kind("leaf")} == {0}
    assert str(figure).count("used 300 times") == 1
    assert figure.svg().count('class="node leaf"') == 300


def test_an_operation_with_several_outputs_is_one_vertex():
    x = tg.ones(4, 3, requires_grad=True)
    a, _, c, _ = x.split(1)
    figure = viz.graph((a * c).sum())
    split = next(v for v in figure.snapshot.vertices if v.op == "split")
    assert split.shape is None
    assert split.outputs == ((0, (1, 3)), (2, (1, 3)))
    assert ops(figure).count("split") == 1
    assert "mul(%1[0], %1[2])" in str(figure)
    both = viz.graph((a, c))
    assert [v.arguments[0].output for v in both.snapshot.of_kind("output")] == [0, 2]


def test_roots_may_be_nodes_tuples_and_leaves():
    x = tg.ones(3, requires_grad=True)
    y = x.exp()
    assert viz.graph(y.grad_fn).snapshot == viz.graph(y).snapshot
    pair = viz.graph((y, y.sum(), x))
    assert [v.name for v in pair.snapshot.of_kind("output")] == ["output 0", "output 1", "output 2"]
    assert kinds(viz.graph(x)) == ["leaf", "output"]
    parts = x.split(1)
    assert viz.graph(parts[0].grad_fn).svg()
    twice = viz.graph([y, y])
    assert kinds(twice) == ["leaf", "op", "output", "output"]


def test_a_name_for_a_tensor_that_is_no_leaf_names_its_operation():
    x = tg.ones(3, requires_grad=True)
    h = x.exp()
    figure = viz.graph(h.sum(), {"x": x, "h": h})
    assert next(figure.snapshot.of_kind("op")).name == "h"
    assert "h = exp" in figure.svg()


def test_tied_parameters_show_both_names():
    w = tg.ones(3, requires_grad=True)
    figure = viz.graph((w * 2).sum(), [("encoder.w", w), ("decoder.w", w)])
    assert figure.snapshot.leaves[0].name == "encoder.w = decoder.w"


def test_calls_of_a_module_are_numbered_within_the_graph():
    w = tg.ones(3, requires_grad=True)
    x = w
    for call in (41, 42, 57):
        with push_scope("cell", "Cell", call):
            x = (x * w).tanh()
    labels = [group.label for group in viz.graph(x).snapshot.groups]
    assert labels == [f"cell: Cell (call {k} of 3)" for k in (1, 2, 3)]


def test_the_snapshot_survives_backward_and_holds_nothing(network):
    loss, params = network()
    before = viz.graph(loss, params)
    loss.backward()
    after = viz.graph(loss, params)
    assert str(after) == str(before)
    assert after.layout() == before.layout()
    node = weakref.ref(params["head.weight"])
    gc.disable()
    try:
        del loss, params
        assert node() is None
    finally:
        gc.enable()


def test_a_new_forward_of_the_same_program_gives_the_same_bytes(network, tmp_path):
    contents = []
    for k in range(2):
        loss, params = network()
        for engine in ("builtin", "auto"):
            figure = viz.graph(loss, params, engine=engine, show=("shape", "location", "formula"))
            for suffix in (".svg", ".html", ".dot", ".txt", ".json"):
                path = figure.save(tmp_path / f"{k}{engine}{suffix}")
                contents.append(path.read_bytes())
    half = len(contents) // 2
    assert contents[:half] == contents[half:]


def test_max_nodes_keeps_what_is_nearest_and_says_what_it_hides(network):
    loss, params = network()
    whole = viz.graph(loss, params).snapshot
    assert (whole.total, whole.hidden, whole.notice) == (13, 0, None)
    figure = viz.graph(loss, params, max_nodes=5)
    assert ops(figure) == ["matmul", "mul", "sum"]
    assert kinds(figure).count("cut") == 1
    assert (figure.snapshot.total, figure.snapshot.hidden) == (13, 8)
    for text in (figure.svg(), str(figure), figure.dot()):
        assert "5 of 13 nodes shown (max_nodes=5)" in text
    one = viz.graph(loss, params, max_nodes=1)
    assert ops(one) == ["sum"]
    assert ops(viz.graph(loss, params, max_nodes=13)) == ops(viz.graph(loss, params))


def test_a_long_chain_is_cut_without_recursion():
    x = tg.tensor(1.0, requires_grad=True)
    y = x
    for _ in range(30_000):
        y = y + 1.0
    figure = viz.graph(y, max_nodes=20)
    assert figure.snapshot.total == 30_002
    assert len(list(figure.snapshot.of_kind("op"))) == 19


@pytest.mark.parametrize("shape", [(), (0,), (0, 3), (2, 0, 4)])
def test_scalars_and_empty_tensors(shape, parse_svg):
    x = tg.ones(shape, requires_grad=True)
    figure = viz.graph((x * 2).sum(), {"x": x}, show=viz.drawing.cards.SHOW)
    assert figure.snapshot.leaves[0].shape == shape
    parse_svg(figure.svg())
    assert "(" + ", ".join(map(str, shape)) + ")" in str(figure)


def test_formulas_are_equations_of_the_arguments_that_need_them():
    x = tg.ones(3, requires_grad=True)
    y = tg.ones(3)
    text = str(viz.graph(x * y, show="formula"))
    assert "ā = ȳ ⊙ b" in text
    assert "b̄ = " not in text


def test_parameters_of_operations_are_shown_without_values_or_addresses():
    x = tg.ones(6, requires_grad=True)
    index = tg.tensor([0, 2, 4])
    figure = viz.graph(x[index].sum(), show="params")
    assert "int64[3]" in str(figure)
    assert " at 0x" not in str(figure)


def test_data_is_json_and_has_the_graph(network):
    loss, params = network()
    figure = viz.graph(loss, params)
    data = json.loads(figure.json())
    assert data == figure.data
    assert data["kind"] == "graph"
    assert len(data["vertices"]) == len(figure.snapshot.vertices)
    assert data["edges"][0] == {"source": 0, "target": 1, "times": 1}


def test_roots_without_a_graph_are_refused():
    with pytest.raises(RuntimeError, match=r"root has no graph.*no_grad"):
        viz.graph(tg.ones(3))
    with pytest.raises(RuntimeError, match=r"root\[1\] has no graph"):
        viz.graph((tg.ones(3, requires_grad=True).exp(), tg.ones(3)))
    with pytest.raises(TypeError, match=r"must be a Tensor or a node.*ndarray"):
        viz.graph(np.ones(3))


@pytest.mark.parametrize(
    ("words", "error", "message"),
    [
        ({"rankdir": "UP"}, ValueError, "rankdir must be one of 'TB'"),
        ({"engine": "neato"}, ValueError, "engine must be one of 'auto'"),
        ({"show": ("shape", "colour")}, ValueError, "show has 'colour'; it may name 'shape',"),
        ({"show": ("shapes",)}, ValueError, "show has 'shapes'; did you mean 'shape'"),
        ({"max_nodes": 0}, ValueError, "max_nodes must be a positive int"),
        ({"max_nodes": True}, ValueError, "max_nodes must be a positive int"),
        ({"max_nodes": 2.5}, ValueError, "max_nodes must be a positive int"),
        ({"params": 3}, TypeError, "expected a Module"),
        ({"params": {"w": 3}}, TypeError, "'w' must be a Tensor"),
        ({"params": {3: 3}}, TypeError, "name must be a str"),
        ({"params": [1]}, TypeError, "named_parameters"),
    ],
)
def test_wrong_arguments_are_refused_by_name(words, error, message):
    with pytest.raises(error, match=message):
        viz.graph(tg.ones(3, requires_grad=True).exp(), **words)


def test_two_networks_of_one_class_are_boxes_of_their_own():
    def network():
        return nn.Sequential(nn.Linear(2, 2), nn.Tanh())

    generator, critic = network(), network()
    made = generator(tg.ones(1, 2))
    loss = critic(made).sum() - critic(tg.zeros(1, 2)).sum()
    figure = viz.graph(loss, {"G": generator, "D": critic})
    leaves = {leaf.name for leaf in figure.snapshot.of_kind("leaf")}
    assert leaves == {"G.0.weight", "G.0.bias", "D.0.weight", "D.0.bias"}
    outermost = [g for g in figure.snapshot.groups if g.parent is None]
    assert sorted((g.call, g.calls) for g in outermost) == [(1, 1), (1, 2), (2, 2)]
    labels = sorted(g.label for g in outermost)
    assert labels == ["D: Sequential (call 1 of 2)", "D: Sequential (call 2 of 2)", "G: Sequential"]
    assert {g.path for g in figure.snapshot.groups} == {"G", "G.0", "G.1", "D", "D.0", "D.1"}
    assert "D: Sequential (call 2 of 2)" in figure.svg()
    explored = viz.explore(loss, params=[("G", generator), ("D", critic)])
    assert {g["path"] for g in explored.data["groups"]} >= {"G", "D.1"}
    derived = str(viz.derive(loss, generator[0].weight, params={"G": generator, "D": critic}))
    assert "D.0: Linear" in derived
    assert "G.1: Tanh" in derived
    for leaf in figure.snapshot.of_kind("leaf"):
        group = leaf.group
        while figure.snapshot.groups[group].parent is not None:
            group = figure.snapshot.groups[group].parent
        assert figure.snapshot.groups[group].calls == (1 if leaf.name.startswith("G") else 2)


def test_a_part_that_was_called_alone_has_its_name_in_the_model():
    model = nn.Sequential(nn.Sequential(nn.Linear(2, 2), nn.Tanh()), nn.Linear(2, 1))
    figure = viz.graph(model[0](tg.ones(1, 2)).sum(), model)
    assert [g.path for g in figure.snapshot.groups] == ["0", "0.0", "0.1"]
    assert figure.snapshot.groups[0].label == "0: Sequential"
    unnamed = viz.graph(model(tg.ones(1, 2)).sum(), model)
    assert unnamed.snapshot.groups[0].label == "Sequential"


def test_a_dict_of_outputs_as_models_return_them():
    x = tg.ones(3, requires_grad=True)
    found = {
        "scores": x * 2,
        "boxes": {"a<b>": x + 1, "c": [x.exp(), 3]},
        "best": tg.ones(3),
        "n": 1,
    }
    figure = viz.graph(found)
    names = [v.name for v in figure.snapshot.of_kind("output")]
    assert names == ["output scores", "output boxes.a<b>", "output boxes.c.0"]
    assert "output boxes.c.0 = " in str(figure)
    assert viz.explore(found).data["nodes"]
    with pytest.raises(TypeError, match=r"viz\.graph: root must be .*, got dict without one"):
        viz.graph({"n": 1, "best": tg.ones(3)})
    with pytest.raises(TypeError, match=r"viz\.graph: root must be .*, got dict without one"):
        viz.graph({})
