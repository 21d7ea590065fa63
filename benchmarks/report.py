"""Write a result file's tables into docs/benchmarks.md and its pictures beside them.

    python benchmarks/report.py [FILE] [--page PAGE]

Without FILE the last release's.  A table stands between ``<!-- begin: NAME -->`` and
``<!-- end: NAME -->``; everything outside the marks is written by people and stays.
"""

import argparse
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import chart
import results
from targets import ACCELERATED, CONVOLUTIONS, STEPS, figures, inference
from workloads import WORKLOADS

DOCS = Path(__file__).resolve().parent.parent / "docs"
LIBRARIES = {
    "tensorgrad": "tensorgrad",
    "torch": "PyTorch",
    "jax": "JAX jit",
    "autograd": "autograd",
    "mygrad": "MyGrad",
}

APART = ("accelerator", "inference", "memory")  # figures with tables of their own


def table(head: list[str], rows: list[list[str]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def milliseconds(seconds: float) -> str:
    """Three digits."""
    ms = seconds * 1e3
    return f"{ms:.3f}" if ms < 1 else f"{ms:.2f}" if ms < 10 else f"{ms:.1f}"


def bar(value: float, limit: float) -> str:
    """A value, in bold where it is within its limit."""
    return f"**{value:.2f}**" if value <= limit else f"{value:.2f}"


def about(found: dict[str, Any]) -> str:
    """One line: machine, versions, date."""
    a = found["about"]
    versions = ", ".join(
        f"{LIBRARIES.get(name, 'NumPy' if name == 'numpy' else name)} {version}"
        for name, version in a["versions"].items()
    )
    return (
        f"Measured on {a['date']} on a {a['machine']} machine ({a['system']}, "
        f"Python {a['python']}; {versions}), float32, two threads."
    )


def steps(found: dict[str, Any]) -> str:
    """Training steps: median (and 10th percentile) of each library, ratio and bars."""
    measured = found.get("steps", {})
    present = [lib for lib in LIBRARIES if any(lib in f for f in measured.values())]
    head = ["one training step", *(f"{LIBRARIES[lib]}, ms" for lib in present)]
    rows = []
    for name in WORKLOADS:
        if name not in measured:
            continue
        f = measured[name]
        meaning = (WORKLOADS[name].__doc__ or "").strip().rstrip(".").split("\n")[0]
        times = [
            f"{milliseconds(f[lib]['median'])} ({milliseconds(f[lib]['p10'])})" if lib in f else "-"
            for lib in present
        ]
        target = STEPS[name]
        row = [f"{name}: {meaning}", *times]
        row += [bar(f["ratio"], target.bar), f"{target.bar:g}", f"{target.goal:g}"]
        rows.append(row)
    return table([*head, "ratio", "bar", "goal"], rows)


def accelerated(found: dict[str, Any]) -> str:
    """With oneDNN: a training step, and the ratios of inference."""
    measured = found.get("accelerator", {})
    if not measured:
        return "Not measured in this run."
    rows = []
    for name, f in measured.items():
        times = [milliseconds(f[lib]["median"]) for lib in ("tensorgrad", "torch")]
        limit = ACCELERATED[name].bar
        parts = [f"{f['inference'][part]['ratio']:.2f}" for part in ("full", "one")]
        rows.append([name, *times, bar(f["ratio"], limit), f"{limit:g}", *parts])
    head = ["with oneDNN, one training step", "tensorgrad, ms", "PyTorch, ms", "ratio", "bar"]
    return table([*head, "inference, full batch", "inference, batch 1"], rows)


def others(found: dict[str, Any]) -> str:
    """The figures that are not training steps, inference or memory."""
    rows = []
    for figure in figures(found):
        if figure.name in STEPS or figure.name.startswith(APART):
            continue
        assert figure.target is not None
        limit, goal = figure.target.bar, figure.target.goal
        rows.append(
            [
                figure.name,
                bar(figure.value, limit),
                f"{limit:g}",
                "" if goal is None else f"{goal:g}",
            ]
        )
    return table(["", "measured", "bar", "goal"], rows)


def operations(found: dict[str, Any]) -> str:
    """Every one of the forty operations."""
    rows = [
        [name, *(f"{f[lib]['median'] * 1e6:.1f}" for lib in ("tensorgrad", "torch"))]
        + [f"{f['ratio']:.2f}"]
        for name, f in found.get("per-op", {}).get("operations", {}).items()
    ]
    return table(["operation on (8, 8)", "tensorgrad, us", "PyTorch, us", "ratio"], rows)


def inferences(found: dict[str, Any]) -> str:
    """Inference: full batch and batch 1."""
    rows = []
    for name, parts in found.get("inference", {}).items():
        row = [name]
        for part in ("full", "one"):
            f = parts[part]
            row += [milliseconds(f[lib]["median"]) for lib in ("tensorgrad", "torch")]
            row += [bar(f["ratio"], limit := inference(name, part).bar), f"{limit:g}"]
        rows.append(row)
    head = ["under no_grad"]
    for part in ("full batch", "batch 1"):
        head += [f"{part}: tensorgrad, ms", "PyTorch, ms", "ratio", "bar"]
    return table(head, rows)


def memory(found: dict[str, Any]) -> str:
    """Peaks of training."""
    rows = []
    for name, f in found.get("memory", {}).items():
        limit = 1.0 if name in CONVOLUTIONS else float("inf")
        peaks = [f"{f[lib]['peak'] / 2**20:.1f}" for lib in ("tensorgrad", "torch")]
        totals = [f"{f[lib]['total'] / 2**20:.0f}" for lib in ("tensorgrad", "torch")]
        rows.append([name, *peaks, bar(f["ratio"], limit), *totals])
    head = ["peak of training beyond the imported library", "tensorgrad, MB", "PyTorch, MB"]
    return table([*head, "ratio", "whole process: tensorgrad, MB", "PyTorch, MB"], rows)


def graph(found: dict[str, Any]) -> str:
    """The chains."""
    names = {**LIBRARIES, "bare_tape": "a bare tape"}
    rows = []
    for nodes, libraries in found.get("graph", {}).items():
        for lib, f in libraries.items():
            times = [f"{f[key]:.2f}" for key in ("forward", "backward")]
            rows.append([f"{int(nodes):,}", names[lib], *times, f"{f['bytes']:.0f}"])
    head = ["nodes", "", "forward, us a node", "backward, us a node", "bytes a node"]
    return table(head, rows)


def startup(found: dict[str, Any]) -> str:
    """Import and first step."""
    f = found.get("startup", {})
    times = [f"{f[lib]['median'] * 1e3:.0f}" for lib in ("tensorgrad", "torch") if lib in f]
    return table(
        ["process start to first training step of mnist_mlp", "tensorgrad, ms", "PyTorch, ms"],
        [["median of whole processes in turns", *times]],
    )


def scaling(found: dict[str, Any]) -> str:
    """Milliseconds of a step by size, and the exponent of growth from the size before."""
    rows = []
    for content in found.get("scaling", {}).values():
        for name, line in content["lines"].items():
            grown = ["", *(f"{s:.2f}" for s in chart.slopes([(x, y) for x, y in line]))]
            cells = [
                f"{x:,}: {y:.3g} ms" + (f" ({s})" if s else "")
                for (x, y), s in zip(line, grown, strict=True)
            ]
            rows.append([content["title"], LIBRARIES[name], "; ".join(cells)])
    return table(["", "", "size: a step (exponent of growth from the size before)"], rows)


def roofline(found: dict[str, Any]) -> str:
    """Floors and how many times a step is above them."""
    content = found.get("roofline", {})
    rows = []
    for name, f in content.get("workloads", {}).items():
        times = [milliseconds(f[key]) for key in ("arithmetic", "memory", "step")]
        above = f"{f['step'] / f['floor']:.1f}" if f["floor"] > 0 else ""
        work = f"{f['flops'] / 1e6:,.1f}", f"{f['moved'] / 1e6:,.1f}"
        fits = "yes" if f["cached"] else "no"
        rows.append([name, work[0], times[0], work[1], times[1], fits, times[2], above])
    head = ["", "MFLOP", "at that rate, ms", "MB", "at that rate, ms", "fits the cache"]
    rates = content.get("rates")
    line = ""
    if rates:
        line = (
            f"Products: {rates['flops'] / 1e9:.0f} GFLOP/s. "
            f"Copies: {rates['bytes'] / 1e9:.1f} GB/s.\n\n"
        )
    return line + table([*head, "a step, ms", "times the floor"], rows)


TABLES: dict[str, Callable[[dict[str, Any]], str]] = {
    "about": about,
    "steps": steps,
    "accelerator": accelerated,
    "others": others,
    "inference": inferences,
    "memory": memory,
    "startup": startup,
    "graph": graph,
    "scaling": scaling,
    "roofline": roofline,
    "operations": operations,
}


def written(page: str, found: dict[str, Any]) -> str:
    """The page with the tables between its marks replaced; an unknown mark is an error."""

    def fill(match: re.Match[str]) -> str:
        name = match[1]
        if name not in TABLES:
            raise SystemExit(f"the page marks a table {name!r}; there are {', '.join(TABLES)}")
        return f"<!-- begin: {name} -->\n{TABLES[name](found)}\n<!-- end: {name} -->"

    return re.sub(r"<!-- begin: (\S+) -->\n.*?<!-- end: \1 -->", fill, page, flags=re.DOTALL)


def pictures(found: dict[str, Any]) -> dict[str, str]:
    """File name to SVG."""
    shown = [f for f in figures(found) if f.target is None or not f.target.unit]
    shown = [f for f in shown if not f.name.startswith(APART)]
    a = found["about"]
    out = {
        "benchmarks.svg": chart.bars(
            shown,
            "Time of tensorgrad over time of PyTorch: shorter is faster",
            f"{a['machine']}, {a['date']}, float32, two threads, medians",
        )
    }
    if "scaling" in found:
        title = "How a training step grows"
        content = chart.as_panels(found["scaling"])
        out["scaling.svg"] = chart.panels(content, title, "milliseconds, both axes logarithmic")
    return out


def main() -> None:
    """Write the page and the pictures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("file", type=Path, nargs="?", default=results.last_release())
    parser.add_argument("--page", type=Path, default=DOCS / "benchmarks.md")
    args = parser.parse_args()
    if args.file is None:
        parser.error("there is no stored result file: name one")
    found = results.load(args.file)
    page = args.page.read_text(encoding="utf-8")
    args.page.write_text(written(page, found), encoding="utf-8")
    for name, svg in pictures(found).items():
        (args.page.parent / "images" / name).write_text(svg, encoding="utf-8")


if __name__ == "__main__":
    main()
