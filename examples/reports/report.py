"""A report's rows: what it printed, what we got, and the verdict; written as report.md."""

from __future__ import annotations

import argparse
import fnmatch
import importlib.util
import json
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

import tensorgrad as tg
from examples.reports.checklist import ROWS, TITLES, rows_of
from tensorgrad import viz

REACHED, MISSED, WRONG = "reached", "missed", "the report is wrong"
SHOWN, QUICK, NOT_RUN = "shown", "quick, not judged", "not run"
FORMULA_LIMIT = 1e-7  # relative error of a formula beside finite differences, in float64


@dataclass
class Row:
    """One line of the checklist, or a part of one."""

    id: str
    what: str
    target: str
    got: str
    verdict: str
    note: str = ""
    values: list[float] = field(default_factory=list)
    part: str = ""  # of the script, which made it


class Report:
    """Collects the rows, tables and figures of one report and writes them to its folder.

    full: whether the runs have the report's own length.  seeds: which.  data: the folder of MNIST
    and CIFAR-10.  peer: whether PyTorch is trained too.  runs: where finished runs are kept.
    """

    def __init__(self, number: str, arguments: argparse.Namespace) -> None:
        self.number, self.full = number, arguments.full
        self.seeds, self.data = range(arguments.seeds), arguments.data
        self.peer = arguments.torch
        self.only: list[str] = arguments.only or ["*"]
        self.form = "full" if self.full else "quick"
        self.folder = Path(arguments.out) / number
        self.runs = self.folder / "runs" / self.form
        # The two reports of the UvA course share runs.
        self.shared_runs = Path(arguments.out) / "uva" / self.form
        self.folder.mkdir(parents=True, exist_ok=True)
        self.rows: list[Row] = []
        self.ran: list[str] = []  # the parts of the script, as they are begun
        self.links: dict[str, str] = {}  # figures and derivations: file, what it shows
        self.tables: dict[str, str] = {}
        self._began = time.perf_counter()

    def steps(self, full: int, quick: int) -> int:
        """How many, in this form."""
        return full if self.full else min(full, quick)

    def wants(self, *ids: str) -> bool:
        """Whether one of these rows was asked for."""
        return any(fnmatch.fnmatch(id, pattern) for id in ids for pattern in self.only)

    # --- rows -------------------------------------------------------------------------------------

    def add(self, id: str, got: str, verdict: str, **other: Any) -> Row:
        """A row as the checklist has it; ``other`` are fields of `Row` that differ from that."""
        what, target = ROWS[id]
        other["part"] = self.ran[-1] if self.ran else ""
        row = Row(id, other.pop("what", what), other.pop("target", target), got, verdict, **other)
        self.rows.append(row)
        line = f"{row.id:<8} {row.verdict:<19} {row.what}: {row.got} (report: {row.target})"
        print(line, flush=True)
        return row

    def judged(self, good: bool) -> str:
        """The verdict of a trained number: a quick run has none."""
        return (REACHED if good else MISSED) if self.full else QUICK

    def number_row(
        self, id: str, target: float, got: Sequence[float], tolerance: float = 0.02, *,
        better: str = "higher", percent: bool = True, **other: Any,
    ) -> Row:  # fmt: skip
        """The mean of ``got`` must be within ``tolerance`` of the target, or ``better`` than it."""
        mean = statistics.fmean(got)
        far = mean - target if better == "higher" else target - mean
        printed = f"{100 * target:.4g} %" if percent else f"{target:g}"
        values = [float(v) for v in got]
        text, verdict = self.spread(values, percent), self.judged(far >= -tolerance)
        return self.add(id, text, verdict, target=printed, values=values, **other)

    def peer_row(
        self, id: str, target: float, got: Sequence[float], what: str, note: str = "",
        percent: bool = True,
    ) -> Row:  # fmt: skip
        """What PyTorch reached, to compare with: shown, for a miss of it is none of ours."""
        printed = f"{100 * target:.4g} %" if percent else f"{target:g}"
        values = [float(v) for v in got]
        return self.add(id, self.spread(values, percent), SHOWN, what=what, target=printed,
                        values=values, note=note)  # fmt: skip

    @staticmethod
    def spread(got: Sequence[float], percent: bool = True) -> str:
        """Mean, deviation and number of seeds."""
        scale, digits = (100, 1) if percent else (1, 4)
        text = f"{scale * statistics.fmean(got):.{digits}f}" + " %" * percent
        if len(got) > 1:
            text += f" ± {scale * statistics.stdev(got):.{digits}f}"
        return text + f", {len(got)} seed{'s' * (len(got) > 1)}"

    def exact_row(self, id: str, target: Any, got: Any, **other: Any) -> Row:
        """Something that must be equal."""
        return self.add(
            id, str(got), REACHED if target == got else MISSED, target=str(target), **other
        )

    def close_row(self, id: str, error: float, limit: float, **other: Any) -> Row:
        """Something computed: its error must be at most a limit."""
        got = f"error {error:.1e} (at most {limit:.0e})"
        return self.add(id, got, REACHED if error <= limit else MISSED, **other)

    def wrong_row(self, id: str, got: str, evidence: Any, lesson: str, **other: Any) -> Row:
        """A mistake of the report: what a tool says of it, and what a student would learn."""
        name = f"{id}.txt"
        (self.folder / name).write_text(f"{evidence}\n", encoding="utf-8")
        self.links[name] = f"{id}: what the tool says"
        return self.add(id, got, WRONG, note=lesson, **other)

    @staticmethod
    def within(error: float) -> str:
        """The verdict of a formula, from its error beside finite differences."""
        return REACHED if error <= FORMULA_LIMIT else MISSED

    @staticmethod
    def said(check: Any) -> str:
        """What `viz.check_derivation` explains, in one line."""
        return " ".join(check.explanation.split())

    @staticmethod
    def first(check: Any) -> str:
        """The first sentence of that."""
        return str(check.explanation.strip().splitlines()[0])

    def formula_row(
        self, id: str, figure: Any, name: str, operation: str, to: str, show: str = "formula",
        **other: Any,
    ) -> Row:  # fmt: skip
        """A formula as the derivation has it: of the step ``operation`` towards ``to``.

        show: "formula", the gradient that is handed on; "local", the operation's derivative;
            "cases", that case by case; "closed", the gradient with everything put in.
        """
        if f"{name}.html" not in self.links:
            for suffix in (".html", ".tex"):
                figure.save(self.folder / f"{name}{suffix}")
            self.links[f"{name}.html"] = f"derivation ({name}.tex for LaTeX): {figure.title}"
        (way,) = (
            way
            for step in figure.data["steps"] if step["operation"] == operation
            for way in step["gives"] if way["to"] == to
        )  # fmt: skip
        sides = (way["gradient"], way["formula"]) if show == "formula" else way[show]
        checks = [way["check"], *(r["check"] for r in figure.data["results"])]
        error = max(check["relative_error"] for check in checks)
        text = " = ".join(side["text"] for side in sides)
        got = f"{text}; finite differences {error:.1e}; {name}.html"
        return self.add(id, got, self.within(error), **other)

    def figure(self, id: str, figure: Any, name: str, **other: Any) -> None:
        """Save a figure as SVG, and its row."""
        figure.save(self.folder / f"{name}.svg")
        self.links[f"{name}.svg"] = f"{id}: {ROWS[id][0]}"
        self.add(id, f"{name}.svg", SHOWN, **other)

    def table(self, what: str, name: str, rows: list[dict[str, Any]], **how: Any) -> None:
        """Write a table as Markdown, CSV and LaTeX."""
        figure = viz.table(rows, title=what, **how)
        for suffix in (".md", ".csv", ".tex"):
            figure.save(self.folder / f"{name}{suffix}")
        self.tables[what] = (self.folder / f"{name}.md").read_text(encoding="utf-8")

    # --- the end ----------------------------------------------------------------------------------

    def finish(self) -> int:
        """Write report.md and the results; 1 if something was missed."""
        minutes = (time.perf_counter() - self._began) / 60
        results = self.folder / f"results-{self.form}.json"
        self._take_over(results)
        order = {id: k for k, id in enumerate(rows_of(self.number))}
        there = {row.id for row in self.rows}
        rest = [Row(id, *ROWS[id], "", NOT_RUN) for id in order if id not in there]
        rows = sorted(self.rows + rest, key=lambda row: order[row.id])
        where = (
            f"{time.strftime('%d %B %Y')}, {platform.machine()}, {os.cpu_count()} cores, Python "
            f"{platform.python_version()}, NumPy {np.__version__}, tensorgrad {tg.__version__}"
        )
        found = {
            "report": self.number, "title": TITLES[self.number], "form": self.form,
            "minutes": minutes, "where": where, "rows": [asdict(row) for row in rows],
            "links": self.links, "tables": self.tables,
        }  # fmt: skip
        results.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        listed = [
            {"row": r.id, "what": r.what, "the report": r.target, "tensorgrad": r.got,
             "verdict": r.verdict}
            for r in rows
        ]  # fmt: skip
        self.table("Rows", "rows", listed)
        (self.folder / "report.md").write_text(self._page(rows, where, minutes), encoding="utf-8")
        missed = [row.id for row in rows if row.verdict == MISSED]
        print(f"\n{self.folder / 'report.md'}: {len(rows)} rows, {minutes:.1f} minutes")
        if missed:
            print(f"missed: {', '.join(missed)}")
        return 1 if missed else 0

    def _take_over(self, results: Path) -> None:
        """The rows of parts that an earlier run of the same form has run, and this one not."""
        if self.only == ["*"] or not results.exists():
            return
        before = json.loads(results.read_text(encoding="utf-8"))
        self.rows += [
            Row(**row)
            for row in before["rows"]
            if row["part"] not in self.ran and row["verdict"] != NOT_RUN
        ]
        self.links = {**before["links"], **self.links}
        self.tables = {**before["tables"], **self.tables}

    def _page(self, rows: list[Row], where: str, minutes: float) -> str:
        lines = [
            f"# Report {self.number}: {TITLES[self.number]}", "",
            f"A {self.form} run of {minutes:.1f} minutes (runs that were there already are not in "
            f"that), {where}.", "",
        ]  # fmt: skip
        if not self.full:
            lines += ["Quick runs are too short to judge a trained number by.", ""]
        lines += [self.tables.pop("Rows").rstrip(), ""]
        noted = [row for row in rows if row.note]
        if noted:
            lines += ["## Notes", "", *(f"- **{row.id}**: {row.note}" for row in noted), ""]
        for what, text in self.tables.items():
            lines += [f"## {what}", "", text.rstrip(), ""]
        lines += ["## Figures and derivations", ""]
        for name, what in self.links.items():
            lines += [f"{'!' * name.endswith('.svg')}[{what}]({name})", ""]
        return "\n".join(lines)


