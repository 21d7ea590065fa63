"""The pytest plugin, run on small suites of its own."""

import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

import tensorgrad as tg
import tensorgrad.nn  # before pytester runs anything: it forgets what is imported while it runs

pytest_plugins = "pytester"

ROOT = Path(__file__).resolve().parent.parent

FUNCTIONS = """
import numpy as np
import pytest
import tensorgrad as tg
from tensorgrad import nn

class Good(tg.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * x

    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        return 2 * g * x

class Half(Good):
    "Right at order 1, wrong at order 2."
    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        return 2 * g * x.detach()

class Bad(Good):
    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        return g * x

class Once(Good):
    @staticmethod
    @tg.autograd.function.once_differentiable
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        return 2 * g * x

def draw(*shape):
    return tg.tensor(np.random.default_rng(0).standard_normal(shape), requires_grad=True)
"""


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch):
    """No other plugin that happens to be installed."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")


def run(pytester: pytest.Pytester, body: str, *options: str) -> Any:
    pytester.makepyfile(FUNCTIONS + textwrap.dedent(body))
    return pytester.runpytest_inprocess(
        "-p", "pytest_tensorgrad", "-p", "no:cacheprovider", "--strict-markers", *options
    )


# --- The mark -------------------------------------------------------------------------------------


def test_one_line_checks_a_gradient(pytester: pytest.Pytester):
    result = run(
        pytester,
        """
        @pytest.mark.gradcheck
        def test_good():
            return Good, draw(3)

        @pytest.mark.gradcheck
        def test_bad():
            return Bad, draw(3)
        """,
    )
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(
        [
            "gradcheck of Bad: Jacobian mismatch for output 0 with respect to input 0 (x)",
            "*The gradient of x is 2 times too small: a factor 2 is missing.",
        ]
    )
    assert "comparison.py" not in result.stdout.str()  # no traceback of gradcheck itself


def test_options_fixtures_and_parameters(pytester: pytest.Pytester):
    result = run(
        pytester,
        """
        @pytest.fixture
        def x():
            return draw(3)

        @pytest.mark.gradcheck(order=2)
        @pytest.mark.parametrize("function", [Good, Half, Good.apply])
        def test_order(function, x):
            return function, x

        class TestLayer:
            @pytest.mark.gradcheck(atol=1e-7)
            def test_model(self):
                return nn.Linear(3, 2).double(), draw(4, 3)
        """,
        "-v",
    )
    result.assert_outcomes(passed=3, failed=1)
    result.stdout.fnmatch_lines(["*gradgradcheck of Half: *"])


def test_arrays_of_numpy_are_inputs(pytester: pytest.Pytester):
    result = run(
        pytester,
        """
        @pytest.mark.gradcheck
        def test_arrays():
            return lambda x, n, y: (x * y).sum() * n, (np.ones(3), 2, np.arange(3.0))

        @pytest.mark.gradcheck
        def test_wrong():
            return lambda x, y: x * y.detach(), (np.ones(3), np.ones(3))
        """,
    )
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["*No gradient reaches y*"])


def test_several_cases(pytester: pytest.Pytester):
    result = run(
        pytester,
        """
        @pytest.mark.gradcheck
        def test_a_list():
            model = nn.Linear(3, 2).double()
            loss = lambda x: (model(x) ** 2).mean()
            return [(Good, draw(3)), (loss, draw(4, 3).detach(), {"parameters": model})]

        @pytest.mark.gradcheck
        def test_second_of_a_list():
            return [(Good, draw(2)), (Bad, draw(2))]
        """,
    )
    result.assert_outcomes(passed=1, failed=1)


@pytest.mark.parametrize("returned", ["None", "Good", "3, draw(2)", "Good, draw(2), 4"])
def test_other_results_are_refused(pytester: pytest.Pytester, returned: str):
    result = run(
        pytester,
        f"""
        @pytest.mark.gradcheck
        def test_form():
            return {returned}
        """,
    )
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["a test marked gradcheck returns (function, inputs) or *"])


def test_an_empty_list_and_a_positional_mark_are_refused(pytester: pytest.Pytester):
    result = run(
        pytester,
        """
        @pytest.mark.gradcheck
        def test_empty():
            return []

        @pytest.mark.gradcheck(2)
        def test_positional():
            return Good, draw(2)
        """,
    )
    result.assert_outcomes(failed=2)
    result.stdout.fnmatch_lines(["*a list of them; got *", "*takes keywords only, got (2,)"])


# --- The option -----------------------------------------------------------------------------------

APPLIED = """
def test_uses_good():
    Good.apply(draw(3)).sum().backward()

