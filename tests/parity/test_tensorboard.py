"""The summaries beside those that PyTorch makes."""

from __future__ import annotations

import numpy as np
import pytest
from tensorboard.util.tensor_util import make_ndarray
from torch.utils.tensorboard import SummaryWriter
from torch.utils.tensorboard import summary as theirs

from tensorgrad.utils.tensorboard import dashboards
from tensorgrad.utils.tensorboard import summaries as ours

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("new_style", [False, True])
@pytest.mark.parametrize("double", [False, True])
def test_scalar(new_style, double):
    expected = theirs.scalar("a", 1.25, new_style=new_style, double_precision=double)
    assert ours.scalar("a", np.array([[1.25]]), new_style, double) == expected


@pytest.mark.parametrize("values", [RNG.normal(size=(30, 4)), np.zeros(5), np.arange(7)])
@pytest.mark.parametrize(("bins", "max_bins"), [("auto", None), ("tensorflow", None), (64, 10)])
def test_histogram(values, bins, max_bins, tmp_path):
    edges = bins
    if bins == "tensorflow":
        with SummaryWriter(tmp_path) as writer:
            edges = writer.default_bins
    expected = theirs.histogram("a", values, edges, max_bins=max_bins).value[0].histo
    found = ours.histogram("a", values, bins, max_bins).value[0].histo
    assert list(found.bucket_limit) == list(expected.bucket_limit)
    assert list(found.bucket) == list(expected.bucket)
    for name in ("min", "max", "num", "sum", "sum_squares"):
        assert getattr(found, name) == getattr(expected, name), name


def test_text():
    assert ours.text("a", "b ü") == theirs.text("a", "b ü")


@pytest.mark.parametrize(
    ("shape", "formats"),
    [((3, 4, 5), "CHW"), ((4, 5, 3), "HWC"), ((4, 5), "HW"), ((9, 3, 4, 5), "NCHW")],
)
@pytest.mark.parametrize("kind", ["float32", "uint8"])
def test_image(shape, formats, kind):
    import io

    from PIL import Image

    pixels = RNG.uniform(0, 1.2, shape).astype("f")
    if kind == "uint8":
        pixels = (pixels * 200).astype(np.uint8)
    expected = theirs.image("a", pixels, dataformats=formats).value[0].image
    found = ours.image("a", pixels, formats).value[0].image
    assert (found.height, found.width, found.colorspace) == (
        expected.height, expected.width, expected.colorspace,
    )  # fmt: skip
    a, b = (np.asarray(Image.open(io.BytesIO(i.encoded_image_string))) for i in (found, expected))
    np.testing.assert_array_equal(a, b)


def test_hyperparameters():
    """The three messages, the time of their making aside."""
    from tensorboard.plugins.hparams import plugin_data_pb2

    values = {"lr": 0.1, "depth": 3, "name": "x", "fast": True, "none": None}
    domain = {"lr": [0.1, 0.2], "name": ["x", "y"], "fast": [True, False]}
    made = dashboards.hparams(values, {"loss": 1.0}, domain)
    for found, expected in zip(made, theirs.hparams(values, {"loss": 1.0}, domain), strict=True):
        contents = []
        for message in (found, expected):
            (value,) = message.value
            data = plugin_data_pb2.HParamsPluginData.FromString(value.metadata.plugin_data.content)
            data.session_start_info.start_time_secs = data.session_end_info.end_time_secs = 0
            contents.append((value.tag, value.metadata.plugin_data.plugin_name, data))
        assert contents[0] == contents[1]


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("thresholds", [2, 11, 127])
def test_precision_and_recall(weighted, thresholds):
    labels, predictions = RNG.integers(0, 2, (5, 20)), RNG.uniform(0, 1, (5, 20))
    predictions[0, :2] = 0, 1
    weights = RNG.uniform(0, 2, (5, 20)) if weighted else None
    rows = dashboards.pr_curve(labels, predictions, thresholds, weights)
    given = [1.0 if weights is None else weights.reshape(-1)]
    expected = theirs.compute_curve(labels.reshape(-1), predictions.reshape(-1), thresholds, *given)
    np.testing.assert_allclose(np.stack(rows), expected, rtol=1e-6)
    message = dashboards.pr_counts("a", rows, thresholds)
    reference = theirs.pr_curve_raw("a", *rows, thresholds, None)
    assert message.value[0].metadata == reference.value[0].metadata
    assert message.value[0].tag == reference.value[0].tag
    content = np.frombuffer(message.value[0].tensor.tensor_content, np.float32)
    np.testing.assert_array_equal(content, np.float32(reference.value[0].tensor.float_val))


def test_charts():
    layout = {"a": {"one": ["Multiline", ["x/.*", "y"]]}, "b": {"two": ["Margin", ["v", "l", "u"]]}}
    found, expected = dashboards.layout(layout), theirs.custom_scalars(layout)
    assert found.value[0].metadata == expected.value[0].metadata
    assert found.value[0].tensor.string_val == expected.value[0].tensor.string_val
    assert found.value[0].tag == expected.value[0].tag


def test_meshes():
    parts = RNG.normal(size=(1, 4, 3)), RNG.integers(0, 255, (1, 4, 3)), np.array([[[0, 1, 2]]])
    found = dashboards.mesh("a", *parts, {"x": 1})
    expected = theirs.mesh("a", *parts, {"x": 1}, "")
    assert [(v.tag, v.metadata.plugin_data) for v in found.value] == [
        (v.tag, v.metadata.plugin_data) for v in expected.value
    ]


@pytest.mark.parametrize("kind", ["float32", "float64", "int64", "uint8", "float16"])
def test_tensors(kind):
    import torch

    value = torch.arange(6).reshape(2, 3).to(getattr(torch, kind))
    (found,) = ours.tensor("a", value.numpy()).value
    (expected,) = theirs.tensor_proto("a", value).value
    assert (found.tag, found.metadata) == (expected.tag, expected.metadata)
    assert found.tensor.dtype == expected.tensor.dtype
    # The numbers as bytes; what reads them is TensorBoard's own.
    np.testing.assert_array_equal(make_ndarray(found.tensor), value.numpy())


def test_sounds_and_counted_histograms():
    sound = np.sin(np.arange(50) / 3).astype("f")
    found = ours.audio("a", sound[None], 8000).value[0].audio
    expected = theirs.audio("a", sound, 8000).value[0].audio
    assert found == expected
    numbers = {"min": 0, "max": 2, "num": 3, "sum": 4, "sum_squares": 6}
    edges, counts = [1, 2, 3], [0, 1, 2]
    assert ours.raw_histogram("a", numbers, edges, counts) == theirs.histogram_raw(
        "a", **numbers, bucket_limits=edges, bucket_counts=counts
    )


def test_every_method_of_the_writer_has_its_arguments():
    import inspect

    from tensorgrad.utils.tensorboard import SummaryWriter as Ours

    refused = {"add_video", "add_image_with_boxes"}
    for name, method in vars(SummaryWriter).items():
        if inspect.isfunction(method) and not name.startswith("_"):
            assert hasattr(Ours, name), name
            if name not in refused:
                expected = list(inspect.signature(method).parameters)
                assert list(inspect.signature(getattr(Ours, name)).parameters) == expected, name
