"""From the start of a process to the end of the first training step of mnist_mlp.

Whole processes in turns; each writes a line when its step is done, and the clock stops there.  The
first process of each library is not counted: it writes bytecode, for both into a folder of this
measurement (an installed package has its own, a checkout perhaps not), and fills the disk's cache.
"""

import os
import subprocess
import sys
import tempfile
import time
from statistics import median
from typing import Any

PROGRAM = """
import {library}
from {library} import nn, optim
{library}.manual_seed(0)
model = nn.Sequential(nn.Linear(784, 300), nn.Sigmoid(), nn.Linear(300, 10))
optimizer = optim.SGD(model.parameters(), lr=0.01)
images, labels = {library}.randn(50, 784), {library}.randint(0, 10, (50,))
optimizer.zero_grad()
loss = nn.CrossEntropyLoss()(model(images), labels)
loss.backward()
optimizer.step()
print(loss.item(), flush=True)
"""


def once(library: str, bytecode: str) -> float:
    """Seconds of one process."""
    environment = {**os.environ, "PYTHONPYCACHEPREFIX": bytecode}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    command = [sys.executable, "-c", PROGRAM.format(library=library)]
    start = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        spent = time.perf_counter() - start
        process.communicate()
    if process.returncode or not 1.0 < float(line) < 4.0:
        raise SystemExit(f"startup: {library} failed: {line!r}")
    return spent


def main(libraries: list[str], quick: bool) -> dict[str, Any]:
    """Measure and print; the figures by library."""
    print("\nimport + first step: from the start of the process")
    times: dict[str, list[float]] = {library: [] for library in libraries}
    with tempfile.TemporaryDirectory() as bytecode:
        for turn in range(4 if quick else 9):
            for library in libraries:
                spent = once(library, bytecode)
                if turn:
                    times[library].append(spent)
    figures: dict[str, Any] = {
        library: {"median": median(spent), "p10": sorted(spent)[len(spent) // 10]}
        for library, spent in times.items()
    }
    line = "  ".join(f"{lib} {f['median'] * 1e3:7.0f} ms" for lib, f in figures.items())
    if "torch" in figures:
        figures["ratio"] = figures["tensorgrad"]["median"] / figures["torch"]["median"]
        line += f"   ratio {figures['ratio']:.2f}"
    print(f"  mnist_mlp      {line}", flush=True)
    return figures
