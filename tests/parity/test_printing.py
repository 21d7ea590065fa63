"""Printed tensors beside PyTorch's, letter by letter, over many arrays and every print option."""

import warnings

import numpy as np
import pytest
import torch

import tensorgrad as tg

RNG = np.random.default_rng(0)
inf, nan = np.inf, np.nan

ARRAYS = {
    "0-d": np.array(1.5),
    "0-d whole": np.array(3.0),
    "0-d int": np.array(7),
    "0-d bool": np.array(True),
    "0-d complex": np.array(1.5 - 2j),
    "0-d nan": np.array(nan),
    "0-d small": np.array(1e-7),
    "0-d large": np.array(123456789.0),
    "empty": np.zeros(0),
    "empty rows": np.zeros((2, 0)),
    "empty int": np.zeros((0, 3), np.int64),
    "empty bool": np.zeros((0, 3), bool),
    "empty int32": np.zeros(0, np.int32),
    "empty complex": np.zeros((0, 2), np.complex128),
    "empty float32": np.zeros((0, 2), np.float32),
    "zeros": np.zeros((2, 3)),
    "negative zero": np.array([-0.0, 0.0]),
    "whole": np.array([1.0, -20.0, 300.0]),
    "whole with zero": np.array([0.0, 1000.0]),
    "whole wide": np.array([1.0, 1001.0]),
    "whole wider": np.array([1.0, 1e6]),
    "whole huge": np.array([1.0, 2e8]),
    "one huge": np.array([1e8, 1e8 + 1]),
    "whole with nan": np.array([1.0, nan, -3.0]),
    "whole with inf": np.array([1.0, inf, -inf]),
    "only nonfinite": np.array([nan, inf, -inf]),
    "zeros and nan": np.array([0.0, nan]),
    "fractions": RNG.standard_normal((2, 3)),
    "fractions with nan": np.array([0.5, nan, -1.25]),
    "fractions with inf": np.array([0.5, -inf, 1e3]),
    "wide range": np.array([1e-3, 1.5, 2000.25]),
    "exactly a thousand": np.array([0.5, 500.0]),
    "just above a thousand": np.array([0.5, 500.5]),
    "small": np.array([1e-5, 2e-5]),
    "limit of small": np.array([1e-4, 2e-4]),
    "large": np.array([1e8, 1.5]),
    "large fractions": np.array([123456.789, 99999.5]),
    "negative wide": np.array([-1e-3, 1234.5]),
    "extremes": np.array([np.finfo(np.float64).max, np.finfo(np.float64).tiny]),
    "subnormal": np.array([5e-324, 1.0]),
    "ints": np.array([[1, -200], [30, 4]]),
    "int extremes": np.array([np.iinfo(np.int64).min, np.iinfo(np.int64).max]),
    "bools": np.array([[True, False], [False, False]]),
    "complex": RNG.standard_normal((2, 2)) + 1j * RNG.standard_normal((2, 2)),
    "complex whole": np.array([1 + 2j, -3 - 40j]),
    "complex mixed": np.array([1 + 2.5j, -3 - 40j]),
    "complex nonfinite": np.array([complex(nan, 1), complex(1, inf), complex(-1, -inf)]),
    "complex negative zero": np.array([complex(0.0, -0.0), complex(1, nan)]),
    "complex wide": np.array([1e-5 + 1j, 1 + 1e9j]),
    "line": np.arange(40.0),
    "line of fractions": RNG.standard_normal(30),
    "long": np.arange(1001.0),
    "long ints": np.arange(2000),
    "thousand": np.arange(1000),
    "many rows": np.arange(3000).reshape(1000, 3),
    "many columns": np.arange(3000.0).reshape(3, 1000),
    "large cube": np.arange(12 * 12 * 12.0).reshape(12, 12, 12),
    "cube": np.arange(24.0).reshape(2, 3, 4),
    "four": np.arange(16).reshape(2, 2, 2, 2),
    "cube of ones": np.ones((1, 1, 1)),
    "summarised empty middle": np.zeros((2000, 0)),
    "long bools": np.arange(2000) % 3 == 0,
    "long complex": np.arange(1200) * (1 + 1j),
    "outlier hidden by the summary": np.where(np.arange(2000) == 1000, 1e9, 1.5),
    "wide matrix": RNG.standard_normal((3, 25)),
}
DTYPES = ["float16", "float32", "int8", "uint8", "int32", "complex64"]
OPTIONS = [
    {"precision": 2},
    {"precision": 0},
    {"precision": 8},
    {"sci_mode": True},
    {"sci_mode": False},
    {"threshold": 5},
    {"threshold": 5, "edgeitems": 1},
    {"edgeitems": 1},
    {"linewidth": 40},
    {"linewidth": 120},
    {"linewidth": 10},
    {"profile": "short"},
    {"profile": "full"},
    {"profile": "default"},
    {"profile": "short", "precision": 3},
]


