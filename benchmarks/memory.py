"""Peak memory of training: what the operating system counts, in a fresh process per library.

Each process imports its library, makes steps of tiny_mlp (what is loaded on first use is then
there), and resets the high-water mark of its resident memory.  Then it builds the workload, makes
five steps and reads the mark.  The figure is the difference: weights, state, gradients, saved
arrays, temporaries and what the allocator holds on to.  A counter inside one library could not see
the other's arrays; the resident memory sees both alike.
"""

import argparse
import gc
import json
import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import timing  # noqa: F401  # first: it sets OpenBLAS's time-out before NumPy is imported

# isort: split
from workloads import WORKLOADS

STEPS = 5
TOO_SMALL = {"scalar", "tiny_mlp"}  # less than the pages of a process tell


def status(key: str) -> int:
    """A line of /proc/self/status, in bytes."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(key + ":"):
            return int(line.split()[1]) * 1024
    raise KeyError(key)


def available() -> bool:
    """Whether the system tells and lets us reset the high-water mark (Linux)."""
    return os.access("/proc/self/clear_refs", os.W_OK)


def measure(name: str, library: str) -> dict[str, float]:
    """In this process: bytes beyond the imported library at the peak of training."""
    lib = import_module(library)
    if library == "torch":
        lib.set_num_threads(2)
    warm = WORKLOADS["tiny_mlp"](lib)
    for _ in range(5):
        warm()
    del warm
    gc.collect()
    Path("/proc/self/clear_refs").write_text("5")
    before = status("VmRSS")
    workload = WORKLOADS[name](lib)
    for _ in range(STEPS):
        workload()
    return {"peak": status("VmHWM") - before, "total": status("VmHWM")}


def compare(name: str, libraries: list[str]) -> dict[str, Any]:
    """The peaks of one workload by library, each measured in a process of its own."""
    figures: dict[str, Any] = {}
    for library in libraries:
        command = [sys.executable, __file__, "--one", name, library]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        figures[library] = json.loads(done.stdout)
    line = "  ".join(f"{lib} {f['peak'] / 2**20:7.1f} MB" for lib, f in figures.items())
    if "torch" in figures:
        figures["ratio"] = figures["tensorgrad"]["peak"] / figures["torch"]["peak"]
        line += f"   ratio {figures['ratio']:.2f}"
    print(f"  {name:<14} {line}", flush=True)
    return figures


def main(names: list[str], libraries: list[str]) -> dict[str, Any]:
    """Measure and print; the figures by workload."""
    print(f"\nmemory: peak of {STEPS} training steps beyond the imported library")
    if not available():
        print("  not measured: this system has no /proc/self/clear_refs")
        return {}
    return {name: compare(name, libraries) for name in names if name not in TOO_SMALL}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--one", nargs=2, required=True, metavar=("NAME", "LIBRARY"))
    print(json.dumps(measure(*parser.parse_args().one)))
