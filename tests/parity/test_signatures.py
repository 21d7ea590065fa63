"""Every call that PyTorch's signatures allow, tensorgrad's allow: names, order, defaults."""

import ast
import importlib
import inspect

import pytest
import torch
from parity import torch_signatures as theirs

import tensorgrad as tg

Parameter = inspect.Parameter
PLACES = (
    "", "Tensor", "nn", "nn.functional", "nn.init", "nn.utils", "nn.utils.rnn", "linalg", "fft",
    "special", "signal.windows", "optim", "optim.lr_scheduler", "optim.swa_utils", "autograd",
    "autograd.functional", "autograd.graph", "func", "utils.data", "utils.checkpoint",
)  # fmt: skip

# Overloads that are not taken, by the reason.
REASONS = {
    "old": "an overload that PyTorch warns of: a number before the tensors",
    "device": "out_dtype is for products on a GPU: PyTorch's CPU refuses it",
    "slot": "one argument of ours stands for those that PyTorch's overloads name differently; what "
    "is given by position is told apart by its type",
    "number": "an overload for numbers whose parameters cannot be given by name in PyTorch either",
    "stub": "PyTorch's parser takes other names than its stub or docstring says",
    "class": "a class that programs do not call",
    "out": "out= stands between the arguments; here it goes by name only",
    "method": "the stubs show an out= that PyTorch's method refuses",
    "compiler": "compile returns the model as it is, and takes no name of a compiled one",
    "storage": "there are no storages that a constructor could take",
    "word": "`from` is a word of Python: it can be given by position only",
}
EXCEPTIONS = {
    "old": "add addbmm addcdiv addcmul addmm addmv addmv_ addr baddbmm sub",
    "device": "bmm mm",
    "slot": "arange max min std std_mean var var_mean scatter randint randint_like nuclear_norm "
    "view_copy repeat_interleave hsplit vsplit dsplit tensor_split result_type Tensor.max "
    "Tensor.min Tensor.std Tensor.var Tensor.scatter Tensor.scatter_ Tensor.tensor_split",
    "number": "bitwise_and bitwise_or bitwise_xor bitwise_left_shift bitwise_right_shift bucketize "
    "float_power isin pow remainder searchsorted where xlogy",
    "stub": "full numel tensor Tensor.new_tensor Tensor.contiguous Tensor.requires_grad_ "
    "Tensor.to Tensor.expand linalg.matrix_exp linalg.matrix_power linalg.tensorinv linalg.vander "
    "enable_grad autograd.enable_grad linspace logspace set_num_threads "
    "set_num_interop_threads "
    "special.airy_ai special.scaled_modified_bessel_k0 special.scaled_modified_bessel_k1 "
    "special.spherical_bessel_j0 special.chebyshev_polynomial_t "
    "special.chebyshev_polynomial_u special.chebyshev_polynomial_v "
    "special.chebyshev_polynomial_w special.hermite_polynomial_h "
    "special.hermite_polynomial_he special.laguerre_polynomial_l "
    "special.legendre_polynomial_p special.shifted_chebyshev_polynomial_t "
    "special.shifted_chebyshev_polynomial_u special.shifted_chebyshev_polynomial_v "
    "special.shifted_chebyshev_polynomial_w",
    "class": "autograd.graph.RemovableHandle",
    "out": "norm Tensor.norm tensordot",
    "method": "Tensor.add Tensor.floor_divide Tensor.mul Tensor.sub Tensor.true_divide",
    "compiler": "compile",
    "storage": "Tensor.new",
    "word": "Tensor.random_",
}
EXCEPTED = {name: reason for reason, names in EXCEPTIONS.items() for name in names.split()}


def functions():
    """(place, name) of what both libraries have and can be called."""
    for place in PLACES:
        try:
            ours = (
                tg.Tensor
                if place == "Tensor"
                else importlib.import_module(module("tensorgrad", place))
            )
        except ModuleNotFoundError:
            continue
        other = (
            torch.Tensor if place == "Tensor" else importlib.import_module(module("torch", place))
        )
        for name in theirs.callables(other):
            if callable(getattr(ours, name, None)):
                yield place, name, getattr(ours, name), other


def module(library, place):
    return f"{library}.{place}" if place else library


