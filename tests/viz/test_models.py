"""viz on real modules: names and boxes come from the model, as a user would call it."""

from __future__ import annotations

import tensorgrad as tg
from tensorgrad import nn, viz


class Block(nn.Module):
    """A residual block that calls one activation twice."""

    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(4, 4)
        self.act = nn.ReLU()

    def forward(self, x):
        return self.act(x + self.act(self.fc(x)))


class Again(nn.Module):
    """Calls itself inside itself."""

    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(4, 4)

    def forward(self, x, depth=2):
        x = self.fc(x)
        return self(x, depth - 1) if depth else x


def test_a_model_names_its_leaves_and_boxes():
    tg.manual_seed(0)
    model = nn.Sequential(Block(), nn.Linear(4, 3))
    loss = nn.CrossEntropyLoss()(model(tg.ones(2, 4)), tg.tensor([0, 2]))
    figure = viz.graph(loss, model, engine="builtin")
    labels = [group.label for group in figure.snapshot.groups]
    assert labels == [
        "Sequential",
        "0: Block",
        "fc: Linear",
        "act: ReLU (call 1 of 2)",
        "act: ReLU (call 2 of 2)",
        "1: Linear",
        "CrossEntropyLoss",
    ]
    assert {leaf.name for leaf in figure.snapshot.leaves} == {
        name for name, _ in model.named_parameters()
    }
    assert set(figure.layout().groups) == set(range(7))
    assert all(
        (vertex.file or "").endswith("test_models.py") for vertex in figure.snapshot.of_kind("op")
    )


def test_the_gradient_flow_of_a_model():
    model = nn.Sequential(nn.Linear(4, 3), nn.Linear(3, 1))
    model[0].bias.requires_grad_(False)
    assert {row.status for row in viz.grad_flow(model).rows} == {"none"}
    model(tg.ones(2, 4)).sum().backward()
    rows = {row.name: row.status for row in viz.grad_flow(model).rows}
    assert rows == {"0.weight": "ok", "0.bias": "none", "1.weight": "ok", "1.bias": "ok"}


def test_a_module_within_itself(parse_svg):
    model = Again()
    figure = viz.graph(model(tg.ones(1, 4)).sum(), model, engine="builtin")
    parse_svg(figure.svg())
    assert [v.op for v in figure.snapshot.of_kind("op")].count("linear") == 3
    assert len(figure.snapshot.leaves) == 2
