"""The comparison behind `gradcheck`: whole Jacobians, or random directions and a search."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from tensorgrad.checking import behaviour
from tensorgrad.checking.differences import Point, Real, Subject, flat
from tensorgrad.checking.directions import compare_along
from tensorgrad.checking.evidence import Finding
from tensorgrad.checking.explaining import Mismatch, broadcast_finding, describe, explain, second
from tensorgrad.checking.kinks import kinks
from tensorgrad.checking.methods import Differences, precision
from tensorgrad.checking.naming import function_name, output_element, primitives_of
from tensorgrad.checking.pictures import element
from tensorgrad.checking.report import Compared, GradcheckError, Report
from tensorgrad.checking.tolerance import Tolerance, choose
from tensorgrad.errors import GradientShapeError

__all__ = ["SEED", "Check", "Options"]

FULL_SIZE = 400  # inputs and outputs together, up to which the whole Jacobian is compared
SEED = 20_240_229
OUTSIDE = "which is not between them"


@dataclass(frozen=True)
class Options:
    """What a caller asks of a check; see `gradcheck`."""

    eps: float
    atol: float
    rtol: float
    nondet_tol: float
    undefined: bool
    dtypes: bool
    method: str | None
    fast: bool | None
    batched: bool = False


class Check:
    """One comparison of a subject's two derivatives, and its report."""

    def __init__(self, subject: Subject, options: Options, about: Any, order: int = 1) -> None:
        if options.eps <= 0:
            raise ValueError(f"gradcheck: eps must be positive, got {options.eps}")
        self.subject, self.options = subject, options
        self.differences = Differences(subject, options.eps, options.method)
        self.rng = np.random.default_rng(SEED)
        self.result = Report(function_name(about), order)
        # At order 2: whether order 1 is right, asked only when something is wrong.
        self.first: Callable[[], bool] | None = None
        self._tolerances: dict[Point, Tolerance] = {}

    def report(self) -> Report:
        """Run it; what is wrong first ends it."""
        try:
            with self.subject.undisturbed():
                try:
                    self.run()
                except GradientShapeError as error:
                    raise self.misshapen(error) from error
        except GradcheckError:
            if self.first is not None and self.result.order == 2:
                self.result.notes.append(
                    "order 1 is right: what backward computes is correct; only the graph that it "
                    "leaves behind is not"
                    if self.first()
                    else "order 1 is wrong already: mend that first (gradcheck tells what)"
                )
        return self.result

    def fail(self, problem: str, point: Point | None = None, **fields: Any) -> GradcheckError:
        """Note what is wrong."""
        self.result.problem = problem
        if point is not None:
            self.result.argument = point.name
        for key, value in fields.items():
            setattr(self.result, key, value)
        return GradcheckError(self.result)

    def misshapen(self, error: GradientShapeError) -> GradcheckError:
        """Backward returned a gradient of a shape that does not fit its input."""
        fits = [p for p in self.subject.points if p.base.shape == error.expected]
        name = fits[0].name if len(fits) == 1 else f"argument {error.argument}"
        found = broadcast_finding(name, error.got, error.expected)
        return self.fail(str(error), fits[0] if len(fits) == 1 else None, finding=found)

    def word(self, o: int) -> str:
        """What to call an output."""
        if self.result.order == 2:
            return f"gradient {o}"
        return f"output {o}{self.subject.place(o)}"

    def run(self) -> None:
        outputs = self.subject.record()
        if not outputs:
            self.constant()
            return
        self.result.primitives = primitives_of(outputs)
        again = self.subject.values()
        unit = max(precision(p) for p in self.subject.points)
        for i, (output, value) in enumerate(zip(outputs, again, strict=True)):
            # Not to the last bit: a threaded sum may be ordered otherwise the second time.
            if not np.allclose(flat(output._array), value, rtol=1e4 * unit, atol=0, equal_nan=True):
                raise self.fail(
                    f"the function is not deterministic: output {i} differs between two runs on "
                    "the same inputs; take its randomness from tensorgrad's default generator, or "
                    "seed it in the function"
                )
        size = sum(p.size for p in self.subject.points) + sum(v.size for v in again)
        fast = self.options.fast
        if fast or (fast is None and size > FULL_SIZE):
            compare_along(self, outputs)
        else:
            self.jacobians(outputs)
        behaviour.check(self, outputs)

    def constant(self) -> None:
        """No output requires grad: then no output may depend on the inputs."""
        for point in self.subject.points:
            if not point.size:
                continue
            for jacobian in self.differences.plain_jacobian(point):
                if np.any(np.abs(jacobian) > self.options.atol):
                    raise self.fail(
                        "Numerical gradient for function expected to be zero: no output requires "
                        "grad, yet they change with the input",
                        point,
                        finding=Finding(
                            "dependency",
                            f"The outputs depend on {point.name}, but the graph does not know it.",
                            "No output requires grad.",
                            "Look for a detach(), .data, a no_grad() or NumPy inside.",
                        ),
                    )

    # --- Whole Jacobians --------------------------------------------------------------------------

    def tolerance(self, point: Point, size: float) -> Tolerance:
        """How much may differ for one input; its choice goes into the report."""
        if point not in self._tolerances:
            chosen = choose(
                self.subject, self.differences, point, self.options.atol, self.options.rtol, size
            )
            self._tolerances[point] = chosen
            self.result.tolerance[point.name] = (
                f"{chosen.atol:.2g} + {chosen.rtol:.2g} * |expected|, {chosen.why}"
            )
        return self._tolerances[point]

    def excess(self, point: Point, got: Real, expected: Real, scale: float = 1) -> Real:
        """By how much the tolerance is exceeded; NaN and infinities exceed it by infinity."""
        finite = np.abs(expected[np.isfinite(expected)])
        allowed = self.tolerance(point, float(np.max(finite, initial=0.0)))
        with np.errstate(invalid="ignore"):
            over = np.abs(got - expected) - (allowed.atol * scale + allowed.rtol * np.abs(expected))
        return np.where(np.isnan(over), np.inf, over)

    def jacobians(self, outputs: list[Any]) -> None:
        """Compare every element of every Jacobian, and tell the first that is wrong."""
        numerical = [self.differences.jacobian(p) for p in self.subject.points]
        wrong = []
        for o, output in enumerate(outputs):
            analytical = self.subject.analytical_jacobian(output)
            for p in range(len(self.subject.points)):
                mismatch = self.compare(o, p, output, numerical[p][o], analytical[p])
                if mismatch is not None:
                    wrong.append(mismatch)
        if wrong:
            raise self.told(wrong[0], "Jacobian mismatch")

    def compare(self, o: int, p: int, output: Any, expected: Real, got: Real) -> Mismatch | None:
        """One pair; where it differs, real differences are taken, and kinks looked for."""
        point = self.subject.points[p]
        over = self.excess(point, got, expected)
        noted = []
        beyond = set()  # columns with a value outside the interval of a kink
        for k in np.flatnonzero((over > 0).any(axis=0)):
            if self.differences.used(point) == "complex":
                expected[:, k] = self.differences.column(point, int(k), real=True)[o]
                over[:, k] = self.excess(point, got[:, k], expected[:, k])
            if not np.isfinite(got[:, k]).all() or not (over[:, k] > 0).any():
                continue
            for kink in kinks(self.differences, point, int(k)):
                value = float(got[kink.row, k])
                if kink.output != o or over[kink.row, k] <= 0:
                    continue
                room = self.options.atol + self.options.rtol * max(abs(kink.low), abs(kink.high))
                inside = kink.holds(value, room)
                place, half = output_element(output._array, kink.row)
                below = element(point.name, point.index(int(k))[0])
                noted.append(
                    f"kink: d {element(self.word(o), place)}{half} / d {below} is "
                    f"{kink.left:.4g} from the left and {kink.right:.4g} from the right; backward "
                    f"gives {value:.4g}, " + ("a valid subgradient" if inside else OUTSIDE)
                )
                if not inside:
                    beyond.add(int(k))
                else:
                    expected[kink.row, k] = value
                    over[kink.row, k] = -room
        self.note(o, p, expected, got, over, noted)
        if not np.any(over > 0):
            return None
        mismatch = Mismatch(self.subject, o, p, output, expected, got, over)
        if beyond == set(np.flatnonzero((over > 0).any(axis=0)).tolist()):
            mismatch.kink = next(text for text in noted if OUTSIDE in text)
        return mismatch

    def note(self, o: int, p: int, expected: Real, got: Real, over: Real, kinks: list[str]) -> None:
        """A line of the summary."""
        point = self.subject.points[p]
        with np.errstate(invalid="ignore"):
            gap = float(np.max(np.abs(got - expected), initial=0.0))
        size = float(np.max(np.abs(expected), initial=0.0))
        self.result.compared.append(
            Compared(
                point.name,
                self.word(o),
                self.differences.used(point),
                over.size,
                gap,
                gap / size if size else gap,
                int(np.count_nonzero(over > 0)),
                self.differences.reasons.get(point, ""),
                kinks,
            )
        )

    def told(self, mismatch: Mismatch, problem: str) -> GradcheckError:
        """The failure of one pair, explained."""
        finding = behaviour.linear(self, mismatch.output)[mismatch.p]
        others = 0
        if finding is None:
            finding, others = explain(mismatch, self.differences)
        point, word = mismatch.point, self.word(mismatch.o)
        if mismatch.kink:
            finding = Finding(
                "kink",
                f"At a kink, backward gives a value that is no subgradient of {point.name}.",
                f"{mismatch.kink[0].upper()}{mismatch.kink[1:]}.",
                "Any value from the left derivative to the right one would do; PyTorch's choices "
                "are relu'(0) = 0, abs'(0) = 0, and an even share for ties of amax.",
            )
            others = 0
        if self.result.order == 2:
            finding = second(finding, point.name, word)
        return self.fail(
            f"{problem} for {word} with respect to {point.label}",
            point,
            finding=finding,
            others=others,
            **describe(mismatch, word),
        )
