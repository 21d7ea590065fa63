"""What it costs that every node knows the user's line and the module it was made in.

A step is timed as it is and with the look-up replaced by a constant, in turns.  The replacement is
a call too, so the time of an empty call is added back for each node.
"""

import timeit
from collections.abc import Callable
from typing import Any

from timing import race

import tensorgrad as tg
from tensorgrad.autograd import observe_forward
from tensorgrad.recording import general as recording

LIMITS = {"scalar": 0.15, "mnist_mlp": 0.05, "mnist_cnn_b16": 0.05, "mnist_cnn_b64": 0.05}


def _nowhere(depth: int) -> tuple[None, int]:
    return None, 0


def _without(step: Callable[[], float]) -> Callable[[], float]:
    def run() -> float:
        kept, recording.caller = recording.caller, _nowhere
        try:
            return step()
        finally:
            recording.caller = kept

    return run


def overhead(step: Callable[[], float], seconds: float) -> dict[str, Any]:
    """The share of a step that goes into finding places, and the number of nodes."""
    nodes = 0

    def count(node: object, out: object) -> None:
        nonlocal nodes
        nodes += 1

    with observe_forward(count):
        step()
    result = race({"with": step, "without": _without(step)}, seconds=seconds, turn=0.01)
    empty_call = min(timeit.repeat(lambda: _nowhere(2), number=10_000, repeat=5)) / 10_000
    with_, without = result["with"]["p10"], result["without"]["p10"]
    return {"nodes": nodes, "share": (with_ - without + nodes * empty_call) / with_}


def main(only: set[str], seconds: float) -> dict[str, Any]:
    """Measure and print; the figures by workload."""
    from workloads import WORKLOADS

    figures = {}
    print("\nprovenance: share of a step spent on finding the user's line")
    for name, limit in LIMITS.items():
        if only and name not in only:
            continue
        figures[name] = found = overhead(WORKLOADS[name](tg), seconds)
        verdict = "ok" if found["share"] < limit else "TOO MUCH"
        print(
            f"  {name:<14} {found['share']:6.1%} of {found['nodes']} nodes' step, "
            f"limit {limit:.0%}: {verdict}"
        )
    return figures
