"""What primitives compute, in the grammar of formulas: for people who read a derivation.

The rules' formulas stand beside the rules, because a rule is where mistakes are made.  These say
what a name like ``relu`` says already, and are one table; the tests evaluate them all the same.
A primitive that is not here (``tanh``, ``relu``, ``softmax``) is shown by its name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tensorgrad.primitive import Primitive

__all__ = ["FORWARD", "forward_formula"]

FORWARD: dict[str, str] = {
    "add": "a + b",
    "sub": "a - b",
    "mul": "a * b",
    "div": "a / b",
    "neg": "-x",
    "pow": "x**p",
    "exp": "exp(x)",
    "exp2": "2**x",
    "expm1": "exp(x) - 1",
    "log": "log(x)",
    "log2": "log(x) / log(2)",
    "log10": "log(x) / log(10)",
    "log1p": "log(1 + x)",
    "sqrt": "sqrt(x)",
    "rsqrt": "1 / sqrt(x)",
    "reciprocal": "1 / x",
    "sin": "sin(x)",
    "cos": "cos(x)",
    "sinh": "sinh(x)",
    "cosh": "cosh(x)",
    "sign": "sign(x)",
    "floor": "floor(x)",
    "trunc": "trunc(x)",
    "abs": "abs(x)",
    "maximum": "a * [a >= b] + b * [b > a]",
    "minimum": "a * [a <= b] + b * [b < a]",
    "where": "a * [c] + b * [~c]",
    "mask": "x * [mask]",
    "leaky_relu": "x * slope",
    "keep": "x * [kept] + other * [~kept]",
    "astype": "x",
    "clone": "x",
    "alias": "x",
    "hypot": "sqrt(a**2 + b**2)",
    "xlogy": "x * log(z)",
    "xlog1py": "x * log(1 + z)",
    "logaddexp": "log(exp(a) + exp(b))",
    "entr": "-x * log(x)",
    "binary_cross_entropy": "-(t * log(x) + (1 - t) * log(1 - x))",
    "mse_loss": "mean((x - t)**2, none)",
    "sum": "sum(x, axis)",
    "mean": "mean(x, axis)",
    "var": "sum((x - mean(x, axis))**2, axis) / (count(x, axis) - correction)",
    "cumsum": "cumsum(x, axis)",
    "cross_entropy": "-sum(onehot(target, x) * log(softmax(x, 1)) * column(weight), none)",
    "batch_norm": "normal(x, eps)",
    "layer_norm": "standard(x, axes, eps)",
    "rms_norm": "x / root_mean(x, axes, eps)",
    "matmul": "a @ b",
    "linear": "x @ w.T",
    "inv": "inv(a)",
    "det": "det(a)",
    "conv": "conv(x, w)",
    "getitem": "x[index]",
    "gather": "gather(x, index, axis)",
    "gather_winners": "gather(x, index, axis)",
    "take_rows": "take(x, index, axis)",
    "continue_edges": "take(x, index, axis)",
    "flip": "flip(x, axes)",
    "tril": "tril(x, diagonal)",
    "triu": "triu(x, diagonal)",
}


def forward_formula(
    op: Primitive, shapes: Sequence[tuple[int, ...] | None], params: Mapping[str, Any]
) -> str | None:
    """A primitive's own formula for inputs of these shapes (None: not given); None if unknown.

    A reduced axis is kept with length 1, as everywhere in the grammar.  The name ``none`` stands
    for "over all axes".
    """
    if op.name == "linear" and shapes[2] is not None:
        return "x @ w.T + b"
    if op.name in ("batch_norm", "layer_norm"):
        return _normalization(FORWARD[op.name], op.name, shapes)
    if op.name == "rms_norm" and shapes[1] is not None:
        return f"{FORWARD['rms_norm']} * w"
    if op.name == "conv" and len(shapes) > 2 and shapes[2] is not None:
        return "conv(x, w) + channels(b, x)"
    return FORWARD.get(op.name)


def _normalization(core: str, name: str, shapes: Sequence[Any]) -> str:
    around = "channels({}, x)" if name == "batch_norm" else "{}"
    if shapes[1] is not None:
        core = f"{core} * {around.format('w')}"
    return core if shapes[2] is None else f"{core} + {around.format('b')}"
