"""summary: the reports' tables of parameters, costs counted from what runs, and failures."""

from __future__ import annotations

import re

import pytest

import tensorgrad as tg
from tensorgrad import nn
from tensorgrad.consoles import cells
from tensorgrad.training import SummaryError, summary


def mnist_net():
    return nn.Sequential(
        nn.Conv2d(1, 16, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(16, 16, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(784, 10),
    )  # fmt: skip


def formulas(found, *types):
    return [row["formula"] or None for row in found.data if row["type"] in types]


def test_a_reports_table_of_a_network_for_digits():
    found = summary(mnist_net(), (1, 1, 28, 28))
    assert formulas(found, "Conv2d", "MaxPool2d", "Linear") == [
        "5x5x16+16 = 416",
        None,
        "5x5x16x16+16 = 6416",
        None,
        "784x10+10 = 7850",
    ]
    assert found.total_parameters == found.trainable_parameters == 14_682
    assert [row["output_shape"] for row in found.data[1:4]] == [(1, 16, 28, 28)] * 2 + [
        (1, 16, 14, 14)
    ]
    assert found.total_multiply_adds == 25 * 16 * 28**2 + 25 * 256 * 14**2 + 7840
    assert found.total_flops == 2 * found.total_multiply_adds
    lines = repr(found).splitlines()
    assert lines[0].split() == ["layer", "output", "parameters", "multiply-adds"]
    assert lines[3] == "  0: Conv2d     (1, 16, 28, 28)      5x5x16+16 = 416        313,600"
    assert lines[5] == "  2: MaxPool2d  (1, 16, 14, 14)                    -              -"
    assert lines[-3] == "parameters: 14,682"
    assert lines[-2].startswith("multiply-adds: 1,575,840 (3,151,680 FLOPs)")


def test_a_reports_table_of_a_network_for_objects():
    model = nn.Sequential(
        nn.Conv2d(3, 16, 5, padding=2), nn.MaxPool2d(2),
        nn.Conv2d(16, 24, 5, padding=2), nn.Conv2d(24, 24, 5, padding=2), nn.MaxPool2d(2),
        nn.Conv2d(24, 16, 3, padding=1), nn.Conv2d(16, 16, 3, padding=1),
        nn.Flatten(), nn.Linear(1024, 20), nn.Linear(20, 10),
    )  # fmt: skip
    found = summary(model, tg.zeros(2, 3, 32, 32))
    assert formulas(found, "Conv2d", "MaxPool2d", "Linear") == [
        "5x5x3x16+16 = 1216",
        None,
        "5x5x16x24+24 = 9624",
        "5x5x24x24+24 = 14424",
        None,
        "3x3x24x16+16 = 3472",
        "3x3x16x16+16 = 2320",
        "1024x20+20 = 20500",
        "20x10+10 = 210",
    ]
    assert found.total_parameters == 51_766


class Attends(nn.Module):
    def __init__(self):
        super().__init__()
        self.attention = nn.MultiheadAttention(8, 2, batch_first=True)

    def forward(self, x):
        return self.attention(x, x, x, need_weights=False)[0]


@pytest.mark.parametrize(
    ("model", "size", "expected"),
    [
        (nn.Linear(5, 7), (3, 5), 3 * 5 * 7),
        (nn.Conv2d(4, 6, 3, groups=2, stride=2), (2, 4, 9, 9), 2 * 6 * 16 * 9 * 2),
        (nn.ConvTranspose2d(4, 6, 3, groups=2), (2, 4, 5, 5), 2 * 4 * 25 * 9 * 3),
        (nn.LSTM(5, 7, num_layers=2), (4, 3, 5), 12 * (4 * 7 * (5 + 7) + 4 * 7 * 14)),
        (nn.LSTM(5, 7, proj_size=2), (4, 3, 5), 12 * (4 * 7 * (5 + 2) + 2 * 7)),
        (nn.GRU(5, 7, bidirectional=True), (4, 3, 5), 2 * 12 * 3 * 7 * 12),
        (nn.RNN(5, 7), (4, 3, 5), 12 * 7 * 12),
        (nn.Bilinear(4, 5, 6), [(3, 4), (3, 5)], 2 * 3 * 4 * 5 * 6),
        # 4 projections, then scores and sums over 6 places for 6 places in 2 batches.
        (Attends(), (2, 6, 8), 4 * 12 * 64 + 2 * 2 * 6 * 6 * 8),
        (nn.BatchNorm2d(3), (2, 3, 4, 4), 0),
    ],
    ids=lambda v: type(v).__name__ if isinstance(v, nn.Module) else None,
)
def test_multiply_adds(model, size, expected):
    assert summary(model, size).total_multiply_adds == expected


def test_the_vgg_of_a_course():
    """9,231,114 parameters and 152.8 million multiply-adds an image, as counted by hand."""
    layers, channels = [], 3
    for width in (64, "pool", 128, "pool", 256, 256, "pool", 512, 512, "pool", 512, 512, "pool"):
        if width == "pool":
            layers.append(nn.MaxPool2d(3, 2, 1))
        else:
            layers += [nn.Conv2d(channels, width, 3, padding=1), nn.BatchNorm2d(width), nn.ReLU()]
            channels = width
    model = nn.Sequential(*layers, nn.Flatten(), nn.Linear(512, 10))
    found = summary(model, (1, 3, 32, 32))
    assert found.total_parameters == 9_231_114
    assert found.total_multiply_adds == pytest.approx(152.8e6, rel=1e-3)
    assert found.total_buffers == sum(b.numel() for b in model.buffers())


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(4, 4), nn.Linear(4, 4)])
        self.scale = nn.Parameter(tg.ones(4))
        self.unused = nn.Linear(4, 2)

    def forward(self, x, twice=False):
        for layer in self.layers:
            x = layer(x)
        x = self.layers[0](x) if twice else x
        return x * self.scale, x @ x.mT


