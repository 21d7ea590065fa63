"""The tables of docs/reports.md, from the results of full runs.

    python -m examples.reports.collect [--out out/reports] [--page docs/reports.md] [--check]

Between the marks of each report on the page its rows are written anew from
``results-full.json``: what was run, when, on what machine, and how long it trained. Rows that no
full run has are marked "not run yet". --check writes
nothing and fails if the page says something else.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from examples.reports.checklist import ROWS, TITLES, rows_of
from examples.reports.report import MISSED, NOT_RUN, WRONG

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reports.md"
LONGEST = 160  # of what a tool said of a mistake: the page of the run has all of it


def section(number: str, out: Path) -> str:
    """One report's heading, where its numbers are from, and its rows."""
    path = out / number / "results-full.json"
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    rows = [row for row in found.get("rows", []) if row["verdict"] != NOT_RUN]
    lines = [f"### {number}: {TITLES[number]}", ""]
    if not rows:
        lines += ["Not run yet.", ""]
    else:
        minutes = trained(number, out) / 60
        missed = sum(row["verdict"] == MISSED for row in rows)
        wrong = sum(row["verdict"] == WRONG for row in rows)
        lines += [
            f"{found['where']}; {minutes:.0f} minutes of training in all. "
            f"{len({row['id'] for row in rows})} of {len(rows_of(number))} rows run, {missed} "
            f"number{'s' * (missed != 1)} missed, "
            f"{wrong} mistake{'s' * (wrong != 1)} of the report shown.", "",
        ]  # fmt: skip
    lines += ["| row | what | the report | tensorgrad | verdict |", "| --- " * 5 + "|"]
    for id in rows_of(number):
        own = [row for row in rows if row["id"] == id]
        for row in own:
            lines.append(_line(id, row["what"], row["target"], row["got"], row["verdict"]))
        if not own:
            lines.append(_line(id, *ROWS[id], "", "not run yet"))
    missed_ids = {row["id"] for row in rows if row["verdict"] == MISSED}
    why = [f"- **{r['id']}**: {r['note']}" for r in rows if r["id"] in missed_ids and r["note"]]
    if why:
        lines += ["", "Of what was missed:", "", *dict.fromkeys(why)]
    return "\n".join(lines) + "\n"


def trained(number: str, out: Path) -> float:
    """Seconds that the kept full runs took, measuring included."""
    folders = [out / number / "runs" / "full"]
    if number in ("000", "003"):  # the two share runs
        folders.append(out / "uva" / "full")
    kept = [json.loads(p.read_text()) for folder in folders for p in sorted(folder.glob("*.json"))]
    return sum(run["curves"]["seconds"][0] for run in kept if "curves" in run)


def _line(*cells: str) -> str:
    shown = [c if len(c) <= LONGEST else c[:LONGEST] + " ..." for c in cells]
    return "| " + " | ".join(c.replace("|", "\\|").replace("\n", " ") for c in shown) + " |"


def collected(page: str, out: Path) -> str:
    """The page with the sections between its marks written anew."""
    for number in TITLES:
        begin, end = f"<!-- report {number} -->\n", f"<!-- end {number} -->"
        if page.count(begin) != 1 or page.count(end) != 1:
            raise ValueError(f"collect: the page has no marks {begin.strip()} and {end}")
        head, rest = page.split(begin)
        page = head + begin + section(number, out) + end + rest.split(end)[1]
    return page


def main(argv: list[str] | None = None) -> int:
    """Write the page, or check it."""
    parser = argparse.ArgumentParser(
        prog="python -m examples.reports.collect", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("--out", type=Path, default=Path("out/reports"), help="the runs' folder")
    parser.add_argument("--page", type=Path, default=PAGE, help="the page with the marks")
    parser.add_argument("--check", action="store_true", help="only compare")
    arguments = parser.parse_args(argv)
    before = arguments.page.read_text(encoding="utf-8")
    after = collected(before, arguments.out)
    if arguments.check:
        print("the page is as the runs are" if before == after else "the page is out of date")
        return int(before != after)
    arguments.page.write_text(after, encoding="utf-8")
    print(f"wrote {arguments.page}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
