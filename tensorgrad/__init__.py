"""tensorgrad: a Python autograd engine on NumPy that shows its work.

``import tensorgrad as tg`` gives PyTorch's names: ``tg.tensor``, ``tg.exp``, ``tg.no_grad``, ...;
``tg.nn``, ``tg.optim``, ``tg.data``, ``tg.viz`` load when first used.
"""

from __future__ import annotations

import builtins
import importlib
import warnings
from typing import TYPE_CHECKING, Any

# Written out, and packed: one name a line would be seven screens.
# fmt: off
# Before the function of that name: importing the module binds ``tensorgrad.tensor`` to it.
# isort: off
from tensorgrad.machine.allocation import tune_malloc
from tensorgrad.tensor import Tensor
# isort: on
from tensorgrad.amp import GradScaler, autocast
from tensorgrad.amp.autocast_mode import is_autocast_cpu_enabled, is_autocast_enabled
from tensorgrad.autograd import (
    enable_grad,
    inference_mode,
    is_grad_enabled,
    is_inference_mode_enabled,
    no_grad,
    set_grad_enabled,
)
from tensorgrad.backward.anomaly import (
    is_anomaly_check_nan_enabled,
    is_anomaly_enabled,
    set_anomaly_enabled,
)
from tensorgrad.buffers import empty_permuted, empty_strided, from_file, frombuffer
from tensorgrad.compiler import compile
from tensorgrad.control import cond, while_loop
from tensorgrad.creation import (
    as_tensor,
    asarray,
    empty,
    empty_like,
    eye,
    from_numpy,
    full,
    full_like,
    ones,
    ones_like,
    tensor,
    zeros,
    zeros_like,
)
from tensorgrad.device import device
from tensorgrad.dlpack import from_dlpack, to_dlpack
from tensorgrad.drawing import bernoulli, binomial, multinomial, normal, poisson
from tensorgrad.dtypes import (
    bfloat16,
    bool,
    cdouble,
    cfloat,
    complex64,
    complex128,
    double,
    dtype,
    finfo,
    float,
    float16,
    float32,
    float64,
    get_default_dtype,
    half,
    iinfo,
    int,
    int8,
    int16,
    int32,
    int64,
    long,
    set_default_dtype,
    short,
    uint8,
    uint16,
    uint32,
    uint64,
)
from tensorgrad.functions.calculus import cumulative_trapezoid, gradient, trapezoid, trapz
from tensorgrad.functions.combining import (
    block_diag,
    cartesian_prod,
    cdist,
    combinations,
    renorm,
    vander,
)
from tensorgrad.functions.comparison import (
    allclose,
    bitwise_and,
    bitwise_not,
    bitwise_or,
    bitwise_xor,
    eq,
    equal,
    ge,
    greater,
    greater_equal,
    gt,
    isclose,
    isfinite,
    isinf,
    isnan,
    le,
    less,
    less_equal,
    logical_and,
    logical_not,
    logical_or,
    logical_xor,
    lt,
    ne,
    not_equal,
)
from tensorgrad.functions.complex_parts import (
    angle,
    complex,
    is_complex,
    polar,
    view_as_complex,
    view_as_real,
)
from tensorgrad.functions.copies import (
    alias_copy,
    clone,
    detach,
    detach_copy,
    diagonal_copy,
    expand_copy,
    fill,
    narrow_copy,
    permute_copy,
    select_copy,
    slice_copy,
    split_copy,
    split_with_sizes,
    split_with_sizes_copy,
    squeeze_copy,
    t_copy,
    transpose_copy,
    unbind_copy,
    unfold_copy,
    unsafe_chunk,
    unsafe_split,
    unsafe_split_with_sizes,
    unsqueeze_copy,
    view_as_complex_copy,
    view_as_real_copy,
    view_copy,
)
from tensorgrad.functions.diagonals import (
    diag,
    diag_embed,
    diagflat,
    diagonal,
    diagonal_scatter,
    trace,
    tril_indices,
    triu_indices,
)
from tensorgrad.functions.einsum import einsum, tensordot
from tensorgrad.functions.elementwise import (
    abs,
    absolute,
    add,
    ceil,
    clamp,
    clip,
    conj,
    cos,
    div,
    divide,
    exp,
    expm1,
    fix,
    floor,
    floor_divide,
    frac,
    imag,
    lerp,
    log,
    log1p,
    log2,
    log10,
    maximum,
    minimum,
    mul,
    multiply,
    neg,
    negative,
    positive,
    pow,
    real,
    reciprocal,
    relu,
    remainder,
    round,
    rsqrt,
    sgn,
    sigmoid,
    sign,
    sin,
    sqrt,
    square,
    sub,
    subtract,
    tanh,
    true_divide,
    trunc,
    where,
)
from tensorgrad.functions.floating import (
    addcdiv,
    addcmul,
    bitwise_left_shift,
    bitwise_right_shift,
    clamp_max,
    clamp_min,
    copysign,
    float_power,
    fmax,
    fmin,
    fmod,
    frexp,
    gcd,
    heaviside,
    isin,
    isneginf,
    isposinf,
    isreal,
    lcm,
    ldexp,
    nan_to_num,
    nextafter,
    rsub,
    signbit,
)
from tensorgrad.functions.histograms import histogram, histogramdd
from tensorgrad.functions.indexing import (
    argwhere,
    gather,
    index_select,
    masked_fill,
    masked_select,
    nonzero,
    take_along_dim,
)
from tensorgrad.functions.inplace import (
    abs_,
    acos_,
    acosh_,
    addmv_,
    arccos_,
    arccosh_,
    arcsin_,
    arcsinh_,
    arctan_,
    arctanh_,
    as_strided_,
    asin_,
    asinh_,
    atan_,
    atanh_,
    ceil_,
    clamp_,
    clamp_max_,
    clamp_min_,
    clip_,
    conj_physical_,
    cos_,
    cosh_,
    deg2rad_,
    detach_,
    erf_,
    erfc_,
    exp2_,
    exp_,
    expm1_,
    fill_,
    fix_,
    floor_,
    frac_,
    gcd_,
    i0_,
    index_put_,
    lcm_,
    ldexp_,
    log1p_,
    log2_,
    log10_,
    log_,
    logit_,
    nan_to_num_,
    neg_,
    negative_,
    rad2deg_,
    reciprocal_,
    relu_,
    resize_as_,
    round_,
    rsqrt_,
    sigmoid_,
    sin_,
    sinc_,
    sinh_,
    sqrt_,
    square_,
    tan_,
    tanh_,
    trunc_,
    xlogy_,
    zero_,
)
from tensorgrad.functions.joining import (
    cat,
    chunk,
    concat,
    concatenate,
    hstack,
    split,
    stack,
    tile,
    unbind,
    vstack,
)
from tensorgrad.functions.kinds import (
    can_cast,
    conj_physical,
    get_device,
    is_conj,
    is_floating_point,
    is_neg,
    is_nonzero,
    is_same_size,
    is_signed,
    promote_types,
    resolve_conj,
    resolve_neg,
    result_type,
    typename,
)
from tensorgrad.functions.linalg import bmm, dot, matmul, mm, mv, outer
from tensorgrad.functions.placing import (
    masked_scatter,
    put,
    select_scatter,
    slice_scatter,
    take,
)
from tensorgrad.functions.positions import nonzero_static, unravel_index
from tensorgrad.functions.products import (
    addbmm,
    addmm,
    addmv,
    addr,
    baddbmm,
    chain_matmul,
    cross,
    inner,
    kron,
    vdot,
)
from tensorgrad.functions.quantiles import (
    nanquantile,
    quantile,
)
from tensorgrad.functions.rearranging import (
    atleast_1d,
    atleast_2d,
    atleast_3d,
    column_stack,
    dsplit,
    dstack,
    fliplr,
    flipud,
    hsplit,
    meshgrid,
    repeat_interleave,
    roll,
    rot90,
    row_stack,
    tensor_split,
    vsplit,
)
from tensorgrad.functions.recurrent import (
    gru,
    gru_cell,
    lstm,
    lstm_cell,
    rnn_relu,
    rnn_relu_cell,
    rnn_tanh,
    rnn_tanh_cell,
)
from tensorgrad.functions.reduction import (
    all,
    amax,
    amin,
    any,
    argmax,
    argmin,
    count_nonzero,
    cumsum,
    log_softmax,
    logsumexp,
    max,
    mean,
    min,
    prod,
    softmax,
    std,
    std_mean,
    sum,
    var,
    var_mean,
)
from tensorgrad.functions.scattering import (
    index_add,
    index_copy,
    index_fill,
    index_put,
    index_reduce,
    scatter,
    scatter_add,
    scatter_reduce,
)
from tensorgrad.functions.segments import hash_tensor, segment_reduce
from tensorgrad.functions.shape import (
    broadcast_shapes,
    broadcast_tensors,
    broadcast_to,
    expand,
    flatten,
    flip,
    moveaxis,
    movedim,
    narrow,
    numel,
    permute,
    ravel,
    reshape,
    select,
    squeeze,
    swapaxes,
    swapdims,
    t,
    transpose,
    tril,
    triu,
    unflatten,
    unsqueeze,
    view,
)
from tensorgrad.functions.sorting import (
    argsort,
    bincount,
    bucketize,
    histc,
    kthvalue,
    msort,
    searchsorted,
    sort,
    topk,
    unique,
    unique_consecutive,
)
from tensorgrad.functions.special import (
    digamma,
    erf,
    erfc,
    erfinv,
    i0,
    igamma,
    igammac,
    lgamma,
    logaddexp,
    logaddexp2,
    logit,
    mvlgamma,
    polygamma,
    xlogy,
)
from tensorgrad.functions.statistics import (
    aminmax,
    corrcoef,
    cov,
    cummax,
    cummin,
    cumprod,
    diff,
    logcumsumexp,
    median,
    mode,
    nanmean,
    nanmedian,
    nansum,
)
from tensorgrad.functions.strided import as_strided, as_strided_copy, as_strided_scatter
from tensorgrad.functions.trigonometric import (
    acos,
    acosh,
    arccos,
    arccosh,
    arcsin,
    arcsinh,
    arctan,
    arctan2,
    arctanh,
    asin,
    asinh,
    atan,
    atan2,
    atanh,
    cosh,
    deg2rad,
    exp2,
    hypot,
    rad2deg,
    sinc,
    sinh,
    tan,
)
from tensorgrad.gradcheck import gradcheck, gradcheck_report, gradgradcheck
from tensorgrad.layouts import (
    channels_last,
    channels_last_3d,
    contiguous_format,
    layout,
    memory_format,
    preserve_format,
    strided,
)
from tensorgrad.legacy import (
    BoolTensor,
    ByteTensor,
    CharTensor,
    DoubleTensor,
    FloatTensor,
    HalfTensor,
    IntTensor,
    LongTensor,
    ShortTensor,
    set_default_tensor_type,
)
from tensorgrad.linalg.lowrank import lobpcg, pca_lowrank, svd_lowrank
from tensorgrad.linalg.names import (
    adjoint,
    cholesky,
    cholesky_inverse,
    cholesky_solve,
    det,
    geqrf,
    inverse,
    logdet,
    lu_solve,
    matrix_exp,
    matrix_power,
    orgqr,
    ormqr,
    pinverse,
    slogdet,
    triangular_solve,
)
from tensorgrad.linalg.old_names import (
    dist,
    frobenius_norm,
    ger,
    lu,
    lu_unpack,
    norm,
    norm_except_dim,
    nuclear_norm,
    qr,
    svd,
)
from tensorgrad.machine.threads import (
    get_num_interop_threads,
    get_num_threads,
    set_num_interop_threads,
    set_num_threads,
)
from tensorgrad.outputs import publish, published
from tensorgrad.printing import set_printoptions
from tensorgrad.random import (
    Generator,
    default_generator,
    get_rng_state,
    initial_seed,
    manual_seed,
    seed,
    set_rng_state,
)
from tensorgrad.ranges import arange, linspace, logspace, range, scalar_tensor
from tensorgrad.sampling import rand, rand_like, randint, randint_like, randn, randn_like, randperm
from tensorgrad.settings import (
    are_deterministic_algorithms_enabled,
    get_default_device,
    get_deterministic_debug_mode,
    get_float32_matmul_precision,
    is_deterministic_algorithms_warn_only_enabled,
    is_warn_always_enabled,
    set_default_device,
    set_deterministic_debug_mode,
    set_float32_matmul_precision,
    set_flush_denormal,
    set_warn_always,
    use_deterministic,
    use_deterministic_algorithms,
)
from tensorgrad.signal.names import (
    bartlett_window,
    blackman_window,
    hamming_window,
    hann_window,
    kaiser_window,
)
from tensorgrad.signal.spectral import istft, stft
from tensorgrad.size import Size

