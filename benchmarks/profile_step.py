"""Where the time of one training step goes: by primitive, forward and backward, and the rest.

    python benchmarks/profile_step.py NAME [--seconds 2] [--calls] [--sort forward|backward|total]

Every primitive's forward and gradient rules are wrapped by a clock (about 0.2 us a call, shown and
subtracted).  What is left of the forward and of the backward is the engine, the modules and what
the operations do in front of their primitives.  ``--calls`` shows Python's own profile as well,
in which short functions look longer than they are.  Run it before optimising, not after.
"""

import argparse
import cProfile
import gc
import pstats
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from statistics import median
from types import CellType
from typing import Any

import timing  # noqa: F401  # first: it sets OpenBLAS's time-out before NumPy is imported

# isort: split
import operations
from workloads import WORKLOADS, Workload

import tensorgrad as tg
from tensorgrad.autograd import observe_forward
from tensorgrad.primitive import primitives


class Clock:
    """Seconds and calls by (primitive, direction); inner calls count for the outermost one."""

    def __init__(self) -> None:
        self.spent: dict[tuple[str, str], float] = defaultdict(float)
        self.calls: Counter[tuple[str, str]] = Counter()
        self.steps: list[tuple[dict[Any, float], Counter[Any]]] = []
        self.inside = False

    def end_step(self) -> None:
        """What was counted since the last one is a step's."""
        self.steps.append((self.spent, self.calls))
        self.spent, self.calls = defaultdict(float), Counter()

    def medians(self) -> tuple[dict[tuple[str, str], float], Counter[tuple[str, str]]]:
        """Of a step: seconds (the median, so that a disturbed step does not show) and calls."""
        calls = self.steps[-1][1]
        return {key: median(s.get(key, 0.0) for s, _ in self.steps) for key in calls}, calls

    def timed(self, function: Callable[..., Any], key: tuple[str, str]) -> Callable[..., Any]:
        """The function, on the clock."""

        def run(*args: Any, **words: Any) -> Any:
            if self.inside:
                return function(*args, **words)
            self.inside = True
            start = time.perf_counter()
            try:
                return function(*args, **words)
            finally:
                self.spent[key] += time.perf_counter() - start
                self.calls[key] += 1
                self.inside = False

        return run

    def cost(self) -> float:
        """Seconds that the clock adds to a call outside what it measures."""
        clock = Clock()
        empty = clock.timed(lambda: None, ("", ""))
        count = 20_000
        start = time.perf_counter()
        for _ in range(count):
            empty()
        return (time.perf_counter() - start - clock.spent["", ""]) / count


def install(clock: Clock) -> None:
    """Wrap the forward and the rules of every primitive, for the rest of this process."""
    for op in list(primitives.values()):
        back = (op.name, "backward")
        op.forward = _wrap(op.forward, clock, (op.name, "forward"))
        op.rules = tuple(rule and _wrap(rule, clock, back) for rule in op.rules)
        if op.joint is not None:
            op.joint = _wrap(op.joint, clock, back)


def _wrap(old: Any, clock: Clock, key: tuple[str, str]) -> Any:
    """``old`` on the clock, wherever a closure or namespace holds it: recorders keep it there."""
    holders = gc.get_referrers(old)
    new = clock.timed(old, key)
    for holder in holders:
        if isinstance(holder, CellType):
            holder.cell_contents = new
        elif isinstance(holder, dict):
            for name in [name for name, value in holder.items() if value is old]:
                holder[name] = new
    return new


class Phases:
    """A workload's step, with the times of its parts."""

    def __init__(self, workload: Workload) -> None:
        self.workload = workload
        self.spent: dict[str, list[float]] = defaultdict(list)

    def __call__(self) -> None:
        w, now = self.workload, time.perf_counter
        start = now()
        w.zero()
        zeroed = now()
        loss = w.loss()
        forwarded = now()
        loss.backward()
        walked = now()
        w.update()
        updated = now()
        loss.item()
        del loss
        ended = now()
        for name, a, b in (
            ("zero_grad", start, zeroed),
            ("forward", zeroed, forwarded),
            ("backward", forwarded, walked),
            ("optimizer", walked, updated),
            ("freeing the graph", updated, ended),
            ("step", start, ended),
        ):
            self.spent[name].append(b - a)

    def run(self, seconds: float) -> dict[str, float]:
        """The median of each part."""
        for _ in range(3):
            self()
        self.spent.clear()
        end = time.perf_counter() + seconds
        while time.perf_counter() < end or len(self.spent["step"]) < 3:
            self()
        return {name: median(times) for name, times in self.spent.items()}


