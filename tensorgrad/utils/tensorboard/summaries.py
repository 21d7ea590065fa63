"""Values as TensorBoard's summaries: protocol buffers of its own package."""

from __future__ import annotations

import functools
import io
import wave
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tensorgrad.utils.png import encode_png
from tensorgrad.utils.tensorboard.arguments import whole

__all__ = [
    "as_array",
    "audio",
    "histogram",
    "image",
    "pixels_of",
    "protos",
    "raw_histogram",
    "scalar",
    "tensor",
    "tensor_message",
    "text",
]


@functools.cache
def protos() -> Any:
    """TensorBoard's messages and its writer of files, or an error that says what to install."""
    try:
        from tensorboard.compat.proto import event_pb2, summary_pb2, tensor_pb2, tensor_shape_pb2
        from tensorboard.plugins.text.plugin_data_pb2 import TextPluginData
        from tensorboard.summary.writer.event_file_writer import EventFileWriter
    except ImportError as error:
        raise ModuleNotFoundError(
            "SummaryWriter: the package tensorboard is not installed, or cannot be imported "
            f"({error}); pip install 'tensorgrad[tensorboard]'"
        ) from error
    return SimpleNamespace(
        Event=event_pb2.Event,
        SessionLog=event_pb2.SessionLog,
        HistogramProto=summary_pb2.HistogramProto,
        Summary=summary_pb2.Summary,
        SummaryMetadata=summary_pb2.SummaryMetadata,
        TensorProto=tensor_pb2.TensorProto,
        TensorShapeProto=tensor_shape_pb2.TensorShapeProto,
        TextPluginData=TextPluginData,
        EventFileWriter=EventFileWriter,
    )


def as_array(value: Any) -> NDArray[Any]:
    """What a Tensor, an array, a number or a list holds."""
    return np.asarray(getattr(value, "_array", value))


def scalar(tag: str, value: Any, new_style: bool, double_precision: bool) -> Any:
    """One number."""
    p, array = protos(), as_array(value)
    if array.size != 1 or array.dtype.kind not in "biuf":
        raise ValueError(
            f"add_scalar: {tag!r} must be one real number, got {array.dtype} of shape {array.shape}"
        )
    number = float(array.reshape(()))
    if not new_style:
        return p.Summary(value=[p.Summary.Value(tag=tag, simple_value=number)])
    if double_precision:
        tensor = p.TensorProto(double_val=[number], dtype="DT_DOUBLE")
    else:
        tensor = p.TensorProto(float_val=[number], dtype="DT_FLOAT")
    metadata = p.SummaryMetadata(plugin_data={"plugin_name": "scalars"})
    return p.Summary(value=[p.Summary.Value(tag=tag, tensor=tensor, metadata=metadata)])


@functools.cache
def _exponential_edges() -> NDArray[np.float64]:
    """Edges that grow by a tenth, from 1e-12 to 1e20 on both sides of 0: TensorBoard's default."""
    positive, edge = [], 1e-12
    while edge < 1e20:
        positive.append(edge)
        edge *= 1.1
    return np.array([*(-edge for edge in reversed(positive)), 0.0, *positive])


def histogram(tag: str, values: Any, bins: Any, max_bins: int | None) -> Any:
    """How numbers are distributed."""
    p, array = protos(), as_array(values)
    if not array.size or array.dtype.kind not in "biuf":
        raise ValueError(
            f"add_histogram: {tag!r} must be real numbers, got {array.dtype} of shape {array.shape}"
        )
    numbers = array.reshape(-1).astype(np.float64)
    if not np.isfinite(numbers).all():
        raise ValueError(f"add_histogram: {tag!r} has NaN or infinite values")
    if max_bins is not None:
        max_bins = whole("add_histogram: max_bins", max_bins, 1)
    edges = _exponential_edges() if isinstance(bins, str) and bins == "tensorflow" else bins
    counts, limits = np.histogram(numbers, bins=edges)
    if max_bins is not None and len(counts) > max_bins:
        step = len(counts) // max_bins
        counts = np.add.reduceat(counts, range(0, len(counts), step))
        limits = np.append(limits[:-1:step], limits[-1])
    used = np.flatnonzero(counts)
    if not len(used):
        raise ValueError(f"add_histogram: no value of {tag!r} is within the bins")
    # A bucket is known by its right edge. The one before the first used is kept, empty: its right
    # edge is the left one of that.
    first, last = used[0], used[-1]
    message = p.HistogramProto(
        min=numbers.min(),
        max=numbers.max(),
        num=len(numbers),
        sum=numbers.sum(),
        sum_squares=numbers.dot(numbers),
        bucket_limit=limits[first : last + 2].tolist(),
        bucket=[0, *counts[first : last + 1].tolist()],
    )
    return p.Summary(value=[p.Summary.Value(tag=tag, histo=message)])


def image(tag: str, pixels: Any, dataformats: str) -> Any:
    """A picture, or several side by side: floats of 0..1, or uint8 of 0..255."""
    p = protos()
    grid = _grid(pixels_of(tag, as_array(pixels), dataformats))
    height, width, channels = grid.shape
    message = p.Summary.Image(
        height=height,
        width=width,
        colorspace=channels,
        encoded_image_string=encode_png(grid),
    )
    return p.Summary(value=[p.Summary.Value(tag=tag, image=message)])


