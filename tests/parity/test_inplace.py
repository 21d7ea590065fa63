"""Every in-place method of Tensor beside PyTorch's: on strided views, with gradients, refused."""

import contextvars
import warnings

import numpy as np
import pytest
import torch

import tensorgrad as tg

LIBRARIES = (tg, torch)

# How each method is called: a function of (tensor, library).  The tensor is a strided 3 x 3 view of
# positive numbers below one; `other` makes a tensor of the library, the same for both.


KIND = contextvars.ContextVar("KIND", default="float64")


def other(library, *shape):
    kind = KIND.get()
    rng = np.random.default_rng(7)
    array = rng.uniform(0.1, 0.9, shape) if kind[0] in "fc" else rng.integers(1, 4, shape)
    return library.tensor(array.tolist()).to(getattr(library, kind))


def index(library, *values):
    return library.tensor(list(values))


PLAIN = (
    "abs_ absolute_ acos_ arccos_ arcsin_ arctan_ asin_ atan_ ceil_ cos_ cosh_ deg2rad_ digamma_ "
    "erf_ erfc_ erfinv_ exp_ exp2_ expm1_ fix_ floor_ frac_ i0_ lgamma_ log_ log2_ log10_ log1p_ "
    "logit_ nan_to_num_ neg_ negative_ rad2deg_ reciprocal_ relu_ round_ rsqrt_ sgn_ sigmoid_ "
    "sign_ sin_ sinc_ sinh_ sqrt_ square_ t_ tan_ tanh_ tril_ triu_ trunc_ zero_ squeeze_"
)
WITH_OTHER = (
    "add_ arctan2_ atan2_ copysign_ div_ divide_ fmod_ hypot_ mul_ multiply_ pow_ "
    "remainder_ sub_ subtract_ true_divide_ xlogy_ float_power_"
)
COMPARISONS = "eq_ ne_ not_equal_ lt_ less_ le_ less_equal_ gt_ greater_ ge_ greater_equal_"
CALLS = {
    **{name: lambda x, lib, name=name: getattr(x, name)() for name in PLAIN.split()},
    **{
        name: lambda x, lib, name=name: getattr(x, name)(other(lib, 3))
        for name in WITH_OTHER.split()
    },
    **{
        name: lambda x, lib, name=name: getattr(x, name)(other(lib, 3, 1))
        for name in COMPARISONS.split()
    },
    "addbmm_": lambda x, lib: x.addbmm_(other(lib, 2, 3, 2), other(lib, 2, 2, 3), beta=3),
    "addcdiv_": lambda x, lib: x.addcdiv_(other(lib, 3, 3), other(lib, 3), value=2),
    "addcmul_": lambda x, lib: x.addcmul_(other(lib, 3, 3), other(lib, 3), value=2),
    "addmm_": lambda x, lib: x.addmm_(other(lib, 3, 2), other(lib, 2, 3), beta=3, alpha=2),
    "addr_": lambda x, lib: x.addr_(other(lib, 3), other(lib, 3)),
    "bernoulli_": lambda x, lib: x.bernoulli_(1.0 * lib.ones(3, dtype=lib.float64)),
    "clamp_": lambda x, lib: x.clamp_(0.3, 0.6),
    "clamp_max_": lambda x, lib: x.clamp_max_(0.5),
    "clamp_min_": lambda x, lib: x.clamp_min_(0.5),
    "clip_": lambda x, lib: x.clip_(None, other(lib, 3)),
    "copy_": lambda x, lib: x.copy_(other(lib, 3)),
    "cumprod_": lambda x, lib: x.cumprod_(0),
    "cumsum_": lambda x, lib: x.cumsum_(1, dtype=lib.float64),
    "fill_": lambda x, lib: x.fill_(2.5),
    "fill_diagonal_": lambda x, lib: x.fill_diagonal_(2.5),
    "index_add_": lambda x, lib: x.index_add_(0, index(lib, 2, 0, 2), other(lib, 3, 3), alpha=2),
    "index_copy_": lambda x, lib: x.index_copy_(1, index(lib, 2, 0), other(lib, 3, 2)),
    "index_fill_": lambda x, lib: x.index_fill_(1, index(lib, 2, 0), 2.5),
    "index_put_": lambda x, lib: x.index_put_((index(lib, 1, 0),), other(lib, 2, 3)),
    "index_reduce_": lambda x, lib: x.index_reduce_(
        0, index(lib, 2, 0, 2), other(lib, 3, 3), "mean"
    ),
    "ldexp_": lambda x, lib: x.ldexp_(index(lib, 1, 2, 0)),
    "lerp_": lambda x, lib: x.lerp_(other(lib, 3), 0.3),
    "masked_fill_": lambda x, lib: x.masked_fill_(other(lib, 3, 3) > 0.5, 2.5),
    "masked_scatter_": lambda x, lib: x.masked_scatter_(other(lib, 3, 3) > 0.5, other(lib, 9)),
    "mvlgamma_": lambda x, lib: x.add_(2).mvlgamma_(2),
    "polygamma_": lambda x, lib: x.polygamma_(1),
    "put_": lambda x, lib: x.put_(index(lib, 1, 5), other(lib, 2)),
    "renorm_": lambda x, lib: x.renorm_(2, 0, 0.5),
    "scatter_": lambda x, lib: x.scatter_(1, lib.tensor([[0, 2], [1, 0]]), other(lib, 2, 2)),
    "scatter_add_": lambda x, lib: x.scatter_add_(
        1, lib.tensor([[0, 0], [1, 0]]), other(lib, 2, 2)
    ),
    "scatter_reduce_": lambda x, lib: x.scatter_reduce_(
        1, lib.tensor([[0, 0], [1, 0]]), other(lib, 2, 2), "prod"
    ),
    "swapaxes_": lambda x, lib: x.swapaxes_(0, -1),
    "swapdims_": lambda x, lib: x.swapdims_(0, 1),
    "transpose_": lambda x, lib: x.transpose_(1, 0),
    "unsqueeze_": lambda x, lib: x.unsqueeze_(-1),
    "baddbmm_": lambda x, lib: x.unsqueeze_(0).baddbmm_(other(lib, 1, 3, 2), other(lib, 1, 2, 3)),
    "addmv_": lambda x, lib: x[0].addmv_(other(lib, 3, 2), other(lib, 2)),
}  # fmt: skip
UNRECORDED = {
    **{
        name: lambda x, lib, name=name: getattr(x, name)(other(lib, 3, 1))
        for name in ("logical_and_", "logical_or_", "logical_xor_")
    },
    "logical_not_": lambda x, lib: x.logical_not_(),
}
# Not among CALLS: no gradient in PyTorch, no floating point, random, or of memory.
# acosh_ and its kin have no derivative in PyTorch: samples_inplace checks them.
ELSEWHERE = (
    "acosh_ arccosh_ arcsinh_ arctanh_ asinh_ atanh_ "
    "floor_divide_ heaviside_ nextafter_ igamma_ igammac_ "
    "bitwise_and_ bitwise_or_ bitwise_xor_ bitwise_not_ bitwise_left_shift_ bitwise_right_shift_ "
    "gcd_ lcm_ apply_ map_ map2_ detach_ requires_grad_ resize_ resize_as_ set_ as_strided_ "
    "cauchy_ exponential_ geometric_ log_normal_ normal_ random_ uniform_ "
    "conj_physical_ share_memory_"
)


