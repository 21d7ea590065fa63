"""Figures as PNG and PDF: by whichever engine is there, and refused clearly where none is."""

from __future__ import annotations

import struct
import sys

import pytest

import tensorgrad as tg
from tensorgrad import viz
from tensorgrad.viz.figures import raster

ENGINES = [
    pytest.param(
        "rsvg",
        marks=pytest.mark.skipif(
            raster.shutil.which("rsvg-convert") is None, reason="rsvg-convert is a system program"
        ),
    ),
    pytest.param(
        "cairosvg",
        marks=pytest.mark.skipif(raster._cairosvg() is None, reason="cairosvg is an extra"),
    ),
]


@pytest.fixture
def figure():
    w = tg.ones(3, requires_grad=True)
    (w * 2).sum().backward()
    return viz.grad_flow({"w": w})


@pytest.mark.parametrize("engine", ENGINES)
def test_an_image_has_two_pixels_for_each_of_the_picture(figure, tmp_path, monkeypatch, engine):
    if engine == "cairosvg":
        monkeypatch.setenv("PATH", "/nonexistent")
    data = figure.save(tmp_path / "x.png").read_bytes()
    assert data.startswith(b"\x89PNG")
    width, height = struct.unpack(">II", data[16:24])
    wide, high = raster._size(figure.svg())
    assert (width, height) == (round(2 * wide), round(2 * high))
    page = figure.save(tmp_path / "x.pdf").read_bytes()
    assert page.startswith(b"%PDF")
    # The same bytes tomorrow.
    assert b"/CreationDate (D:19700101000000" in page


def test_without_an_engine_the_error_says_what_to_install(figure, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", "/nonexistent")
    monkeypatch.setitem(sys.modules, "cairosvg", None)
    for suffix in ("png", "pdf"):
        with pytest.raises(viz.EngineError, match=rf"making {suffix} needs cairosvg \(pip install"):
            figure.save(tmp_path / f"x.{suffix}")
    assert list(tmp_path.iterdir()) == []


def test_a_broken_program_is_an_error(figure, tmp_path, monkeypatch):
    program = tmp_path / "rsvg-convert"
    program.write_text(f"#!{sys.executable}\nimport sys; sys.stderr.write('no'); sys.exit(2)\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(viz.EngineError, match="status 2: no"):
        figure.save(tmp_path / "x.png")


def test_halos_of_labels_become_elements_of_their_own():
    svg = '<svg xmlns="http://www.w3.org/2000/svg"><text class="halo halo1" x="1">a</text></svg>'
    assert raster._with_halos(svg).count(b">a<") == 2