# fmt: on

if TYPE_CHECKING:
    from tensorgrad import accelerator as accelerator
    from tensorgrad import amp as amp
    from tensorgrad import array_api as array_api
    from tensorgrad import autograd as autograd
    from tensorgrad import backends as backends
    from tensorgrad import compiler as compiler
    from tensorgrad import cpu as cpu
    from tensorgrad import cuda as cuda
    from tensorgrad import data as data
    from tensorgrad import distributed as distributed
    from tensorgrad import distributions as distributions
    from tensorgrad import fft as fft
    from tensorgrad import func as func
    from tensorgrad import jit as jit
    from tensorgrad import linalg as linalg
    from tensorgrad import mps as mps
    from tensorgrad import multiprocessing as multiprocessing
    from tensorgrad import nn as nn
    from tensorgrad import optim as optim
    from tensorgrad import overrides as overrides
    from tensorgrad import profiler as profiler
    from tensorgrad import quasirandom as quasirandom
    from tensorgrad import serialization as serialization
    from tensorgrad import special as special
    from tensorgrad import testing as testing
    from tensorgrad import training as training
    from tensorgrad import types as types
    from tensorgrad import utils as utils
    from tensorgrad import version as version
    from tensorgrad import viz as viz
    from tensorgrad import xpu as xpu
    from tensorgrad.func import vmap as vmap
    from tensorgrad.serialization import load as load
    from tensorgrad.serialization import save as save

