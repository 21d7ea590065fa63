"""What LaTeX is given: text that is no command, tables and formulas that stay on the page."""

from __future__ import annotations

import re
import shutil
import subprocess

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import nn, viz
from tensorgrad.viz.derivation import expression as ex
from tensorgrad.viz.derivation.lines import in_lines
from tensorgrad.viz.figures.latex import as_pdflatex_shows, latex_escape
from tensorgrad.viz.figures.latex_tables import latex_table


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a|b", r"a\textbar{}b"),  # a bar is a dash in LaTeX's first encoding
        ("*", "{*}"),  # \\* is a command
        ("--x", "-{}-x"),  # no dash
        ("naïve Ł", r"na\"{i}ve \L{}"),
        ("ŷ x̄ κ", r"\^{y} $\bar{x}$ $\kappa$"),
        ("x\u0302\u2083", r"$\hat{x}$$_{3}$"),
        ("漢字", r"\ifdefined\Umathchar 漢字\else{[}U+6F22 U+5B57]\fi{}"),
        ("\x00", r"\ifdefined\Umathchar ␀\else{[}U+2400]\fi{}"),
        ("\ud800", "\\ifdefined\\Umathchar \ufffd\\else{[}U+FFFD]\\fi{}"),
    ],
)
def test_signs(text, shown):
    assert latex_escape(text) == shown


def test_long_words_may_be_broken():
    shown = latex_escape("short " + "y" * 45 + " model.layers/weights.first", breaks=True)
    whole = shown.replace(r"\allowbreak{}", "")
    assert whole == "short " + "y" * 45 + " model.layers/weights.first"
    pieces = re.split(r"\\allowbreak\{\}| ", shown)
    assert max(map(len, pieces)) == 20
    assert {"model.", "layers/", "weights.", "first"} <= set(pieces)


def test_code_points_have_their_beginning_and_end_where_there_is_little_room():
    shown = latex_escape("漢字" * 10, room=30)
    codes = r"{[}U+6F22 U+5B57]\dots{}{[}U+5B57]"
    assert shown == rf"\ifdefined\Umathchar {'漢字' * 10}\else {codes}\fi{{}}"
    assert latex_escape("漢字", room=30) == latex_escape("漢字")
    assert latex_escape("x" * 60, room=30) == "x" * 60  # a caller shortens, if anyone
    assert as_pdflatex_shows("é漢字 ⊙ ŷ") == "é[U+6F22 U+5B57] ⊙ ŷ"


def test_findings_are_prose_and_not_a_picture():
    found = viz.doctor(nn.Linear(2, 1), lambda: tg.ones(1, requires_grad=True).sum())
    tex = tex_of(found)
    assert tex.count(r"\item") == len(found) > 0
    for word in ("unused parameter", r"\texttt{all}", r"\emph{evidence}", r"\emph{fix}"):
        assert word in tex
    assert "1 operation and 2 parameters" in tex
    model = nn.Linear(2, 1)
    healthy = viz.doctor(model, lambda: model(tg.ones(4, 2)).pow(2).mean())
    assert "nothing found" in tex_of(healthy)
    assert "enumerate" not in tex_of(healthy)


def tex_of(figure):
    return figure._formats()[".tex"]().decode()


def packages(tex):
    return re.match(r"% Needs \\usepackage\{(.*)\}\.\n", tex)[1].split(",")


def test_a_table_that_fits_is_plain():
    tex = viz.table([{"name": "a", "loss": 0.5, "kind": "x"}]).latex()
    assert packages(tex) == ["booktabs"]
    assert r"\begin{tabular}{lrl}" in tex  # words at the left, numbers at the right
    assert "begingroup" not in tex


def test_a_wide_table_breaks_its_words():
    words = (
        "what a run was for, in a sentence that is longer than a line of the page, and more of it"
    )
    tex = latex_table(["row", "about", "loss"], [["a", words, "1.5"]] * 3, words=(0, 1))
    assert packages(tex) == ["booktabs", "array"]
    (kinds,) = re.findall(r"\\begin\{tabular\}\{(.*)\}", tex)
    (share,) = re.findall(r"p\{([\d.]+)\\linewidth\}", kinds)
    assert kinds.startswith("l>")
    assert kinds.endswith("r")
    assert 0.5 < float(share) < 1
    assert tex.count(r"\begingroup\footnotesize") == tex.count(r"\endgroup") == 1