def nodes(workload: Workload) -> Counter[str]:
    """How many nodes of each primitive a step records."""
    count: Counter[str] = Counter()

    def see(node: Any, out: Any) -> None:
        count[node.op.name] += 1

    with observe_forward(see):
        workload()
    return count


def report(workload: Workload, seconds: float, sort: str) -> None:
    """Measure and print."""
    plain = Phases(workload).run(seconds)
    recorded = nodes(workload)
    clock = Clock()
    cost = clock.cost()
    install(clock)
    phases = Phases(workload)
    phases.run(0)
    clock.end_step()
    clock.steps.clear()
    phases.spent.clear()
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(clock.steps) < 3:
        phases()
        clock.end_step()
    spent, calls = clock.medians()

    rows = []
    for name in {name for name, _ in calls}:
        times = [spent.get((name, way), 0.0) for way in ("forward", "backward")]
        counts = [calls[name, way] for way in ("forward", "backward")]
        rows.append((name, *counts, *times, sum(times)))
    rows.sort(key=lambda row: -row[{"forward": 3, "backward": 4, "total": 5}[sort]])
    print(f"{plain['step'] * 1e3:.3f} ms a step, {sum(recorded.values())} nodes; ms a step:")
    print(f"  {'primitive':<28}{'calls':>7}{'rules':>7}{'forward':>10}{'backward':>10}{'share':>8}")
    for name, n, m, f, b, both in rows:
        share = both / plain["step"]
        print(f"  {name:<28}{n:>7}{m:>7}{f * 1e3:>10.4f}{b * 1e3:>10.4f}{share:>8.1%}")
    for way in ("forward", "backward"):
        kernels = sum(s for (_, w), s in spent.items() if w == way)
        count = sum(n for (_, w), n in calls.items() if w == way)
        rest = median(phases.spent[way]) - kernels - count * cost
        share = rest / plain["step"]
        where = f"engine and modules, {way}"
        print(f"  {where:<42}{rest * 1e3:>20.4f}{share:>8.1%}")
    for part in ("zero_grad", "optimizer", "freeing the graph"):
        share = plain[part] / plain["step"]
        print(f"  {part:<42}{plain[part] * 1e3:>20.4f}{share:>8.1%}")
    print(
        f"  (the clock: {cost * 1e6:.2f} us a call; steps took "
        f"{median(phases.spent['step']) * 1e3:.3f} ms with it)"
    )
    missed = sorted(name for name in recorded if (name, "forward") not in calls)
    if missed:
        print(f"  not on the clock, part of the engine's line: {', '.join(missed)}")


def python_profile(workload: Workload, seconds: float) -> None:
    """Python's own profile of the steps, by time inside each function."""
    profile = cProfile.Profile()
    end = time.perf_counter() + seconds
    profile.enable()
    while time.perf_counter() < end:
        workload()
    profile.disable()
    pstats.Stats(profile).strip_dirs().sort_stats("tottime").print_stats(30)


def main() -> None:
    """Profile what was asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("name", help="a workload or one of the forty operations")
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--calls", action="store_true", help="Python's own profile as well")
    parser.add_argument("--sort", choices=("forward", "backward", "total"), default="total")
    args = parser.parse_args()
    if args.name not in {*WORKLOADS, *operations.OPERATIONS}:
        parser.error(f"there is no {args.name!r} among {', '.join(WORKLOADS)} and the operations")
    if args.name in WORKLOADS:
        workload = WORKLOADS[args.name](tg)
    else:
        workload = operations.as_workload(tg, args.name)
    if args.calls:
        for _ in range(3):
            workload()
        python_profile(workload, args.seconds)
    report(workload, args.seconds, args.sort)


if __name__ == "__main__":
    main()