def test_nested_shared_frozen_and_again():
    model = nn.Sequential(Block())
    model[0].layers[1].weight = model[0].layers[0].weight
    model[0].layers[1].bias.requires_grad_(False)
    model[0].unused.requires_grad_(False)
    found = summary(model, (3, 4), kwargs={})
    rows = {row["name"]: row for row in found.data}
    assert list(rows) == ["", "0", "0.layers.0", "0.layers.1", "0.unused"]
    assert rows["0"]["output_shape"] == [(3, 4), (3, 3)]
    assert rows["0"]["formula"] == "4"
    assert rows["0"]["multiply_adds"] == 3 * 3 * 4  # of its own, without the layers
    assert rows["0.layers.0"]["formula"] == "4x4+4 = 20"
    assert (rows["0.layers.1"]["formula"], rows["0.layers.1"]["note"]) == ("4", "shared")
    assert rows["0.layers.1"]["trainable"] is False
    assert rows["0.unused"]["note"] == "not called"
    assert found.total_parameters == sum(p.numel() for p in model.parameters())
    assert found.trainable_parameters == sum(
        p.numel() for p in model.parameters() if p.requires_grad
    )
    assert not model[0].unused.weight.requires_grad  # as it was
    shallow = summary(model, (3, 4), depth=1)
    assert [row["name"] for row in shallow.data] == ["", "0"]
    assert shallow.data[1]["trainable"] == "partly"
    for name in ("total_parameters", "trainable_parameters", "total_multiply_adds"):
        assert getattr(shallow, name) == getattr(found, name)
    assert [row["name"] for row in summary(model, (3, 4), depth=0).data] == [""]
    twice = summary(Block(), (3, 4), kwargs={"twice": True})
    assert [row["name"] for row in twice.data if row["note"] == "called again"] == ["layers.0"]
    assert twice.total_multiply_adds == 3 * 3 * 16 + 36


def test_nothing_is_disturbed():
    model = nn.Sequential(nn.ReLU(inplace=True), nn.BatchNorm1d(3), nn.Dropout(0.5))
    model[2].eval()
    state = {name: value.clone() for name, value in model.state_dict().items()}
    tg.manual_seed(0)
    random = tg.random.get_rng_state()
    x = tg.tensor([[-1.0, 2.0, 3.0], [0.0, 1.0, 2.0]])
    with tg.no_grad():
        summary(model, x)
    assert x.tolist() == [[-1.0, 2.0, 3.0], [0.0, 1.0, 2.0]]
    assert tg.equal(tg.random.get_rng_state(), random)
    assert [module.training for module in model.modules()] == [True, True, True, False]
    for name, value in model.state_dict().items():
        assert tg.equal(value, state[name]), name
    assert all(p.grad is None for p in model.parameters())
    assert all(m._hooks is None or not (m._hooks.forward or m._hooks.forward_pre) for m in model)


def test_kinds_of_input():
    tokens = tg.tensor([[0, 1, 2]])
    model = nn.Sequential(nn.Embedding(5, 4), nn.Linear(4, 2))
    assert summary(model, tokens).data[0]["output_shape"] == (1, 3, 2)
    assert summary(model, (1, 3), dtype=tg.int64).data[1]["formula"] == "5x4 = 20"
    assert summary(nn.Bilinear(2, 3, 4), (tg.ones(1, 2), tg.ones(1, 3))).total_parameters == 28
    lazy = nn.Sequential(nn.LazyLinear(3), nn.Linear(3, 2))
    assert formulas(summary(lazy, (1, 6)), "Linear") == ["6x3+3 = 21", "3x2+2 = 8"]


