"""``out=``: results written into tensors that are there already.

A function computes what it always computes; then its results are written into the tensors given,
which may be its own arguments or overlap them.  Nothing is recorded, so a gradient that would be
lost is refused.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from types import FunctionType
from typing import Any

import numpy as np

from tensorgrad.autograd import no_grad
from tensorgrad.dtypes import as_dtype, numpy_dtype
from tensorgrad.graph.node import TensorBase, local
from tensorgrad.graph.provenance import warn
from tensorgrad.recording.spelling import NAMES, PYTHON, arguments_of, called, forwarding, renamed

__all__ = ["OUT", "publish", "published"]

# The functions that take out=, by namespace.
_NAMES = {
    "": """
    abs absolute acos acosh add addbmm addcdiv addcmul addmm addmv addr alias_copy all amax amin
    aminmax angle any arange arccos arccosh arcsin arcsinh arctan arctan2 arctanh argmax argmin
    argsort as_strided_copy asin asinh atan atan2 atanh baddbmm bernoulli bitwise_and
    bitwise_left_shift bitwise_not bitwise_or bitwise_right_shift bitwise_xor bmm bucketize cat
    ceil chain_matmul cholesky cholesky_inverse cholesky_solve clamp clamp_max clamp_min clip
    column_stack complex concat concatenate conj_physical copysign cos cosh cross cummax cummin
    cumprod cumsum deg2rad detach_copy diag diagonal_copy diff digamma div divide dot dstack
    empty eq erf erfc erfinv exp exp2 expand_copy expm1 eye fix float_power floor floor_divide
    fmax fmin fmod frac frexp frobenius_norm full gather gcd ge geqrf ger greater greater_equal
    gt hardshrink hash_tensor heaviside histc histogram hstack hypot i0 igamma igammac index_add
    index_copy index_reduce index_select inner inverse isin isneginf isposinf kron kthvalue lcm
    ldexp le lerp less less_equal lgamma linspace log log10 log1p log2 log_softmax logaddexp
    logaddexp2 logcumsumexp logical_and logical_not logical_or logical_xor logit logspace
    logsumexp lt lu lu_solve lu_unpack masked_select matmul matrix_power max maximum mean median
    min minimum mm mode msort mul multinomial multiply mv mvlgamma nan_to_num nanmean nanmedian
    nanquantile nansum narrow_copy ne neg negative nextafter nonzero nonzero_static norm normal
    not_equal nuclear_norm ones orgqr ormqr outer permute_copy polar polygamma pow prod qr
    quantile rad2deg rand randint randn randperm range reciprocal remainder renorm round
    row_stack rsqrt scatter scatter_add scatter_reduce searchsorted select_copy sgn sigmoid sign
    signbit sin sinc sinh slice_copy slice_scatter slogdet softmax sort split_copy
    split_with_sizes_copy sqrt square squeeze_copy stack std sub subtract sum svd t_copy take
    take_along_dim tan tanh tensordot threshold topk transpose_copy triangular_solve tril triu
    true_divide trunc unbind_copy unfold_copy unsqueeze_copy var vdot view_as_complex_copy
    view_as_real_copy view_copy vstack where xlogy zeros
    """,
    "linalg": """
    cholesky cholesky_ex cond cross det eig eigh eigvals eigvalsh householder_product inv inv_ex
    ldl_factor ldl_factor_ex ldl_solve lu lu_factor lu_factor_ex lu_solve matmul matrix_norm
    matrix_power matrix_rank multi_dot norm pinv qr slogdet solve solve_ex solve_triangular svd
    svdvals tensorinv tensorsolve vecdot vector_norm
    """,
    "fft": """
    fft fft2 fftfreq fftn hfft hfft2 hfftn ifft ifft2 ifftn ihfft ihfft2 ihfftn irfft irfft2
    irfftn rfft rfft2 rfftfreq rfftn
    """,
    "special": """
    airy_ai bessel_j0 bessel_j1 bessel_y0 bessel_y1 chebyshev_polynomial_t
    chebyshev_polynomial_u chebyshev_polynomial_v chebyshev_polynomial_w digamma entr erf erfc
    erfcx erfinv exp2 expit expm1 gammainc gammaincc gammaln hermite_polynomial_h
    hermite_polynomial_he i0 i0e i1 i1e laguerre_polynomial_l legendre_polynomial_p log1p
    log_ndtr logit logsumexp modified_bessel_i0 modified_bessel_i1 modified_bessel_k0
    modified_bessel_k1 multigammaln ndtr ndtri polygamma psi round scaled_modified_bessel_k0
    scaled_modified_bessel_k1 shifted_chebyshev_polynomial_t shifted_chebyshev_polynomial_u
    shifted_chebyshev_polynomial_v shifted_chebyshev_polynomial_w sinc spherical_bessel_j0
    xlog1py xlogy zeta
    """,
}
OUT = frozenset(
    f"{place}.{name}" if place else name
    for place, names in _NAMES.items()
    for name in names.split()
)

# The dtype of out must be the result's; elsewhere the result must be castable to it, which is to
# say that its category (bool, integer, float, complex) is not a higher one.  As in PyTorch.
_EXACT_NAMES = """
    abs absolute addbmm addmm addmv alias_copy all amax amin any argmax argmin as_strided_copy
    baddbmm bitwise_not bmm bucketize ceil chain_matmul clamp clip complex
    conj_physical cross detach_copy diag diagonal_copy dot expand_copy fft.fft fft.fft2 fft.fftn
    fft.ifft fft.ifft2 fft.ifftn fft.ihfft fft.ihfft2 fft.ihfftn fft.rfft fft.rfft2 fft.rfftn
    fix float_power floor frac frobenius_norm gather hash_tensor heaviside histc index_add
    index_copy index_reduce index_select inner inverse isin isneginf isposinf
    linalg.cholesky linalg.cross linalg.det linalg.eigvals linalg.eigvalsh linalg.inv
    linalg.matmul linalg.matrix_norm linalg.multi_dot linalg.norm linalg.solve
    linalg.solve_triangular linalg.svdvals linalg.vecdot linalg.vector_norm log_softmax
    logcumsumexp lu_solve masked_select matmul matrix_power mm msort multinomial mv nan_to_num
    nanquantile
    narrow_copy neg negative nonzero nonzero_static norm nuclear_norm ormqr permute_copy polar
    quantile renorm round scatter scatter_add scatter_reduce searchsorted select_copy sgn sign
    signbit slice_copy slice_scatter softmax special.round squeeze_copy t_copy take
    take_along_dim tensordot transpose_copy tril triu trunc unfold_copy unsqueeze_copy vdot
    view_as_real_copy view_copy where
