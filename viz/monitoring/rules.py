"""What `Monitor.warnings` concludes from what it has seen."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tensorgrad.viz.diagnosis.causes import FIXES, LIMITS, ZERO_GRADIENT_FIX
from tensorgrad.viz.diagnosis.findings import Finding, Findings
from tensorgrad.viz.figures.words import number, plural, shape
from tensorgrad.viz.monitoring.views import Course, Track
from tensorgrad.viz.snapshots.places import short_place

__all__ = ["warnings_of"]

Array = NDArray[Any]

RECENT = 5  # records that say how it is now
ENOUGH = 3  # records before a rate is judged: the first steps of an optimizer are not typical


def warnings_of(
    courses: list[Course],
    tracks: list[Track],
    steps: list[int],
    changed: dict[str, bool],
    spreads: list[float],
    model: Any,
) -> Findings:
    """The findings, worst first; ``changed`` says which parameters differ from their start."""
    found = [
        *_not_finite(courses, steps),
        *_exploding(courses),
        *_vanishing(courses),
        *_dead(tracks),
        *_saturated(tracks),
        *_constant(spreads),
        *_unused(courses),
        *_unchanged(courses, changed, steps),
        *_rates(courses),
    ]
    seen = plural(len(steps), "record")
    examined = (
        f"Judged from {seen} of {plural(len(courses), 'parameter')} and "
        f"{plural(len(tracks), 'activation')} of {type(model).__name__}."
    )
    return Findings(found, "Warnings", examined)


def _make(cause: str, layer: str, evidence: str, place: Any, **data: Any) -> Finding:
    return Finding(cause, layer, evidence, FIXES[cause], short_place(place), data)


def _recent(values: Array) -> float:
    """The median of the last records in which something is known; NaN for none."""
    known = values[~np.isnan(values)][-RECENT:]
    return float(np.median(known)) if known.size else float("nan")


def _not_finite(courses: list[Course], steps: list[int]) -> Iterator[Finding]:
    """The first step, and the parameter whose gradient was not finite then."""
    first: tuple[int, Course] | None = None
    for c in courses:
        ok = np.array([s == "ok" for s in c.status])
        bad = np.flatnonzero(ok & ~np.isfinite(c.row("max")))
        if bad.size and (first is None or bad[0] < first[0]):
            first = (int(bad[0]), c)
    if first is None:
        return
    k, c = first
    said = f"At step {steps[k]:,} its gradient is {number(c.row('max')[k])}"
    if k:
        said += f"; at step {steps[k - 1]:,} its largest element was {number(c.row('max')[k - 1])}"
    said += ". viz.doctor(model, loss) names the first operation that was not finite."
    yield _make("NaN or infinity", c.name, said, c.location, step=steps[k])


def _exploding(courses: list[Course]) -> Iterator[Finding]:
    worst = max(_weights(courses), key=lambda c: _or_zero(_recent(c.grad_to_data)), default=None)
    if worst is None:
        return
    ratio = _recent(worst.grad_to_data)
    known = worst.grad_to_data[np.isfinite(worst.grad_to_data)]
    grown = ratio / known[0] if known.size and known[0] else 0.0
    grew = ratio > LIMITS["exploded"] and grown > LIMITS["grown"]
    if ratio > LIMITS["exploded in training"] or grew:
        said = f"Its gradient is {number(ratio)} times as large as the parameter itself"
        said += f", {number(grown)} times what it was at first." if grew else "."
        yield _make("exploding gradient", worst.name, said, worst.location, ratio=ratio)


def _vanishing(courses: list[Course]) -> Iterator[Finding]:
    sizes = {c.name: _recent(c.row("grad_norm")) for c in _weights(courses)}
    known = {name: size for name, size in sizes.items() if np.isfinite(size) and size > 0}
    if len(known) < 2:
        return
    least, most = min(known, key=lambda n: known[n]), max(known, key=lambda n: known[n])
    ratio = known[least] / known[most]
    if ratio >= LIMITS["vanished"]:
        return
    c = next(c for c in courses if c.name == least)
    said = (
        f"Its gradient (rms {number(known[least])}) is {number(ratio)} of that of {most} "
        f"(rms {number(known[most])})."
    )
    yield _make("vanishing gradient", least, said, c.location, ratio=ratio)


def _dead(tracks: list[Track]) -> Iterator[Finding]:
    for t in tracks:
        seen = [a for a in t.alive if a is not None][-RECENT:]
        seen = [a for a in seen if a.shape == seen[-1].shape]
        if not seen:
            continue
        alive = np.logical_or.reduce(seen)
        dead, units = int((~alive).sum()), len(alive)
        if units and dead / units > LIMITS["dead"]:
            said = (
                f"{dead} of the {units} units that were looked at gave 0 for every example of the "
                f"last {plural(len(seen), 'record')}."
            )
            yield _make("dead units", t.name, said, t.location, dead=dead, units=units)


def _saturated(tracks: list[Track]) -> Iterator[Finding]:
    for t in tracks:
        values = np.array([np.nan if v is None else v for v in t.saturated], float)
        share = _recent(values)
        if share > LIMITS["saturated"] and not t.is_output:
            said = (
                f"{100 * share:.0f} % of its outputs are at a bound, where the derivative is below "
                "0.02."
            )
            yield _make("saturation", t.name, said, t.location, share=share)


def _constant(spreads: list[float]) -> Iterator[Finding]:
    recent = spreads[-ENOUGH:]
    if len(recent) >= ENOUGH and max(recent) < LIMITS["constant"]:
        said = (
            "Over the examples of a batch the outputs differ by "
            f"{number(max(recent))} of their size: the model says the same whatever it is given."
        )
        yield _make("constant predictor", "", said, None, spread=max(recent))


def _unused(courses: list[Course]) -> Iterator[Finding]:
    for c in courses:
        if c.status and all(status == "no gradient" for status in c.status):
            said = (
                f"It requires a gradient, shape {shape(c.shape)}, and got none in "
                f"{plural(len(c.status), 'record')}: the loss does not depend on it."
            )
            yield _make("unused parameter", c.name, said, c.location)


def _unchanged(
    courses: list[Course], changed: dict[str, bool], steps: list[int]
) -> Iterator[Finding]:
    for c in courses:
        ok = [s == "ok" for s in c.status]
        if not any(ok) or changed.get(c.name, True) or not np.isfinite(c.row("max")[ok]).all():
            continue
        updates = c.row("update_norm")[ok]
        fix = None
        rates = [rate for rate in c.rates if not np.isnan(rate)]
        if np.isnan(updates).all():
            why = "it is in no parameter group of the optimizer"
        elif rates and max(rates) == 0:
            why = "its learning rate is 0"
        elif not c.row("max")[ok].any():
            why = "its gradient is 0 everywhere that was looked at"
            fix = ZERO_GRADIENT_FIX
        elif len(c.shape) > 1:
            # Not for vectors: a bias before a normalisation has a gradient of rounding errors
            # only, and rightly stays.
            why = "each step is lost in rounding"
        else:
            continue
        said = f"After {plural(steps[-1] + 1, 'step')} it is, bit by bit, as it was: {why}."
        found = _make("parameter that never changes", c.name, said, c.location)
        yield found if fix is None else replace(found, fix=fix)


def _rates(courses: list[Course]) -> Iterator[Finding]:
    ratios = {}
    for c in _weights(courses):
        known = c.update_to_data[np.isfinite(c.update_to_data)]
        if known.size >= ENOUGH:
            ratios[c.name] = known
    if not ratios:
        return
    now = {name: _recent(values) for name, values in ratios.items()}
    most = max(now, key=lambda n: now[n])
    if now[most] > LIMITS["high"]:
        said = (
            f"A step changes it by {100 * now[most]:.0f} % of its size (about 0.1 % is usual), "
            f"learning rate {_rate(courses, most)}."
        )
        place = next(c.location for c in courses if c.name == most)
        yield _make("learning rate too high", most, said, place, ratio=now[most])
    highest = {name: float(values.max()) for name, values in ratios.items()}
    best = max(highest, key=lambda n: highest[n])
    if 0 < highest[best] < LIMITS["low"]:
        said = (
            f"No weight was ever changed by more than {number(highest[best])} of its size in a "
            f"step (about 1e-3 is usual), learning rate {_rate(courses, best)}."
        )
        place = next(c.location for c in courses if c.name == best)
        yield _make("learning rate too low", best, said, place, ratio=highest[best])


def _rate(courses: list[Course], name: str) -> str:
    rates = next(c.rates for c in courses if c.name == name)
    known = [rate for rate in rates if not np.isnan(rate)]
    return number(known[-1]) if known else "unknown"


def _weights(courses: list[Course]) -> list[Course]:
    """Matrices and kernels: biases and scales of normalisations are small and move freely."""
    return [c for c in courses if len(c.shape) > 1]


def _or_zero(value: float) -> float:
    return value if np.isfinite(value) else 0.0
