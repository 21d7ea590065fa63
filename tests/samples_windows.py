"""Rows of what looks at windows: pooling, transposed convolution, interpolation, sampling."""

from typing import Any

import numpy as np
from samples_layers import Layer, layer
from samples_nn import quietly
from sampling import Case, Drawn, Sample, case, fixed, real, row

from tensorgrad.kernels.taps import Taps

__all__ = ["WINDOWS", "WINDOW_LAYERS", "WINDOW_PRIMITIVES"]


def functional(name: str, *cases: Case, **fields: Any) -> Sample:
    return row(f"nn.functional.{name}", *cases, **fields)


# fmt: off
WHOLE = "whole numbers are refused: BLAS has no product of them"
INTEGERS = {"int64": WHOLE}
MEANS = {"int64": "a mean of whole numbers is refused, as for mean()"}
LINE, IMAGE, VOLUME = real(1, 2, 5), real(1, 2, 4, 5), real(1, 1, 3, 4, 3)
# All different, so that no maximum is a tie.
STEPS, TILES, CUBES = (real(*d.shape, of="distinct") for d in (LINE, IMAGE, VOLUME))
BLOCKS = real(1, 1, 4, 5, 4, of="distinct")
POSITIVE = tuple(real(*d.shape, of="positive") for d in (LINE, IMAGE, VOLUME))

POOLING = [
    functional("conv_transpose1d", case(real(2, 2, 3), real(2, 2, 3), real(2)),
               case(real(2, 3), real(2, 1, 2), real(2), 2, 1, 1, 2), differs=INTEGERS),
    functional("conv_transpose2d", case(real(1, 2, 3, 2), real(2, 1, 2, 3), real(1)),
               case(real(1, 2, 2, 2), real(2, 1, 2, 2), real(2), (2, 1), 1, (1, 0), 2, 2),
               case(real(1, 1, 2, 2), real(1, 1, 2, 2), None, 1, 0, 1, 1, 2),
               case(real(1, 1, 2, 8), real(1, 2, 3, 3), padding=1), differs=INTEGERS),
    functional("conv_transpose3d", case(real(1, 1, 2, 2, 1), real(1, 2, 2, 1, 2), real(2),
               (1, 2, 1), output_padding=(0, 1, 0)), differs=INTEGERS),
    *(functional(f"max_pool{n}d", case(x, 2), case(x, 3, 2, 1, return_indices=True),
                 case(x, 2, 1, dilation=2), case(x, 2, ceil_mode=True))
      for n, x in ((1, STEPS), (3, CUBES))),
    *(functional(f"max_pool{n}d_with_indices", case(x, 2)) for n, x in ((1, STEPS), (3, CUBES))),
    functional("avg_pool1d", case(LINE, 2), case(LINE, 3, 2, 1, count_include_pad=False),
               case(LINE, 2, ceil_mode=True), differs=MEANS),
    functional("avg_pool3d", case(VOLUME, 2), case(VOLUME, (2, 3, 2), 2, (1, 0, 1)),
               case(VOLUME, 2, divisor_override=3), differs=MEANS),
    *(functional(f"lp_pool{n}d", case(x, 2, 2), case(x, 3.0, 2, 1), case(x, 1.5, 2, ceil_mode=True),
                 differs=MEANS | {"bool": MEANS["int64"]})
      for n, x in enumerate(POSITIVE, 1)),
    *(functional(f"lp_pool{n}d", case(x, float("inf"), 2), case(x, float("-inf"), 2, 1, True))
      for n, x in enumerate((STEPS, TILES, CUBES), 1)),
    functional("adaptive_avg_pool1d", case(LINE, 1), case(LINE, 3), case(LINE, 7)),
    functional("adaptive_avg_pool3d", case(VOLUME, 1), case(VOLUME, (2, None, 3))),
    *(functional(f"adaptive_max_pool{n}d", case(x, 2), case(x, (3,) * n, return_indices=True))
      for n, x in enumerate((STEPS, TILES, CUBES), 1)),
    *(functional(f"adaptive_max_pool{n}d_with_indices", case(x, 2))
      for n, x in enumerate((STEPS, TILES, CUBES), 1)),
    *(functional(f"fractional_max_pool{n}d{ending}",
                 case(x, 2, 2, _random_samples=real(1, x.shape[1], n, of="unit", grad=False)),
                 case(x, (1, 2, 2)[-n:], output_ratio=(0.7,) * n, return_indices=True,
                      _random_samples=real(3, x.shape[1], n, of="unit", grad=False)))
      for n, x in ((2, TILES), (3, BLOCKS)) for ending in ("", "_with_indices")),
    *(functional(f"fractional_max_pool{n}d", case(real(0, *x.shape[1:]), 2, 2),
                 torch=None, reason="its numbers are drawn, though there are none to draw")
      for n, x in ((2, TILES), (3, BLOCKS))),
    functional("max_unpool1d", case(real(1, 2, 2), fixed([[[1, 2], [0, 3]]]), 2),
               case(real(1, 2), fixed([[0, 4]]), 2, output_size=(5,))),
    functional("max_unpool2d", case(real(1, 1, 2, 2), fixed([[[[1, 2], [9, 15]]]]), 2),
               case(real(1, 1, 2), fixed([[[4, 2]]]), (3, 2), (2, 2), (0, 0))),
    functional("max_unpool3d", case(real(1, 1, 1, 1, 2), fixed([[[[[3, 8]]]]]), 2)),
]

