"""How a row of the samples table is written, and how its arrays are drawn.

A row names an operation and lists cases; a case is the call itself, with `real`, `whole` and
`truth` standing for arrays that are drawn when the test runs, from a seed of the row's own.
"""

import functools
import inspect
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

# Why an operation cannot be mapped by vmap.
SHAPE_VARIES = "the shape of the result depends on the values of each example"
ONE_ANSWER = "the answer is one Python bool, not one for each example"
OWN_BINS = "the bins of each example are its own"
OWN_LENGTHS = "examples cannot have sequences or segments of different lengths"
READS_MEMORY = "it reads or reshapes the memory of one array"

# --- Arrays to be drawn ---------------------------------------------------------------------------

# Where the real numbers of a sample come from.  All keep clear of the kinks and poles that the
# operations using them have, by far more than the step of the finite differences.
DOMAINS: dict[str, Callable[[np.random.Generator, tuple[int, ...]], Any]] = {
    "any": lambda rng, shape: rng.standard_normal(shape),
    "positive": lambda rng, shape: rng.uniform(0.5, 2, shape),
    "nonzero": lambda rng, shape: rng.uniform(0.3, 1.5, shape) * rng.choice([-1, 1], shape),
    "unit": lambda rng, shape: rng.uniform(0.1, 0.9, shape),
    "above one": lambda rng, shape: rng.uniform(1.2, 3, shape),
    "above two": lambda rng, shape: rng.uniform(2.2, 5, shape),
    # not within 0.1 of a whole number or of a half
    "fractions": lambda rng, shape: (
        rng.integers(-3, 3, shape) + rng.choice([0, 0.5], shape) + rng.uniform(0.1, 0.4, shape)
    ),
    # all different, by 0.05 or more for up to 60 elements
    "distinct": lambda rng, shape: rng.permutation(
        np.linspace(-1.5, 1.5, int(np.prod(shape)))
    ).reshape(shape),
    # symmetric, with eigenvalues above 0.5 that differ
    "positive definite": lambda rng, shape: (
        lambda x: x @ np.swapaxes(x, -1, -2) + np.diag(np.arange(1, shape[-1] + 1) / 2)
    )(rng.standard_normal(shape)),
    "with zeros": lambda rng, shape: rng.standard_normal(shape) * (rng.random(shape) < 0.7),
}


@dataclass(frozen=True)
class Drawn:
    """An array to be drawn: real numbers of a domain, whole numbers below a bound, or truths."""

    shape: tuple[int, ...]
    kind: str
    domain: str = "any"
    low: int = 0
    below: int = 0
    grad: bool = True

    def draw(self, rng: np.random.Generator) -> Any:
        if self.kind == "real":
            return np.asarray(DOMAINS[self.domain](rng, self.shape), np.float64)
        if self.kind == "complex":
            return np.asarray(
                rng.standard_normal(self.shape) + 1j * rng.standard_normal(self.shape)
            )
        if self.kind == "whole":
            return rng.integers(self.low, self.below, self.shape)
        return np.asarray(rng.random(self.shape) < 0.5)


@dataclass(frozen=True)
class Fixed(Drawn):
    """An array that must be just so: indices without repeats, sorted boundaries."""

    values: Any = None

    def draw(self, rng: np.random.Generator) -> Any:
        return np.array(self.values)


def fixed(values: Any) -> Fixed:
    """Whole numbers or real ones as they stand, without a gradient."""
    array = np.array(values)
    kind = "real" if array.dtype.kind == "f" else "whole"
    return Fixed(array.shape, kind, grad=False, values=values)


def real(*shape: int, of: str = "any", grad: bool = True) -> Drawn:
    """float64 numbers whose gradient is checked."""
    return Drawn(shape, "real", of, grad=grad)


def cplx(*shape: int) -> Drawn:
    """complex128 numbers whose gradient is checked."""
    return Drawn(shape, "complex")


def whole(*shape: int, below: int, low: int = 0) -> Drawn:
    """int64 numbers."""
    return Drawn(shape, "whole", low=low, below=below, grad=False)