def test_many_columns_become_smaller_and_say_when_that_is_not_enough():
    def table(n):
        return viz.confusion_matrix(np.full((n, n), 1234.0)).latex()

    assert r"\tiny" in table(15)
    assert "Too wide" not in table(15)
    assert r"\tiny" in table(60)
    assert "of article, scaled down to it" in table(60)
    assert packages(table(60)) == ["booktabs", "graphicx"]
    assert r"\resizebox{\linewidth}{!}{%" in table(60)
    assert "too long to be scaled" in latex_table(["a" * 200] * 3, [["1" * 200] * 3] * 300)


def test_names_over_a_matrix_stand_upright_where_they_are_too_wide():
    names = [f"a long name, {k}" for k in range(12)]
    tex = viz.confusion_matrix(np.full((12, 12), 9), labels=names).latex()
    assert packages(tex) == ["booktabs", "graphicx"]
    assert tex.count(r"\rotatebox{90}{a long name, ") == 12
    assert r"\rotatebox{90}{recall, \%}" in tex
    assert "p{" not in tex
    assert "rotatebox" not in viz.confusion_matrix(np.full((3, 3), 9), labels=names[:3]).latex()
    assert "rotatebox" not in viz.confusion_matrix(np.full((12, 12), 10**6)).latex()


def test_names_that_are_cut_can_be_told_apart():
    names = [f"the first words of class {k}" for k in range(3)]
    figure = viz.confusion_matrix(np.eye(3), labels=names)
    assert [f"the first wor…#{k}</text>" in figure.svg() for k in (1, 2, 3)] == [True] * 3
    assert "the fi…#1 the fi…#2 the fi…#3" in str(figure)
    assert all(rf"the first wor\dots{{}}\#{k}" in figure.latex() for k in (1, 2, 3))
    # Cut where pdflatex shows code points: the other engines have all of them.
    middles = [f"漢字漢字漢{k}字漢字漢字漢字" for k in "ab"]
    tex = viz.confusion_matrix(np.eye(2), labels=middles).latex()
    assert tex.count(r"\#1") == tex.count(r"\#2") == 2 * 2
    assert as_pdflatex_shows(middles[0], 16) == as_pdflatex_shows(middles[1], 16)
    # A name may be there twice; then both are the same.
    assert "#" not in str(viz.confusion_matrix(np.eye(2), labels=["the same name"] * 2))
    flow = viz.grad_flow({f"{'a' * 40}{k}{'b' * 40}": tg.ones(1, requires_grad=True) for k in "xy"})
    assert {"…#1", "…#2"} <= {line.split()[0][-3:] for line in str(flow).splitlines()[3:]}


def test_a_long_table_goes_over_pages():
    tex = viz.table([{"epoch": k, "loss": 1 / (k + 1)} for k in range(60)]).latex()
    assert packages(tex) == ["booktabs", "longtable"]
    head, _, rows = tex.partition("\\endhead\n")
    assert r"\begin{longtable}{rr}" in head
    assert rows.count(r"\\") == 60


def test_facts_of_a_formula_stand_where_latex_can_let_them_down():
    x = tg.tensor(np.ones((4, 3)), requires_grad=True)
    tex = viz.derive(x.pow(2).sum(), {"x": x}).latex()
    assert "&&" not in tex
    assert r"\tag*{\footnotesize (4, 3), norm 6.928, error \textless{} 1e-09}" in tex


def test_prose_in_place_of_a_formula_is_broken():
    tg.manual_seed(0)
    model = nn.LSTM(3, 4).double()
    out, _ = model(tg.ones(5, 2, 3, dtype=tg.float64))
    tex = viz.derive((out**2).sum(), model, differences=False).latex()
    assert r"&= \parbox[t]{.65\linewidth}{\raggedright backpropagation through time" in tex