@pytest.fixture(autouse=True)
def names_of_the_same_length(monkeypatch):
    """Lines break by length: "tensorgrad.float64" would break where "torch.float64" does not."""
    monkeypatch.setattr(tg.dtype, "__repr__", lambda self: f"torch.{self.name}")


def as_torch(text):
    return text.replace("tensorgrad.", "torch.")


@pytest.fixture
def options():
    """Set print options in both; the defaults come back."""

    def choose(**words):
        for library in (tg, torch):
            library.set_printoptions(**words)

    yield choose
    choose(profile="default")


def both(array, **words):
    return tg.tensor(array, **words), torch.tensor(array, **words)


@pytest.mark.parametrize("name", ARRAYS)
def test_arrays(name):
    ours, other = both(ARRAYS[name])
    assert repr(ours) == repr(other)
    assert str(ours) == str(other)


@pytest.mark.parametrize("kind", DTYPES)
@pytest.mark.parametrize("name", ARRAYS)
def test_dtypes(name, kind):
    array = ARRAYS[name]
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        ours, other = both(array.astype(kind))
    assert repr(ours) == repr(other)


@pytest.mark.parametrize("number", range(len(OPTIONS)))
@pytest.mark.parametrize("name", ARRAYS)
def test_options(name, number, options):
    options(**OPTIONS[number])
    ours, other = both(ARRAYS[name])
    if ours.numel() > 1500 and OPTIONS[number].get("profile") == "full":
        ours, other = ours.flatten()[:1200], other.flatten()[:1200]
    assert repr(ours) == repr(other)


@pytest.mark.parametrize("name", ARRAYS)
def test_leaves_and_results(name):
    array = ARRAYS[name]
    if array.dtype.kind not in "fc":
        return
    ours, other = both(array, requires_grad=True)
    assert repr(ours) == repr(other)
    assert repr(ours * 1) == repr(other * 1)
    ours, other = ours.to(tg.complex64), other.to(torch.complex64)
    assert repr(ours.detach()) == repr(other.detach())


@pytest.mark.parametrize("default", ["float64", "float16"])
@pytest.mark.parametrize("name", [n for n in ARRAYS if ARRAYS[n].size < 10])
def test_the_default_dtype_is_not_named(name, default):
    for library in (tg, torch):
        library.set_default_dtype(getattr(library, default))
    try:
        for kind in (ARRAYS[name].dtype, np.float32, np.complex64):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                ours, other = both(ARRAYS[name].astype(kind))
            assert repr(ours) == repr(other)
    finally:
        for library in (tg, torch):
            library.set_default_dtype(library.float32)


def test_views_and_broadcasts():
    for make in (
        lambda t: t.arange(6.0).reshape(2, 3).t(),
        lambda t: t.ones(1).expand(2, 3),
        lambda t: t.arange(10)[::3],
        lambda t: t.nn.Parameter(t.arange(3.0)),
        lambda t: [t.ones(2), {"a": t.tensor(3)}],
        lambda t: t.Size([2, 3]),
        lambda t: (t.float32, t.int64, t.strided, t.contiguous_format),
        lambda t: (t.device("cpu"), t.tensor(1.0).device),
        lambda t: t.ones(2, 3).shape,
        lambda t: t.ones(2).unbind(),
    ):
        assert as_torch(repr(make(tg))) == repr(make(torch))


@pytest.mark.parametrize(
    ("value", "spec"),
    [
        (1.5, ".3f"),
        (1.5, ""),
        (7, "d"),
        (7, "5d"),
        (True, ""),
        (1.25, ">10"),
        (1e9, ".2e"),
        (2, "x"),
    ],
)
def test_format_of_one_number(value, spec):
    ours, other = tg.tensor(value), torch.tensor(value)
    assert format(ours, spec) == format(other, spec)
    assert f"{ours * 1:{spec}}" == f"{other * 1:{spec}}"


def test_format_of_several():
    for library in (tg, torch):
        x = library.ones(2)
        assert f"{x}" == "tensor([1., 1.])"
        with pytest.raises(TypeError):
            format(x, ".2f")
        assert f"{library.ones(1, requires_grad=True)}" == "tensor([1.], requires_grad=True)"


def test_bad_options():
    before = repr(tg.tensor([1.23456]))
    with pytest.raises(ValueError, match="profile"):
        tg.set_printoptions(profile="long")
    with pytest.raises((TypeError, ValueError)):
        tg.set_printoptions(precision="two")
    assert repr(tg.tensor([1.23456])) == before