def truth(*shape: int) -> Drawn:
    """bools."""
    return Drawn(shape, "truth", grad=False)


@dataclass(frozen=True)
class Value:
    """A drawn array at its place in a call: it becomes a tensor of the library under test."""

    array: Any
    drawn: Drawn


@dataclass(frozen=True)
class Dtype:
    """A dtype by its name, in whichever library the call is made."""

    name: str


# --- Rows -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Case:
    """One call: arguments by position and by name."""

    args: tuple[Any, ...]
    params: dict[str, Any]


def case(*args: Any, **params: Any) -> Case:
    return Case(args, params)


@dataclass(frozen=True)
class Sample:
    """One operation.

    path: where it is, below ``tensorgrad``; `primitive.<name>` for a primitive itself.
    torch: where PyTorch has it, below ``torch``; None, with a reason, where it has not.
    primitive: the primitive that takes the same arguments, if there is one.
    order: to which order its gradients are checked; fewer than 2 needs a reason.
    differentiable: False for operations without gradients.
    aliases: other public names of the same function.
    call: called with the operation and the arguments, for an operation that cannot be called so.
    differs: what is not as in PyTorch, with the reason: a dtype ("float32", "int64", "int32",
        "bool"), "gradient" where PyTorch has none, "precision" where its numbers are good to 1e-8
        only, or "single" where they are float32's.  Not a skip: tests check that it differs.
    tolerance: for finite differences, with a reason.
    vmap: why some calls cannot be mapped: those must say so.
    """

    path: str
    cases: tuple[Case, ...]
    torch: str | None = ""
    primitive: str | None = None
    order: int = 2
    differentiable: bool = True
    aliases: tuple[str, ...] = ()
    call: Callable[..., Any] | None = None
    differs: dict[str, str] = field(default_factory=dict)
    tolerance: dict[str, float] = field(default_factory=dict)
    vmap: str = ""
    reason: str = ""

    @property
    def counterpart(self) -> str | None:
        return self.path if self.torch == "" else self.torch

    def function(self) -> Callable[..., Any]:
        """The operation of tensorgrad."""
        import tensorgrad
        from tensorgrad.primitive import recorded

        if self.path.startswith("primitive."):
            found = getattr(recorded, self.path.removeprefix("primitive."))
        else:
            found = find(tensorgrad, self.path)
        return found if self.call is None else functools.partial(self.call, found)

    def draw(self, number: int) -> Case:
        """A case with its arrays drawn."""
        return draw(self.cases[number], self.path, number)


def find(library: Any, path: str) -> Any:
    """``nn.functional.relu`` of a library."""
    return functools.reduce(getattr, path.split("."), library)


def draw(template: Case, name: str, number: int) -> Case:
    """A case with its arrays drawn, from the seed of its row."""
    rng = np.random.default_rng([zlib.crc32(name.encode()), number])
    tree = (template.args, template.params)
    return Case(*_map(tree, Drawn, lambda drawn: Value(drawn.draw(rng), drawn)))


def _map(tree: Any, kind: type, function: Callable[[Any], Any]) -> Any:
    """The same nesting of lists, tuples and dicts with a function applied to what is of a kind."""
    if isinstance(tree, kind):
        return function(tree)
    if type(tree) in (list, tuple):
        return type(tree)(_map(item, kind, function) for item in tree)
    if isinstance(tree, dict):
        return {key: _map(item, kind, function) for key, item in tree.items()}
    return tree


