"""SummaryWriter: what TensorBoard's own reader finds in the files."""

from __future__ import annotations

import sys

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import nn
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
        writer.add_text("half a character", "\ud800", 3)
    found = events(tmp_path)
    message = found.Images("grey")[0]
    assert (message.height, message.width, message.step) == (3, 4, 1)
    expected = (grey.numpy() * 255).astype(np.uint8)
    np.testing.assert_array_equal(decoded(message.encoded_image_string)[:, :, 0], expected)
    np.testing.assert_array_equal(decoded(found.Images("colours")[0].encoded_image_string), colours)
    assert (found.Images("several")[0].height, found.Images("several")[0].width) == (10, 32)
    assert found.Tensors("note/text_summary")[0].tensor_proto.string_val[0] == "**ü**".encode()
    (half,) = found.Tensors("half a character/text_summary")
    assert half.tensor_proto.string_val[0] == rb"\ud800"


def test_the_graph_of_a_model_with_a_box_for_each_module(tmp_path, capsys):
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.body = nn.Sequential(nn.Linear(2, 3), nn.ReLU())
            self.head = nn.Linear(3, 1)

        def forward(self, x, scale):
            return {"out": self.head(self.body(x)) * scale}

    net = Net().requires_grad_(False)
    with SummaryWriter(tmp_path) as writer:
        writer.add_graph(net, (tg.ones(4, 2), tg.ones(1)), verbose=True)
        with pytest.raises(ValueError, match="input_to_model"):
            writer.add_graph(net)
        with pytest.raises(ValueError, match="no operation"):
            writer.add_graph(nn.Identity(), 3)
    nodes = {node.name: node for node in events(tmp_path).Graph().node}
    assert {"input_0", "input_1"} <= set(nodes)
    (body,) = [n for n in nodes if n.startswith("Net/body/0/linear")]
    (relu,) = [n for n in nodes if n.startswith("Net/body/1/relu")]
    (product,) = [n for n in nodes if n.startswith("Net/mul")]
    assert list(nodes[body].input) == ["input_0"]  # the weights are frozen
    assert list(nodes[relu].input) == [body]
    assert nodes["output_0"].input == [product]
    assert [d.size for d in nodes[body].attr["_output_shapes"].list.shape[0].dim] == [4, 3]
    assert f"{relu}({body})" in capsys.readouterr().out
    with SummaryWriter(tmp_path / "b") as writer:
        writer.add_graph(net.requires_grad_(), (tg.ones(4, 2), tg.ones(1)))
    nodes = {node.name: node for node in events(tmp_path / "b").Graph().node}
    (head,) = [n for n in nodes if n.startswith("Net/head/linear")]
    assert list(nodes[head].input)[1:] == ["Net/head/weight", "Net/head/bias"]


def test_points_for_the_projector(tmp_path):
    points = tg.arange(6.0).view(3, 2)
    with SummaryWriter(tmp_path) as writer:
        writer.add_embedding(points, ["a", "b\tc", 3], tg.rand(3, 1, 4, 5), 7)
        writer.add_embedding(points, [["a", 1]] * 3, tag="b", metadata_header=["name", "n"])
        for wrong in ({"metadata": ["a"]}, {"label_img": tg.rand(2, 1, 4, 5)}, {"mat": points[0]}):
            with pytest.raises(ValueError, match="add_embedding"):
                writer.add_embedding(**{"mat": points, **wrong})
    assert (tmp_path / "00007/default/tensors.tsv").read_text() == "0.0\t1.0\n2.0\t3.0\n4.0\t5.0\n"
    assert (tmp_path / "00007/default/metadata.tsv").read_text() == "a\nb c\n3\n"
    assert decoded((tmp_path / "00007/default/sprite.png").read_bytes()).shape == (8, 10, 3)
    assert (tmp_path / "00000/b/metadata.tsv").read_text() == "name\tn\n" + "a\t1\n" * 3
    from google.protobuf import text_format
    from tensorboard.plugins.projector.projector_config_pb2 import ProjectorConfig

    text = (tmp_path / "projector_config.pbtxt").read_text()
    first, second = text_format.Parse(text, ProjectorConfig()).embeddings
    assert first.tensor_path == "00007/default/tensors.tsv"
    assert list(first.sprite.single_image_dim) == [5, 4]
    assert second.tensor_name == "00000/b"


