"""The command line: graph, explore, derive, doctor, gradcheck and summary of a user's function."""

from __future__ import annotations

import argparse
import difflib
import functools
import importlib
import importlib.util
import inspect
import os
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import tensorgrad as tg
from tensorgrad import training, viz
from tensorgrad.consoles import spell_on_consoles
from tensorgrad.gradcheck import gradcheck_report
from tensorgrad.nn import Module
from tensorgrad.tensor import Tensor

__all__ = ["main"]

OK, FOUND, USAGE, RAISED = 0, 1, 2, 3

DESCRIPTION = """\
Look inside of a model from the command line.

Every command takes the name of a function of yours, which is called without
arguments:

  python -m tensorgrad graph train.py:example       a file, and a function in it
  python -m tensorgrad doctor mypackage.nets:loss   or a module to be imported

What the function returns:

{returns}

  def example():                                     # in train.py
      model = nn.Linear(4, 3)
      x, y = tg.randn(8, 4), tg.randint(0, 3, (8,))
      return model, nn.functional.cross_entropy(model(x), y)

Without -o the result is printed as text; -o FILE writes the format of its
suffix.
"""
RETURNS = {
    "graph": "a loss, or (model, loss), or (model, input)",
    "explore": "a loss, or (model, loss), or (model, input)",
    "derive": "(model, loss); the model may be a mapping of names to tensors",
    "doctor": "(model, loss), or (model, loss, optimizer)",
    "summary": "(model, input), where input may be sizes: (1, 1, 28, 28)",
    "gradcheck": "(function, inputs), in double precision",
}
EPILOG = """\
exit status: 0 all is well; 1 the doctor found something, or a gradient is
wrong; 2 the command was not understood, or the function returned something
else; 3 the function itself raised, or what it returned did.
`python -m tensorgrad COMMAND --help` tells the options of a command.
"""