def test_long_formulas_go_over_lines_with_brackets_that_may():
    short = ex.plus(ex.Symbol("a"), ex.Symbol("b"))
    assert in_lines(short) == ["a + b"]
    terms = ex.plus(*(ex.times("num", ex.Symbol(f"variable{k}"), short) for k in range(6)))
    lines = in_lines(terms)
    assert len(lines) == 3
    assert all(line.startswith("+ ") for line in lines[1:])
    inside = in_lines(ex.times("mat", terms, ex.Symbol("W")))
    assert inside[0].startswith(r"\bigl(")
    assert inside[-1].endswith(r"\bigr)\,W")
    assert all(line.count(r"\left") == line.count(r"\right") for line in inside)
    half = in_lines(ex.Over(terms, ex.Num(2)))
    assert half[0].startswith(r"\frac{1}{2}\,\bigl(")
    assert half[-1].endswith(r"\bigr)")
    assert len(half) == len(lines)
    call = in_lines(ex.Call("softmax", (ex.minus(terms), ex.Symbol("x"))))
    assert call[0].startswith(r"\operatorname{softmax}\bigl(-\bigl(")
    assert call[-1].endswith(", x\\bigr)")


def test_a_graph_is_as_large_as_the_page_and_no_larger():
    tex = viz.learning_curves({"a": [1.0, 0.5]})._formats()[".tex"]().decode()
    assert tex.index(r"\setbox2=\hbox{%") < tex.index(r"\begin{tikzpicture}")
    assert tex.index(r"\end{tikzpicture}}%") < tex.index(r"\ifdim\width>\linewidth")
    assert tex.rstrip().endswith(r"{\box2}}\endgroup")


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="needs pdflatex")
def test_pdflatex_takes_it_and_nothing_runs_off_the_page(hostile, tmp_path):
    a, b, c = (tg.tensor(np.eye(3), requires_grad=True) for _ in range(3))
    loss = nn.functional.scaled_dot_product_attention(a, b, c).sum()
    ways = ({"convention": "column"}, {"notation": "index"})
    parts = [
        viz.derive(loss, {"a": a, "b": b, "c": c}, differences=False, **how).latex() for how in ways
    ]
    long = [f"W{'漢字W' * 9} is class {k} of 28" for k in range(28)]
    rows = [{"name": "a run " * k, "about": "word " * (2 * k), "loss": k / 7} for k in range(20)]
    parts += [
        viz.table(rows, best={"loss": "max"}).latex(),
        viz.confusion_matrix(np.full((11, 11), 1000)).latex(),
        *(viz.confusion_matrix(np.full((28, 28), n), labels=long).latex() for n in (7, 10**6)),
    ]
    names = [*hostile, "$x$", "%", "a_b^c", "w{", "naïve ąđþ€", "\\end{document}", "*[x]"]
    names += ["漢字" * 20, "Ж" * 60, "🎉🎉"]
    tensors = {name: tg.tensor(np.ones((3, 2)), requires_grad=True) for name in names}
    loss = sum(tensor.sin().sum() for tensor in tensors.values())
    parts.append(viz.derive(loss, tensors, differences=False).latex())
    rows = [{"name": name, "again": name, "value": k * 1.5} for k, name in enumerate(names)]
    parts.append(viz.table(rows, best={"value": "max"}).latex())
    parts.append(viz.confusion_matrix(np.eye(len(names)), labels=names).latex())
    parts += [tex_of(viz.graph(loss, tensors)), tex_of(viz.grad_flow(tensors))]
    parts.append(tex_of(viz.learning_curves({"loss": {name: [1.0, 0.5] for name in names}})))
    model = nn.Module()
    for name in names:
        if name and "." not in name:
            model.register_parameter(name, nn.Parameter(tg.zeros(3)))
    found = viz.doctor(model, lambda: sum(p.sum() for p in list(model.parameters())[::2]))
    assert len(found) > 5
    parts.append(tex_of(found))
    (tmp_path / "doc.tex").write_text(
        "\\documentclass{article}\\usepackage{amsmath,booktabs,array,longtable,tikz}"
        "\\begin{document}\n" + "\n\n".join(parts) + "\n\\end{document}",
        encoding="utf-8",
    )
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "doc.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False)
    log = done.stdout.decode("utf-8", "replace")
    assert done.returncode == 0, log[-2000:]
    assert "Missing character" not in log
    assert max(map(float, re.findall(r"\(([\d.]+)pt too wide\)", log)), default=0.0) < 2