def test_failures_show_the_rows_so_far():
    model = mnist_net()
    model[7] = nn.Linear(700, 10)
    with pytest.raises(SummaryError, match=r"Linear '7', given \(1, 784\): RuntimeError") as raised:
        summary(model, (1, 1, 28, 28))
    assert "5x5x16x16+16 = 6416" in str(raised.value)
    rows = raised.value.summary.data
    assert [row["type"] for row in rows[-2:]] == ["Flatten", "Linear"]
    assert (rows[-1]["note"], rows[-1]["output_shape"]) == ("failed", None)
    assert isinstance(raised.value.__cause__, RuntimeError)
    assert all(m._hooks is None or not m._hooks.forward for m in model.modules())
    assert model.training


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: summary(len, (1, 2)), TypeError, "must be an nn.Module"),
        (lambda: summary(nn.ReLU(), "abc"), TypeError, "input must be"),
        (lambda: summary(nn.ReLU(), ()), TypeError, "input must be"),
        (lambda: summary(nn.ReLU(), (1, 2), depth=-1), ValueError, "depth"),
        (lambda: summary(nn.ReLU(), tg.ones(2), dtype=tg.float64), ValueError, "leave it out"),
    ],
)
def test_refusals(call, error, message):
    with pytest.raises(error, match=message):
        call()


class Decoder(nn.Module):
    """A cell and a layer that are called in turns, and a text that grows."""

    def __init__(self, steps):
        super().__init__()
        self.steps = steps
        self.cell = nn.GRUCell(4, 4)
        self.out = nn.Sequential(nn.Linear(4, 4), nn.Tanh())
        self.norm = nn.LayerNorm(4)

    def forward(self, x):
        h, seen = x, []
        for _ in range(self.steps):
            h = self.cell(x, h)
            x = self.out(h)
            seen.append(x)
        for k in range(1, self.steps):
            whole = self.norm(tg.stack(seen[:k], 1))
        return self.out(whole)


def printed(found):
    """The rows of the table, their cells."""
    rows = str(found).split("\n\n")[0].splitlines()[2:]
    return [re.split(r"  +", row.strip()) for row in rows]


def test_calls_that_repeat_are_one_row():
    found = summary(nn.Sequential(Decoder(50), nn.Linear(4, 2)), (3, 4))
    assert len(found.data) == 1 + 1 + 50 * 4 + 49 + 3 + 1
    rows = printed(found)
    assert [row[0] for row in rows] == [
        "Sequential",
        "0: Decoder",
        "cell: GRUCell x50",
        "out: Sequential x50",
        "0: Linear x50",
        "1: Tanh x50",
        "norm: LayerNorm x49",
        "out: Sequential (called again)",
        "0: Linear (called again)",
        "1: Tanh (called again)",
        "1: Linear",
    ]
    assert "(3, 1, 4) to (3, 49, 4)" in str(found)
    costs = [row[-1] for row in rows]
    assert sum(int(cost.replace(",", "")) for cost in costs if cost != "-") == (
        found.total_multiply_adds
    )
    assert "12x4+12x4+12+12 = 120" in str(found)
    assert sum(row["multiply_adds"] for row in found.data) == found.total_multiply_adds


def test_what_repeats_within_what_repeats():
    class Loop(nn.Module):
        def __init__(self, inner, times):
            super().__init__()
            self.inner, self.times = inner, times

        def forward(self, x):
            for times in self.times:
                for _ in range(times):
                    x = self.inner(x)
            return x

    # Two calls of a loop that calls three times, then two of one that calls four times.
    model = Loop(Loop(Loop(nn.Linear(4, 4), [3]), [1, 1]), [2])
    labels = [row[0] for row in printed(summary(model, (1, 4)))]
    assert labels == ["Loop", "inner: Loop x2", "inner: Loop x4", "inner: Linear x12"]


def test_calls_of_different_modules_are_not_folded():
    class Turns(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b, self.c = (nn.Linear(4, 4) for _ in range(3))

        def forward(self, x):
            return self.a(self.c(self.a(self.b(self.a(x)))))

    rows = [row[0] for row in printed(summary(Turns(), (1, 4)))[1:]]
    assert rows == [
        "a: Linear", "b: Linear", "a: Linear (called again)", "c: Linear",
        "a: Linear (called again)",
    ]  # fmt: skip


def test_what_has_no_parameters_has_no_number_of_them():
    found = summary(nn.Sequential(nn.LayerNorm(4, bias=False), nn.ReLU()), (1, 4))
    assert [row[2] for row in printed(found)] == ["-", "4", "-"]
    assert "None" not in repr(found)


def test_long_names_leave_room_for_the_numbers():
    prefix = "an_encoder_with_a_name_of_many_words_which_nobody_would_write_"
    names = [prefix + end for end in ("a", "b")]
    model = nn.Sequential()
    for name in [*names, "層" * 50]:
        model.add_module(name, nn.Linear(4, 4))
    lines = repr(summary(model, (1, 4))).splitlines()
    assert max(map(cells, lines)) <= 80
    assert lines[3].split("  ")[1].endswith("a: Linear")
    assert lines[4].split("  ")[1].endswith("b: Linear")
    assert {cells(line) for line in lines[1:6]} == {cells(lines[1])}
    assert [row["name"] for row in summary(model, (1, 4)).data[1:3]] == names
