"""Measure tensorgrad beside PyTorch, where that is installed, and other peers: ``make bench``.

    python benchmarks/run.py [--only NAME ...] [--quick] [--repeat N] [--no-peers] [--json FILE]

NAME is a workload (then its training step is timed), a part (all of it), or both: ``--only
inference tiny_mlp`` is the inference of tiny_mlp.  A ratio is tensorgrad's time over PyTorch's:
below 1 is faster.  Losses and gradients are compared first.  NumPy alone computes, but for the part
"accelerator", which needs oneDNN.  Medians are over the steps of a run, and over the runs with
``--repeat``.  ``--json`` adds to what the file holds already.
"""

import argparse
import gc
import json
import os
import sys
from pathlib import Path
from typing import Any

from timing import race  # first: it sets OpenBLAS's time-out before NumPy is imported

# isort: split
import checkpoint
import graph
import inference
import mapped
import memory
import operations
import peers
import provenance
import results
import startup
from agreement import check
from libraries import libraries
from targets import ACCELERATED, STEPS, Target, figures
from workloads import WORKLOADS

import tensorgrad as tg

LIBRARIES = libraries()

PARTS = (
    "steps", "accelerator", "per-op", "inference", "memory", "startup", "graph", "provenance",
    "checkpoint", "vmap",
)  # fmt: skip


def compare(name: str, seconds: float, others: bool, target: Target) -> dict[str, Any]:
    """One workload: the times of each library, and the ratio."""
    steps: dict[str, Any] = {library: WORKLOADS[name](lib) for library, lib in LIBRARIES.items()}
    absent: dict[str, str] = {}
    if others:
        found, absent = peers.build(name, steps["tensorgrad"])
        steps.update(found)
    check(name, steps)
    measured: dict[str, Any] = race(steps, seconds=seconds)
    line = "  ".join(f"{lib} {t['median'] * 1e3:8.3f} ms" for lib, t in measured.items())
    if "torch" in measured:
        for key, of in (("ratio", "median"), ("ratio_p10", "p10")):
            measured[key] = measured["tensorgrad"][of] / measured["torch"][of]
        line += f"   ratio {measured['ratio']:.2f} (of the 10th percentiles "
        line += f"{measured['ratio_p10']:.2f}), bar {target.bar}"
    print(f"  {name:<14} {line}", flush=True)
    if reasons := "; ".join(f"{library}: {why}" for library, why in absent.items()):
        print(f"  {'':<14} without {reasons}")
    return measured


def accelerated(chosen: list[str], seconds: float) -> dict[str, Any]:
    """Steps with oneDNN, and the ratios of inference under ``full`` and ``one``; {} without it."""
    names = [name for name in chosen if name in ACCELERATED]
    why = tg.backends.mkldnn.why_not() if names else ""
    if why:
        print(f"\nnothing is measured with oneDNN: {why}")
        return {}
    found: dict[str, Any] = {}
    with tg.backends.use_kernels("auto"):
        for name in names:
            print(f"\n{name} with oneDNN: one training step, and inference")
            found[name] = compare(name, seconds, False, ACCELERATED[name])
            found[name]["inference"] = inference.compare(name, LIBRARIES, seconds / 2)
    return found


def measure(parts: set[str], chosen: list[str], quick: bool, others: bool) -> dict[str, Any]:
    """One run of what was asked for."""
    gc.collect()
    gc.freeze()  # what the imports made: a program of one library would not look through it either
    seconds = 0.2 if quick else 1.0  # for each contestant
    names = list(LIBRARIES)
    found: dict[str, Any] = {}
    if "steps" in parts:
        print("training steps, median of one step")
        found["steps"] = {name: compare(name, seconds, others, STEPS[name]) for name in chosen}
    if "accelerator" in parts:
        found["accelerator"] = accelerated(chosen, seconds)
    if "per-op" in parts:
        found["per-op"] = operations.main(LIBRARIES, seconds / 10)
    if "inference" in parts:
        found["inference"] = inference.main(chosen, LIBRARIES, seconds / 2)
    if "memory" in parts:
        found["memory"] = memory.main(chosen, names)
    if "startup" in parts:
        found["startup"] = startup.main(names, quick)
    if "graph" in parts:
        found["graph"] = graph.main(names, quick)
    if "provenance" in parts:
        found["provenance"] = provenance.main(set(chosen), 3 * seconds)
    if "checkpoint" in parts:
        found["checkpoint"] = checkpoint.main(quick)
    if "vmap" in parts:
        found["vmap"] = mapped.main(seconds)
    return found


def main() -> None:
    """Run what was asked for and print, store or compare the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", nargs="*", default=[], metavar="NAME")
    parser.add_argument("--quick", action="store_true", help="a fifth of the time")
    parser.add_argument("--repeat", type=int, default=1, metavar="N", help="median of N runs")
    parser.add_argument("--no-peers", action="store_true", help="without JAX, autograd and MyGrad")
    parser.add_argument("--json", type=Path, metavar="FILE", help="store the figures")
    parser.add_argument(
        "--compare",
        type=Path,
        nargs="?",
        const=Path("the last release's"),
        metavar="FILE",
        help="with a stored file (by default the last release's); exit status 1 on a regression",
    )
    args = parser.parse_args()
    only = set(args.only)
    known = {*PARTS, *WORKLOADS}
    if unknown := only - known:
        parser.error(f"unknown: {', '.join(sorted(unknown))}; there are {', '.join(sorted(known))}")
    against = args.compare
    if against == Path("the last release's"):
        against = results.last_release()
    if args.compare and (against is None or not against.is_file()):
        parser.error(f"--compare: there is no stored result file {against or results.FOLDER}")
    if args.repeat < 1:
        parser.error("--repeat must be at least 1")
    parts = (only & set(PARTS)) or ({"steps"} if only else set(PARTS))
    chosen = [name for name in WORKLOADS if name in only] or list(WORKLOADS)
    with tg.backends.use_kernels(os.environ.get("TENSORGRAD_KERNELS") or "numpy"):
        runs = [measure(parts, chosen, args.quick, not args.no_peers) for _ in range(args.repeat)]
    found = {**results.combine(runs), "about": {**results.about(), "runs": args.repeat}}

    print(f"\n{'figure':<38} {'measured':>9}  bar   goal")
    for figure in figures(found):
        bars = ""
        if figure.target is not None:
            goal = "" if figure.target.goal is None else f"{figure.target.goal:g}"
            bars = f"{figure.target.bar:<5g} {goal:<5} {figure.verdict}"
        print(f"{figure.name:<38} {figure.value:9.3f}  {bars}")
    if args.json:
        stored = results.load(args.json) if args.json.exists() else {}
        args.json.write_text(json.dumps(results.update(stored, found), indent=1) + "\n")
    if against:
        lines, worse = results.compare(found, results.load(against))
        print(f"\nagainst {against.name}:", *lines, sep="\n")
        if not lines:
            sys.exit("nothing measured here is in that file")
        if worse:
            sys.exit(f"{len(worse)} regressions beyond the noise")


if __name__ == "__main__":
    os.environ.setdefault("TENSORGRAD_KERNELS", "numpy")  # in the processes that are started, too
    main()
