"""Chains of up to a million nodes: time per node must not grow; bytes per node.

Each chain is made in a process of its own, so that no memory of an earlier one is used again.
"""

import argparse
import gc
import json
import os
import subprocess
import sys
import time
from importlib import import_module
from pathlib import Path
from typing import Any

import timing  # noqa: F401  # first: it sets OpenBLAS's time-out before NumPy is imported


def resident() -> int | None:
    """Bytes of memory in use, where the system tells."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:
        return None
    return pages * os.sysconf("SC_PAGE_SIZE")


def chain(lib: Any, nodes: int) -> dict[str, Any]:
    """Microseconds per node forward and backward, and bytes per node after the forward."""
    x, c = lib.ones(16, requires_grad=True), lib.ones(16, requires_grad=True)

    def build(nodes: int) -> Any:
        y = x
        for _ in range(nodes // 2):
            y = y * c
            y = y + x
        return y.sum()

    for _ in range(3):
        build(200).backward()
    x.grad = c.grad = None
    gc.collect()
    before, start = resident(), time.perf_counter()
    loss = build(nodes)
    forward, after = time.perf_counter(), resident()
    loss.backward()
    backward = time.perf_counter()
    return {
        "forward": (forward - start) / nodes * 1e6,
        "backward": (backward - forward) / nodes * 1e6,
        "time": (backward - start) / nodes * 1e6,
        "bytes": None if before is None or after is None else (after - before) / nodes,
    }


def main(libraries: list[str], quick: bool) -> dict[str, Any]:
    """Measure and print; the figures by number of nodes and library.

    Beside the libraries a tape that does as little as one can: `bare_tape`.
    """
    print("\ndeep graph: a chain of multiplications and additions on 16 numbers")
    figures: dict[str, Any] = {}
    for nodes in (1_000, 10_000, 100_000) + (() if quick else (1_000_000,)):
        figures[str(nodes)] = found = {}
        for library in (*libraries, "bare_tape"):
            command = [sys.executable, __file__, library, str(nodes)]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            found[library] = f = json.loads(done.stdout)
            memory = "" if f["bytes"] is None else f", {f['bytes']:.0f} bytes"
            print(
                f"  {nodes:>9,} nodes, {library:<10}: forward {f['forward']:.2f} us, "
                f"backward {f['backward']:.2f} us{memory} a node",
                flush=True,
            )
    return figures


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("library", choices=("tensorgrad", "torch", "bare_tape"))
    parser.add_argument("nodes", type=int)
    args = parser.parse_args()
    print(json.dumps(chain(import_module(args.library), args.nodes)))
