"""Chains of up to a million nodes: time per node must not grow; bytes per node."""

import gc
import sys
import time
from typing import Any

import tensorgrad as tg


def resident() -> int | None:
    """Bytes of memory in use, where the system tells."""
    try:
        with open("/proc/self/statm") as file:
            return int(file.read().split()[1]) * 4096
    except OSError:
        return None


def chain(nodes: int) -> dict[str, Any]:
    """Microseconds per node forward and backward, and bytes per node after the forward."""
    x, c = tg.ones(16, requires_grad=True), tg.ones(16, requires_grad=True)
    gc.collect()
    before, start = resident(), time.perf_counter()
    y = x
    for _ in range(nodes // 2):
        y = y * c
        y = y + x
    loss = y.sum()
    forward, after = time.perf_counter(), resident()
    loss.backward()
    backward = time.perf_counter()
    return {
        "forward": (forward - start) / nodes * 1e6,
        "backward": (backward - forward) / nodes * 1e6,
        "bytes": None if before is None or after is None else (after - before) / nodes,
    }


def main(quick: bool) -> dict[str, Any]:
    """Measure and print; the figures by number of nodes."""
    print("\ndeep graph: a chain of multiplications and additions on 16 numbers")
    figures = {}
    for nodes in (1_000, 10_000, 100_000) + (() if quick else (1_000_000,)):
        figures[str(nodes)] = found = chain(nodes)
        memory = "" if found["bytes"] is None else f", {found['bytes']:.0f} bytes"
        print(
            f"  {nodes:>9,} nodes: forward {found['forward']:.2f} us, "
            f"backward {found['backward']:.2f} us{memory} a node"
        )
        sys.stdout.flush()
    return figures
