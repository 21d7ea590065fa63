"""The words of a derivation that all its renderings share: sizes, checks, remarks."""

from __future__ import annotations

from tensorgrad.viz.derivation.differences import Checked
from tensorgrad.viz.derivation.expression import Expr, Symbol, Words, plus
from tensorgrad.viz.derivation.model import Derivation, Result, Size, Way
from tensorgrad.viz.derivation.printing import Text
from tensorgrad.viz.figures.words import number, shape

__all__ = [
    "TERMS",
    "agreement",
    "called",
    "change",
    "courses",
    "derivatives",
    "dimensions",
    "few",
    "norm",
    "paths",
    "reading",
    "result_words",
    "sizes",
    "verdict",
]

TERMS = 8  # of a sum over the paths that meet, how many are shown


def few(terms: tuple[Expr, ...]) -> Expr:
    """The sum of the first terms, and how many more there are."""
    more = (Words(f"… {len(terms) - TERMS} more"),) if len(terms) > TERMS else ()
    return plus(*terms[:TERMS], *more)


def norm(size: Size) -> str:
    """The norm of a gradient in words; never 0 for one that was not computed."""
    if size.status == "none":
        return "not computed"
    if size.status == "empty":
        return "no elements"
    if size.status == "zero":
        return "0"
    return number(size.norm, 4)


def agreement(checked: Checked) -> str:
    """The relative error beside differences, with its mark; why there is none; or nothing."""
    if checked.error is None:
        return f"not checked: {checked.why}" if checked.why else ""
    # What a sum leaves in its last bits is not the same on every machine: below it is below.
    if checked.error < 1e-9:
        return "✓ < 1e-09"
    shown = f"{checked.error:.0e}"
    return f"✓ {shown}" if checked.error <= checked.within else f"✗ {checked.error:.2g}"


def derivatives(way: Way) -> list[tuple[str, tuple[Expr, Expr]]]:
    """The equations below a term: the local derivative, case by case, and the gradient in all."""
    found = [("local", way.local), ("case by case", way.cases), ("in all", way.closed)]
    return [(word, pair) for word, pair in found if pair is not None]


def verdict(checked: Checked) -> bool | None:
    """Whether a gradient agrees with differences; None where that is not known."""
    return None if checked.error is None else checked.error <= checked.within


def dimensions(dims: tuple[int, ...]) -> str:
    """A shape, or ``scalar``."""
    return shape(dims) if dims else "scalar"


def paths(n: int) -> str:
    """``1 path``, ``1,024 paths``, ``2^50 paths``."""
    if n < 10**12:
        return "1 path" if n == 1 else f"{n:,} paths"
    power = n.bit_length() - 1
    return f"{'' if n == 1 << power else 'about '}2^{power} paths"


def called(way: Way) -> str:
    """The variable to which a step gives, as the text shows it."""
    return Text().symbol(Symbol(way.to))


def change(way: Way) -> str:
    """The ratio of the norms behind and before a step: ``×0.21``."""
    return f"×{number(way.ratio, 3)}"


def courses(made: Derivation) -> list[tuple[str, Way, str]]:
    """Where the gradient shrinks most, grows most, and is lost: what stands before the name of the
    variable that it is on its way to, which each rendering shows as it does, and what behind.
    """
    found = [
        (
            f"The gradient {verb} most at step {extreme[0].step} ({extreme[1]}), on its way to ",
            extreme[0],
            f": its norm {change(extreme[0])}.",
        )
        for extreme, verb in ((made.shrinks, "shrinks"), (made.grows, "grows"))
        if extreme is not None
    ]
    if made.lost is not None:
        way, op = made.lost
        found.append(
            (
                f"At step {way.step} ({op}), on its way to ",
                way,
                f", the gradient cancels out: what is left ({change(way)} of its norm) is "
                "rounding, and stands for 0.",
            )
        )
    return found


def reading(made: Derivation) -> str:
    """How to read the formulas: which way matrices stand."""
    if made.notation == "index":
        return (
            "Each element on its own: n runs over the batch, δ is Kronecker's (1 where its indices "
            "are equal, else 0), [...] is 1 where the condition holds, else 0."
        )
    if made.convention == "column":
        return (
            "⊙ is elementwise. Column convention, y = W x: each matrix of the program is shown "
            "transposed, its rows as columns; a linear layer's weight is (out, in) already. Shapes "
            "are the program's."
        )
    return "⊙ is elementwise. Row convention, y = x W: each row of a matrix is one example."


def sizes(made: Derivation) -> str:
    """What the letters for numbers of elements stand for: ``N = 8, M = 32``."""
    return ", ".join(f"{symbol.name} = {meaning}" for symbol, meaning in made.sizes)


def result_words(result: Result) -> str:
    """Where a gradient that was asked for stands."""
    if not result.reached:
        return "does not depend on it: there is no path"
    return paths(result.paths)
