"""Formulas of gradients: a small grammar, read, evaluated and written for people."""

from tensorgrad.formula import (  # noqa: F401  (importing them declares their functions)
    alignment,
    attention,
    linalg,
    normalization,
    special,
    windows,
)
from tensorgrad.formula.grammar import (
    FormulaError,
    Text,
    evaluate,
    fit,
    formulas_of,
    parse,
    to_text,
)

__all__ = ["FormulaError", "Text", "evaluate", "fit", "formulas_of", "parse", "to_text"]
