"""Figures as TikZ: the same shapes and words, names that are no commands, and LaTeX takes it."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest

import tensorgrad as tg
from tensorgrad import nn, viz
from tensorgrad.viz.figures.tikz import svg_to_tikz


def has_tikz():
    kpsewhich = shutil.which("kpsewhich")
    if kpsewhich is None or shutil.which("pdflatex") is None:
        return False
    done = subprocess.run([kpsewhich, "tikz.sty"], capture_output=True, text=True, check=False)
    return bool(done.stdout.strip())


@pytest.fixture
def figures():
    tg.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))
    loss = model(tg.ones(5, 3)).sum()
    with viz.trace_backward(loss) as trace:
        loss.backward()
    strange = {"a_b%{$#&^~\\end{document}": tg.ones(2, requires_grad=True)}
    return [
        viz.graph(loss, model, engine="builtin", trace=trace),
        viz.grad_flow(model),
        viz.graph(next(iter(strange.values())) * 2, strange, engine="builtin"),
        viz.learning_curves({"loss_1": [1.0, 0.5, 0.25]}),
    ]


def test_boxes_lines_words_and_colours(figures, tmp_path):
    text = figures[0].save(tmp_path / "x.tex").read_text("utf-8")
    assert text.count("\\begin{tikzpicture}") == text.count("\\end{tikzpicture}") == 1
    nodes = re.findall(r"\\node\[.*\] at \(.*\) \{(.*)\};", text)
    assert {"relu", "linear", "(4, 3)", "1: ReLU"} <= set(nodes)
    assert " rectangle " in text
    assert ".. controls " in text
    used = set(re.findall(r"=(tg[0-9a-f]{6})", text))
    assert used == set(re.findall(r"\\definecolor\{(tg[0-9a-f]{6})\}", text))


def test_names_are_no_commands(figures):
    text = svg_to_tikz(figures[2].svg())
    assert "\\end{document}" not in text
    assert "a\\_b\\%\\{\\$\\#\\&" in text


def test_bars_and_norms_are_written_so_that_they_show():
    text = '<svg xmlns="http://www.w3.org/2000/svg"><style>#a text{fill:#000000}</style>'
    shown = svg_to_tikz(text + "<text>|g| ‖g‖ 10⁻³ ×2</text></svg>").partition("{\\textbar")[2]
    assert shown.startswith("{}g\\textbar{} $\\|$g$\\|$ 10$^{-3}$ $\\times$2}")


def test_what_tikz_cannot_draw_is_refused():
    image = '<svg xmlns="http://www.w3.org/2000/svg"><image href="x.gif"/></svg>'
    with pytest.raises(ValueError, match="an image that is no PNG"):
        svg_to_tikz(image)
    arc = '<svg xmlns="http://www.w3.org/2000/svg"><path d="M0 0A1 1 0 0 0 2 2"/></svg>'
    with pytest.raises(ValueError, match="path command 'A'"):
        svg_to_tikz(arc)


def test_relative_path_commands():
    path = '<svg xmlns="http://www.w3.org/2000/svg"><path d="M1 2H5m0 -5v10l-1 1Z"/></svg>'
    way = svg_to_tikz(path).split("] ")[1].split(";")[0]
    assert way == "(1, 2) -- (5, 2) (5, -3) -- (5, 7) -- (4, 8) -- cycle"


@pytest.mark.skipif(not has_tikz(), reason="needs pdflatex and tikz.sty")
def test_latex_takes_it(figures, tmp_path):
    for k, figure in enumerate(figures):
        figure.save(tmp_path / f"f{k}.tex")
    inputs = "".join(f"\\input{{f{k}.tex}}\\newpage" for k in range(len(figures)))
    (tmp_path / "doc.tex").write_text(
        "\\documentclass{article}\\usepackage{xcolor,tikz}\\begin{document}"
        f"{inputs}\\end{{document}}"
    )
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "doc.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:]


def test_pictures_that_tex_cannot_place_are_refused(tmp_path):
    x = y = tg.ones(3, requires_grad=True)
    for _ in range(400):
        y = y.sin()
    figure = viz.graph(y.sum(), engine="builtin")
    with pytest.raises(ValueError, match=r"larger than TeX can place .*max_nodes=.*\.pdf"):
        figure.save(tmp_path / "x.tex")
    assert viz.graph(y.sum(), max_nodes=50, engine="builtin").save(tmp_path / "x.tex").exists()
    assert x.grad is None
