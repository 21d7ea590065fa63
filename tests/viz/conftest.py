"""Graphs and checks that the tests of viz share."""

from __future__ import annotations

import random
import xml.etree.ElementTree as ET
from collections.abc import Callable
from typing import Any

import pytest

import tensorgrad as tg
from tensorgrad.primitive import push_scope

# Names that have broken drawing tools: markup, quotes, escapes, controls, surrogates, DOT's \N.
HOSTILE = [
    "</script><script>window.pwned=1</script>",
    '"><img src=x onerror=alert(1)>',
    "<b>bold</b>",
    'a"];evil[label="x',
    "\\N\\G\\l",
    "&lt;b&gt;&amp;",
    "tail\\",
    "nul\x00byte\x07",
    "lone\ud800surrogate",
    "\u202egnp.exe",
    "line\u2028break\nnewline\ttab",
    "{|}<p>",
    "]]> -->",
    "\ufffe\uffff",
    "node",
    "",
    "x" * 400,
    "漢字かな",
]


@pytest.fixture
def hostile() -> list[str]:
    return list(HOSTILE)


def _parameter(*shape: int) -> tg.Tensor:
    return tg.ones(shape, requires_grad=True)


@pytest.fixture
def network() -> Callable[[], tuple[tg.Tensor, dict[str, tg.Tensor]]]:
    """Makes a loss of two linear layers in scopes, with a skip, and its parameters by name."""

    def make() -> tuple[tg.Tensor, dict[str, tg.Tensor]]:
        params = {
            "body.0.weight": _parameter(4, 4),
            "body.0.bias": _parameter(4),
            "body.1.weight": _parameter(4, 4),
            "head.weight": _parameter(4, 3),
        }
        x = tg.ones(5, 4)
        with push_scope("", "Net", 0):
            with push_scope("body", "Sequential", 0):
                with push_scope("0", "Linear", 0):
                    h = x @ params["body.0.weight"] + params["body.0.bias"]
                with push_scope("1", "Linear", 0):
                    k = h @ params["body.1.weight"]
                h = h + k.tanh()
            with push_scope("head", "Linear", 0):
                h = h @ params["head.weight"]
        return (h * h).sum(), params

    return make


@pytest.fixture
def random_graph() -> Callable[[int, int], tg.Tensor]:
    """Makes a random graph of scalars, made in randomly nested scopes, some entered again."""

    def make(size: int, seed: int) -> tg.Tensor:
        rng = random.Random(seed)
        pool = [tg.tensor(1.0, requires_grad=True) for _ in range(3)]
        open_scopes: list[Any] = []
        for _ in range(size):
            if rng.random() < 0.3 and len(open_scopes) < 4:
                scope = push_scope(rng.choice("abc"), "Block", rng.randrange(3))
                scope.__enter__()
                open_scopes.append(scope)
            if rng.random() < 0.25 and open_scopes:
                open_scopes.pop().__exit__(None, None, None)
            a, b = rng.choice(pool[-8:]), rng.choice(pool)
            pool.append(
                rng.choice([lambda a, b: a * b, lambda a, b: a + b, lambda a, b: a.tanh()])(a, b)
            )
        while open_scopes:
            open_scopes.pop().__exit__(None, None, None)
        total = pool[-1]
        for other in pool[-6:-1]:
            total = total + other
        return total

    return make


@pytest.fixture
def parse_svg() -> Callable[[str], ET.Element]:
    """Parses an SVG strictly and holds what must be true of every one."""

    def check(svg: str) -> ET.Element:
        root = ET.fromstring(svg.encode("utf-8"))
        names = {element.tag.rpartition("}")[2] for element in root.iter()}
        assert names <= {"svg", "style", "rect", "g", "title", "text", "path", "circle", "image"}
        for element in root.iter():
            assert not any(key.startswith("on") for key in element.attrib)
            refers = [value for key, value in element.attrib.items() if "href" in key]
            # An image holds its own bytes; nothing else refers to anything.
            assert all(value.startswith("data:image/png;base64,") for value in refers)
            assert not refers or element.tag.endswith("}image")
            # Explicit names only: an id outside the root could meet one of the page's.
            assert element is root or "id" not in element.attrib
        style = root.find("{http://www.w3.org/2000/svg}style")
        assert style is not None
        assert style.text is not None
        assert "prefers-color-scheme:dark" in style.text
        assert style.text.count("#" + root.attrib["id"]) > 10
        return root

    return check