__version__ = "0.1.0.dev0"

# Infinities and NaN are values here, as in PyTorch; NumPy would warn of each.  The filter names
# this package: an np.errstate around every operation would cost five times what it guards.
warnings.filterwarnings("ignore", category=RuntimeWarning, module=r"tensorgrad\.")

inf, nan, pi, e = builtins.float("inf"), builtins.float("nan"), 3.141592653589793, 2.718281828459045
newaxis = None

__all__ = [
    "BoolTensor", "ByteTensor", "CharTensor", "DoubleTensor", "FloatTensor", "Generator",
    "GradScaler", "HalfTensor", "IntTensor", "LongTensor", "ShortTensor", "Size", "Tensor", "abs",
    "abs_", "absolute", "acos", "acos_", "acosh", "acosh_", "add", "addbmm", "addcdiv", "addcmul",
    "addmm", "addmv", "addmv_", "addr", "adjoint", "alias_copy", "all", "allclose", "amax", "amin",
    "aminmax", "angle", "any", "arange", "arccos", "arccos_", "arccosh", "arccosh_", "arcsin",
    "arcsin_", "arcsinh", "arcsinh_", "arctan", "arctan2", "arctan_", "arctanh", "arctanh_",
    "are_deterministic_algorithms_enabled", "argmax", "argmin", "argsort", "argwhere", "array_api",
    "as_strided", "as_strided_", "as_strided_copy", "as_strided_scatter", "as_tensor", "asarray",
    "asin", "asin_", "asinh", "asinh_", "atan", "atan2", "atan_", "atanh", "atanh_", "atleast_1d",
    "atleast_2d", "atleast_3d", "autocast", "autograd", "baddbmm", "bartlett_window", "bernoulli",
    "bfloat16", "bincount", "binomial", "bitwise_and", "bitwise_left_shift", "bitwise_not",
    "bitwise_or", "bitwise_right_shift", "bitwise_xor", "blackman_window", "block_diag", "bmm",
    "bool", "broadcast_shapes", "broadcast_tensors", "broadcast_to", "bucketize", "can_cast",
    "cartesian_prod", "cat", "cdist", "cdouble", "ceil", "ceil_", "cfloat", "chain_matmul",
    "channels_last", "channels_last_3d", "cholesky", "cholesky_inverse", "cholesky_solve", "chunk",
    "clamp", "clamp_", "clamp_max", "clamp_max_", "clamp_min", "clamp_min_", "clip", "clip_",
    "clone", "column_stack", "combinations", "compile", "complex", "complex128", "complex64",
    "concat", "concatenate", "cond", "conj", "conj_physical", "conj_physical_", "contiguous_format",
    "copysign", "corrcoef", "cos", "cos_", "cosh", "cosh_", "count_nonzero", "cov", "cross",
    "cummax", "cummin", "cumprod", "cumsum", "cumulative_trapezoid", "data", "default_generator",
    "deg2rad", "deg2rad_", "det", "detach", "detach_", "detach_copy", "device", "diag",
    "diag_embed", "diagflat", "diagonal", "diagonal_copy", "diagonal_scatter", "diff", "digamma",
    "dist", "distributions", "div", "divide", "dot", "double", "dsplit", "dstack", "dtype", "e",
    "einsum", "empty", "empty_like", "empty_permuted", "empty_strided", "enable_grad", "eq",
    "equal", "erf", "erf_", "erfc", "erfc_", "erfinv", "exp", "exp2", "exp2_", "exp_", "expand",
    "expand_copy", "expm1", "expm1_", "eye", "fft", "fill", "fill_", "finfo", "fix", "fix_",
    "flatten", "flip", "fliplr", "flipud", "float", "float16", "float32", "float64", "float_power",
    "floor", "floor_", "floor_divide", "fmax", "fmin", "fmod", "frac", "frac_", "frexp",
    "frobenius_norm", "from_dlpack", "from_file", "from_numpy", "frombuffer", "full", "full_like",
    "func", "gather", "gcd", "gcd_", "ge", "geqrf", "ger", "get_default_device",
    "get_default_dtype", "get_deterministic_debug_mode", "get_device",
    "get_float32_matmul_precision", "get_num_interop_threads", "get_num_threads", "get_rng_state",
    "gradcheck", "gradcheck_report", "gradgradcheck", "gradient", "greater", "greater_equal", "gru",
    "gru_cell", "gt", "half", "hamming_window", "hann_window", "hash_tensor", "heaviside", "histc",
    "histogram", "histogramdd", "hsplit", "hstack", "hypot", "i0", "i0_", "igamma", "igammac",
    "iinfo", "imag", "index_add", "index_copy", "index_fill", "index_put", "index_put_",
    "index_reduce", "index_select", "inf", "inference_mode", "initial_seed", "inner", "int",
    "int16", "int32", "int64", "int8", "inverse", "is_anomaly_check_nan_enabled",
    "is_anomaly_enabled", "is_autocast_cpu_enabled", "is_autocast_enabled", "is_complex",
    "is_conj", "is_deterministic_algorithms_warn_only_enabled",
    "is_floating_point", "is_grad_enabled", "is_inference", "is_inference_mode_enabled", "is_neg",
    "is_nonzero", "is_same_size", "is_signed", "is_tensor", "is_warn_always_enabled", "isclose",
    "isfinite", "isin", "isinf", "isnan", "isneginf", "isposinf", "isreal", "istft",
    "kaiser_window", "kron", "kthvalue", "layout", "lcm", "lcm_", "ldexp", "ldexp_", "le", "lerp",
    "less", "less_equal", "lgamma", "linalg", "linspace", "load", "lobpcg", "log", "log10",
    "log10_", "log1p", "log1p_", "log2", "log2_", "log_", "log_softmax", "logaddexp", "logaddexp2",
    "logcumsumexp", "logdet", "logical_and", "logical_not", "logical_or", "logical_xor", "logit",
    "logit_", "logspace", "logsumexp", "long", "lstm", "lstm_cell", "lt", "lu", "lu_solve",
    "lu_unpack", "manual_seed", "masked_fill", "masked_scatter", "masked_select", "matmul",
    "matrix_exp", "matrix_power", "max", "maximum", "mean", "median", "memory_format", "meshgrid",
    "min", "minimum", "mm", "mode", "moveaxis", "movedim", "msort", "mul", "multinomial",
    "multiply", "mv", "mvlgamma", "nan", "nan_to_num", "nan_to_num_", "nanmean", "nanmedian",
    "nanquantile", "nansum", "narrow", "narrow_copy", "ne", "neg", "neg_", "negative", "negative_",
    "newaxis", "nextafter", "nn", "no_grad", "nonzero", "nonzero_static", "norm", "norm_except_dim",
    "normal", "not_equal", "nuclear_norm", "numel", "ones", "ones_like", "optim", "orgqr", "ormqr",
    "outer", "pca_lowrank", "permute", "permute_copy", "pi", "pinverse", "poisson", "polar",
    "polygamma", "positive", "pow", "preserve_format", "prod", "promote_types", "put", "qr",
    "quantile", "rad2deg", "rad2deg_", "rand", "rand_like", "randint", "randint_like", "randn",
    "randn_like", "randperm", "range", "ravel", "real", "reciprocal", "reciprocal_", "relu",
    "relu_", "remainder", "renorm", "repeat_interleave", "reshape", "resize_as_", "resolve_conj",
    "resolve_neg", "result_type", "rnn_relu", "rnn_relu_cell", "rnn_tanh", "rnn_tanh_cell", "roll",
    "rot90", "round", "round_", "row_stack", "rsqrt", "rsqrt_", "rsub", "save", "scalar_tensor",
    "scatter", "scatter_add", "scatter_reduce", "searchsorted", "seed", "segment_reduce", "select",
    "select_copy", "select_scatter", "serialization", "set_anomaly_enabled", "set_default_device",
    "set_default_dtype", "set_default_tensor_type", "set_deterministic_debug_mode",
    "set_float32_matmul_precision", "set_flush_denormal", "set_grad_enabled",
    "set_num_interop_threads", "set_num_threads", "set_printoptions", "set_rng_state",
    "set_warn_always", "sgn", "short", "sigmoid", "sigmoid_", "sign", "signbit", "sin", "sin_",
    "sinc", "sinc_", "sinh", "sinh_", "slice_copy", "slice_scatter", "slogdet", "softmax", "sort",
    "special", "split", "split_copy", "split_with_sizes", "split_with_sizes_copy", "sqrt", "sqrt_",
    "square", "square_", "squeeze", "squeeze_copy", "stack", "std", "std_mean", "stft", "strided",
    "sub", "subtract", "sum", "svd", "svd_lowrank", "swapaxes", "swapdims", "t", "t_copy", "take",
    "take_along_dim", "tan", "tan_", "tanh", "tanh_", "tensor", "tensor_split", "tensordot", "tile",
    "to_dlpack", "topk", "trace", "training", "transpose", "transpose_copy", "trapezoid", "trapz",
    "triangular_solve", "tril", "tril_indices", "triu", "triu_indices", "true_divide", "trunc",
    "trunc_", "tune_malloc", "typename", "uint16", "uint32", "uint64", "uint8", "unbind",
    "unbind_copy", "unflatten", "unfold_copy", "unique", "unique_consecutive", "unravel_index",
    "unsafe_chunk",
    "unsafe_split", "unsafe_split_with_sizes", "unsqueeze", "unsqueeze_copy",
    "use_deterministic", "use_deterministic_algorithms", "utils", "vander", "var", "var_mean",
    "vdot", "view",
    "view_as_complex", "view_as_complex_copy", "view_as_real", "view_as_real_copy", "view_copy",
    "viz", "vmap", "vsplit", "vstack", "where", "while_loop", "xlogy", "xlogy_", "zero_", "zeros",
    "zeros_like",
]  # fmt: skip

