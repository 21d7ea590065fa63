"""Graph figures: files by suffix, hostile names, Graphviz that is missing, slow or broken."""

from __future__ import annotations

import html
import json
import os
import re
import stat
import subprocess
import sys
from html.parser import HTMLParser

import pytest

import tensorgrad as tg
from tensorgrad import viz
from tensorgrad.primitive import push_scope
from tensorgrad.viz import graphs
from tensorgrad.viz.drawing import dot_engine
from tensorgrad.viz.drawing.dot_engine import find_dot, run_dot
from tensorgrad.viz.drawing.dot_source import quoted

SVG = "{http://www.w3.org/2000/svg}"
needs_dot = pytest.mark.skipif(find_dot() is None, reason="dot is an optional system program")


def hostile_graph(names):
    """A graph in which each of the names is a parameter, a module, a class and an operation."""
    params = {name + str(k): tg.ones(2, requires_grad=True) for k, name in enumerate(names)}
    x = tg.ones(2)
    for k, (name, tensor) in enumerate(params.items()):
        with push_scope(names[k], name, 0):
            x = x * tensor
    return x.sum(), params


class Page(HTMLParser):
    def __init__(self):
        super().__init__()
        self.tags = set()

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        assert not any(key.startswith("on") or key in ("src", "href") for key, _ in attrs)


@pytest.fixture
def no_dot(monkeypatch):
    monkeypatch.setenv("PATH", "/nonexistent")


def test_every_suffix(network, tmp_path, parse_svg):
    loss, params = network()
    figure = viz.graph(loss, params)
    for suffix in (".svg", ".SVG", ".html", ".txt", ".json", ".dot"):
        path = figure.save(tmp_path / f"graph{suffix}")
        assert path.read_bytes()
    parse_svg((tmp_path / "graph.svg").read_text("utf-8"))
    assert json.loads((tmp_path / "graph.json").read_text())["kind"] == "graph"
    assert (tmp_path / "graph.txt").read_text("utf-8") == str(figure) + "\n"
    assert figure.save(str(tmp_path / "again.dot")).read_text("utf-8") == figure.dot()


@needs_dot
def test_images_and_documents_through_dot(network, tmp_path):
    loss, params = network()
    figure = viz.graph(loss, params)
    assert figure.save(tmp_path / "g.png").read_bytes().startswith(b"\x89PNG")
    assert figure.save(tmp_path / "g.pdf").read_bytes().startswith(b"%PDF")


