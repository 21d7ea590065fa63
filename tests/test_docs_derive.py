"""The page on derive: its examples run, and print what the page shows."""

from pathlib import Path

from test_docs_gradcheck import rerun

PAGE = Path(__file__).resolve().parent.parent / "docs" / "derive.md"


def test_the_page_shows_what_its_examples_print():
    text = PAGE.read_text(encoding="utf-8")
    assert text.count("```text") == 6
    assert rerun(text, {"__name__": "derive_page"}, PAGE) == text


if __name__ == "__main__":  # writes the outputs anew; twice, as they name lines of the page
    for _ in range(2):
        PAGE.write_text(rerun(PAGE.read_text(encoding="utf-8"), {}, PAGE), encoding="utf-8")
