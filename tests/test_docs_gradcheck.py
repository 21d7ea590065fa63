"""The page on gradcheck: its examples run, and print what the page shows."""

import contextlib
import io
import linecache
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import tensorgrad as tg
from tensorgrad.gradcheck import gradcheck

pytest_plugins = "pytest_tensorgrad"

PAGE = Path(__file__).resolve().parent.parent / "docs" / "gradcheck.md"
BLOCK = re.compile(r"```(python|text)\n(.*?)```", re.DOTALL)


def _only_python(text: str) -> Iterator[str]:
    """The page with empty lines in place of what is not an example."""
    end = 0
    for match in BLOCK.finditer(text):
        if match[1] == "python":
            yield "\n" * text[end : match.start(2)].count("\n") + match[2]
            end = match.end(2)


def rerun(text: str, names: dict[str, Any], page: Path = PAGE) -> str:
    """A page, with what its examples print now; ``names`` receives what they define."""
    printed = io.StringIO()
    # What reads the lines of a program finds those of the examples alone.
    lines = "".join(_only_python(text)).splitlines(keepends=True)
    linecache.cache[f"docs/{page.name}"] = (len(text), None, lines, f"docs/{page.name}")

    def block(match: re.Match[str]) -> str:
        kind, body = match.groups()
        if kind == "python":
            line = text[: match.start()].count("\n") + 1
            code = compile("\n" * line + body, f"docs/{page.name}", "exec")
            printed.seek(0)
            printed.truncate()
            with contextlib.redirect_stdout(printed):
                exec(code, names)
            return match.group()
        return f"```text\n{printed.getvalue()}```"

    return BLOCK.sub(block, text)


def test_the_page_shows_what_its_examples_print():
    text = PAGE.read_text(encoding="utf-8")
    assert text.count("```text") == 6
    names: dict[str, Any] = {"__name__": "gradcheck_page"}
    assert rerun(text, names) == text
    # The last example is a test, for the plugin to run.
    function, arrays = names["test_batch_norm"]()
    (mark,) = names["test_batch_norm"].pytestmark
    inputs = tuple(tg.tensor(a, requires_grad=True) for a in arrays)
    assert gradcheck(function, inputs, **mark.kwargs)


if __name__ == "__main__":  # writes the outputs anew
    PAGE.write_text(rerun(PAGE.read_text(encoding="utf-8"), {}), encoding="utf-8")
