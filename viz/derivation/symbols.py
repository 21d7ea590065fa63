"""How a name of the program is written in a formula: letter and subscript."""

from __future__ import annotations

import re

__all__ = ["GREEK", "split_name"]

GREEK = {
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ε", "eps": "ε", "zeta": "ζ",
    "eta": "η", "theta": "θ", "kappa": "κ", "lambda": "λ", "lam": "λ", "mu": "μ", "nu": "ν",
    "xi": "ξ", "pi": "π", "rho": "ρ", "sigma": "σ", "tau": "τ", "phi": "φ", "chi": "χ",
    "psi": "ψ", "omega": "ω",
}  # fmt: skip
_LETTERS = {"weight": "W", "bias": "b"}
_TAIL = re.compile(r"(.*?[^\W\d_])_?(\d+)", re.DOTALL)


def split_name(name: str) -> tuple[str, str]:
    """The letters and the subscript of a name: ``W1`` is (W, 1), ``fc1.weight`` is (W, fc1)."""
    path, dot, last = name.rpartition(".")
    if dot and last in _LETTERS:
        return _LETTERS[last], path
    if dot:
        return last, path
    if last in _LETTERS:
        return _LETTERS[last], ""
    found = _TAIL.fullmatch(name)
    return (found[1], found[2]) if found else (name, "")
