"""Result files: medians over runs, what a file says of its machine, comparison with another."""

import json
import os
import platform
from collections.abc import Sequence
from datetime import date
from importlib import import_module
from pathlib import Path
from statistics import median
from typing import Any

from targets import Figure, figures

FOLDER = Path(__file__).resolve().parent / "results"
COMPARED = ("ratio", "time", "bytes")  # the keys whose single runs are kept beside the median
LEAST_NOISE = 0.10  # what a shared machine moves a ratio by without any change


def combine(runs: Sequence[Any]) -> Any:
    """The median of each number over equally shaped results; ``runs`` keeps those compared."""
    first = runs[0]
    if isinstance(first, dict):
        merged = {
            key: combine([run[key] for run in runs])
            for key in first
            if all(key in run for run in runs)
        }
        if kept := {k: [run[k] for run in runs] for k in COMPARED if _is_number(first.get(k))}:
            merged["runs"] = kept
        return merged
    if _is_number(first) and all(map(_is_number, runs)):
        return median(runs)
    return first


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def update(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    """``old`` with what ``new`` measured in its place, workload by workload."""
    merged = dict(old)
    for part, found in new.items():
        by_name = part in (
            "steps", "accelerator", "inference", "memory", "provenance", "scaling"
        )  # fmt: skip
        merged[part] = {**old.get(part, {}), **found} if by_name else found
        if part == "about":
            versions = {**old.get(part, {}).get("versions", {}), **found["versions"]}
            merged[part] = {**found, "versions": versions}
    return merged


def about() -> dict[str, Any]:
    """The date, the machine and the versions."""
    versions = {}
    for name in ("tensorgrad", "numpy", "torch", "jax", "autograd", "mygrad"):
        try:
            module = import_module(name)
        except ImportError:
            continue
        versions[name] = str(getattr(module, "__version__", "installed"))
    return {
        "date": date.today().isoformat(),
        "machine": f"{os.cpu_count()}-core {platform.machine()}" + _vector_unit(),
        "system": platform.system(),
        "python": platform.python_version(),
        "versions": versions,
    }


def _vector_unit() -> str:
    try:
        flags = set(
            Path("/proc/cpuinfo").read_text().split("flags", 1)[1].split("\n", 1)[0].split()
        )
    except (OSError, IndexError):
        return ""
    for flag, name in (("avx512f", "AVX-512"), ("avx2", "AVX2")):
        if flag in flags:
            return f", {name}"
    return ""


def last_release() -> Path | None:
    """The newest stored result file, by the date it tells."""
    stored = sorted(FOLDER.glob("*.json"), key=lambda file: load(file)["about"]["date"])
    return stored[-1] if stored else None


def load(file: Path) -> dict[str, Any]:
    """A result file."""
    content: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return content


def noise(*measured: Figure) -> float:
    """The relative spread of the single runs, at least `LEAST_NOISE`."""
    spreads = [(max(f.runs) - min(f.runs)) / f.value for f in measured if f.value > 0]
    return max(LEAST_NOISE, *spreads)


def compare(fresh: dict[str, Any], stored: dict[str, Any]) -> tuple[list[str], list[str]]:
    """(all lines of the comparison, those that are regressions beyond the noise)."""
    before = {figure.name: figure for figure in figures(stored)}
    lines, worse = [], []
    for now in figures(fresh):
        then = before.get(now.name)
        if then is None:
            continue
        allowed = noise(now, then)
        change = now.value / then.value - 1
        line = f"{now.name:<38} {then.value:9.3f} -> {now.value:9.3f}  {change:+7.1%}"
        if change > allowed:
            line += f"  REGRESSION (noise {allowed:.0%})"
            worse.append(line)
        elif change < -allowed:
            line += "  better"
        lines.append(line)
    return lines, worse