TAPS = Taps([0, 0, 1, 3, 3, 3], [1, 2, 0, 0, 1, 2], [0.5, 1.5, 2, -1, 0.25, 3], (4, 3))
PICKED = Taps([0, 1, 2], [1, 1, 0], None, (3, 3))
DENSE = Taps([0] * 30, list(range(30)), np.linspace(0, 1, 30), (1, 30))
OVERLAP: dict[str, Any] = {"kernel": (2, 3), "stride": (1, 2), "padding": ((1, 0), (1, 2)),
                           "dilation": (2, 1), "out": (2, 3)}

WINDOW_PRIMITIVES = [
    row("primitive.resample", case(real(2, 3), taps=TAPS, axis=1),
        case(real(3, 2), taps=PICKED, axis=0), case(real(30, 2), taps=DENSE, axis=0),
        case(real(2, 4), taps=TAPS.back, axis=-1), primitive="resample"),
    row("primitive.average_parts", case(real(2, 3), taps=TAPS, axis=1),
        case(real(3, 2), taps=PICKED, axis=0), primitive="average_parts"),
    row("primitive.windows_to_columns", case(real(1, 2, 3, 4), **OVERLAP),
        primitive="windows_to_columns"),
    row("primitive.columns_to_windows", case(real(1, 2, 6, 6), shape=(1, 2, 3, 4), **OVERLAP),
        primitive="columns_to_windows"),
]

POOLING_LAYERS = [
    layer("ConvTranspose1d", case(2, 3, 2, stride=2, padding=1), case(real(2, 2, 4))),
    layer("ConvTranspose2d", case(2, 4, (2, 3), 2, 1, (1, 0), 2, False, 2), case(IMAGE)),
    layer("ConvTranspose2d", case(2, 1, 2, 2), case(IMAGE, output_size=(9, 10))),
    layer("ConvTranspose3d", case(1, 2, 2), case(real(1, 1, 2, 2, 1))),
    *(layer(f"MaxPool{n}d", case(2, 1, return_indices=True), case(x))
      for n, x in ((1, STEPS), (3, CUBES))),
    *(layer(f"AvgPool{n}d", case(3, 2, 1, True, False), case(x))
      for n, x in ((1, LINE), (3, VOLUME))),
    *(layer(f"LPPool{n}d", case(2, 2), case(x)) for n, x in enumerate(POSITIVE, 1)),
    *(layer(f"AdaptiveAvgPool{n}d", case(2), case(x)) for n, x in ((1, LINE), (3, VOLUME))),
    *(layer(f"AdaptiveMaxPool{n}d", case(2, True), case(x))
      for n, x in enumerate((STEPS, TILES, CUBES), 1)),
    *(layer(f"FractionalMaxPool{n}d",
            case(2, output_ratio=0.7, _random_samples=real(1, x.shape[1], n, of="unit",
                 grad=False)), case(x)) for n, x in ((2, TILES), (3, BLOCKS))),
    layer("MaxUnpool1d", case(2), case(real(1, 2, 2), fixed([[[1, 2], [0, 3]]]))),
    layer("MaxUnpool2d", case((2, 2)), case(real(1, 1, 2), fixed([[[0, 3]]]))),
    layer("MaxUnpool3d", case(2, 2), case(real(1, 1, 1, 1, 2), fixed([[[[[3, 8]]]]]))),
]

PADDING_LAYERS = [
    *(layer(f"{kind}Pad{n}d", case(1), case(x)) for n, x in enumerate((LINE, IMAGE, VOLUME), 1)
      for kind in ("Zero", "Reflection", "Replication", "Circular")),
    *(layer(f"ConstantPad{n}d", case(tuple(range(-1, 2 * n - 1)), 1.5), case(x))
      for n, x in enumerate((LINE, IMAGE, VOLUME), 1)),
]