def test_hyperparameters_have_a_folder_of_their_own(tmp_path):
    with SummaryWriter(tmp_path) as writer:
        writer.add_hparams({"lr": 0.1, "name": "x"}, {"loss": tg.tensor(2.0)}, run_name="one")
        with pytest.raises(TypeError, match="dictionaries"):
            writer.add_hparams([], {})
        with pytest.raises(ValueError, match="'lr' must be a number"):
            writer.add_hparams({"lr": [1, 2]}, {})
        with pytest.raises(TypeError, match="another type"):
            writer.add_hparams({"lr": 1.0}, {}, {"lr": ["a"]})
        with pytest.raises(ValueError, match="not in hparam_dict"):
            writer.add_hparams({}, {}, {"lr": [1]})
    found = events(tmp_path / "one")
    assert found.Scalars("loss")[0].value == 2.0
    assert len(found.PluginTagToContent("hparams")) == 3


def test_curves_sounds_charts_and_meshes(tmp_path):
    labels, predictions = tg.tensor([0, 1, 1]), tg.tensor([0.2, 0.6, 0.9])
    with SummaryWriter(tmp_path) as writer:
        writer.add_pr_curve("pr", labels, predictions, 1, num_thresholds=3)
        writer.add_pr_curve_raw("raw", *[[1, 2]] * 6, num_thresholds=2)
        writer.add_audio("sound", tg.zeros(1, 8), 1, sample_rate=8000)
        writer.add_tensor("all", tg.arange(3), 1)
        writer.add_histogram_raw("counted", 0, 1, 2, 1, 1, [1, 2], [0, 2], 1)
        writer.add_custom_scalars({"a": {"b": ["Multiline", ["x", "y"]]}})
        writer.add_custom_scalars_multilinechart(["x"])
        writer.add_custom_scalars_marginchart(["v", "l", "u"])
        writer.add_mesh("mesh", tg.zeros(1, 4, 3), faces=tg.tensor([[[0, 1, 2]]]))
        for call, message in (
            (lambda: writer.add_pr_curve("a", labels, predictions * 2), "between 0 and 1"),
            (lambda: writer.add_pr_curve("a", labels, predictions[:2]), "3 labels, but 2"),
            (lambda: writer.add_pr_curve_raw("a", *[[1]] * 6, weights=1), "leave them out"),
            (lambda: writer.add_audio("a", tg.zeros(2, 8)), "one channel"),
            (lambda: writer.add_tensor("a", tg.zeros(2, dtype=tg.complex64)), "complex64"),
            (lambda: writer.add_histogram_raw("a", 0, 1, 2, 1, 1, [1, 2], [0]), "2 bucket_limits"),
            (lambda: writer.add_custom_scalars({"a": {"b": ["Margin", ["x"]]}}), "Margin"),
            (lambda: writer.add_mesh("a", tg.zeros(4, 3)), r"\(batch, n, 3\)"),
        ):
            with pytest.raises(ValueError, match=message):
                call()
        for name in ("add_video", "add_image_with_boxes", "add_onnx_graph"):
            with pytest.raises(NotImplementedError, match=name):
                getattr(writer, name)("a")
    from tensorboard.util.tensor_util import make_ndarray

    found = events(tmp_path)
    table = make_ndarray(found.Tensors("pr")[0].tensor_proto)
    assert table[0].tolist() == [2, 2, 0]  # found at 0, 0.5, 1
    assert table[1].tolist() == [1, 0, 0]
    assert found.Audio("sound")[0].length_frames == 8
    assert make_ndarray(found.Tensors("all")[0].tensor_proto).tolist() == [0, 1, 2]
    assert {"mesh_VERTEX", "mesh_FACE"} <= set(found.Tags()["tensors"])


