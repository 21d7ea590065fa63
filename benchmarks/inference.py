"""The workloads' models under no_grad in evaluation mode: the whole batch, and one example."""

from typing import Any

import numpy as np
from timing import race
from workloads import WORKLOADS


def compare(name: str, libraries: dict[str, Any], seconds: float) -> dict[str, Any]:
    """The times of each library for the full batch and for batch 1, and the ratios."""
    figures: dict[str, Any] = {}
    for label, batch in (("full", None), ("one", 1)):
        runs = {}
        for library, lib in libraries.items():
            workload = WORKLOADS[name](lib)
            if workload.predict is None:
                return {}
            runs[library] = workload.predict(batch)
        outputs = [run().numpy() for run in runs.values()]
        error = max(float(np.max(np.abs(a - outputs[0]))) for a in outputs)
        if error > 1e-3 * float(np.max(np.abs(outputs[0]))):
            raise SystemExit(f"inference {name}: the outputs differ by {error:.1e}")
        figures[label] = found = race(runs, seconds=seconds)
        line = "  ".join(f"{lib} {t['median'] * 1e3:8.3f} ms" for lib, t in found.items())
        if "torch" in found:
            found["ratio"] = found["tensorgrad"]["median"] / found["torch"]["median"]
            line += f"   ratio {found['ratio']:.2f}"
        print(f"  {name + ', ' + label:<20} {line}", flush=True)
    return figures


def main(names: list[str], libraries: dict[str, Any], seconds: float) -> dict[str, Any]:
    """Measure and print; the figures by workload."""
    print("\ninference under no_grad: the full batch, and one example")
    return {name: found for name in names if (found := compare(name, libraries, seconds))}
