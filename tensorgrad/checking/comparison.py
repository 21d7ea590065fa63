"""The comparison behind `gradcheck`: whole Jacobians, or random directions and a search."""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorgrad.checking.differences import Real, Subject, flat
from tensorgrad.checking.report import GradcheckError, report

__all__ = ["SEED", "Check"]

FULL_SIZE = 400  # inputs and outputs together, up to which the whole Jacobian is compared
DIRECTIONS = 3  # a wrong element hides from one random direction only by chance
SEARCHED = 512  # how many elements of a large input are tried to find the wrong one
SEED = 20_240_229


class Check:
    """One comparison of a subject's two derivatives."""

    order = 1

    def __init__(
        self,
        subject: Subject,
        eps: float,
        atol: float,
        rtol: float,
        nondet_tol: float,
        undefined: bool,
        dtypes: bool,
    ) -> None:
        if eps <= 0:
            raise ValueError(f"gradcheck: eps must be positive, got {eps}")
        self.subject, self.eps, self.atol, self.rtol = subject, eps, atol, rtol
        self.nondet_tol, self.undefined, self.dtypes = nondet_tol, undefined, dtypes
        self.about: Any = subject.func
        self.rng = np.random.default_rng(SEED)

    def answer(self, fast: bool | None, raise_exception: bool) -> bool:
        """True; otherwise False or the error, as asked."""
        try:
            with self.subject.undisturbed():
                self.run(fast)
        except GradcheckError:
            if raise_exception:
                raise
            return False
        return True

    def fail(self, problem: str, **details: Any) -> GradcheckError:
        """The error, with what is known of the function."""
        return report(self.about, self.subject, problem, order=self.order, **details)

    def run(self, fast: bool | None) -> None:
        outputs = self.subject.record()
        if not outputs:
            self.constant()
            return
        again = self.subject.values()
        for i, (output, value) in enumerate(zip(outputs, again, strict=True)):
            # Not to the last bit: a threaded sum may be ordered otherwise the second time.
            if not np.allclose(flat(output._array), value, rtol=1e-12, atol=0, equal_nan=True):
                raise self.fail(
                    f"the function is not deterministic: output {i} differs between two runs on "
                    "the same inputs; take its randomness from tensorgrad's default generator, or "
                    "seed it in the function"
                )
        size = sum(p.size for p in self.subject.points) + sum(v.size for v in again)
        if fast or (fast is None and size > FULL_SIZE):
            self.directions(outputs)
        else:
            self.jacobians(outputs)
        self.backward_behaves(outputs)

    def constant(self) -> None:
        """No output requires grad: then no output may depend on the inputs."""
        for point in self.subject.points:
            for jacobian in self.subject.numerical_jacobian(point, self.eps, everything=True):
                if np.any(np.abs(jacobian) > self.atol):
                    raise self.fail(
                        "Numerical gradient for function expected to be zero: no output requires "
                        "grad, yet they change with the input (is there a detach(), a no_grad() or "
                        "NumPy inside?)",
                        point=point,
                    )

    def excess(self, analytical: Real, numerical: Real, scale: float = 1) -> Real:
        """By how much the tolerance is exceeded; NaN and infinities exceed it by infinity."""
        with np.errstate(invalid="ignore"):
            over = np.abs(analytical - numerical) - (
                self.atol * scale + self.rtol * np.abs(numerical)
            )
        return np.where(np.isnan(over), np.inf, over)

    def jacobians(self, outputs: list[Any]) -> None:
        """Compare every element of every Jacobian."""
        numerical = [self.subject.numerical_jacobian(p, self.eps) for p in self.subject.points]
        for o, output in enumerate(outputs):
            analytical = self.subject.analytical_jacobian(output)
            for p, point in enumerate(self.subject.points):
                over = self.excess(analytical[p], numerical[p][o])
                if np.any(over > 0):
                    raise self.fail(
                        f"Jacobian mismatch for output {o} with respect to input {p}",
                        point=point,
                        output=(o, output),
                        outputs=outputs,
                        numerical=numerical[p][o],
                        analytical=analytical[p],
                        over=over,
                        tolerance=(self.atol, self.rtol),
                    )

    def directions(self, outputs: list[Any]) -> None:
        """Compare the derivatives of random combinations of outputs along random directions."""
        for _ in range(DIRECTIONS):
            weights = [self.rng.standard_normal(flat(t._array).size) for t in outputs]
            pulled = [
                self.subject.pull_flat([t], [v]) for t, v in zip(outputs, weights, strict=True)
            ]
            for p, point in enumerate(self.subject.points):
                # Signs, not normals: every element moves by eps, none by much more or less.
                direction = self.rng.choice([-1.0, 1.0], point.size)
                moved = self.subject.along(point, direction, self.eps)
                for o, output in enumerate(outputs):
                    numerical = np.dot(weights[o], moved[o])
                    analytical = np.dot(pulled[o][p], direction)
                    scale = float(np.linalg.norm(weights[o]) * np.sqrt(point.size))
                    if self.excess(analytical, numerical, scale) > 0:
                        raise self.located(outputs, o, output, p, weights[o], pulled[o][p])

    def located(
        self, outputs: list[Any], o: int, output: Any, p: int, weights: Real, gradient: Real
    ) -> GradcheckError:
        """The error of a direction, with its wrong element: likely ones and others are tried."""
        point = self.subject.points[p]
        tried = np.arange(point.size)
        if point.size > SEARCHED:
            likely = np.argsort(-np.abs(gradient), kind="stable")[: SEARCHED // 2]
            others = self.rng.choice(point.size, SEARCHED // 2, replace=False)
            tried = np.unique(np.concatenate([likely, others]))
        numerical = np.array(
            [np.dot(weights, self.subject.difference(point, int(k), self.eps)[o]) for k in tried]
        )
        analytical = gradient[tried]
        return self.fail(
            f"Gradient mismatch along a random direction, for output {o} with respect to input {p}",
            point=point,
            output=(o, output),
            outputs=outputs,
            numerical=numerical[None],
            analytical=analytical[None],
            over=self.excess(analytical, numerical, float(np.linalg.norm(weights)))[None],
            tolerance=(self.atol, self.rtol),
            tried=tried,
        )

    def backward_behaves(self, outputs: list[Any]) -> None:
        """Backward is linear in the gradients it gets, repeatable, and knows missing ones."""
        weights = [self.rng.standard_normal(flat(t._array).size) for t in outputs]
        zeros = [np.zeros_like(v) for v in weights]
        alone = []
        for o, output in enumerate(outputs):
            found = self.subject.pull([output], [weights[o]])
            repeated = self.subject.pull_flat([output], [weights[o]])
            double = self.subject.pull_flat([output], [-2 * weights[o]])
            once = [
                np.zeros(p.size) if g is None else flat(g)
                for p, g in zip(self.subject.points, found, strict=True)
            ]
            alone.append(once)
            for p, point in enumerate(self.subject.points):
                difference = np.abs(once[p] - repeated[p])
                if difference.size and not np.max(difference) <= self.nondet_tol:
                    raise self.fail(
                        "Backward is not reentrant, i.e., running backward with same input and "
                        f"grad_output multiple times gives different values, by up to "
                        f"{np.max(difference):g}; nondet_tol is {self.nondet_tol:g}",
                        point=point,
                    )
                if np.any(self.excess(double[p], -2 * once[p]) > 0):
                    raise self.fail(
                        f"backward is not linear in the gradient of output {o}: -2 times that "
                        "does not give -2 times the result (is it multiplied by grad_output?)",
                        point=point,
                    )
                gradient = found[p]
                if self.dtypes and gradient is not None and gradient.dtype != point.array.dtype:
                    raise self.fail(
                        f"the gradient is {gradient.dtype}, its input {point.array.dtype}",
                        point=point,
                    )
        if not self.undefined or len(outputs) < 2:
            return
        for o in range(len(outputs)):
            given = [weights[k] if k == o else zeros[k] for k in range(len(outputs))]
            together = self.subject.pull_flat(outputs, given)
            for p, point in enumerate(self.subject.points):
                if np.any(self.excess(together[p], alone[o][p]) > 0):
                    raise self.fail(
                        "Expected backward function to handle undefined output grads: outputs that "
                        f"received none and outputs that received zeros differ, beside output {o}",
                        point=point,
                    )
