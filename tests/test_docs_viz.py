"""The pages on viz: their examples run, and print what the pages show, but for the numbers."""

import contextlib
import io
import re
from pathlib import Path

import pytest

DOCS = Path(__file__).resolve().parent.parent / "docs"
BLOCK = re.compile(r"```(python|text)\n(.*?)```", re.DOTALL)


def rerun(name: str) -> str:
    """The page, with what its examples print now."""
    text = (DOCS / name).read_text(encoding="utf-8")
    printed = io.StringIO()
    names: dict[str, object] = {"__name__": "page"}

    def block(match: re.Match[str]) -> str:
        kind, body = match.groups()
        if kind == "python":
            line = text[: match.start()].count("\n") + 1
            printed.seek(0)
            printed.truncate()
            with contextlib.redirect_stdout(printed):
                exec(compile("\n" * line + body, f"docs/{name}", "exec"), names)
            return match.group()
        return f"```text\n{printed.getvalue()}```"

    return BLOCK.sub(block, text)


def words(text: str) -> list[str]:
    """Without numbers, bars and the width of columns: they differ in the last digit elsewhere."""
    text = re.sub(r"-?\d[\d.,]*(e[+-]?\d+)?", "0", text)
    return re.sub(r"[▁▂▃▄▅▆▇█▏▎▍▌▋▊▉·×-]+", "~", text).split()


@pytest.mark.parametrize("name", ["monitor.md", "pictures.md", "doctor.md"])
def test_the_page_shows_what_its_examples_print(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shown = (DOCS / name).read_text(encoding="utf-8")
    assert "```text\n```" not in shown
    assert words(rerun(name)) == words(shown)