Part = tuple[Callable[[Report], None], Sequence[str]]


def main(number: str, doc: str | None, parts: Sequence[Part], argv: list[str] | None = None) -> int:
    """Run the parts of a report whose rows are asked for: what all five scripts do."""
    parser = argparse.ArgumentParser(
        prog=f"python -m examples.reports.r{number}", description=doc,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    form = parser.add_mutually_exclusive_group()
    form.add_argument(
        "--quick", action="store_true", help="short runs, numbers not judged (default)"
    )
    form.add_argument("--full", action="store_true", help="the report's own numbers of steps")
    parser.add_argument("--seeds", type=int, help="runs of each model (default: 3; quick: 1)")
    parser.add_argument("--data", help="folder of MNIST and CIFAR-10 (default: TENSORGRAD_DATA)")
    parser.add_argument("--out", default="out/reports", help="where the reports' folders go")
    parser.add_argument(
        "--only", nargs="+", metavar="ROW", help="only these rows, as 001-T0 or '001-F*'"
    )
    parser.add_argument(
        "--torch",
        action="store_true",
        help="train with PyTorch, too: 003's mini-VGG, what 001 and 002-V1 missed",
    )
    arguments = parser.parse_args(argv)
    if arguments.seeds is None:
        arguments.seeds = 3 if arguments.full else 1
    if arguments.seeds < 1:
        parser.error(f"--seeds must be at least 1, got {arguments.seeds}")
    if arguments.torch and importlib.util.find_spec("torch") is None:
        parser.error("--torch: PyTorch is not installed (make parity installs it)")
    for pattern in arguments.only or []:
        if not fnmatch.filter(rows_of(number), pattern):
            parser.error(f"--only: no row of report {number} is called {pattern}")
    tg.tune_malloc()  # the next step finds the last one's memory in the process
    report = Report(number, arguments)
    try:
        for part, ids in parts:
            if report.wants(*ids):
                report.ran.append(part.__name__)
                part(report)
    except FileNotFoundError as error:  # what was done is written, the rest is "not run"
        report.finish()
        print(f"{parser.prog}: {error}", file=sys.stderr)
        return 2
    return report.finish()