"""
_EXACT = frozenset(_EXACT_NAMES.split())

# Without a dtype of their own they compute in that of out.
_TYPED = frozenset({
    "arange", "cumprod", "cumsum", "empty", "eye", "fft.fftfreq", "fft.rfftfreq", "full",
    "linspace", "logspace", "nansum", "ones", "prod", "rand", "randint", "randn", "randperm",
    "range", "sum", "zeros",
})  # fmt: skip

# What they give is written into any dtype: zeros and ones, copies, and sums that were made in the
# dtype of out already, but for those of bools.
_ANY = frozenset({"bernoulli", "lu", "prod", "split_copy", "sum"})

# What a function's first argument is called where it is a tensor.
_OF_TENSORS = {("input",), ("tensor",), ("A",), ("x",)}

_CATEGORIES = {"b": 0, "u": 1, "i": 1, "f": 2, "c": 3}


def _tensors(name: str, out: Any, count: int | None) -> list[Any]:
    """The tensors that ``out`` names: one, or as many as there are results."""
    if count is None:
        if not isinstance(out, TensorBase):
            raise TypeError(f"{name}(): argument 'out' must be Tensor, not {type(out).__name__}")
        return [out]
    if not isinstance(out, (tuple, list)) or not all(isinstance(t, TensorBase) for t in out):
        raise TypeError(
            f"{name}(): argument 'out' must be tuple of Tensors, not {type(out).__name__}"
        )
    if len(out) != count:
        raise TypeError(f"{name}(): out: expected tuple of {count} elements but got {len(out)}")
    return list(out)


def _check_dtype(path: str, out: Any, result: Any, several: bool) -> None:
    given, made = out._array.dtype, result._array.dtype
    if given == made or path in _ANY:
        return
    if path in _EXACT or several:
        raise RuntimeError(
            f"{path}: Expected out tensor to have dtype {as_dtype(made)}, but got "
            f"{as_dtype(given)} instead"
        )
    if _CATEGORIES[made.kind] > _CATEGORIES[given.kind]:
        raise RuntimeError(
            f"{path}: result type {as_dtype(made)} can't be cast to the desired output type "
            f"{as_dtype(given)}"
        )


def _check_memory(path: str, out: Any) -> None:
    """Several elements in one place cannot all be written: an expanded tensor."""
    array = out._array
    repeated = (step == 0 and n > 1 for step, n in zip(array.strides, array.shape, strict=True))
    if array.size and any(repeated):
        raise RuntimeError(
            f"{path}: unsupported operation: more than one element of the written-to tensor refers "
            "to a single memory location. Please clone() the tensor before performing the "
            "operation."
        )


def _fit(out: Any, shape: tuple[int, ...]) -> None:
    """Give ``out`` the shape of the result, with PyTorch's warning if it has elements."""
    had = out._array.shape
    if had == shape:
        return
    if out._array.size:
        warn(
            f"An output with one or more elements was resized since it had shape {list(had)}, "
            f"which does not match the required output shape {list(shape)}. This behavior is "
            "deprecated, and in a future PyTorch release outputs will not be resized unless they "
            "have zero elements. You can explicitly reuse an out tensor t by resizing it, inplace, "
            "to zero elements with t.resize_(0)."
        )
    out.resize_(shape)


