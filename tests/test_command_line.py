"""The command line: what it prints, writes, refuses and returns."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import tensorgrad
from tensorgrad.command_line import main

PROGRAM = """
import tensorgrad as tg
from tensorgrad import nn, optim
F = nn.functional

def made():
    return nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3))

def data():
    return tg.randn(8, 4), tg.randint(0, 3, (8,))

def example():
    model, (x, y) = made(), data()
    return model, F.cross_entropy(model(x), y)

def sick():
    model = nn.Sequential(nn.Linear(4, 3), nn.Softmax(dim=1))
    x, y = data()
    return model, F.cross_entropy(model(x), y), optim.SGD(model.parameters(), lr=0.1)

def loss():
    return example()[1]

def forward():
    return made(), data()[0]

def sized():
    return made(), (1, 4)

def tensors():
    w = tg.ones(3, requires_grad=True)
    return {"w": w}, (w * w).sum()

def after():
    model, loss = example()
    loss.backward()
    return model, loss

def right():
    return (lambda w: (w.exp() * w).sum()), tg.rand(3, dtype=tg.float64, requires_grad=True)

class Wrong(tg.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x * x
    @staticmethod
    def backward(ctx, g):
        return g

def wrong():
    return Wrong.apply, tg.rand(3, dtype=tg.float64, requires_grad=True)

def raises():
    raise ZeroDivisionError("mine")

def exits():
    raise SystemExit(0)

def raising_loss():
    return made(), raises

def raising_function():
    return (lambda x: raises()), tg.rand(3, dtype=tg.float64, requires_grad=True)

def misshapen():
    return (lambda x: x.reshape(7)), tg.rand(3, dtype=tg.float64, requires_grad=True)

def without_gradient():
    return (lambda x: 3), tg.rand(3, dtype=tg.float64, requires_grad=True)

def takes(x):
    return x

def nothing():
    pass

number = 3
"""


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """Runs a command beside program.py; gives status, output and errors."""
    (tmp_path / "program.py").write_text(PROGRAM, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.delitem(sys.modules, "program", raising=False)

    def call(*arguments):
        status = main(arguments)
        out, err = capsys.readouterr()
        return status, out, err

    yield call
    sys.modules.pop("program", None)


@pytest.mark.parametrize("target", ["program.py:example", "program:example", "./program.py:loss"])
def test_graph(run, target):
    status, out, _ = run("graph", target)
    assert status == 0
    assert "= cross_entropy(%3)" in out


def test_graph_of_a_model_and_an_input(run):
    status, out, _ = run("graph", "program.py:forward", "--show", "shape", "dtype")
    assert status == 0
    assert "float32" in out
    assert "cross_entropy" not in out


@pytest.mark.parametrize("suffix", [".svg", ".html", ".dot", ".txt", ".json"])
def test_writing_a_file(run, tmp_path, suffix):
    status, out, _ = run("graph", "program.py:example", "-o", f"graph{suffix}")
    assert (status, out) == (0, f"wrote graph{suffix}\n")
    assert (tmp_path / f"graph{suffix}").stat().st_size > 100


def test_explore(run, tmp_path):
    assert run("explore", "program.py:example")[0] == 0
    assert "<html" in (tmp_path / "explore.html").read_text("utf-8")
    status, _, err = run("explore", "program.py:after", "-o", "again.html")
    assert status == 0
    assert "backward() had run already" in err


def test_derive(run):
    status, out, _ = run("derive", "program.py:example", "--wrt", "2.bias")
    assert status == 0
    assert "2.bias" in out
    assert run("derive", "program.py:tensors")[0] == 0
    status, _, err = run("derive", "program.py:example", "--wrt", "no")
    assert status == 2
    assert "no" in err
    status, _, err = run("derive", "program.py:loss")
    assert status == 2
    assert "return (model, loss)" in err


def test_the_doctor_says_with_its_status_whether_there_is_something(run, tmp_path):
    assert run("doctor", "program.py:example")[0] == 0
    status, out, _ = run("doctor", "program.py:sick")
    assert status == 1
    assert "softmax before cross-entropy" in out
    line = (
        PROGRAM.splitlines().index("    model = nn.Sequential(nn.Linear(4, 3), nn.Softmax(dim=1))")
        + 3
    )
    assert f"program.py:{line}" in out
    assert "optimizer= was not given" not in out
    assert run("doctor", "program.py:sick", "-o", "found.json")[0] == 1
    assert (tmp_path / "found.json").is_file()


def test_gradcheck(run):
    status, out, _ = run("gradcheck", "program.py:right", "--order", "2")
    assert (status, "every gradient is right" in out) == (0, True)
    status, out, _ = run("gradcheck", "program.py:wrong")
    assert status == 1


def test_summary(run):
    for target in ("program.py:sized", "program.py:forward"):
        status, out, _ = run("summary", target)
        assert status == 0
        assert "parameters: 67" in out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["graph", "program.py:exampel"], "did you mean 'example'?"),
        (["graph", "program.py"], "write FILE.py:FUNCTION"),
        (["graph", "nope.py:f"], "there is no file 'nope.py'"),
        (["graph", "nope:f"], "there is no module 'nope'"),
        (["graph", "no.such.thing:f"], "there is no module 'no.such.thing'"),
        (["graph", "program.py:number"], "is int, not a function"),
        (["doctor", "program.py:takes"], "Name a function that takes none"),
        (["summary", "program.py:nothing"], "returned nothing; return (model, input)"),
        (["summary", "program.py:example"], "return (model, input)"),
        (["doctor", "program.py:sized"], "returned (Sequential, (int, int)); for doctor return"),
        (["gradcheck", "program.py:example"], "in double precision"),
        (["graph", "program.py:example", "-o", "x.gif"], "'.gif' is not one of the formats"),
        (["graph", "program.py:example", "-o", "no/x.svg"], "does not exist"),
        (["graph", "program.py:example", "--show", "all"], "all"),
        (["graph", ".:f"], "there is no module '.'"),
        (["graph", "program.py:number.real.f"], "program.py has no 'f'"),
        (["graph", "program.py:example", "--seed", str(2**70)], "--seed"),
        (["gradcheck", "program.py:without_gradient"], "nothing was compared"),
    ],
)
def test_mistakes_are_told_with_what_to_do(run, arguments, said):
    status, out, err = run(*arguments)
    assert status == 2
    assert said in err
    assert err.startswith(f"tensorgrad {arguments[0]}: ")
    assert "Traceback" not in err + out


def test_an_error_of_the_function_is_shown_with_its_own_lines(run):
    status, _, err = run("doctor", "program.py:raises")
    assert status == 3
    assert "program.py" in err
    assert "ZeroDivisionError: mine" in err
    assert "command_line.py" not in err


@pytest.mark.parametrize(
    ("arguments", "shown"),
    [
        (["doctor", "program.py:raising_loss"], "ZeroDivisionError: mine"),
        (["gradcheck", "program.py:raising_function"], "ZeroDivisionError: mine"),
        (["gradcheck", "program.py:misshapen"], "lambda x: x.reshape(7)"),
        (["graph", "broken.inner:f"], "import nowhere_to_be_found"),
        (["doctor", "program.py:exits"], "ended the program (SystemExit: 0); put what"),
    ],
)
def test_what_the_users_code_raises_is_never_taken_for_a_finding(run, tmp_path, arguments, shown):
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "__init__.py").write_text("import nowhere_to_be_found\n", "utf-8")
    (tmp_path / "broken" / "inner.py").write_text("def f(): pass\n", "utf-8")
    status, out, err = run(*arguments)
    assert status == 3
    assert shown in err
    assert out == ""


def test_the_same_command_prints_the_same(run):
    first = run("derive", "program.py:example", "--wrt", "0.weight")
    assert run("derive", "program.py:example", "--wrt", "0.weight") == first
    assert run("derive", "program.py:example", "--wrt", "0.weight", "--seed", "1") != first


def test_help_and_version(capsys):
    for arguments, said in (
        (["--help"], "What the function returns:"),
        (["doctor", "--help"], "what to do"),
        (["derive", "--help"], "The function returns\n  (model, loss);"),
        (["summary", "--help"], "The function returns\n  (model, input), where"),
        (["--version"], tensorgrad.__version__),
    ):
        with pytest.raises(SystemExit) as stopped:
            main(arguments)
        assert stopped.value.code == 0
        assert said.lower() in capsys.readouterr().out.lower()
    with pytest.raises(SystemExit) as stopped:
        main(["draw", "x:y"])
    assert stopped.value.code == 2


def test_as_a_program(tmp_path):
    (tmp_path / "program.py").write_text(PROGRAM, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "tensorgrad", "doctor", "program.py:sick"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(Path(tensorgrad.__file__).resolve().parent.parent)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "softmax" in done.stdout


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("graph program.py:loss", "%1 = linear(*, Parameter#0, Parameter#1)"),
        ("derive program.py:example", "W_0^T + b_0"),
        ("summary program.py:sized", "4x8+8 = 40"),
    ],
)
@pytest.mark.parametrize(
    "environment",
    [{"PYTHONIOENCODING": "ascii"}, {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}],
)
def test_a_console_that_is_not_utf_8(tmp_path, command, said, environment):
    (tmp_path / "program.py").write_text(PROGRAM, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "tensorgrad", *command.split()],
        cwd=tmp_path,
        env={
            **{k: v for k, v in os.environ.items() if k not in ("PYTHONIOENCODING", "PYTHONUTF8")},
            "PYTHONPATH": str(Path(tensorgrad.__file__).resolve().parent.parent),
            **environment,
        },
        capture_output=True,
        check=False,
    )
    shown = done.stdout.decode("ascii")
    assert not done.stderr
    assert said in shown
    assert "\\u" not in shown
