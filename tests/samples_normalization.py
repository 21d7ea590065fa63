"""Rows of normalisation of single samples: over axes, groups of channels, and channels."""

from samples_layers import Layer, both, layer
from samples_nn import functional, quietly
from sampling import case, cplx, real, row

__all__ = ["NORMALIZATION", "NORMALIZATION_LAYERS", "NORMALIZATION_PRIMITIVES"]

# fmt: off
IMAGE = real(2, 4, 3, 2)
MEAN, SPREAD = real(4, grad=False), real(4, of="positive", grad=False)

NORMALIZATION = [
    functional("layer_norm", case(real(2, 3), (3,)), case(real(2, 3), [3], real(3), real(3), 0.1),
               case(real(2, 3, 2), (3, 2), real(3, 2)), case(real(2, 3), (2, 3), None, real(2, 3)),
               case(real(4), (4,), real(4)), case(real(0, 3), (3,), real(3), real(3)),
               case(real(2, 0), (0,)), case(real(2, 3, 4), (4,), eps=0.5)),
    functional("rms_norm", case(real(2, 3), (3,)), case(real(2, 3), [3], real(3), 0.1),
               case(real(2, 3, 2), (3, 2), real(3, 2)), case(real(0, 3), (3,), real(3)),
               case(real(4), (4,), real(4)), case(cplx(2, 3), (3,), cplx(3))),
    functional("group_norm", case(IMAGE, 2), case(IMAGE, 4, real(4), real(4), 0.1),
               case(real(2, 6), 2, real(6)), case(real(0, 4, 2), 2, real(4), real(4))),
    functional("group_norm", case(real(2, 4), 1, None, real(4)), torch=None,
               reason="PyTorch's backward fails on a bias without a weight"),
    functional("instance_norm", case(IMAGE), case(IMAGE, None, None, real(4), real(4), eps=0.1),
               case(real(2, 3, 4), weight=real(3)), case(real(2, 3, 4), bias=real(3)),
               case(IMAGE, MEAN, SPREAD, real(4), real(4), False),
               case(IMAGE, MEAN, SPREAD, use_input_stats=False, eps=0.1),
               case(real(0, 4, 2)), call=quietly),
]

NORMALIZATION_PRIMITIVES = [
    row("primitive.layer_norm", case(real(3, 4), real(4), real(4), axes=1, eps=1e-5),
        case(real(2, 3, 2), None, real(3, 2), axes=2, eps=0.1),
        case(real(2, 3), real(2, 3), None, axes=2, eps=0.1),
        case(real(4), None, None, axes=1, eps=1e-3), torch=None, primitive="layer_norm"),
    row("primitive.rms_norm", case(real(3, 4), real(4), axes=1, eps=1e-5),
        case(real(2, 3, 2), None, axes=2, eps=0.1),
        case(real(4), real(4), axes=1, eps=1e-3), torch=None, primitive="rms_norm"),
]

CROSS = "PyTorch never takes channel 0 out of its running sum: see docs/differences.md"
NORMALIZATION_LAYERS: list[Layer] = [
    layer("LayerNorm", case(3), case(real(2, 3)), case(real(2, 2, 3))),
    layer("LayerNorm", case([3, 2], 1e-3, bias=False), case(real(2, 3, 2))),
    layer("LayerNorm", case((3,), elementwise_affine=False), case(real(2, 3))),
    layer("RMSNorm", case(3), case(real(2, 3))),
    layer("RMSNorm", case((3, 2), 1e-3), case(real(2, 3, 2))),
    layer("RMSNorm", case([3], elementwise_affine=False), case(real(2, 3))),
    layer("GroupNorm", case(2, 4), case(IMAGE), case(real(3, 4))),
    layer("GroupNorm", case(4, 4, 1e-3, bias=False), case(IMAGE)),
    layer("GroupNorm", case(1, 4, affine=False), case(IMAGE)),
    *both("InstanceNorm1d", case(3), case(real(2, 3, 4)), case(real(3, 4))),
    *both("InstanceNorm1d", case(3, 1e-3, 0.3, True, True), case(real(2, 3, 4)), case(real(3, 4))),
    *both("InstanceNorm2d", case(4, affine=True, track_running_stats=True), case(IMAGE),
          case(real(4, 2, 2))),
    layer("InstanceNorm2d", case(4, affine=True, bias=False), case(IMAGE)),
    *both("InstanceNorm3d", case(2, track_running_stats=True), case(real(1, 2, 2, 1, 2))),
    *both("SyncBatchNorm", case(3, 1e-3, 0.3), case(real(4, 3)), case(real(2, 3, 2))),
    layer("CrossMapLRN2d", case(3, 0.5, 0.6, 2), case(real(1, 5, 2, 1)), torch=False, reason=CROSS),
    layer("CrossMapLRN2d", case(4, 0.5), case(real(1, 2, 2, 1))),
]
