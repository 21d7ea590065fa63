"""SummaryWriter: what TensorBoard's own reader finds in the files."""

from __future__ import annotations

import sys

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad.utils.png import encode_png
from tensorgrad.utils.tensorboard import SummaryWriter, summaries


def events(folder):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    found = EventAccumulator(str(folder), size_guidance={"tensors": 0, "images": 0})
    return found.Reload()


def test_scalars(tmp_path):
    with SummaryWriter(tmp_path / "run", flush_secs=1) as writer:
        assert writer.get_logdir() == writer.log_dir == str(tmp_path / "run")
        for step in range(3):
            writer.add_scalar("loss", tg.tensor(0.5 * step, requires_grad=True), step, walltime=7.0)
        writer.add_scalar("new", np.float64(1 / 3), 1, new_style=True, double_precision=True)
        writer.add_scalars("both", {"train": 1.0, "validation": 2}, 4)
        writer.flush()
    found = events(tmp_path / "run")
    loss = found.Scalars("loss")
    assert [(e.step, e.value, e.wall_time) for e in loss] == [(k, 0.5 * k, 7.0) for k in range(3)]
    assert found.Tensors("new")[0].tensor_proto.double_val[0] == 1 / 3
    assert events(tmp_path / "run" / "both_train").Scalars("both")[0].value == 1.0
    assert events(tmp_path / "run" / "both_validation").Scalars("both")[0].step == 4


def test_histogram(tmp_path):
    values = tg.tensor([[-1.0, 0.0], [2.0, 2.0]])
    with SummaryWriter(str(tmp_path)) as writer:
        writer.add_histogram("w", values, 3)
        writer.add_histogram("own", values, 3, bins=[-2, -1, 1, 3])
    found = events(tmp_path)
    message = found.Histograms("own")[0].histogram_value
    assert (message.min, message.max, message.num, message.sum, message.sum_squares) == (
        -1, 2, 4, 3, 9,
    )  # fmt: skip
    assert message.bucket_limit == [-1, 1, 3]
    assert message.bucket == [0, 2, 2]
    assert sum(found.Histograms("w")[0].histogram_value.bucket) == 4


def decoded(content):
    """The pixels of a PNG of RGB without filters."""
    import struct
    import zlib

    width, height = struct.unpack(">II", content[16:24])
    start = content.index(b"IDAT") + 4
    (length,) = struct.unpack(">I", content[start - 8 : start - 4])
    rows = np.frombuffer(zlib.decompress(content[start : start + length]), np.uint8)
    return rows.reshape(height, -1)[:, 1:].reshape(height, width, -1)


def test_images_and_text(tmp_path):
    grey = tg.linspace(0, 1, 12).reshape(3, 4)
    colours = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)
    with SummaryWriter(tmp_path) as writer:
        writer.add_image("grey", grey, 1, dataformats="HW")
        writer.add_image("colours", colours, dataformats="HWC")
        writer.add_images("several", tg.rand(10, 3, 5, 4), 2)
        writer.add_text("note", "**ü**", 3)
    found = events(tmp_path)
    message = found.Images("grey")[0]
    assert (message.height, message.width, message.step) == (3, 4, 1)
    expected = (grey.numpy() * 255).astype(np.uint8)
    np.testing.assert_array_equal(decoded(message.encoded_image_string)[:, :, 0], expected)
    np.testing.assert_array_equal(decoded(found.Images("colours")[0].encoded_image_string), colours)
    assert (found.Images("several")[0].height, found.Images("several")[0].width) == (10, 32)
    assert found.Tensors("note/text_summary")[0].tensor_proto.string_val[0] == "**ü**".encode()


def test_a_purged_run_starts_anew(tmp_path):
    for purge, values in ((None, [1.0, 2.0, 3.0]), (2, [9.0])):
        with SummaryWriter(tmp_path, purge_step=purge, filename_suffix=f".{purge}") as writer:
            for k, value in enumerate(values):
                writer.add_scalar("loss", value, k if purge is None else purge + k)
    assert [e.value for e in events(tmp_path).Scalars("loss")] == [1.0, 2.0, 9.0]


def test_default_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    SummaryWriter(comment="_mine").close()
    (folder,) = (tmp_path / "runs").iterdir()
    assert folder.name.endswith("_mine")


def test_without_the_package(tmp_path, monkeypatch):
    summaries.protos.cache_clear()
    monkeypatch.setitem(sys.modules, "tensorboard.compat.proto", None)
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'tensorgrad\[tensorboard\]'"):
        SummaryWriter(tmp_path)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda w: w.add_scalar("a", [1.0, 2.0]), ValueError, "one real number"),
        (lambda w: w.add_scalar("a", "x"), ValueError, "one real number"),
        (lambda w: w.add_histogram("a", []), ValueError, "real numbers"),
        (lambda w: w.add_histogram("a", [np.nan]), ValueError, "NaN"),
        (lambda w: w.add_histogram("a", [5.0], bins=[0, 1]), ValueError, "within the bins"),
        (lambda w: w.add_image("a", np.ones((2, 2))), ValueError, "dataformats='CHW'"),
        (lambda w: w.add_image("a", np.ones((2, 2)), dataformats="HC"), ValueError, "name"),
        (lambda w: w.add_image("a", np.ones((3, 2, 2), int)), ValueError, "uint8"),
        (lambda w: w.add_text("a", 3), TypeError, "must be a string"),
    ],
)
def test_refusals(call, error, message, tmp_path):
    with SummaryWriter(tmp_path) as writer, pytest.raises(error, match=message):
        call(writer)
    with pytest.raises(ValueError, match="was closed"):
        writer.add_scalar("a", 1.0)


def test_png_refusals():
    with pytest.raises(ValueError, match="uint8"):
        encode_png(np.ones((2, 2)))
    with pytest.raises(ValueError, match="without pixels"):
        encode_png(np.ones((0, 2), np.uint8))
