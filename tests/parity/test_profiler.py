"""The profiler beside PyTorch's: what a program asks of it gives the same answers."""

import itertools

import pytest

import tensorgrad as tg

torch = pytest.importorskip("torch")


@pytest.mark.filterwarnings("ignore:Profiler won't be using warmup")
def test_schedules():
    for wait, warmup, active, repeat, first, early in itertools.product(
        (0, 2), (0, 1), (1, 3), (0, 2), (0, 4), (0, 1)
    ):
        words = {"wait": wait, "warmup": warmup, "active": active, "repeat": repeat,
                 "skip_first": first, "skip_first_wait": early}  # fmt: skip
        ours, theirs = (lib.profiler.schedule(**words) for lib in (tg, torch))
        assert [ours(i).name for i in range(30)] == [theirs(i).name for i in range(30)], words


def cycles(lib, plan, steps):
    """How many steps are handed over, each time."""
    x, handed = lib.ones(3), []

    def ready(prof):
        handed.append(sum(e.name == "ProfilerStep*" for e in prof.events()))

    with lib.profiler.profile(
        activities=[lib.profiler.ProfilerActivity.CPU], schedule=plan(lib), on_trace_ready=ready
    ) as prof:
        for _ in range(steps):
            x.exp()
            prof.step()
    return handed


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("wait", "warmup", "active"), [(1, 1, 2), (0, 1, 1), (0, 0, 2)])
def test_what_is_handed_over(wait, warmup, active):
    def plan(lib):
        return lib.profiler.schedule(wait=wait, warmup=warmup, active=active)

    for steps in (1, 3, 8):
        assert cycles(tg, plan, steps) == cycles(torch, plan, steps), steps


def program(lib):
    """What tutorials do with a profile."""
    from_profiler = lib.autograd.profiler
    model = lib.nn.Sequential(lib.nn.Linear(3, 4), lib.nn.ReLU(), lib.nn.Linear(4, 2))
    optimizer = lib.optim.SGD(model.parameters(), lr=0.1)
    with lib.profiler.profile(record_shapes=True, profile_memory=True) as prof:
        for _ in range(3):
            with lib.profiler.record_function("forward"):
                loss = model(lib.ones(5, 3)).sum()
            with from_profiler.record_function("backward and step"):
                loss.backward()
                optimizer.step()
    sums = {e.key: e for e in prof.key_averages()}
    table = prof.key_averages(group_by_input_shape=True).table(
        sort_by="self_cpu_time_total", row_limit=3, header="a title"
    )
    steps = [e for e in prof.events() if e.name == "Optimizer.step#SGD.step"]
    return {
        "counts": {name: sums[name].count for name in ("forward", "backward and step")},
        "steps": len(steps),
        "parents": {e.cpu_parent.name for e in steps},
        "positive": all(e.cpu_time_total > 0 for e in sums.values()),
        "lines": len(table.splitlines()),
        "title": table.splitlines()[1],
        "headings": ["Self CPU %" in table, "CPU Mem" in table, "Input Shapes" in table],
        "sizes": {type(e.time_range.elapsed_us()) for e in steps},
    }


def test_a_program():
    assert program(tg) == program(torch)
