"""The small parts: visible text, numbers for reading, ticks, SVG elements."""

from __future__ import annotations

import math
import xml.etree.ElementTree as ET

import pytest

from tensorgrad.viz.charts.scales import Linear, Log, linear_for, log_for
from tensorgrad.viz.figures.figure import jsonable
from tensorgrad.viz.figures.svg import element, escape, fmt
from tensorgrad.viz.figures.words import count, number, shorten, text_width, visible


def test_every_character_becomes_legal_in_xml():
    for code in (*range(0x300), *range(0x2000, 0x2070), 0xD800, 0xDFFF, 0xFFFE, 0xFFFF, 0x1FFFE):
        text = escape("a" + chr(code) + "b")
        ET.fromstring(f'<x y="{text}">{text}</x>')


def test_visible_text_keeps_what_can_be_seen():
    assert visible("naïve ∂L/∂w 漢字") == "naïve ∂L/∂w 漢字"
    assert visible("a\0b\nc\x7f") == "a␀b␊c␡"
    assert visible("\u202e\ud800") == "\ufffd\ufffd"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (1.0, "1"),
        (0.012345, "0.0123"),
        (1234.5, "1234"),
        (123456.0, "1.23e+05"),
        (1.2e-7, "1.20e-07"),
        (-2.5, "-2.5"),
        (math.nan, "NaN"),
        (-math.inf, "-inf"),
        (None, "-"),
    ],
)
def test_numbers_for_reading(value, text):
    assert number(value) == text


def test_counts():
    assert [count(n) for n in (0, 999, 1000, 12_345, 1_000_000, 4_100_000_000)] == [
        "0",
        "999",
        "1.0k",
        "12.3k",
        "1.0M",
        "4.1G",
    ]


def test_shortening():
    assert shorten("abcdef", 6) == "abcdef"
    assert shorten("abcdefg", 6) == "abcde…"
    assert shorten("abcdefg", 6, middle=True) == "ab…efg"


def test_text_is_wider_when_there_is_more_of_it():
    assert text_width("iii", 10) < text_width("mmm", 10) < text_width("漢字字", 10) + 1
    assert text_width("ab", 10, bold=True) > text_width("ab", 10)


@pytest.mark.parametrize(
    ("low", "high", "labels"),
    [
        (0.0, 1.0, ["0", "0.2", "0.4", "0.6", "0.8", "1.0"]),
        (0.97, 0.995, ["0.970", "0.975", "0.980", "0.985", "0.990", "0.995"]),
        (-3.0, 2.0, ["-3", "-2", "-1", "0", "1", "2"]),
        (0.0, 2e6, ["0", "5.0e5", "1.0e6", "1.5e6", "2.0e6"]),
        (0.0, 3e-5, ["0", "1e-5", "2e-5", "3e-5"]),
    ],
)
def test_ticks(low, high, labels):
    assert [label for _, label in Linear(low, high, 0, 100).ticks(5)] == labels


def test_whole_ticks_are_integers():
    assert [label for _, label in Linear(1, 3, 0, 100).ticks(6, whole=True)] == ["1", "2", "3"]
    labels = [label for _, label in Linear(0, 90_000, 0, 100).ticks(5, whole=True)]
    assert labels == ["0", "20k", "40k", "60k", "80k"]


def test_log_ticks():
    assert [label for _, label in Log(1e-3, 1.0, 0, 100).ticks(5)] == [
        "10⁻³",
        "10⁻²",
        "10⁻¹",
        "10⁰",
    ]
    assert [label for _, label in Log(0.4, 6.0, 0, 100).ticks(5)] == ["0.5", "1", "2", "5"]
    assert len(Log(1e-30, 1.0, 0, 100).ticks(5)) <= 6


def test_scales_map_their_ends():
    scale = linear_for([1.0, 3.0], 100.0, 0.0)
    assert scale(scale.low) == 100.0
    assert scale(scale.high) == 0.0
    log = log_for([0.02, 30.0], 0.0, 100.0, decades=True)
    assert (log.low, log.high) == (0.01, 100.0)
    assert log(1.0) == pytest.approx(50.0)
    assert linear_for([0.0, 2.0], 0, 1).low == 0.0


def test_elements_are_escaped_and_rounded():
    made = str(element("text", "a<b", x=1.25, y=2.0, class_="c", font_size='"', none=None))
    assert made == '<text x="1.2" y="2" class="c" font-size="&quot;">a&lt;b</text>'
    assert fmt(-0.04) == "0"


def test_data_has_only_what_json_has():
    assert jsonable({"a": (1, math.nan, -math.inf), 2: None}) == {
        "a": [1, "nan", "-inf"],
        "2": None,
    }
    with pytest.raises(TypeError, match="complex"):
        jsonable(1j)
