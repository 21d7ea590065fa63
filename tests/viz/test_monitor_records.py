"""What viz.Monitor keeps of a step and when it is judged; whose hooks are whose."""

from __future__ import annotations

import pytest
from monitor_tools import course, train, watched

from tensorgrad import nn, optim, viz
from tensorgrad.viz.monitoring import records, shelf
from tensorgrad.viz.monitoring.sampling import statistics


def test_memory_is_bounded(monkeypatch):
    _, _, monitor = watched(steps=300, every=1, records=20)
    assert len(monitor.steps) < 20
    assert monitor.steps == list(range(0, 300, monitor.every))[: len(monitor.steps)]
    monkeypatch.setattr(records, "WAITING", 60_000)
    _, _, monitor = watched(steps=40, every=1)
    recorder = monitor._watch.recorder
    assert sum(raw.nbytes for raw in recorder.waiting) == recorder.nbytes < 60_000
    assert 0 < len(recorder.waiting) < 40


def test_nothing_is_computed_before_somebody_asks(monkeypatch):
    calls = []

    def counted(*args):
        calls.append(args)
        return statistics(*args)

    monkeypatch.setattr(records, "statistics", counted)
    _, _, late = watched(every=1)
    repr(late), late.steps
    assert not calls
    text = late.to_csv()
    assert len(calls) == 1
    monkeypatch.setattr(records, "WAITING", 1)
    _, _, early = watched(every=1)
    assert len(calls) == 1 + 30
    assert early.to_csv() == text
    assert early.report().data == late.report().data


def test_a_lazy_model():
    model = nn.Sequential(nn.LazyLinear(4), nn.ReLU(), nn.Linear(4, 3))
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    monitor = viz.Monitor(model, optimizer, every=1)
    train(model, optimizer, 2)
    assert course(monitor, "0.weight").shape == (4, 8)
    assert course(monitor, "0.weight").status == ["ok", "ok"]


def test_what_is_put_aside_stays_as_it_was(monkeypatch):
    monkeypatch.setattr(shelf, "BLOCK", 1 << 12)
    _, _, small = watched(steps=12, every=1)
    monkeypatch.setattr(shelf, "BLOCK", 1 << 18)
    _, _, large = watched(steps=12, every=1)
    assert small.to_csv() == large.to_csv()
    # Half of the records are dropped twice, the others moved.
    _, _, thinned = watched(steps=12, every=1, records=4)
    lines = [line for line in large.to_csv().splitlines() if line.split(",")[0] in ("0", "4", "8")]
    assert thinned.steps == [0, 4, 8]
    assert thinned.to_csv().splitlines()[1:] == lines


@pytest.mark.parametrize(
    ("activations", "looked_at"),
    [(None, [*range(0, 32, 4), *range(32, 256, 8), 256, 272, 288]), (True, [*range(300)])],
)
def test_activations_are_watched_more_seldom_as_the_looks_grow_many(activations, looked_at):
    model = nn.Sequential(nn.Linear(8, 4), nn.ReLU(), nn.Linear(4, 3))
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    monitor = viz.Monitor(model, optimizer, every=2, activations=activations)
    train(model, optimizer, 600)
    (track,) = monitor.tracks()
    assert [k for k, zero in enumerate(track.zero) if zero is not None] == looked_at
    assert [k for k, alive in enumerate(track.alive) if alive is not None] == looked_at
    assert course(monitor, "0.weight").status == ["ok"] * 300
    assert "1: relu" in str(monitor.report())
    assert monitor.report().svg()


def test_hooks_of_others_stay():
    model = nn.Sequential(nn.Linear(8, 4), nn.ReLU(), nn.Linear(4, 3))
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    monitor, second = (viz.Monitor(model, optimizer, every=2, activations=True) for _ in range(2))
    seen = []
    train(model, optimizer, 3)
    handle = model.register_forward_hook(lambda *args: seen.append(1))
    train(model, optimizer, 3)
    assert len(seen) == 3
    handle.remove()
    train(model, optimizer, 3)
    for one in (monitor, second):
        assert [t.name for t in one.tracks()] == ["1: relu"]
        assert None not in one.tracks()[0].zero
        one.detach()
    assert len(seen) == 3
    assert model._hooks is None or model._hooks.none_left