class Call:
    """A drawn case with its arrays as tensors of a library.

    make(array, requires_grad) -> tensor.  ``leaves`` are the tensors whose gradient is checked,
    ``tensors`` all of them.
    """

    def __init__(
        self,
        drawn: Case,
        make: Callable[[Any, bool], Any] | None = None,
        grad: bool = True,
        library: Any = None,
    ) -> None:
        import tensorgrad

        library, make = library or tensorgrad, make or leaf
        self.leaves: list[Any] = []
        self.tensors: list[Any] = []

        def place(value: Value) -> Any:
            wants = grad and value.drawn.grad
            tensor = make(value.array, wants)
            self.tensors.append(tensor)
            if wants:
                self.leaves.append(tensor)
            return _Place(len(self.tensors) - 1)

        tree = _map((drawn.args, drawn.params), Value, place)
        self._tree = _map(tree, Dtype, lambda dtype: getattr(library, dtype.name))

    def run(self, function: Callable[..., Any], *leaves: Any) -> Any:
        """Call the function, with other tensors in the leaves' places if they are given."""
        tensors = list(self.tensors)
        for old, new in zip(self.leaves, leaves, strict=bool(leaves)):
            tensors[next(i for i, t in enumerate(tensors) if t is old)] = new
        args, params = _map(self._tree, _Place, lambda place: tensors[place.number])
        return function(*args, **params)


@dataclass(frozen=True)
class _Place:
    number: int


def outputs_of(result: Any) -> list[Any]:
    """The results of a call in order, out of tuples and lists."""
    if isinstance(result, (tuple, list)) and not hasattr(result, "numel"):
        return [part for item in result for part in outputs_of(item)]
    return [result]


def leaf(array: Any, requires_grad: bool) -> Any:
    """A tensorgrad tensor on a copy of an array, keeping its layout."""
    import tensorgrad as tg

    return tg.from_numpy(array.copy(order="K")).requires_grad_(requires_grad)


def numbered(samples: list[Sample], **wanted: Any) -> list[Any]:
    """(sample, number of a case) for pytest, of the rows with these properties."""
    import pytest

    return [
        pytest.param(sample, number, id=f"{sample.path}-{number}")
        for sample in samples
        if all(getattr(sample, key) == value for key, value in wanted.items())
        for number in range(len(sample.cases))
    ]


def every_case(samples: list[Sample]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Run ``test(sample, number, ...)`` for every case, as one test of pytest's per row.

    A test per case would spend most of its time in pytest; an error notes the case's number.
    """
    import pytest

    def decorate(test: Callable[..., None]) -> Callable[..., None]:
        def run(sample: Sample, **others: Any) -> None:
            for number in range(len(sample.cases)):
                try:
                    test(sample, number, **others)
                except BaseException as error:
                    error.add_note(f"in case {number}: {sample.cases[number]}")
                    raise

        names = list(inspect.signature(test).parameters.values())
        run.__name__, run.__doc__ = test.__name__, test.__doc__
        run.__signature__ = inspect.Signature([names[0], *names[2:]])  # type: ignore[attr-defined]
        for mark in getattr(test, "pytestmark", []):
            run = pytest.mark.__getattr__(mark.name)(*mark.args, **mark.kwargs)(run)
        rows = pytest.mark.parametrize("sample", samples, ids=lambda sample: sample.path)
        return rows(run)  # type: ignore[no-any-return]

    return decorate


# --- Common forms ---------------------------------------------------------------------------------


def row(path: str, *cases: Case, **fields: Any) -> Sample:
    return Sample(path, cases, **fields)


def unary(name: str, of: str = "any", **fields: Any) -> Sample:
    """A function of one tensor, elementwise, whose primitive has its name."""
    shapes = ((2, 3), (), (1,), (0, 3))
    fields.setdefault("primitive", name)
    return row(name, *(case(real(*shape, of=of)) for shape in shapes), **fields)


def binary(
    name: str, of: str = "any", other: str | None = None, scalars: bool = True, **fields: Any
) -> Sample:
    """A function of two, elementwise, with every kind of broadcasting and with scalars."""
    two = of if other is None else other
    shapes = (
        ((2, 3), (2, 3)),
        ((2, 3), (3,)),
        ((2, 1), (1, 3)),
        ((), (2,)),
        ((), ()),
        ((0, 3), (1, 3)),
    )
    cases = [case(real(*a, of=of), real(*b, of=two)) for a, b in shapes]
    fields.setdefault("primitive", name)
    if scalars:
        cases += [case(real(2, 3, of=of), 1.25), case(real(of=of), 2)]
    return row(name, *cases, **fields)
