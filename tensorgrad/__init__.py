"""tensorgrad: a Python autograd engine on NumPy that shows its work.

``import tensorgrad as tg`` gives PyTorch's names: ``tg.tensor``, ``tg.exp``, ``tg.no_grad``, ...;
``tg.nn``, ``tg.optim``, ``tg.data``, ``tg.viz`` load when first used.
"""

from __future__ import annotations

import builtins
import importlib
import warnings
from typing import TYPE_CHECKING, Any

# Before the function of that name: importing the module binds ``tensorgrad.tensor`` to it.
# isort: off
from tensorgrad.tensor import (
    Tensor as Tensor,
)
# isort: on
from tensorgrad.autograd import (
    enable_grad as enable_grad,
    is_grad_enabled as is_grad_enabled,
    no_grad as no_grad,
    set_grad_enabled as set_grad_enabled,
)
from tensorgrad.creation import (
    arange as arange,
    as_tensor as as_tensor,
    asarray as asarray,
    bernoulli as bernoulli,
    empty as empty,
    empty_like as empty_like,
    eye as eye,
    from_numpy as from_numpy,
    full as full,
    full_like as full_like,
    linspace as linspace,
    normal as normal,
    ones as ones,
    ones_like as ones_like,
    rand as rand,
    rand_like as rand_like,
    randint as randint,
    randn as randn,
    randn_like as randn_like,
    randperm as randperm,
    tensor as tensor,
    zeros as zeros,
    zeros_like as zeros_like,
)
from tensorgrad.device import (
    device as device,
)
from tensorgrad.dtypes import (
    bool as bool,
    cdouble as cdouble,
    cfloat as cfloat,
    complex128 as complex128,
    complex64 as complex64,
    double as double,
    dtype as dtype,
    finfo as finfo,
    float as float,
    float16 as float16,
    float32 as float32,
    float64 as float64,
    get_default_dtype as get_default_dtype,
    half as half,
    iinfo as iinfo,
    int as int,
    int16 as int16,
    int32 as int32,
    int64 as int64,
    int8 as int8,
    long as long,
    set_default_dtype as set_default_dtype,
    short as short,
    uint16 as uint16,
    uint32 as uint32,
    uint64 as uint64,
    uint8 as uint8,
)
from tensorgrad.functions.elementwise import (
    abs as abs,
    absolute as absolute,
    add as add,
    allclose as allclose,
    bitwise_and as bitwise_and,
    bitwise_not as bitwise_not,
    bitwise_or as bitwise_or,
    bitwise_xor as bitwise_xor,
    ceil as ceil,
    clamp as clamp,
    clip as clip,
    conj as conj,
    cos as cos,
    div as div,
    divide as divide,
    eq as eq,
    equal as equal,
    exp as exp,
    expm1 as expm1,
    fix as fix,
    floor as floor,
    floor_divide as floor_divide,
    frac as frac,
    ge as ge,
    greater as greater,
    greater_equal as greater_equal,
    gt as gt,
    imag as imag,
    isclose as isclose,
    isfinite as isfinite,
    isinf as isinf,
    isnan as isnan,
    le as le,
    lerp as lerp,
    less as less,
    less_equal as less_equal,
    log as log,
    log10 as log10,
    log1p as log1p,
    log2 as log2,
    logical_and as logical_and,
    logical_not as logical_not,
    logical_or as logical_or,
    logical_xor as logical_xor,
    lt as lt,
    maximum as maximum,
    minimum as minimum,
    mul as mul,
    multiply as multiply,
    ne as ne,
    neg as neg,
    negative as negative,
    not_equal as not_equal,
    positive as positive,
    pow as pow,
    real as real,
    reciprocal as reciprocal,
    relu as relu,
    remainder as remainder,
    round as round,
    rsqrt as rsqrt,
    sgn as sgn,
    sigmoid as sigmoid,
    sign as sign,
    sin as sin,
    sqrt as sqrt,
    square as square,
    sub as sub,
    subtract as subtract,
    tanh as tanh,
    true_divide as true_divide,
    trunc as trunc,
    where as where,
)
from tensorgrad.functions.indexing import (
    argwhere as argwhere,
    gather as gather,
    index_select as index_select,
    masked_fill as masked_fill,
    masked_select as masked_select,
    nonzero as nonzero,
    take_along_dim as take_along_dim,
)
from tensorgrad.functions.linalg import (
    bmm as bmm,
    dot as dot,
    matmul as matmul,
    mm as mm,
    mv as mv,
    outer as outer,
)
from tensorgrad.functions.reduction import (
    all as all,
    amax as amax,
    amin as amin,
    any as any,
    argmax as argmax,
    argmin as argmin,
    count_nonzero as count_nonzero,
    cumsum as cumsum,
    log_softmax as log_softmax,
    logsumexp as logsumexp,
    max as max,
    mean as mean,
    min as min,
    norm as norm,
    prod as prod,
    softmax as softmax,
    std as std,
    std_mean as std_mean,
    sum as sum,
    var as var,
    var_mean as var_mean,
)
from tensorgrad.functions.shape import (
    broadcast_shapes as broadcast_shapes,
    broadcast_tensors as broadcast_tensors,
    broadcast_to as broadcast_to,
    cat as cat,
    chunk as chunk,
    concat as concat,
    concatenate as concatenate,
    expand as expand,
    flatten as flatten,
    flip as flip,
    hstack as hstack,
    moveaxis as moveaxis,
    movedim as movedim,
    narrow as narrow,
    numel as numel,
    permute as permute,
    ravel as ravel,
    reshape as reshape,
    select as select,
    split as split,
    squeeze as squeeze,
    stack as stack,
    swapaxes as swapaxes,
    swapdims as swapdims,
    t as t,
    tile as tile,
    transpose as transpose,
    tril as tril,
    triu as triu,
    unbind as unbind,
    unflatten as unflatten,
    unsqueeze as unsqueeze,
    view as view,
    vstack as vstack,
)
from tensorgrad.gradcheck import (
    gradcheck as gradcheck,
    gradgradcheck as gradgradcheck,
)
from tensorgrad.printing import (
    set_printoptions as set_printoptions,
)
from tensorgrad.random import (
    Generator as Generator,
    default_generator as default_generator,
    get_rng_state as get_rng_state,
    initial_seed as initial_seed,
    manual_seed as manual_seed,
    seed as seed,
    set_rng_state as set_rng_state,
)
from tensorgrad.size import (
    Size as Size,
)

if TYPE_CHECKING:
    from tensorgrad import autograd as autograd
    from tensorgrad import data as data
    from tensorgrad import nn as nn
    from tensorgrad import optim as optim
    from tensorgrad import training as training
    from tensorgrad import utils as utils
    from tensorgrad import viz as viz

__version__ = "0.1.0.dev0"

# Infinities and NaN are values here, as in PyTorch; NumPy would warn of each.  The filter names
# this package: an np.errstate around every operation would cost five times what it guards.
warnings.filterwarnings("ignore", category=RuntimeWarning, module=r"tensorgrad\.")

inf, nan, pi, e = builtins.float("inf"), builtins.float("nan"), 3.141592653589793, 2.718281828459045
newaxis = None

_LAZY = frozenset({"data", "nn", "optim", "training", "utils", "viz"})


def __getattr__(name: str) -> Any:
    """Load a subpackage when it is first asked for (PEP 562)."""
    if name in _LAZY:
        return importlib.import_module(f"tensorgrad.{name}")
    raise AttributeError(f"module 'tensorgrad' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_LAZY})


def is_tensor(obj: Any) -> builtins.bool:
    """Whether obj is a Tensor."""
    return isinstance(obj, Tensor)
