"""A derivation as dicts, lists, strings and numbers."""

from __future__ import annotations

from typing import Any

from tensorgrad.viz.derivation.differences import Checked
from tensorgrad.viz.derivation.expression import Expr
from tensorgrad.viz.derivation.latex import Latex
from tensorgrad.viz.derivation.model import Derivation, Result, Size, Step, Way
from tensorgrad.viz.derivation.printing import Text

__all__ = ["as_data"]

_TEXT, _LATEX = Text().show, Latex().show


def as_data(made: Derivation) -> dict[str, Any]:
    """Everything that the renderings show; formulas as text and as LaTeX."""
    return {
        "kind": "derivation",
        "loss": made.loss_name,
        "convention": made.convention,
        "notation": made.notation,
        "notices": list(made.notices),
        "legend": {_TEXT(s): meaning for s, meaning in made.legend},
        "sizes": {_TEXT(s): int(meaning) for s, meaning in made.sizes},
        "steps": [_step(step) for step in made.steps],
        "results": [_result(result) for result in made.results],
        "shrinks": _extreme(made.shrinks),
        "grows": _extreme(made.grows),
        "lost": _extreme(made.lost),
    }


def _formula(x: Expr | None) -> dict[str, str] | None:
    return None if x is None else {"text": _TEXT(x), "latex": _LATEX(x)}


def _pair(pair: tuple[Expr, Expr] | None) -> list[Any] | None:
    return None if pair is None else [_formula(x) for x in pair]


def _size(size: Size) -> dict[str, Any]:
    return {"norm": size.norm, "status": size.status}


def _check(checked: Checked) -> dict[str, Any]:
    return {"relative_error": checked.error, "method": checked.method, "why_not": checked.why}


def _step(step: Step) -> dict[str, Any]:
    return {
        "number": step.number,
        "operation": step.op,
        "variable": _TEXT(step.left),
        "forward": _formula(step.right),
        "shape": step.shape,
        "dtype": step.dtype,
        "modules": step.modules,
        "place": step.place,
        "code": step.code,
        "gradient": _size(step.size),
        "terms": [_formula(term) for term in step.summed],
        "gives": [_way(way) for way in step.ways],
    }


def _way(way: Way) -> dict[str, Any]:
    return {
        "to": way.to,
        "argument": way.argument,
        "gradient": _formula(way.left),
        "formula": _formula(way.right),
        "local": _pair(way.local),
        "cases": _pair(way.cases),
        "closed": _pair(way.closed),
        "prose": way.prose,
        "remark": way.remark,
        "shape": way.shape,
        "parts": way.of_parts,
        **_size(way.size),
        "ratio": way.ratio,
        "check": _check(way.checked),
    }


def _result(result: Result) -> dict[str, Any]:
    return {
        "name": result.name,
        "gradient": _formula(result.gradient),
        "shape": result.shape,
        "dtype": result.dtype,
        "reached": result.reached,
        "paths": str(result.paths),  # it may be a number that JSON's readers round
        "terms": [_formula(term) for term in result.summed],
        **_size(result.size),
        "check": _check(result.checked),
    }


def _extreme(found: tuple[Way, str] | None) -> dict[str, Any] | None:
    if found is None:
        return None
    way, op = found
    return {"step": way.step, "operation": op, "to": way.to, "ratio": way.ratio}