def test_every_method_in_place_is_called():
    ours = {n for n in dir(tg.Tensor) if n.endswith("_") and not n.startswith("_")}
    assert ours - set(CALLS) - set(UNRECORDED) - set(ELSEWHERE.split()) == set()
    assert set(CALLS) - ours == set()


def strided_view(base):
    """3 x 3, in neither order of the base's memory."""
    return base.t()[1:6:2, 1:]


def start(library):
    rng = np.random.default_rng(3)
    values = rng.uniform(0.1, 0.9, (4, 6))
    return library.tensor(values.tolist(), dtype=library.float64, requires_grad=True)


def as_array(tensor):
    return tensor.detach().numpy()


def trace(library, call):
    """Base, view, gradient after a write through a view of a computed tensor."""
    leaf = start(library)
    base = leaf * 1.0
    early = base[1]
    view = strided_view(base)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        call(view, library)
    seed = library.arange(24, dtype=library.float64).reshape(4, 6) * 0.1
    loss = (base * seed).sum() + (early**2).sum() + (view**2).sum()
    loss.backward()
    return [as_array(base), as_array(view), as_array(early), as_array(leaf.grad)]


@pytest.mark.parametrize("name", sorted(CALLS))
def test_through_a_strided_view(name):
    ours, theirs = (trace(library, CALLS[name]) for library in LIBRARIES)
    # PyTorch's own digamma and polygamma are good to about 1e-9
    precision = 1e-8 if "gamma" in name else 1e-10
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a, b, rtol=precision, atol=precision)


