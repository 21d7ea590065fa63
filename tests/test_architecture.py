"""Which part may import which, and what no file of the repository may hold."""

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from importlinter.cli import EXIT_STATUS_SUCCESS, lint_imports

ROOT = Path(__file__).resolve().parent.parent
LINKS = (ROOT / "tensorgrad" / "nn", ROOT / "tensorgrad" / "viz")
TOP_LEVEL_FOLDERS = ("tensorgrad", "nn", "viz", "tests", "examples", "benchmarks", "docs", ".ci")
LONGEST_FILE = 400  # lines; __init__.py, which lists names, may be as long as its list

# A path of one developer's machine: a home folder or a workspace at the root of the file system.
MACHINE_PATH = re.compile(rb"(?<![\w.~$})*-])/(?:home|Users|root|work)/\w|[A-Z]:\\Users\\\w")


def repository_files() -> list[Path]:
    """The files that are, or are about to be, part of the repository; nn and viz once."""
    if (ROOT / ".git").exists():
        command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout
        files = [ROOT / name for name in listed.decode().split("\0") if name]
    else:  # an unpacked archive
        folders = [ROOT / name for name in TOP_LEVEL_FOLDERS]
        files = [f for folder in folders for f in folder.rglob("*")] + list(ROOT.glob("*.*"))
    return [f for f in files if f.is_file() and "__pycache__" not in f.parts and f not in LINKS]


def python_files(*folders: str) -> list[Path]:
    """The repository's Python files, or those of its named top-level folders."""
    files = [f for f in repository_files() if f.suffix == ".py"]
    return [f for f in files if not folders or f.relative_to(ROOT).parts[0] in folders]


# Without this text no relative import is in a file, and none of a module called nn or viz: parsing
# every file of the repository to see that would take many seconds.
SPACE = r"(?:\s|\\\n)*"
RELATIVE = re.compile(rf"\bfrom{SPACE}\.")
BARE = re.compile(
    rf"(?:^|[;:])[ \t]*(?:from{SPACE}|import\b(?:\\\n|[^\n#;])*)\b(?:nn|viz)\b", re.MULTILINE
)


def imports(file: Path, holding: re.Pattern[str]) -> Iterator[tuple[str, int]]:
    """The modules imported by a file with such text, with the line; relative ones have dots."""
    text = file.read_text(encoding="utf-8")
    if not holding.search(text):
        return
    for node in ast.walk(ast.parse(text, str(file))):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield "." * node.level + (node.module or ""), node.lineno


def where(file: Path, line: int) -> str:
    return f"{file.relative_to(ROOT).as_posix()}:{line}"


def test_dependencies_point_one_way(capsys: pytest.CaptureFixture[str], monkeypatch):
    # The contracts stand in pyproject.toml; on failure the report names the chain of imports.
    monkeypatch.chdir(ROOT)
    status = lint_imports(config_filename=str(ROOT / "pyproject.toml"), no_cache=True)
    report = capsys.readouterr().out
    assert status == EXIT_STATUS_SUCCESS, report
    assert "0 broken" in report


def test_nn_and_viz_import_by_full_name():
    # A relative import would take the name of whatever found the file: a second copy, when that
    # was not tensorgrad.
    files = python_files("nn", "viz")
    assert len(files) > 4
    relative = [
        where(file, line)
        for file in files
        for name, line in imports(file, RELATIVE)
        if name.startswith(".")
    ]
    assert relative == []


def test_nothing_imports_nn_or_viz_under_their_bare_names():
    bare = [
        where(file, line)
        for file in python_files()
        for name, line in imports(file, BARE)
        if name.split(".")[0] in ("nn", "viz")
    ]
    assert bare == []


@pytest.mark.parametrize(
    "text",
    [
        "import nn",
        "import os, viz.graph as g",
        "if x: import nn.linear",
        "import os, \\\n    nn",
        "x = 1; from nn import Linear",
        "try:\n    from \\\n  viz.graph import Graph\nexcept ImportError: pass",
        "from.nn import Linear",
        "from .. import viz",
    ],
)
def test_imports_to_be_refused_are_found(text, tmp_path):
    (file := tmp_path / "file.py").write_text(text, encoding="utf-8")
    found = {*imports(file, RELATIVE), *imports(file, BARE)}
    assert any(name[0] == "." or name.split(".")[0] in ("nn", "viz") for name, _ in found)


def test_no_path_of_a_developers_machine():
    found = []
    for file in repository_files():
        content = file.read_bytes()
        if b"\0" not in content:  # text, as git decides it
            lines = enumerate(content.splitlines(), 1)
            found += [where(file, i) for i, line in lines if MACHINE_PATH.search(line)]
    assert found == []


def test_no_file_is_too_long():
    sizes = {f: len(f.read_text(encoding="utf-8").splitlines()) for f in python_files()}
    long = [where(f, n) for f, n in sizes.items() if n > LONGEST_FILE and f.name != "__init__.py"]
    assert long == []


def test_warnings_name_the_line_of_the_user_s_program():
    """`provenance.warn` finds it; a count of frames is wrong once a call goes another way."""
    own = ROOT / "tensorgrad" / "graph" / "provenance.py"
    texts = {f: f.read_text(encoding="utf-8") for f in python_files("tensorgrad", "nn", "viz")}
    calls = [
        where(file, node.lineno)
        for file, text in texts.items()
        if file != own and "warnings" in text  # parsing the others as well would take seconds
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Attribute) and ast.unparse(node) == "warnings.warn"
    ]
    assert not calls