def test_uses_bad():
    x = draw(3).detach().float().requires_grad_()
    assert Bad.apply(x).shape == (3,)

def test_uses_bad_again():
    Bad.apply(draw(3).detach().float().requires_grad_())
"""


def test_functions_that_the_tests_apply_are_checked(pytester: pytest.Pytester):
    run(pytester, APPLIED).assert_outcomes(passed=3)
    result = run(pytester, APPLIED, "--gradcheck")
    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines(
        [
            "--gradcheck: gradcheck of Bad: *",
            "*a factor 2 is missing*",
            "autograd.Functions checked: Bad, Good",
        ]
    )


def test_order_two(pytester: pytest.Pytester):
    body = """
        def test_half():
            Half.apply(draw(3))

        def test_once():
            Once.apply(draw(3))
        """
    run(pytester, body, "--gradcheck").assert_outcomes(passed=2)
    result = run(pytester, body, "--gradcheck", "--gradcheck-order=2")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["*gradgradcheck of Half: *"])


def test_what_is_left_out_is_told(pytester: pytest.Pytester):
    result = run(
        pytester,
        """
        @pytest.mark.no_gradcheck(reason="wrong on purpose")
        def test_bad():
            Bad.apply(draw(3))
        """,
        "--gradcheck",
    )
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(
        ["autograd.Functions checked: none was applied", "left out: Bad (wrong on purpose)"]
    )


def test_what_cannot_be_differentiated_is_not_checked(pytester: pytest.Pytester):
    result = run(
        pytester,
        """
        def test_no_gradient():
            Bad.apply(draw(3).detach())
            with tg.no_grad():
                Bad.apply(draw(3))

        def test_that_fails():
            Bad.apply(draw(3))
            assert False, "the test's own failure"
        """,
        "--gradcheck",
    )
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["*the test's own failure*"])
    result.stdout.no_fnmatch_line("*gradcheck of Bad*")


def test_each_shape_once_and_a_few_of_them(pytester: pytest.Pytester):
    result = run(
        pytester,
        """
        calls = []

        class Counted(Good):
            @staticmethod
            def backward(ctx, g):
                calls.append(tuple(g.shape))
                return Good.backward(ctx, g)

        def test_many():
            for n in (2, 2, 3, 4, 5):
                Counted.apply(draw(n))

        def test_after():
            assert set(calls) == {(2,), (3,), (4,)}
        """,
        "--gradcheck",
    )
    result.assert_outcomes(passed=2)


def test_apply_is_put_back(pytester: pytest.Pytester):
    before = tg.autograd.Function.__dict__["apply"]
    run(pytester, APPLIED, "--gradcheck")
    assert tg.autograd.Function.__dict__["apply"] is before


def test_it_costs_nothing_where_it_is_not_used(tmp_path: Path):
    (tmp_path / "test_other.py").write_text(
        "import sys\n"
        "def test_nothing_is_imported():\n"
        "    assert 'pytest_tensorgrad' in sys.modules\n"
        "    assert not [m for m in ('tensorgrad', 'numpy') if m in sys.modules]\n",
        encoding="utf-8",
    )
    plugins = ["-p", "pytest_tensorgrad", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *plugins, str(tmp_path)],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