@pytest.mark.parametrize("name", ["graph.bmp", "graph", "graph.svg.gz", ".svg"])
def test_an_unknown_suffix_is_refused_and_nothing_is_written(network, tmp_path, name):
    loss, _ = network()
    with pytest.raises(ValueError, match=r"choose \.dot, \.html, \.json, \.pdf, \.png, \.svg"):
        viz.graph(loss).save(tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_saving_is_atomic_and_keeps_permissions_and_links(network, tmp_path, monkeypatch):
    loss, _ = network()
    figure = viz.graph(loss)
    real, link = tmp_path / "real.svg", tmp_path / "link.svg"
    real.write_text("old")
    real.chmod(0o640)
    link.symlink_to(real)
    figure.save(link)
    assert link.is_symlink()
    assert real.read_text("utf-8") == figure.svg()
    assert stat.S_IMODE(real.stat().st_mode) == 0o640

    def fail(*args):
        raise OSError("disk full")

    monkeypatch.setattr(os, "replace", fail)
    real.write_text("old")
    with pytest.raises(OSError, match="disk full"):
        figure.save(real)
    assert real.read_text() == "old"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["link.svg", "real.svg"]


def test_a_missing_folder_is_named(network, tmp_path):
    loss, _ = network()
    with pytest.raises(FileNotFoundError, match=r"the folder .*missing.* does not exist"):
        viz.graph(loss).save(tmp_path / "missing" / "g.svg")


@pytest.mark.parametrize("engine", ["builtin", pytest.param("dot", marks=needs_dot)])
def test_hostile_names_are_only_text(hostile, tmp_path, parse_svg, engine):
    loss, params = hostile_graph(hostile)
    figure = viz.graph(loss, params, engine=engine, show=viz.drawing.cards.SHOW)
    root = parse_svg(figure.svg())
    shown = {"".join(element.itertext()) for element in root.iter(SVG + "text")}
    assert "<b>bold</b>2" in shown
    assert "\\N\\G\\l4" in shown
    assert "nul␀byte␇7" in shown
    assert "lone\ufffdsurrogate8" in shown
    page = figure.save(tmp_path / "page.html").read_text("utf-8")
    parser = Page()
    parser.feed(page)
    assert parser.tags <= {
        *("html", "head", "meta", "title", "style", "body", "div", "details", "summary", "pre"),
        *("svg", "g", "rect", "path", "text", "circle"),
    }
    assert "default-src 'none'; style-src 'unsafe-inline'" in page
    data = figure.save(tmp_path / "page.json").read_text("ascii")
    assert "lone\ufffdsurrogate8" in [leaf["name"] for leaf in json.loads(data)["leaves"]]
    str(figure).encode("utf-8")


@needs_dot
def test_dot_shows_exactly_the_names(hostile):
    """What dot itself draws, from the labels that were quoted for it."""
    for name in hostile:
        if not name or len(name) > 100:
            continue
        source = f"digraph {{ 0 [label={quoted(name)}] }}"
        svg = run_dot(source, "svg").decode("utf-8")
        found = re.findall(r"<text[^>]*>(.*?)</text>", svg)
        text = html.unescape("".join(found)).replace("\u00a0", " ")
        assert text == viz.figures.words.visible(name)
        assert "<script" not in svg


@needs_dot
def test_dot_source_of_hostile_names_has_the_nodes_it_should(hostile):
    loss, params = hostile_graph(hostile)
    figure = viz.graph(loss, params)
    assert "URL" not in figure.dot()
    answer = json.loads(run_dot(figure.dot(), "json0"))
    nodes = [item for item in answer["objects"] if not item["name"].startswith("cluster")]
    assert {item["name"] for item in nodes} == {str(v.id) for v in figure.snapshot.vertices}
    assert len(answer["edges"]) == len(figure.snapshot.edges)


def test_without_dot_the_built_in_layout_draws(network, no_dot, tmp_path, parse_svg, monkeypatch):
    monkeypatch.setattr(graphs, "has_wasi", lambda: False)
    monkeypatch.setattr(graphs, "can_convert", lambda: False)
    loss, params = network()
    figure = viz.graph(loss, params)
    parse_svg(figure.svg())
    assert figure.engine == "builtin"
    figure.save(tmp_path / "g.dot")
    for suffix, kind in ((".png", "png"), (".pdf", "pdf")):
        with pytest.raises(viz.DotError, match=rf"making {kind} needs Graphviz.*apt install"):
            figure.save(tmp_path / f"g{suffix}")
    with pytest.raises(viz.DotError, match="no program 'dot'"):
        viz.graph(loss, params, engine="dot").svg()
    assert not (tmp_path / "g.png").exists()


def fake_dot(tmp_path, monkeypatch, body):
    program = tmp_path / "dot"
    program.write_text(f"#!{sys.executable}\n{body}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("import time; time.sleep(60)", "did not finish within"),
        ("import sys; sys.stderr.write('syntax error'); sys.exit(3)", "status 3: syntax error"),
        ("print('{')", "could not be read"),
        ("print('{}')", "could not be read"),
    ],
)
def test_a_slow_or_broken_dot_is_an_error_or_a_warning(
    network, tmp_path, monkeypatch, body, message
):
    loss, params = network()
    fake_dot(tmp_path, monkeypatch, body)
    # Short only where waiting is the point: a busy machine may take a second to start a program.
    seconds = 0.5 if "finish" in message else 60.0
    monkeypatch.setattr(dot_engine, "TIMEOUT", seconds)
    monkeypatch.setattr(viz.graphs, "AUTO_DOT_SECONDS", seconds)
    with pytest.raises(viz.DotError, match=message):
        viz.graph(loss, params, engine="dot").svg()
    figure = viz.graph(loss, params)
    with pytest.warns(RuntimeWarning, match="the built-in layout is used instead"):
        figure.svg()
    assert figure.engine == "builtin"


def test_jupyter_gets_text_and_svg(network):
    loss, _ = network()
    figure = viz.graph(loss)
    bundle = figure._repr_mimebundle_()
    assert bundle == {"text/plain": str(figure), "image/svg+xml": figure.svg()}
    assert set(figure._repr_mimebundle_(include={"text/plain"})) == {"text/plain"}
    assert set(figure._repr_mimebundle_(exclude={"text/plain"})) == {"image/svg+xml"}
    assert repr(figure) == str(figure)


def test_the_graphviz_package_takes_the_source(network):
    loss, params = network()
    figure = viz.graph(loss, params)
    assert figure.to_graphviz().source.strip() == figure.dot().strip()


def test_colours_have_six_digits(network):
    loss, params = network()
    figure = viz.graph(loss, params)
    for text in (figure.svg(), figure.dot()):
        colours = re.findall(r"#[0-9a-fA-F]{3,8}\b", text)
        colours = [c for c in colours if not c.startswith("#tg")]
        assert colours
        assert all(len(colour) == 7 for colour in colours)


def test_the_picture_is_the_graph_as_it_was(network):
    """Captured at once: what happens to the tensors later does not change the figure."""
    loss, params = network()
    figure = viz.graph(loss, params)
    expected = str(viz.graph(loss, params))
    loss.backward()
    params["head.weight"].requires_grad_(False)
    assert str(figure) == expected


def test_importing_viz_loads_neither_graphviz_nor_the_network():
    code = "import tensorgrad.viz, sys; print('graphviz' in sys.modules, 'IPython' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]


def test_arguments_may_be_given_by_their_places():
    w = tg.ones(2, requires_grad=True)
    figure = viz.graph(w.exp().sum(), {"w": w}, None, True, ("shape", "dtype"), "LR", 2, "builtin")
    assert figure.engine == "builtin"
    assert len(figure.snapshot.vertices) <= 4
    assert "float32" in figure.svg()
