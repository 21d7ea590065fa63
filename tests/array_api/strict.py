"""Arguments for the standard's functions, and the comparison of tensorgrad with array-api-strict.

An argument is drawn once, of ndarrays and plain values; `both` makes Tensors and strict arrays of
it. Where strict refuses with TypeError, tensorgrad must; where it raises anything else, tensorgrad
must raise; where it computes, shape, dtype and values must agree.
"""

import os
import warnings

import array_api_strict
import numpy as np
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

import tensorgrad as tg
from tensorgrad import array_api

array_api_strict.set_array_api_strict_flags(api_version="2024.12")

# TENSORGRAD_ARRAY_API_EXAMPLES=2000 for the long run.
EXAMPLES = int(os.environ.get("TENSORGRAD_ARRAY_API_EXAMPLES", "25"))
LONG = EXAMPLES > 25
checked = settings(
    max_examples=EXAMPLES,
    derandomize=not LONG,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)

DTYPES = {
    "b": ["bool"],
    "i": ["int8", "int16", "int32", "int64"],
    "u": ["uint8", "uint16", "uint32", "uint64"],
    "f": ["float32", "float64"],
    "c": ["complex64", "complex128"],
}
FLOATS = [0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 1.5, 2.5, -2.5, 3.0, 1e-30, 1e30, 7.25, -0.1]
SPECIAL = [np.inf, -np.inf, np.nan]


class Typed:
    """A dtype argument, by name."""

    def __init__(self, name):
        self.name = name

    def __repr__(self):
        return self.name


def fill(dtype, shape, seed, special=True, low=None, high=None):
    rng = np.random.default_rng(seed)
    kind = np.dtype(dtype).kind
    if kind == "b":
        return rng.integers(0, 2, shape).astype(bool)
    if kind in "iu":
        info = np.iinfo(dtype)
        low = info.min if low is None else low
        high = info.max if high is None else high
        near = rng.integers(max(low, -5), min(high, 5), shape, endpoint=True)
        if low != info.min or high != info.max:
            return near.astype(dtype)
        wide = rng.integers(low, high, shape, dtype=dtype, endpoint=True)
        return np.where(rng.random(shape) < 0.8, near.astype(dtype), wide)
    if kind == "c":
        parts = [fill(np.zeros(1, dtype).real.dtype, shape, seed + i, special) for i in (0, 1)]
        return np.asarray(parts[0] + 1j * parts[1]).astype(dtype) if not special else _join(*parts)
    pool = np.array(FLOATS + (SPECIAL if special else []))
    chosen = rng.choice(pool, shape)
    return np.where(rng.random(shape) < 0.5, chosen, rng.normal(size=shape)).astype(dtype)


def _join(real, imag):
    out = np.empty(real.shape, np.result_type(real, 1j))
    out.real, out.imag = real, imag
    return out


seeds = st.integers(0, 2**20)
shapes = st.lists(st.integers(0, 4), min_size=0, max_size=3).map(tuple)
filled_shapes = st.lists(st.integers(1, 4), min_size=0, max_size=3).map(tuple)


def dtypes(kinds="biufc"):
    return st.sampled_from([name for kind in kinds for name in DTYPES[kind]])


@st.composite
def arrays(draw, kinds="biufc", shape=shapes, special=True, low=None, high=None, dtype=None):
    name = draw(dtypes(kinds)) if dtype is None else dtype
    size = draw(shape) if hasattr(shape, "example") else shape
    made = np.asarray(fill(name, size, draw(seeds), special, low, high))
    if made.ndim > 1 and draw(st.booleans()):  # not contiguous
        made = np.ascontiguousarray(made.T).T
    return made