class _Failure(Exception):
    """An error to be told without a traceback."""

    def __init__(self, message: str, status: int = USAGE) -> None:
        super().__init__(message)
        self.status = status


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; returns the exit status."""
    spell_on_consoles()
    parser = _parser()
    given = parser.parse_args(arguments)
    try:
        _seed(given.seed)
        status: int = given.run(given)
    except _Failure as failure:
        print(f"tensorgrad {given.command}: {failure}", file=sys.stderr)
        return failure.status
    except BrokenPipeError:  # the output goes to `head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return OK
    except Exception:  # Python's own status would be 1, which says that something was found
        traceback.print_exc()
        return RAISED
    return status


def _parser() -> argparse.ArgumentParser:
    raw = argparse.RawDescriptionHelpFormatter
    returns = "\n".join(f"  {name:<16}  {what}" for name, what in RETURNS.items())
    parser = argparse.ArgumentParser(
        prog="tensorgrad",
        description=DESCRIPTION.format(returns=returns),
        epilog=EPILOG,
        formatter_class=raw,
    )
    parser.add_argument("--version", action="version", version=f"tensorgrad {tg.__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(name: str, run: Callable[[Any], int], help: str, formats: str) -> Any:
        about = f"{help[0].upper()}{help[1:]}.\n\nThe function returns\n  {RETURNS[name]}."
        made = commands.add_parser(name, help=help, description=about, formatter_class=raw)
        made.add_argument("target", metavar="FILE.py:FUNCTION", help="or MODULE:FUNCTION")
        if formats:
            made.add_argument("-o", "--output", metavar="FILE", help=f"write to FILE: {formats}")
        made.add_argument("--seed", type=int, default=0, help="of the random numbers (default 0)")
        made.set_defaults(run=run)
        return made

    images = ".svg .html .txt .json .tex .png .pdf"
    one = command("graph", _graph, "the computation graph", f"{images} .dot")
    one.add_argument("--depth", type=int, help="open so many levels of modules")
    one.add_argument("--max-nodes", type=int, metavar="N", help="draw at most so many")
    one.add_argument(
        "--show", nargs="+", default=["shape"], metavar="WHAT",
        help="shape dtype bytes params formula location grad",
    )  # fmt: skip
    one = command("explore", _explore, "a page to explore graph, values and gradients with", "")
    one.add_argument(
        "-o", "--output", metavar="FILE", default="explore.html", help="default explore.html"
    )
    one = command("derive", _derive, "the chain rule, step by step", images)
    one.add_argument("--wrt", metavar="NAME", help="of the parameter (default: all of them)")
    one.add_argument(
        "--convention", choices=("row", "column"), default="row",
        help="examples are rows, y = x W (the default), or columns, y = W x",
    )  # fmt: skip
    one.add_argument(
        "--notation", choices=("matrix", "index"), default="matrix",
        help="formulas of whole arrays (the default), or of their elements with indices",
    )  # fmt: skip
    command("doctor", _doctor, "what is wrong with a model, and what to do", images)
    one = command("gradcheck", _gradcheck, "compare gradients with finite differences", "")
    one.add_argument("--order", type=int, choices=(1, 2), default=1, help="2: second derivatives")
    one = command("summary", _summary, "layers, shapes, parameters and cost of a model", "")
    one.add_argument("--depth", type=int, help="open so many levels of modules")
    return parser


# --- The commands --------------------------------------------------------------------------------


def _seed(seed: int) -> None:
    try:
        tg.manual_seed(seed)
    except RuntimeError as error:
        raise _Failure(f"--seed: {error}") from error


def _graph(given: Any) -> int:
    names, root = _root(_call(given.target), "graph")
    try:
        figure = viz.graph(
            root, names, depth=given.depth, max_nodes=given.max_nodes, show=given.show
        )
    except (ValueError, RuntimeError) as error:
        raise _Failure(str(error)) from error
    return _deliver(figure, given.output)


def _explore(given: Any) -> int:
    with viz.record() as recording:
        names, root = _root(_call(given.target), "explore")
    trace = None
    if isinstance(root, Tensor) and root.numel() == 1 and root.requires_grad:
        try:
            with viz.trace_backward(root) as trace:
                root.backward()
        except RuntimeError:  # the function has run backward already
            trace = None
            print("backward() had run already: the page has no gradients", file=sys.stderr)
    try:
        figure = viz.explore(root, trace, recording, names)
    except (ValueError, RuntimeError) as error:
        raise _Failure(str(error)) from error
    return _deliver(figure, given.output)


def _derive(given: Any) -> int:
    names, loss = _model_and_loss(_call(given.target), "derive", mapping=True)
    wrt = names if given.wrt is None else given.wrt
    try:
        figure = viz.derive(loss, wrt, names, convention=given.convention, notation=given.notation)
    except (ValueError, RuntimeError) as error:
        raise _Failure(str(error)) from error
    return _deliver(figure, given.output)


def _doctor(given: Any) -> int:
    returned = _call(given.target)
    optimizer = None
    if isinstance(returned, tuple) and len(returned) == 3:
        *returned, optimizer = returned
        returned = tuple(returned)
    model, loss = _model_and_loss(returned, "doctor", mapping=False)
    if not isinstance(loss, Tensor):
        call, loss = loss, lambda: _run(call, "the loss")
    try:
        findings = viz.doctor(model, loss, optimizer=optimizer)
    except (TypeError, ValueError) as error:
        raise _Failure(str(error)) from error
    _deliver(findings, given.output)
    return FOUND if findings else OK


def _gradcheck(given: Any) -> int:
    returned = _call(given.target)
    pair = isinstance(returned, tuple) and len(returned) == 2 and callable(returned[0])
    if not pair or (_is_loss(returned[1]) and returned[1].grad_fn is not None):
        raise _Failure(
            f"the function returned {_said(returned)}; return (function, inputs): the function to "
            "check and the tensors to call it with, in double precision with requires_grad=True"
        )
    function = returned[0]
    try:
        report = gradcheck_report(*returned, order=given.order)
    except Exception as error:
        own = _frames_of(function, error)
        if own is None and isinstance(error, TypeError | ValueError | RuntimeError):
            raise _Failure(str(error)) from error
        traceback.print_exception(type(error), error, own or error.__traceback__)
        raise _Failure(f"the function raised {type(error).__name__}", RAISED) from error
    if report.ok and not report.compared:
        raise _Failure(
            f"nothing was compared: what {report.function} returns has no gradient with respect "
            "to its inputs"
        )
    print(report)
    return OK if report.ok else FOUND


def _summary(given: Any) -> int:
    returned = _call(given.target)
    if not (
        isinstance(returned, tuple) and len(returned) == 2 and isinstance(returned[0], Module)
    ) or (_is_loss(returned[1]) and returned[1].grad_fn is not None):
        raise _Failure(
            f"the function returned {_said(returned)}; return (model, input), where input is a "
            "tensor or its sizes with the batch: (1, 1, 28, 28)"
        )
    try:
        print(training.summary(*returned, depth=given.depth))
    except (TypeError, ValueError, training.SummaryError) as error:
        raise _Failure(str(error)) from error
    return OK


def _deliver(figure: Any, output: str | None) -> int:
    """Print a figure, or write it."""
    if output is None:
        print(figure)
        return OK
    try:
        path = figure.save(output)
    except (ValueError, OSError, RuntimeError) as error:
        raise _Failure(str(error)) from error
    print(f"wrote {path}")
    return OK


# --- The user's function -------------------------------------------------------------------------


def _call(target: str) -> Any:
    """What the named function returns."""
    place, colon, name = target.rpartition(":")
    if not colon or not place or not name:
        raise _Failure(f"{target!r} names no function; write FILE.py:FUNCTION or MODULE:FUNCTION")
    found: Any = _module(place)
    for part in name.split("."):
        if not hasattr(found, part):
            names = getattr(found, "__dict__", ())
            known = [n for n in names if callable(getattr(found, n)) and n[:1] != "_"]
            close = difflib.get_close_matches(part, known, 1)
            hint = f"did you mean {close[0]!r}?" if close else f"it has {', '.join(known[:12])}"
            raise _Failure(f"{place} has no {part!r}; {hint}")
        found = getattr(found, part)
    if not callable(found):
        raise _Failure(f"{target} is {_said(found)}, not a function; name one that returns it")
    return _run(found, f"{name}()")


def _module(place: str) -> Any:
    """The module of a file or of a dotted name, with the places to import from as Python's own."""
    if place.endswith(".py") or os.sep in place:
        path = Path(place)
        if not path.is_file():
            raise _Failure(f"there is no file {place!r}")
        sys.path.insert(0, str(path.resolve().parent))
        spec = importlib.util.spec_from_file_location(path.stem, path)
        if spec is None or spec.loader is None:
            raise _Failure(f"{place!r} is no Python file; its name must end with .py")
        module = importlib.util.module_from_spec(spec)
        sys.modules.setdefault(path.stem, module)
        _run(lambda: spec.loader.exec_module(module), f"reading {place}")  # type: ignore[union-attr]
        return module
    sys.path.insert(0, os.getcwd())
    parts = place.split(".")
    for i in range(1, len(parts) + 1):  # one after the other: each may raise what is its own
        name = ".".join(parts[:i])
        try:
            known = importlib.util.find_spec(name) is not None
        except (ImportError, ValueError):
            known = False
        if not known:
            hint = f" (for a file write {place}.py:...)" if Path(f"{place}.py").is_file() else ""
            raise _Failure(f"there is no module {place!r}{hint}")
        module = _run(functools.partial(importlib.import_module, name), f"importing {name}")
    return module