def test_figures(tmp_path):
    pyplot = pytest.importorskip("matplotlib.pyplot")
    with SummaryWriter(tmp_path) as writer:
        writer.add_figure("one", pyplot.figure(figsize=(2, 1), dpi=50))
    assert (events(tmp_path).Images("one")[0].height, pyplot.get_fignums()) == (50, [])


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
    ("words", "error", "message"),
    [
        ({"log_dir": __file__}, NotADirectoryError, "is a file"),
        ({"max_queue": -1}, ValueError, "max_queue must be at least 0"),
        ({"flush_secs": -1}, ValueError, "flush_secs must be above 0"),
        ({"filename_suffix": 5}, TypeError, "filename_suffix must be a string"),
        ({"purge_step": "x"}, TypeError, "purge_step must be a whole number"),
    ],
)
def test_refusals_of_the_writer(words, error, message, tmp_path):
    with pytest.raises(error, match=message):
        SummaryWriter(**{"log_dir": tmp_path, **words})


TRIANGLE = np.zeros((1, 3, 3))


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
        (lambda w: w.add_scalar(None, 1.0), TypeError, "add_scalar: a tag must be a string"),
        (lambda w: w.add_scalars({"a": 1.0}, {}), TypeError, "add_scalars: a tag must be a string"),
        (lambda w: w.add_scalars("a", [1.0]), TypeError, "must be a dict of numbers"),
        (lambda w: w.add_scalar("a", 1.0, "x"), TypeError, "global_step must be a whole number"),
        (lambda w: w.add_scalar("a", 1.0, 1 << 63), ValueError, "fit in 64 bits"),
        (
            lambda w: w.add_histogram("a", [1.0], max_bins=0),
            ValueError,
            "max_bins must be at least",
        ),
        (lambda w: w.add_histogram_raw("a", 0, 1, 2, 3, 4, 1, 1), TypeError, "a list of numbers"),
        (lambda w: w.add_image("a", np.ones((3, 0, 2))), ValueError, "there are no pixels"),
        (lambda w: w.add_image("a", np.ones((2, 2)), dataformats=5), TypeError, "be a string"),
        (lambda w: w.add_audio("a", np.ones(2), sample_rate=1.5), TypeError, "sample_rate must be"),
        (lambda w: w.add_audio("a", np.array([np.nan, 0.0])), ValueError, "NaN"),
        (lambda w: w.add_hparams({5: 1}, {}), TypeError, "names must be strings, got 5"),
        (lambda w: w.add_hparams({"a": 1}, {}, {"a": 5}), TypeError, "must be a list of values"),
        (lambda w: w.add_hparams({"a": 1}, {}, run_name=5), TypeError, "run_name must be a string"),
        (lambda w: w.add_pr_curve("a", ["x"], [0.5]), TypeError, "labels must be numbers"),
        (lambda w: w.add_pr_curve("a", [0, 1], [0, 1], weights=[1, 2, 3]), ValueError, "3 weights"),
        (lambda w: w.add_pr_curve("a", [1], [1.0], num_thresholds=1), ValueError, "at least 2"),
        (lambda w: w.add_pr_curve_raw("a", [1, 2], *[[1]] * 5), ValueError, "rows of one length"),
        (lambda w: w.add_custom_scalars({"a": 5}), TypeError, "layout must be"),
        (lambda w: w.add_custom_scalars_multilinechart("t"), TypeError, "must be a list, got 't'"),
        (lambda w: w.add_embedding(np.ones((2, 2)), metadata=5), TypeError, "must be a list"),
        (
            lambda w: w.add_embedding(np.ones((2, 2)), metadata_header=["h"]),
            ValueError,
            "give both",
        ),
        (lambda w: w.add_graph(len, 1), TypeError, "model must be a Module"),
        (
            lambda w: w.add_mesh("a", TRIANGLE, colors=TRIANGLE[:, :2]),
            ValueError,
            "each of the ver",
        ),
        (lambda w: w.add_mesh("a", TRIANGLE, faces=[[[0, 1, 9]]]), ValueError, "vertices 0 to 2"),
        (lambda w: w.add_mesh("a", TRIANGLE, config_dict=5), TypeError, "must be a dict"),
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