def pixels_of(tag: str, array: NDArray[Any], dataformats: str) -> NDArray[np.uint8]:
    """Pictures as uint8 of (N, H, W, 3 or more)."""
    if not isinstance(dataformats, str):
        raise TypeError(f"add_image: dataformats must be a string, got {dataformats!r}")
    formats = dataformats.upper()
    if len(set(formats)) != len(formats) or sorted(formats) not in (
        sorted(form) for form in ("HW", "CHW", "NHW", "NCHW")
    ):
        raise ValueError(f"add_image: dataformats={dataformats!r} must name N, C, H and W once")
    if array.ndim != len(formats):
        raise ValueError(
            f"add_image: {tag!r} has shape {array.shape}, but dataformats={dataformats!r}"
        )
    if not array.size:
        raise ValueError(f"add_image: {tag!r} has shape {array.shape}: there are no pixels")
    if array.dtype != np.uint8:
        if array.dtype.kind not in "bf":
            raise ValueError(
                f"add_image: {tag!r} must be floats of 0 to 1 or uint8, got {array.dtype}"
            )
        array = np.clip(np.nan_to_num(array.astype(np.float32) * 255), 0, 255).astype(np.uint8)
    for axis in "NC":
        if axis not in formats:
            array, formats = array[None], axis + formats
    array = array.transpose([formats.index(axis) for axis in "NHWC"])
    return array.repeat(3, axis=3) if array.shape[3] == 1 else array


def _grid(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(N, H, W, C) as one image, at most 8 in a row."""
    n, height, width, channels = images.shape
    columns = min(n, 8)
    rows = -(-n // columns) if columns else 0
    grid = np.zeros((rows, columns, height, width, channels), np.uint8)
    grid.reshape(-1, height, width, channels)[:n] = images
    return grid.swapaxes(1, 2).reshape(rows * height, columns * width, channels)


def raw_histogram(tag: str, numbers: dict[str, Any], limits: Any, counts: Any) -> Any:
    """A histogram that was counted elsewhere: right edges and counts of its buckets."""
    for what, numbers_ in (("bucket_limits", limits), ("bucket_counts", counts)):
        if as_array(numbers_).ndim != 1:
            raise TypeError(
                f"add_histogram_raw: {what} must be a list of numbers, got {numbers_!r}"
            )
    p, edges, found = protos(), as_array(limits).tolist(), as_array(counts).tolist()
    if len(edges) != len(found):
        raise ValueError(
            f"add_histogram_raw: {len(edges)} bucket_limits, but {len(found)} bucket_counts"
        )
    message = p.HistogramProto(bucket_limit=edges, bucket=found)
    for name, value in numbers.items():
        setattr(message, name, float(as_array(value)))
    return p.Summary(value=[p.Summary.Value(tag=tag, histo=message)])


def audio(tag: str, sound: Any, rate: int) -> Any:
    """A sound of one channel: numbers of -1 to 1, as 16-bit WAV."""
    p, array = protos(), np.squeeze(as_array(sound))
    if array.ndim != 1 or array.dtype.kind != "f":
        raise ValueError(
            f"add_audio: {tag!r} must be floats of one channel, got {array.dtype}{array.shape}"
        )
    if not np.isfinite(array).all():
        raise ValueError(f"add_audio: {tag!r} has NaN or infinite values")
    rate = whole("add_audio: sample_rate", rate, 1)
    samples = (np.clip(array, -1, 1) * np.iinfo(np.int16).max).astype("<i2")
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(rate)
        writer.writeframes(samples.tobytes())
    message = p.Summary.Audio(
        sample_rate=rate,
        num_channels=1,
        length_frames=len(samples),
        encoded_audio_string=file.getvalue(),
        content_type="audio/wav",
    )
    return p.Summary(value=[p.Summary.Value(tag=tag, audio=message)])


_TENSOR_TYPES = {"f2": "HALF", "f4": "FLOAT", "f8": "DOUBLE", "b1": "BOOL"} | {
    f"{kind}{size}": f"{name}{8 * size}"
    for kind, name in (("i", "INT"), ("u", "UINT"))
    for size in (1, 2, 4, 8)
}


def tensor_message(array: NDArray[Any]) -> Any:
    """Numbers as TensorBoard's message: dtype, shape and the bytes."""
    p, kind = protos(), _TENSOR_TYPES.get(array.dtype.str[1:])
    if kind is None:
        raise ValueError(f"add_tensor: TensorBoard's tensors cannot hold {array.dtype}")
    shape = p.TensorShapeProto(dim=[p.TensorShapeProto.Dim(size=n) for n in array.shape])
    content = np.ascontiguousarray(array).tobytes()
    return p.TensorProto(dtype=f"DT_{kind}", tensor_shape=shape, tensor_content=content)


def tensor(tag: str, value: Any) -> Any:
    """All elements of a tensor."""
    p = protos()
    metadata = p.SummaryMetadata(plugin_data={"plugin_name": "tensor"})
    message = tensor_message(as_array(value))
    return p.Summary(value=[p.Summary.Value(tag=tag, metadata=metadata, tensor=message)])


def text(tag: str, content: str) -> Any:
    """A text in Markdown."""
    p = protos()
    if not isinstance(content, str):
        raise TypeError(f"add_text: {tag!r} must be a string, got {type(content).__name__}")
    metadata = p.SummaryMetadata(
        plugin_data=p.SummaryMetadata.PluginData(
            plugin_name="text", content=p.TextPluginData(version=0).SerializeToString()
        )
    )
    tensor = p.TensorProto(
        dtype="DT_STRING",
        string_val=[content.encode("utf-8", "backslashreplace")],
        tensor_shape=p.TensorShapeProto(dim=[p.TensorShapeProto.Dim(size=1)]),
    )
    value = p.Summary.Value(tag=f"{tag}/text_summary", metadata=metadata, tensor=tensor)
    return p.Summary(value=[value])
