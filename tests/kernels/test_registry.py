"""Kernels are chosen by rules, once per problem, and can be switched off and asked for."""

import os
import subprocess
import sys

import pytest

import tensorgrad as tg
from tensorgrad.kernels import registry


@pytest.fixture
def operation(monkeypatch):
    monkeypatch.setattr(registry, "operations", dict(registry.operations))
    made = registry.Operation("double", reference=lambda x: ("reference", 2 * x))
    asked = []

    def small(problem):
        asked.append(problem)
        return "" if problem < 10 else "too large"

    made.kernel("fast", applies=small)(lambda x: ("fast", x + x))
    made.asked = asked
    with registry.use("auto"):  # whatever the environment says
        yield made


def test_the_rule_runs_once_per_problem(operation):
    assert [operation.choose(3)(3) for _ in range(5)] == [("fast", 6)] * 5
    assert operation.choose(30)(30) == ("reference", 60)
    assert operation.asked == [3, 30]
    assert operation.explain(30).refused == (("fast", "too large"),)


def test_the_kernel_registered_last_is_asked_first(operation):
    assert operation.choose(3)(3) == ("fast", 6)
    operation.kernel("faster", lambda p: "" if p < 5 else "over 5", "other")(lambda x: ("faster",))
    assert operation.choose(3)(3) == ("faster",)
    assert operation.explain(7).refused == (("faster", "over 5"),)
    with registry.use("numpy"):
        assert operation.choose(3)(3) == ("fast", 6)
        assert operation.explain(3).refused == (("faster", "switched off: kernels=numpy"),)
    operation.kernel("slow", lambda p: "slow")(lambda x: ("slow",))
    assert [name for name, _ in operation.explain(7).refused] == ["faster", "slow"]
    operation.withdraw("other")
    assert operation.choose(3)(3) == ("fast", 6)


def test_reference_turns_every_fast_kernel_off(operation):
    with tg.backends.use_kernels("reference"):
        assert operation.choose(3)(3) == ("reference", 6)
    assert operation.choose(3)(3) == ("fast", 6)


def test_a_kernel_that_fails_is_not_asked_again_for_that_problem(operation):
    operation.kernel("faster", lambda p: "", "other")(lambda x: ("faster",))
    assert operation.refuse(3, "faster", "no memory")(3) == ("fast", 6)
    assert operation.choose(3)(3) == ("fast", 6)
    assert operation.choose(4)(4) == ("faster",)
    assert operation.explain(3).refused == (("faster", "no memory"),)


def test_choices_are_bounded(operation, monkeypatch):
    monkeypatch.setattr(registry, "_REMEMBERED", 4)
    for problem in range(20):
        operation.choose(problem)
    assert len(operation.choices) <= 4
    assert len(operation._runs) <= 4


def test_the_table_says_what_and_why(operation):
    assert "no operation" in repr(tg.backends.KernelTable())
    operation.choose(30)
    (row,) = tg.backends.kernels("double")
    assert row == ("double", 30, "reference", "numpy", (("fast", "too large"),))
    assert "not fast: too large" in repr(tg.backends.kernels("double"))
    with pytest.raises(ValueError, match=r"no operation .triple.; there are .*double"):
        tg.backends.kernels("triple")


def test_a_name_is_taken_once(operation):
    with pytest.raises(ValueError, match="registered twice"):
        registry.Operation("double", reference=len)
    with pytest.raises(ValueError, match="has a kernel fast already"):
        operation.kernel("fast", lambda p: "")


def test_an_unknown_mode_is_refused_and_changes_nothing():
    with pytest.raises(ValueError, match="expected one of 'auto', 'numpy', 'reference'"):
        registry.set_mode("fastest")
    assert registry.mode() in registry.MODES


@pytest.mark.parametrize("value", ["reference", "numpy"])
def test_the_environment_sets_the_mode(value):
    command = "from tensorgrad.kernels import registry; print(registry.mode())"
    done = subprocess.run(
        [sys.executable, "-c", command],
        env={**os.environ, "TENSORGRAD_KERNELS": value},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == value
