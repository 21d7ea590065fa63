"""A report's rows: what it printed, what we got, and the verdict; written as report.md."""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

import tensorgrad as tg

REACHED, MISSED, EXACT, WRONG = "reached", "missed", "exact", "the report is wrong"
SHOWN, QUICK, NOT_RUN = "shown", "quick run, not judged", "not run"


@dataclass
class Row:
    """One line of the checklist."""

    id: str
    what: str
    target: str
    got: str
    verdict: str
    note: str = ""
    values: list[float] = field(default_factory=list)


class Report:
    """Collects the rows, tables and figures of one report and writes them to its folder."""

    def __init__(self, number: str, title: str, arguments: argparse.Namespace) -> None:
        self.number, self.title = number, title
        self.full, self.seeds = arguments.full, arguments.seeds
        self.folder = Path(arguments.out) / number
        self.folder.mkdir(parents=True, exist_ok=True)
        self.rows: list[Row] = []
        self.figures: list[tuple[str, str]] = []
        self.tables: list[tuple[str, str]] = []
        self._began = time.perf_counter()

    def number_row(
        self,
        id: str,
        what: str,
        target: float,
        got: Sequence[float],
        tolerance: float,
        better: str = "higher",
        note: str = "",
        percent: bool = True,
    ) -> Row:
        """A measured number: the mean of ``got`` must be within ``tolerance`` of the target.

        better: on which side of the target no tolerance is needed, ``"higher"`` or ``"lower"``, or
        ``""`` for neither.
        """

        def words(v: float) -> str:
            return f"{100 * v:.1f} %" if percent else f"{v:.4f}"

        if not got:
            return self._add(Row(id, what, words(target), "", NOT_RUN, note))
        mean = statistics.fmean(got)
        far = mean - target
        good = abs(far) <= tolerance or (better == "higher" and far > 0) or (
            better == "lower" and far < 0
        )
        verdict = (REACHED if good else MISSED) if self.full else QUICK
        text = words(mean)
        if len(got) > 1:
            text += f" ± {100 * statistics.stdev(got):.1f}" if percent else (
                f" ± {statistics.stdev(got):.4f}"
            )
        text += f", {len(got)} seed{'s' if len(got) > 1 else ''}"
        return self._add(Row(id, what, words(target), text, verdict, note, list(map(float, got))))

    def exact_row(self, id: str, what: str, target: Any, got: Any, note: str = "") -> Row:
        """Something that must be equal."""
        verdict = EXACT if target == got else MISSED
        return self._add(Row(id, what, str(target), str(got), verdict, note))

    def close_row(
        self, id: str, what: str, error: float, limit: float, note: str = "", target: str = ""
    ) -> Row:
        """A formula or a computed table: its error must be below a limit."""
        verdict = REACHED if error <= limit else MISSED
        got = f"error {error:.1e}"
        return self._add(Row(id, what, target or f"error below {limit:.0e}", got, verdict, note))

    def claim_row(self, id: str, what: str, target: str, got: str, holds: bool, note: str) -> Row:
        """A statement of the report, which our runs bear out or not."""
        verdict = (REACHED if holds else MISSED) if self.full else QUICK
        return self._add(Row(id, what, target, got, verdict, note))

    def wrong_row(self, id: str, what: str, target: str, got: str, lesson: str) -> Row:
        """A mistake of the report, and the sentence that a student would learn from."""
        return self._add(Row(id, what, target, got, WRONG, lesson))

    def figure(self, id: str, what: str, figure: Any, name: str) -> Path:
        """Save a figure as SVG, and its row."""
        path = self.folder / f"{name}.svg"
        figure.save(path)
        self.figures.append((what, path.name))
        self._add(Row(id, what, "figure", path.name, SHOWN))
        return path

    def derivation(self, id: str, what: str, figure: Any, name: str) -> None:
        """Save a derivation as HTML and LaTeX."""
        for suffix in (".html", ".tex"):
            figure.save(self.folder / f"{name}{suffix}")
        self.figures.append((what, f"{name}.html"))

    def table(self, what: str, name: str, head: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        """Write a table as Markdown, CSV and LaTeX."""
        from tensorgrad import viz

        figure = viz.table(rows, columns=head, title=what)
        for suffix in (".md", ".csv", ".tex"):
            figure.save(self.folder / f"{name}{suffix}")
        self.tables.append((what, (self.folder / f"{name}.md").read_text()))

    def _add(self, row: Row) -> Row:
        self.rows.append(row)
        print(f"{row.id:<9} {row.verdict:<22} {row.what}: {row.got} (report: {row.target})")
        return row

    def finish(self) -> int:
        """Write report.md and results.json; 1 if a full run has missed something."""
        minutes = (time.perf_counter() - self._began) / 60
        where = (
            f"{time.strftime('%d %B %Y')}, {platform.machine()}, Python "
            f"{platform.python_version()}, NumPy {np.__version__}, tensorgrad {tg.__version__}"
        )
        form = "full" if self.full else "quick"
        lines = [
            f"# Report {self.number}: {self.title}", "",
            f"A {form} run of {minutes:.1f} minutes (runs that were there already are not in that), "
            f"{where}.", "",
            "| row | what | the report | tensorgrad | verdict |", "| --- | --- | --- | --- | --- |",
        ]  # fmt: skip
        for row in self.rows:
            cells = (row.id, row.what, row.target, row.got, row.verdict)
            lines.append(f"| {' | '.join(_cell(c) for c in cells)} |")
        notes = [row for row in self.rows if row.note]
        if notes:
            lines += ["", "## Notes", ""]
            lines += [f"- **{row.id}**: {row.note}" for row in notes]
        for what, text in self.tables:
            lines += ["", f"## {what}", "", text.rstrip()]
        if self.figures:
            lines += ["", "## Figures and derivations", ""]
            for what, name in self.figures:
                picture = "!" if name.endswith(".svg") else ""
                lines += [f"{picture}[{what}]({name})", ""]
        (self.folder / "report.md").write_text("\n".join(lines) + "\n")
        results = {
            "report": self.number, "title": self.title, "full": self.full, "minutes": minutes,
            "where": where, "rows": [asdict(row) for row in self.rows],
        }  # fmt: skip
        (self.folder / "results.json").write_text(json.dumps(results, indent=1) + "\n")
        missed = [row.id for row in self.rows if row.verdict == MISSED]
        print(f"\n{self.folder / 'report.md'}: {len(self.rows)} rows, {minutes:.1f} minutes")
        if missed:
            print(f"missed: {', '.join(missed)}")
        return 1 if missed else 0


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def arguments_of(doc: str | None, **further: Any) -> argparse.Namespace:
    """The command line that all reports have."""
    parser = argparse.ArgumentParser(
        description=doc, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--quick", action="store_true", help="short runs, numbers not judged (default)")
    form.add_argument("--full", action="store_true", help="the report's own numbers of steps")
    parser.add_argument("--seeds", type=int, help="runs of each model (default 3; 1 when quick)")
    parser.add_argument("--data", help="folder of MNIST and CIFAR-10 (default: TENSORGRAD_DATA)")
    parser.add_argument("--out", default="out/reports", help="where the reports' folders go")
    parser.add_argument("--only", nargs="*", metavar="ROW", help="only the runs of these rows")
    arguments = parser.parse_args()
    if arguments.seeds is None:
        arguments.seeds = 3 if arguments.full else 1
    if arguments.seeds < 1:
        parser.error(f"--seeds must be at least 1, got {arguments.seeds}")
    return arguments
