"""What the README shows must run."""

import re
from pathlib import Path

README = Path(__file__).resolve().parent.parent / "README.md"


def test_the_ten_lines_run(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (code,) = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    exec(compile(code, "readme.py", "exec"), {})
    assert (tmp_path / "graph.svg").read_text(encoding="utf-8").startswith("<svg")
    printed = capsys.readouterr().out
    assert "readme.py:6" in printed
    assert "0.weight" in printed


def test_the_pictures_exist():
    for name in re.findall(r"\]\(([^)]+\.svg)\)", README.read_text(encoding="utf-8")):
        assert (README.parent / name).is_file()