@st.composite
def pairs(draw, kinds="biufc", special=True, scalars=True, **words):
    """Two arrays that broadcast, of two types that mostly combine; one may be a scalar."""
    a = draw(arrays(kinds, special=special, **words))
    shape = tuple(draw(st.sampled_from([n, 1])) for n in a.shape)[draw(st.integers(0, a.ndim)) :]
    near = {"b": "b", "i": "iu", "u": "iu", "f": "fc", "c": "fc"}[a.dtype.kind]
    other = kinds if draw(st.integers(0, 9)) == 0 else "".join(k for k in near if k in kinds)
    b = draw(arrays(other or kinds, shape=shape, special=special, **words))
    if draw(st.booleans()):
        a, b = b, a
    if scalars and draw(st.integers(0, 4)) == 0:
        value = draw(st.sampled_from([True, 0, 1, 3, 2.5, -1.5, 0.5, 1 + 2j]))
        return (value, b) if draw(st.booleans()) else (a, value)
    return a, b


def made(value, xp):
    if isinstance(value, np.ndarray):
        return xp.asarray(value, dtype=getattr(xp, str(value.dtype)), copy=True)
    if isinstance(value, Typed):
        return getattr(xp, value.name)
    if isinstance(value, (list, tuple)):
        return type(value)(made(item, xp) for item in value)
    return value


def plain(value):
    """A result as ndarrays, names and numbers."""
    if isinstance(value, tg.Tensor):
        return value.detach().numpy()
    if isinstance(value, array_api_strict.asarray(0).__class__):
        return np.asarray(value._array)
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if type(value).__name__ in ("dtype", "DType", "_DType") or isinstance(value, tg.dtype):
        return str(value).rpartition(".")[2].rstrip("'>").rstrip("')")
    return value


def run(function, args, words):
    try:
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # strict's NumPy warns of what the standard defines
            return plain(function(*args, **words)), None
    except Exception as error:
        return None, error


def agree(ours, theirs, close, least=0.0):
    """Equal, or within ``close`` roundings of the largest element and of ``least``."""
    if isinstance(theirs, list):
        assert isinstance(ours, list)
        assert len(ours) == len(theirs)
        for one, other in zip(ours, theirs, strict=True):
            agree(one, other, close, least)
    elif isinstance(theirs, np.ndarray):
        assert ours.shape == theirs.shape
        assert ours.dtype == theirs.dtype
        if theirs.dtype.kind == "c" and close:  # apart: an infinite part makes the number infinite
            finite = np.abs(theirs[np.isfinite(theirs)])
            scale = float(finite.max(initial=least))
            near(ours.real, theirs.real, close, scale)
            near(ours.imag, theirs.imag, close, scale)
        elif theirs.dtype.kind == "f" and close:
            scale = float(np.abs(theirs[np.isfinite(theirs)]).max(initial=least))
            near(ours, theirs, close, scale)
        else:
            np.testing.assert_array_equal(ours, theirs)
            if theirs.dtype.kind == "f":
                zero = theirs == 0
                np.testing.assert_array_equal(np.signbit(ours)[zero], np.signbit(theirs)[zero])
    else:
        assert ours == theirs


def near(ours, theirs, close, scale):
    eps = float(np.finfo(theirs.dtype).eps)
    np.testing.assert_allclose(ours, theirs, rtol=close * eps, atol=close * eps * scale)


def compare(name, args=(), words=None, *, close=0, least=0.0, module=None, ours=None, theirs=None):
    """tensorgrad's function against strict's, with the same arguments."""
    words = words or {}
    mine, others = (
        (xp if module is None else getattr(xp, module)) for xp in (array_api, array_api_strict)
    )
    got, wrong = run(
        ours or getattr(mine, name),
        [made(a, array_api) for a in args],
        {k: made(v, array_api) for k, v in words.items()},
    )
    wanted, refused = run(
        theirs or getattr(others, name),
        [made(a, array_api_strict) for a in args],
        {k: made(v, array_api_strict) for k, v in words.items()},
    )
    if refused is not None:
        assert wrong is not None, f"{name}: strict raises {refused!r}, tensorgrad returns {got}"
        if isinstance(refused, TypeError):
            assert isinstance(wrong, TypeError), f"{name}: {refused!r}, tensorgrad {wrong!r}"
        return
    if wrong is not None:
        raise AssertionError(f"{name}{tuple(args)}, {words}: strict computes {wanted}") from wrong
    agree(got, wanted, close, least)
