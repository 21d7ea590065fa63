"""Time training steps, beside PyTorch where it is installed: ``make bench``.

    python benchmarks/run.py [--only NAME ...] [--quick] [--json FILE]

The ratio is tensorgrad's time over PyTorch's: below 1 is faster.  Losses and gradients are compared
first.  ``--only inference tiny_mlp`` measures the inference of that workload.
"""

import argparse
import json
from pathlib import Path
from typing import Any

from timing import race  # first: it sets OpenBLAS's time-out before NumPy is imported

# isort: split
import checkpoint
import graph
import inference
import mapped
import operations
import provenance
from agreement import check
from workloads import WORKLOADS

import tensorgrad as tg

LIBRARIES: dict[str, Any] = {"tensorgrad": tg}
try:
    import torch

    torch.set_num_threads(2)
    LIBRARIES["torch"] = torch
except ImportError:
    pass


def compare(name: str, seconds: float) -> dict[str, Any]:
    """One workload: the times of each library, and the ratio."""
    steps = {library: WORKLOADS[name](lib) for library, lib in LIBRARIES.items()}
    check(name, steps)
    figures: dict[str, Any] = race(steps, seconds=seconds)
    line = "  ".join(f"{lib} {t['median'] * 1e3:8.3f} ms" for lib, t in figures.items())
    if "torch" in figures:
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
    parts = {"provenance", "graph", "checkpoint", "vmap", "per-op", "inference"}
    known = parts | set(WORKLOADS)
    if unknown := set(args.only) - known:
        parser.error(f"unknown: {', '.join(sorted(unknown))}; there are {', '.join(sorted(known))}")
    seconds = 0.3 if args.quick else 3.0
    only = set(args.only)
    chosen = [name for name in WORKLOADS if name in only or not only - parts]
    results: dict[str, Any] = {"steps": {}}
    if not only & parts:
        print("training steps, median of one step")
        for name in chosen:
            results["steps"][name] = compare(name, seconds)
    if not only or "per-op" in only:
        results["per-op"] = operations.main(LIBRARIES, seconds / 20)
    if not only or "inference" in only:
        results["inference"] = inference.main(chosen, LIBRARIES, seconds / 2)
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