def _write(function: Callable[..., Any], path: str, out: Any, words: dict[str, Any]) -> Any:
    """Call the function and write its results into ``out``, which is returned."""
    if path in _TYPED and isinstance(out, TensorBase):
        kind = out._array.dtype
        if words.get("dtype") is None:
            words = {**words, "dtype": as_dtype(kind)}
        elif numpy_dtype(words["dtype"]) != kind:
            raise RuntimeError(
                f"{path}: dtype {words['dtype']} does not match dtype of out parameter "
                f"({as_dtype(kind)})"
            )
    result = called(function, words)
    several = isinstance(result, (tuple, list))
    results = list(result) if several else [result]
    outs = _tensors(path, out, len(results) if several else None)
    if not all(isinstance(t._array, np.ndarray) for t in [*outs, *results]):
        raise RuntimeError(f"{path}: out= cannot be used under vmap; return the result instead")
    if local.context.grad_enabled:
        for found, who in ((outs, "the out tensors"), (results, "the arguments")):
            if any(t.requires_grad for t in found):
                raise RuntimeError(
                    f"{path}(): functions with out=... arguments don't support automatic "
                    f"differentiation, but one of {who} requires grad."
                )
    for target, made in zip(outs, results, strict=True):
        _check_dtype(path, target, made, several)
        _check_memory(path, target)
    with no_grad():
        # A result may be a view of memory that is about to be written: where its shape must change
        # or there are several, every value is read before the first is written.
        if any(np.may_share_memory(t._array, r._array) for t in outs for r in results):
            results = [made.clone() for made in results]
        for target, made in zip(outs, results, strict=True):
            _fit(target, made._array.shape)
            target.copy_(made)
    if not several:
        return out
    return type(result)(*outs) if hasattr(result, "_fields") else tuple(outs)


def _signature(function: Callable[..., Any]) -> inspect.Signature:
    """The function's signature with ``out``, by name only."""
    found = inspect.signature(function)
    before = list(found.parameters.values())
    after = [before.pop()] if before and before[-1].kind is inspect.Parameter.VAR_KEYWORD else []
    out = inspect.Parameter("out", inspect.Parameter.KEYWORD_ONLY, default=None)
    return found.replace(parameters=[*before, out, *after])


def published(function: Callable[..., Any], name: str, place: str = "") -> Callable[..., Any]:
    """What programs call: the function with NumPy's names of arguments, and ``out`` if it has it.

    The wrapper answers to the name and the namespace under which it is published, and says which
    argument should have been a tensor.
    """
    path = f"{place}.{name}" if place else name
    arguments = arguments_of(function)
    takes_names = path not in PYTHON and not set(NAMES.values()).isdisjoint(arguments)
    takes_out = path in OUT
    takes_tensor = arguments[:1] in _OF_TENSORS
    if not takes_names and not takes_out and not takes_tensor:
        return function

    def further(words: dict[str, Any]) -> Any:
        out = words.pop("out", None) if takes_out else None
        if takes_names:
            words = renamed(function, words)
        if out is None:
            return called(function, words)
        return _write(function, path, out, words)

    call = forwarding(function, further)
    call.__module__ = f"tensorgrad.{place}" if place else "tensorgrad"
    call.__name__ = call.__qualname__ = name
    if takes_out:
        call.__signature__ = _signature(function)  # type: ignore[attr-defined]
    return call


def publish(namespace: dict[str, Any], place: str = "") -> None:
    """Put `published` functions into a namespace in the place of those in its ``__all__``."""
    for name in namespace["__all__"]:
        function = namespace.get(name)
        if isinstance(function, FunctionType):
            namespace[name] = published(function, name, place)
