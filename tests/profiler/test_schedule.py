"""Which steps a schedule keeps, and when they are handed over."""

import pytest

import tensorgrad as tg
from tensorgrad.profiler import ProfilerAction, profile, schedule


def letters(plan, count):
    """n, w, r and s for the four actions."""
    return "".join(plan(i).name[0] if plan(i).name != "RECORD_AND_SAVE" else "S"
                   for i in range(count))  # fmt: skip


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ({"wait": 1, "warmup": 1, "active": 2}, "NWRSNWRSNWRS"),
        ({"wait": 1, "warmup": 1, "active": 2, "repeat": 1}, "NWRSNNNNNNNN"),
        ({"wait": 0, "warmup": 0, "active": 1}, "SSSSSSSSSSSS"),
        ({"wait": 0, "warmup": 1, "active": 1, "skip_first": 3}, "NNNWSWSWSWSW"),
        ({"wait": 2, "warmup": 0, "active": 2, "skip_first": 1, "skip_first_wait": 1},
         "NRSNNRSNNRSN"),
    ],
)  # fmt: skip
def test_actions(words, expected):
    assert letters(schedule(**words), len(expected)) == expected


@pytest.mark.parametrize(
    "words", [{"wait": -1}, {"warmup": -1}, {"active": 0}, {"repeat": -1}, {"skip_first": -1}]
)
def test_wrong_numbers(words):
    with pytest.raises(ValueError, match=next(iter(words))):
        schedule(**{"wait": 0, "warmup": 0, "active": 1, **words})


def run(plan, steps, **words):
    """What is handed over: for each time, the numbers of its steps, and how many operations."""
    x, handed = tg.ones(3), []

    def ready(prof):
        numbers = [int(e.trace_name[13:]) for e in prof.events() if e.name == "ProfilerStep*"]
        handed.append((numbers, sum(e.name == "exp" for e in prof.events())))

    with profile(schedule=plan, on_trace_ready=ready, **words) as prof:
        for _ in range(steps):
            x.exp()
            prof.step()
    return handed


def test_cycles_are_handed_over():
    assert run(schedule(wait=1, warmup=1, active=2), 9) == [([2, 3], 2), ([6, 7], 2)]


def test_the_last_cycle_is_handed_over_incomplete():
    assert run(schedule(wait=0, warmup=1, active=3), 6) == [([1, 2, 3], 3), ([5, 6], 1)]


def test_one_after_the_other_without_a_pause():
    assert run(schedule(wait=0, warmup=0, active=1, repeat=3), 5) == [([0], 1), ([1], 1), ([2], 1)]


def test_a_cycle_that_does_not_begin_is_nothing():
    assert run(schedule(wait=5, warmup=1, active=1), 3) == []
    assert run(schedule(wait=0, warmup=5, active=1), 3) == []


def test_all_cycles_in_one():
    handed = run(schedule(wait=1, warmup=0, active=1), 4, acc_events=True)
    assert handed == [([1], 1), ([1, 3], 2)]


def test_without_a_schedule_all_is_one():
    handed = []
    x = tg.ones(3)
    with profile(on_trace_ready=handed.append) as prof:
        for _ in range(3):
            x.exp()
            prof.step()
    assert handed == [prof]
    assert [e.name for e in prof.events()] == ["exp"] * 3


def test_a_plan_of_ones_own_that_forgets_to_save():
    actions = [ProfilerAction.RECORD, ProfilerAction.NONE, ProfilerAction.NONE]
    with pytest.warns(UserWarning, match="RECORD followed by NONE"):
        assert run(actions.__getitem__, 2) == []