@pytest.mark.parametrize("name", sorted(UNRECORDED))
def test_logic_in_place_cuts_the_gradient(name):
    # PyTorch does not record these four: its gradient passes through what they wrote over.
    ours, theirs = (trace(library, UNRECORDED[name]) for library in LIBRARIES)
    for a, b in zip(ours[:3], theirs[:3], strict=True):
        np.testing.assert_allclose(a, b)
    written = strided_view(tg.tensor(ours[3]))
    assert not written.any()
    assert strided_view(torch.tensor(theirs[3])).any()
    with pytest.raises(RuntimeError, match="leaf Variable"):
        UNRECORDED[name](tg.ones(3, 3, requires_grad=True), tg)


@pytest.mark.parametrize("name", sorted(set(CALLS) - {"squeeze_"}))
def test_a_saved_value_that_changed_is_noticed(name):
    for library in LIBRARIES:
        base = start(library) * 1.0
        view = strided_view(base)
        product = view.exp() * view  # saves the view
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            CALLS[name](view, library)
        with pytest.raises(RuntimeError, match=r"modified by an inplace operation|in place"):
            product.sum().backward()


@pytest.mark.parametrize("name", sorted(CALLS))
def test_leaves_and_their_views_are_refused(name):
    for library in LIBRARIES:
        for make in (lambda x: x, lambda x: x[:3, :3]):
            leaf = library.ones(3, 3, dtype=library.float64, requires_grad=True)
            with pytest.raises(RuntimeError, match="leaf Variable"):
                CALLS[name](make(leaf), library)


def outcome(library, call, kind):
    values = np.arange(1, 10) % 5 + 1
    x = library.tensor(values.reshape(3, 3).tolist()).to(getattr(library, kind))
    token = KIND.set(kind)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            call(x, library)
    except Exception as error:
        return error
    finally:
        KIND.reset(token)
    return x


@pytest.mark.parametrize("kind", ["int64", "int32", "float32", "bool", "complex128"])
@pytest.mark.parametrize("name", sorted(CALLS))
def test_dtypes(name, kind):
    ours, theirs = (outcome(library, CALLS[name], kind) for library in LIBRARIES)
    if isinstance(theirs, Exception):
        if isinstance(theirs, NotImplementedError):
            return  # a kernel that PyTorch does not have
        assert isinstance(ours, Exception), theirs
        assert isinstance(ours, (RuntimeError, TypeError, ValueError))
    else:
        assert not isinstance(ours, Exception), ours
        assert ours.dtype.name == str(theirs.dtype).removeprefix("torch.")
        np.testing.assert_allclose(
            as_array(ours), as_array(theirs.resolve_conj()), rtol=1e-5, atol=1e-6
        )


@pytest.mark.parametrize(
    "name", ["add_", "mul_", "eq_", "logical_and_", "atan2_", "copy_", "lerp_", "pow_"]
)
def test_broadcasting_does_not_grow_the_tensor(name):
    for library in LIBRARIES:
        x, wide = library.ones(3), library.ones(2, 3)
        arguments = (wide, 0.5) if name == "lerp_" else (wide,)
        with pytest.raises(RuntimeError):
            getattr(x, name)(*arguments)


@pytest.mark.parametrize(
    "name", [f"bitwise_{what}_" for what in ("and", "or", "xor", "left_shift", "right_shift")]
)
def test_bits(name):
    results = []
    for library in LIBRARIES:
        x = library.tensor([[5, 6, 7], [1, 2, 3]])
        getattr(x, name)(library.tensor([1, 2, 3]))
        results.append(x.tolist())
        with pytest.raises(RuntimeError):
            getattr(library.ones(3), name)(library.ones(3))
    assert results[0] == results[1]
    assert tg.tensor([1, 2]).bitwise_not_().tolist() == [-2, -3]