def _run(function: Callable[[], Any], what: str) -> Any:
    """Call what belongs to the user; its error is shown as Python does, without these frames."""
    try:
        return function()
    except SystemExit as stop:  # whose status, often 0, would be the command's
        raise _Failure(
            f"{what} ended the program (SystemExit: {stop.code}); put what only a script should do "
            'under `if __name__ == "__main__":`',
            RAISED,
        ) from stop
    except Exception as error:
        tail = error.__traceback__
        while tail is not None and tail.tb_frame.f_code.co_filename == __file__:
            tail = tail.tb_next
        if tail is None and isinstance(error, TypeError):
            raise _Failure(
                f"{what} was called without arguments, and raised: {error}. Name a function that "
                "takes none"
            ) from error
        traceback.print_exception(type(error), error, tail)
        raise _Failure(f"{what} raised {type(error).__name__}", RAISED) from error


def _frames_of(function: Any, error: Exception) -> TracebackType | None:
    """The error's traceback from the function on, if it was raised in there."""
    code = getattr(inspect.unwrap(function), "__code__", None)
    tail = error.__traceback__
    while tail is not None and tail.tb_frame.f_code is not code:
        tail = tail.tb_next
    return tail


def _root(returned: Any, command: str) -> tuple[Any, Any]:
    """Names and the tensor whose graph is meant."""
    if isinstance(returned, Tensor):
        return None, returned
    if isinstance(returned, tuple) and len(returned) in (2, 3):
        model, second = returned[0], returned[1]
        if _is_loss(second) and isinstance(model, Module | Mapping):
            return model, second
        if isinstance(model, Module) and len(returned) == 2:
            inputs = second if isinstance(second, tuple | list) else (second,)
            if all(isinstance(value, Tensor) for value in inputs):
                return model, _run(lambda: model(*inputs), "the model")
    raise _Failure(
        f"the function returned {_said(returned)}; for {command} return a loss, (model, loss) or "
        "(model, input)"
    )


def _model_and_loss(returned: Any, command: str, *, mapping: bool) -> tuple[Any, Any]:
    if isinstance(returned, tuple) and len(returned) in (2, 3):
        model, loss = returned[0], returned[1]
        named = isinstance(model, Module) or (mapping and isinstance(model, Mapping))
        if named and (_is_loss(loss) or (not mapping and callable(loss))):
            return model, loss
    also = ", or ({'name': tensor, ...}, loss)" if mapping else ", or (model, loss, optimizer)"
    raise _Failure(
        f"the function returned {_said(returned)}; for {command} return (model, loss){also}, where "
        "the loss is a tensor of one number that backward() has not run on"
    )


def _is_loss(value: Any) -> bool:
    return isinstance(value, Tensor) and value.numel() == 1 and value.requires_grad


def _said(value: Any) -> str:
    """A value in a few words: ``(Linear, Tensor of shape (8, 3))``."""
    if isinstance(value, Tensor):
        return f"a Tensor of shape {tuple(value.shape)}"
    if isinstance(value, tuple):
        return "(" + ", ".join(map(_said, value)) + ")"
    return "nothing" if value is None else type(value).__name__
