"""The table of docs/pictures.md, figures and suffixes: each file is right or refused in words."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
import subprocess
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import nn, optim, profiler, viz
from tensorgrad.viz.figures.raster import can_convert

PAGE = Path(__file__).resolve().parents[2] / "docs" / "pictures.md"
IMAGES = np.linspace(0, 1, 300).reshape(3, 10, 10)


def table():
    """(figures' names, suffix, what the page says) of each cell."""
    rows = [
        [cell.strip() for cell in line.strip("|\n").split("|")]
        for line in PAGE.read_text("utf-8").splitlines()
        if line.startswith("| ")
    ]
    head = next(k for k, row in enumerate(rows) if ".svg" in row)
    suffixes = rows[head][1:]
    for row in rows[head + 2 :]:
        for name in re.findall(r"`([\w.]+)`(?!\))", row[0]):
            yield from ((name, suffix, cell) for suffix, cell in zip(suffixes, row[1:]))


@pytest.fixture(scope="module")
def figures():
    tg.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))
    x = tg.ones(5, 3)
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    with viz.Monitor(model, optimizer, every=1) as monitor:
        for _ in range(3):
            optimizer.zero_grad()
            model[0](x).pow(2).mean().backward()  # the last layer learns nothing
            optimizer.step()
        report, warnings = monitor.report(), monitor.warnings()
    with profiler.profile() as prof:
        loss = model(x).pow(2).mean()
    return {
        "graph": viz.graph(loss, model, engine="builtin"),
        "explore": viz.explore(loss, params=model),
        "derive": viz.derive(loss, model, differences=False),
        "doctor": viz.doctor(model, lambda: model[0](x).pow(2).mean()),
        "Monitor.warnings": warnings,
        "grad_flow": viz.grad_flow(model),
        "Monitor.report": report,
        "profile": viz.profile(prof),
        "learning_curves": viz.learning_curves({"loss": {"train": [1.0, 0.5], "test": [2.0, 1.0]}}),
        "confusion_matrix": viz.confusion_matrix([[8, 2], [1, 9]], labels=["cat", "dog"]),
        "table": viz.table([{"lr": 0.1, "loss": 0.25}, {"lr": 0.2, "loss": 0.5}]),
        "images": viz.images(IMAGES, captions=["a_b", "%", "naïve"]),
        "kernels": viz.kernels(nn.Conv2d(3, 4, 5)),
        "misclassified": viz.misclassified(IMAGES, [0, 1, 0], [1, 1, 1]),
    }


def right(suffix, data, figure):
    """Whether a file's bytes are of the kind that its suffix says, with the figure in it."""
    if suffix in (".png", ".pdf"):
        return data.startswith(b"\x89PNG" if suffix == ".png" else b"%PDF-") and len(data) > 900
    text = data.decode("utf-8")
    if suffix == ".svg":
        return ET.fromstring(text).tag.endswith("}svg") and text == figure.svg()
    if suffix == ".html":
        return text.startswith("<!doctype html>") and "Content-Security-Policy" in text
    if suffix == ".txt":
        return text == f"{figure}\n"
    if suffix == ".json":
        return json.loads(text) == json.loads(figure.json())
    if suffix == ".csv":
        return len({len(row) for row in csv.reader(io.StringIO(text))}) == 1
    if suffix == ".md":
        return text.splitlines()[1] == "| --: | --: |"
    if suffix == ".dot":
        return text.startswith("digraph") and text.rstrip().endswith("}")
    assert suffix == ".tex"
    return text.startswith(("% Needs \\usepackage{", "\\begingroup"))


TEX = {
    "TikZ": r"\begin{tikzpicture}",
    "align": r"\begin{align}",
    "prose": r"\emph{",
    "tabular": r"\begin{tabular}",
}


@pytest.mark.parametrize(("name", "suffix", "said"), [*table()])
def test_the_table(name, suffix, said, figures, tmp_path):
    figure, path = figures[name], tmp_path / f"x{suffix}"
    if said == "-":
        with pytest.raises(ValueError, match=rf"'\{suffix}' is not one of .* choose .*\.svg"):
            figure.save(path)
        assert not path.exists()
    elif suffix in (".png", ".pdf") and not can_convert():
        with pytest.raises(viz.EngineError, match="needs cairosvg"):
            figure.save(path)
    else:
        data = figure.save(path).read_bytes()
        assert right(suffix, data, figure)
        assert figure.save(path).read_bytes() == data
        assert suffix != ".tex" or TEX[said] in data.decode()


def test_the_table_has_every_figure_and_no_suffix_too_few(figures):
    cells = list(table())
    assert {name for name, _, _ in cells} == set(figures)
    for name, figure in figures.items():
        assert set(figure._formats()) == {s for n, s, said in cells if n == name and said != "-"}


def test_pixels_in_latex(figures):
    tex = figures["images"]._formats()[".tex"]().decode()
    assert tex.count("BI /W 140 /H 140 /BPC 8 /CS /G /F [/AHx /Fl]") == 3
    assert r"\path (12bp, -85.5bp) rectangle (66bp, -31.5bp);" in tex
    assert "/CS /RGB" in figures["kernels"]._formats()[".tex"]().decode()


def test_more_pixels_than_tex_has_room_for_are_refused(tmp_path):
    noise = np.random.default_rng(0).random((8, 3, 224, 224))
    with pytest.raises(ValueError, match=r"images of 1,2\d\d,\d\d\d bytes.*most 1,000,000"):
        viz.images(noise).save(tmp_path / "x.tex")
    assert viz.images(noise, limit=5).save(tmp_path / "x.tex").stat().st_size > 1_000_000


@pytest.mark.parametrize("engine", ["pdflatex", "lualatex"])
def test_latex_takes_all(engine, figures, tmp_path):
    if shutil.which(engine) is None:
        pytest.skip(f"{engine} is a system program")
    parts = []
    for k, figure in enumerate(figures.values()):
        figure.save(tmp_path / f"f{k}.tex")
        parts.append(rf"\input{{f{k}.tex}}\par")
    (tmp_path / "doc.tex").write_text(
        "\\documentclass{article}\\usepackage{amsmath,booktabs,array,longtable,graphicx,tikz}"
        "\\begin{document}" + "\n".join(parts) + "\\end{document}"
    )
    command = [engine, "-interaction=nonstopmode", "-halt-on-error", "doc.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:]
    # \resizebox ends on the line, but for rounding.
    assert max(map(float, re.findall(r"\(([\d.]+)pt too wide\)", done.stdout)), default=0) < 0.1
