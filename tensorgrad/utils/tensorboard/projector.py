"""Points for TensorBoard's projector: files of a folder, and the list of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tensorgrad.utils.png import encode_png
from tensorgrad.utils.tensorboard.summaries import as_array, pixels_of

__all__ = ["write_embedding"]


def write_embedding(
    folder: Path, name: str, points: Any, labels: Any, images: Any, header: Any
) -> None:
    """Points (n, features), with a label and a picture (n, C, H, W) for each, if given."""
    matrix = as_array(points)
    if matrix.ndim != 2 or not matrix.size or matrix.dtype.kind not in "biuf":
        raise ValueError(f"add_embedding: real points (n, features) expected, got {matrix.shape}")
    count = matrix.shape[0]
    if labels is None and header is not None:
        raise ValueError("add_embedding: metadata_header names the columns of metadata; give both")
    for what, given in (("labels", labels), ("images", images)):
        if given is not None and not hasattr(given, "__len__"):
            raise TypeError(f"add_embedding: {what} must be a list, one for each point: {given!r}")
        if given is not None and len(given) != count:
            raise ValueError(f"add_embedding: {count} points, but {len(given)} {what}")
    place = folder / name
    place.mkdir(parents=True, exist_ok=True)
    lines = ("\t".join(repr(x) for x in row) for row in matrix.tolist())
    _write(place / "tensors.tsv", lines)
    entry = [f'tensor_name: "{name}"', f'tensor_path: "{name}/tensors.tsv"']
    if labels is not None:
        _write(place / "metadata.tsv", _rows(labels, header))
        entry.append(f'metadata_path: "{name}/metadata.tsv"')
    if images is not None:
        pixels = pixels_of("add_embedding", as_array(images), "NCHW")
        (place / "sprite.png").write_bytes(encode_png(_sprite(pixels)))
        height, width = pixels.shape[1:3]
        entry.append(
            f'sprite {{ image_path: "{name}/sprite.png" single_image_dim: {width} '
            f"single_image_dim: {height} }}"
        )
    with (folder / "projector_config.pbtxt").open("a", encoding="utf-8") as file:
        file.write("embeddings { " + " ".join(entry) + " }\n")


def _rows(labels: Sequence[Any], header: Sequence[Any] | None) -> list[str]:
    """A line for each point; with a header, a label is a list of columns."""
    if header is None:
        return [_cell(label) for label in labels]
    if any(len(label) != len(header) for label in labels):
        raise ValueError(f"add_embedding: each label must have the {len(header)} columns {header}")
    return ["\t".join(map(_cell, row)) for row in [header, *labels]]


def _cell(value: Any) -> str:
    if hasattr(value, "_array"):
        value = value.item()
    return str(value).replace("\t", " ").replace("\n", " ")


def _write(path: Path, lines: Any) -> None:
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def _sprite(pixels: Any) -> Any:
    """All pictures in a square, as TensorBoard cuts them."""
    count, height, width, channels = pixels.shape
    side = int(np.ceil(np.sqrt(count)))
    grid = np.zeros((side, side, height, width, channels), np.uint8)
    grid.reshape(-1, height, width, channels)[:count] = pixels
    return grid.swapaxes(1, 2).reshape(side * height, side * width, channels)