RESIZING = [
    functional("interpolate", case(IMAGE, 3), case(LINE, scale_factor=1.7, mode="nearest-exact"),
               case(VOLUME, (2, 3, 5)), case(IMAGE, (3, 2), mode="area"),
               *(case(x, 4, mode=mode, align_corners=corners)
                 for x, mode in ((LINE, "linear"), (IMAGE, "bilinear"), (VOLUME, "trilinear"),
                                 (IMAGE, "bicubic")) for corners in (False, True)),
               case(IMAGE, scale_factor=(1.3, 0.7), mode="bilinear"),
               case(IMAGE, scale_factor=1.6, mode="bicubic", recompute_scale_factor=True),
               case(IMAGE, (2, 3), mode="bilinear", antialias=True),
               case(IMAGE, 2, mode="bicubic", align_corners=True, antialias=True)),
    functional("upsample", case(LINE, 7, mode="linear"), call=quietly),
    functional("upsample_nearest", case(IMAGE, scale_factor=2), call=quietly),
    functional("upsample_bilinear", case(IMAGE, 6), call=quietly),
    functional("unfold", case(IMAGE, 2), case(IMAGE, (2, 3), (1, 2), (1, 0), 2),
               case(real(2, 3, 3), 2)),
    functional("fold", case(real(1, 4, 6), (3, 4), 2),
               case(real(2, 12, 3), (4, 5), (2, 3), (1, 2), (1, 0), (2, 1)),
               case(real(4, 4), 3, 2)),
    functional("pixel_shuffle", case(real(1, 8, 2, 3), 2), case(real(9, 1, 2), 3)),
    functional("pixel_unshuffle", case(real(1, 2, 4, 6), 2), case(real(1, 3, 3), 3)),
    functional("channel_shuffle", case(real(1, 6, 2, 1), 3), case(real(2, 4, 3), 2)),
]

RESIZING_LAYERS = [
    layer("Upsample", case(scale_factor=2), case(IMAGE)),
    layer("Upsample", case((3, 7), mode="bicubic", align_corners=False), case(IMAGE)),
    layer("Upsample", case(None, (1.5, 2), "bilinear", None, True), case(IMAGE)),
    layer("UpsamplingNearest2d", case(scale_factor=2), case(IMAGE)),
    layer("UpsamplingBilinear2d", case(7), case(IMAGE)),
    layer("Unfold", case(2, padding=1), case(IMAGE)),
    layer("Fold", case((3, 4), 2), case(real(1, 4, 6))),
    layer("PixelShuffle", case(2), case(real(1, 8, 2, 3))),
    layer("PixelUnshuffle", case(2), case(real(1, 2, 4, 6))),
    layer("ChannelShuffle", case(3), case(real(1, 6, 2, 1))),
]

# Places of a 4 x 5 image, clear of pixels' centers and edges and of the border's.
PLACES = real(1, 2, 3, 2, of="unit")
OUTSIDE = Drawn((1, 2, 2, 2), "real", "above one")
SAMPLING = [
    functional("grid_sample",
               *(case(IMAGE, where, mode, padding, corners) for where, mode, padding, corners in (
                   (PLACES, "bilinear", "zeros", False), (PLACES, "bilinear", "zeros", True),
                   (PLACES, "nearest", "border", False), (OUTSIDE, "bilinear", "border", True),
                   (OUTSIDE, "bilinear", "reflection", False), (PLACES, "bicubic", "zeros", True),
                   (OUTSIDE, "bicubic", "reflection", False))),
               case(VOLUME, real(1, 2, 1, 1, 3, of="unit"), align_corners=False), call=quietly),
    functional("affine_grid", case(real(2, 2, 3), (2, 1, 2, 3), align_corners=False),
               case(real(1, 3, 4), [1, 2, 2, 1, 2], True)),
    functional("local_response_norm", case(real(2, 5, 2), 3, 0.5),
               case(real(1, 4, 2, 2), 2, 1.0, 0.6, 2.0), differs=MEANS),
    functional("normalize", case(real(2, 3)), case(real(2, 3, of="nonzero"), 1, 0),
               case(real(3), dim=0, p=3), case(real(2, 2, 2), 2.0, (1, 2))),
    functional("cosine_similarity", case(real(2, 3), real(2, 3)),
               case(real(2, 3, 2), real(3, 2), dim=-2), case(real(3), real(2, 3), -1, 0.1),
               case(real(1, 2, 3), real(2, 1, 3), -2), case(real(2, 3), real(2, 1))),
    functional("pairwise_distance", case(real(2, 3), real(2, 3)),
               case(real(2, 3), real(3), 1, 1e-3, True), case(real(3), real(3), p=3.0)),
]

SAMPLING_LAYERS = [
    layer("LocalResponseNorm", case(3, 0.5), case(real(1, 4, 2))),
    layer("CosineSimilarity", case(0), case(real(3), real(3))),
    layer("PairwiseDistance", case(2.0, keepdim=True), case(real(2, 3), real(2, 3))),
]

WINDOWS = [*POOLING, *RESIZING, *SAMPLING]
WINDOW_LAYERS: list[Layer] = [
    *POOLING_LAYERS, *PADDING_LAYERS, *RESIZING_LAYERS, *SAMPLING_LAYERS,
]
