"""Time training steps, beside PyTorch where it is installed: ``make bench``.

    python benchmarks/run.py [--only NAME ...] [--quick] [--json FILE]

The ratio is tensorgrad's time over PyTorch's: below 1 is faster.  Losses are compared first.
"""

import argparse
import json
from pathlib import Path
from typing import Any

from timing import race  # first: it sets OpenBLAS's time-out before NumPy is imported

# isort: split
import checkpoint
import graph
import mapped
import provenance
from workloads import WORKLOADS

import tensorgrad as tg

try:
    import torch
except ImportError:
    torch = None  # type: ignore[assignment]


def compare(name: str, seconds: float) -> dict[str, Any]:
    """One workload: the times of each library, and the ratio."""
    build = WORKLOADS[name]
    steps = {"tensorgrad": build(tg, tg.nn, tg.optim)}
    if torch is not None:
        torch.set_num_threads(2)
        steps["torch"] = build(torch, torch.nn, torch.optim)
    for _ in range(3):
        losses = {library: step() for library, step in steps.items()}
        if max(losses.values()) - min(losses.values()) > 1e-3:
            raise SystemExit(f"{name}: the losses differ: {losses}")
    figures: dict[str, Any] = race(steps, seconds=seconds)
    line = "  ".join(f"{lib} {t['median'] * 1e3:8.3f} ms" for lib, t in figures.items())
    if torch is not None:
        figures["ratio"] = figures["tensorgrad"]["median"] / figures["torch"]["median"]
        line += f"   ratio {figures['ratio']:.2f}"
    print(f"  {name:<14} {line}", flush=True)
    return figures


def main() -> None:
    """Run what was asked for and print or store the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="*", default=[], metavar="NAME")
    parser.add_argument("--quick", action="store_true", help="a tenth of the time")
    parser.add_argument("--json", type=Path, metavar="FILE", help="store the figures")
    args = parser.parse_args()
    known = {*WORKLOADS, "provenance", "graph", "checkpoint", "vmap"}
    if unknown := set(args.only) - known:
        parser.error(f"unknown: {', '.join(sorted(unknown))}; there are {', '.join(sorted(known))}")
    seconds = 0.3 if args.quick else 3.0
    only = set(args.only)
    results: dict[str, Any] = {"steps": {}}
    print("training steps, median of one step")
    for name in WORKLOADS:
        if not only or name in only:
            results["steps"][name] = compare(name, seconds)
    if not only or "provenance" in only:
        results["provenance"] = provenance.main(only - {"provenance"}, seconds)
    if not only or "graph" in only:
        results["graph"] = graph.main(args.quick)
    if not only or "checkpoint" in only:
        results["checkpoint"] = checkpoint.main(args.quick)
    if not only or "vmap" in only:
        results["vmap"] = mapped.main(seconds)
    if args.json:
        args.json.write_text(json.dumps(results, indent=2) + "\n")


if __name__ == "__main__":
    main()