_LAZY = frozenset(
    {
        "accelerator",
        "amp",
        "array_api",
        "backends",
        "compiler",
        "cpu",
        "cuda",
        "data",
        "distributed",
        "distributions",
        "fft",
        "func",
        "jit",
        "linalg",
        "mps",
        "multiprocessing",
        "nn",
        "optim",
        "overrides",
        "profiler",
        "serialization",
        "special",
        "quasirandom",
        "testing",
        "training",
        "types",
        "utils",
        "version",
        "viz",
        "xpu",
    }
)

# Functions that PyTorch has at both places with the same arguments.
_OF_NN = frozenset(
    {
        "adaptive_avg_pool1d", "avg_pool1d", "bilinear", "celu", "celu_", "channel_shuffle",
        "conv1d", "conv2d", "conv3d", "conv_tbc", "conv_transpose1d", "conv_transpose2d",
        "conv_transpose3d", "cosine_similarity", "hardshrink", "max_pool1d", "max_pool2d",
        "max_pool3d", "native_channel_shuffle", "pairwise_distance", "pdist",
        "pixel_shuffle", "pixel_unshuffle", "prelu", "rms_norm", "selu", "selu_", "threshold",
        "threshold_",
    }
)  # fmt: skip

# Functions that PyTorch has at both places with other arguments at each.
_OF_TOP_LEVEL = frozenset(
    {
        "adaptive_max_pool1d", "affine_grid_generator", "alpha_dropout", "alpha_dropout_",
        "batch_norm", "binary_cross_entropy_with_logits", "constant_pad_nd",
        "cosine_embedding_loss", "ctc_loss", "dropout", "dropout_", "embedding",
        "embedding_bag", "embedding_renorm_", "feature_alpha_dropout", "feature_alpha_dropout_",
        "feature_dropout",
        "feature_dropout_", "grid_sampler", "grid_sampler_2d", "grid_sampler_3d", "group_norm",
        "hinge_embedding_loss", "instance_norm", "kl_div", "layer_norm", "margin_ranking_loss",
        "max_pool1d_with_indices", "poisson_nll_loss", "rrelu", "rrelu_", "triplet_margin_loss",
        "avg_pool1d", "celu_", "channel_shuffle", "conv1d", "conv2d", "conv3d", "conv_transpose1d",
        "conv_transpose2d", "conv_transpose3d", "cosine_similarity", "max_pool1d", "max_pool2d",
        "max_pool3d", "pairwise_distance", "pixel_shuffle", "pixel_unshuffle", "selu_",
        "threshold_",
    }
)  # fmt: skip


def __getattr__(name: str) -> Any:
    """Load a subpackage, or a function of nn, when it is first asked for (PEP 562)."""
    if name in _LAZY:
        return importlib.import_module(f"tensorgrad.{name}")
    if name == "vmap":
        return importlib.import_module("tensorgrad.func").vmap
    if name in ("load", "save"):
        return getattr(importlib.import_module("tensorgrad.serialization"), name)
    for names, module in ((_OF_NN, "functional"), (_OF_TOP_LEVEL, "functional.top_level")):
        if name in names:
            function = getattr(importlib.import_module(f"tensorgrad.nn.{module}"), name)
            globals()[name] = published(function, name)
            return globals()[name]
    raise AttributeError(f"module 'tensorgrad' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_LAZY, *_OF_NN, "load", "save", "vmap"})


def is_tensor(obj: Any) -> builtins.bool:
    """Whether obj is a Tensor."""
    return isinstance(obj, Tensor)


def is_inference(input: Tensor) -> builtins.bool:
    """Whether a tensor was made in an `inference_mode`."""
    return input.is_inference()


publish(globals())