def problem(mine, signature, method):
    """Why a call that a signature allows is refused, or understood otherwise; None if it is not."""
    parameters = [*signature.parameters.values()][method:]
    first = [None] * method
    plain = [p for p in parameters if p.kind is Parameter.POSITIONAL_OR_KEYWORD]
    only = [p for p in parameters if p.kind is Parameter.POSITIONAL_ONLY]
    words = {p.name: p.name for p in parameters if p.kind is Parameter.KEYWORD_ONLY}
    needed = [p for p in [*only, *plain] if p.default is Parameter.empty]
    asked = {k: k for k in words if signature.parameters[k].default is Parameter.empty}
    several = any(p.kind is Parameter.VAR_POSITIONAL for p in parameters)
    try:
        if not several and not only:
            mine.bind(*first, **{p.name: p.name for p in plain}, **words)
            mine.bind(*first, **{p.name: p.name for p in needed}, **asked)
        bound = mine.bind(*first, *[p.name for p in [*only, *plain]], **words)
        mine.bind(*first, *[p.name for p in needed], **asked)
    except TypeError as error:
        return str(error)
    names = {p.name for p in plain}
    for name, value in bound.arguments.items():
        if mine.parameters[name].kind in (Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD):
            continue
        if name != value and value in names:
            return f"{value} goes to {name}"
    return None


def opaque(signature):
    """(*args, **kwargs), or a docstring without arguments: it says nothing."""
    kinds = {p.kind for p in signature.parameters.values()}
    return kinds <= {Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD}


def test_calls_that_pytorch_takes():
    failed, seen, counted = {}, set(), 0
    for place, name, ours, space in functions():
        try:
            mine = inspect.signature(ours)
        except ValueError:  # a builtin class, an exception
            continue
        path = f"{place}.{name}" if place else name
        for signature in theirs.signatures(space, name):
            counted += 1
            if opaque(signature) or opaque(mine):
                continue
            found = problem(mine, signature, int(place == "Tensor"))
            if found is not None and path in EXCEPTED:
                seen.add(path)
            elif found is not None:
                failed[path] = f"{found}; PyTorch has {signature}, tensorgrad {mine}"
    assert not failed, "\n".join(f"{name}: {why}" for name, why in failed.items())
    assert counted > 1500
    fit = sorted(set(EXCEPTED) - seen)
    assert not fit, f"fit by now: {fit}"
    assert set(EXCEPTIONS) == set(REASONS)


# Defaults that are other words for the same thing.
DEFAULTS = {
    "padding": (0, "valid"),  # of a convolution: none
    "unbiased": (None, True),  # None leaves it to `correction`, which is 1
    "layout": (None, "strided"),
    "requires_grad": (False, None),
    "reduction": (0, 1),  # of top-level losses: what PyTorch does, though its stubs say 1
    "fast_mode": (None, False),  # gradcheck: has no fast mode
}


def literal(default):
    """The value of a default, given as text by stubs; `...` where it has no plain value."""
    if isinstance(default, str):
        try:
            return ast.literal_eval(default)
        except (ValueError, SyntaxError):
            return default if default.isidentifier() else ...
    return default if isinstance(default, (bool, int, float, type(None), tuple)) else ...


def test_defaults():
    different = {}
    for place, name, ours, space in functions():
        try:
            mine = inspect.signature(ours).parameters
        except ValueError:
            continue
        path = f"{place}.{name}" if place else name
        for signature in theirs.signatures(space, name):
            for p in signature.parameters.values():
                if p.default is Parameter.empty or p.name not in mine:
                    continue
                here, there = mine[p.name].default, literal(p.default)
                if there is ... or here is Parameter.empty:
                    continue
                if {here, there} <= {None, ()} or (here, there) == DEFAULTS.get(p.name):
                    continue
                if here != there:
                    different[path, p.name] = (here, there)
    assert not different, "\n".join(f"{k}: {v}" for k, v in different.items())


def test_a_wrong_signature_is_noticed():
    def other(input, dimension, keepdim=False): ...

    def order(input, keepdim, dim): ...

    def fewer(input, dim): ...

    def right(input, dim, keepdim=False, more=None): ...

    def wanted(input, dim, keepdim=False): ...

    found = [
        problem(inspect.signature(f), inspect.signature(wanted), 0) for f in (other, order, fewer)
    ]
    assert None not in found
    assert problem(inspect.signature(right), inspect.signature(wanted), 0) is None


@pytest.mark.parametrize("place", ["", "Tensor"])
def test_the_stubs_are_read(place):
    assert len(theirs.stubs()[place]) > 400
