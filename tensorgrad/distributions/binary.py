"""What the laws of trials with two outcomes share: a probability, given as such or by its odds."""

from __future__ import annotations

from typing import Any, ClassVar

import tensorgrad as tg
from tensorgrad.distributions import constraints
from tensorgrad.distributions.distribution import Distribution
from tensorgrad.distributions.parameters import logits_to_probs, probs_to_logits
from tensorgrad.size import Size
from tensorgrad.tensor import Tensor

__all__ = ["OfTrials", "exactly_one"]


def exactly_one(probs: Any, logits: Any) -> None:
    """Refuse both or neither of probs and logits."""
    if (probs is None) == (logits is None):
        raise ValueError("Either `probs` or `logits` must be specified, but not both.")


class OfTrials(Distribution):
    """``probs`` and ``logits``, each from the other when it was not given."""

    arg_constraints: ClassVar[Any] = {
        "probs": constraints.unit_interval,
        "logits": constraints.real,
    }
    _parameters: ClassVar[tuple[str, ...]] = ("probs", "logits")
    is_binary = True

    def __getattr__(self, name: str) -> Any:
        # Only what was not given comes here; it is computed once, and then an attribute: with its
        # history, whoever asks first (`sample` asks without recording).
        with tg.enable_grad():
            return self._derive(name)

    def _derive(self, name: str) -> Any:
        given = self.__dict__
        if name == "logits" and "probs" in given:
            made = probs_to_logits(given["probs"], self.is_binary)
        elif name == "probs" and "logits" in given:
            made = logits_to_probs(given["logits"], self.is_binary)
        else:
            raise AttributeError(f"{type(self).__name__} has no attribute {name!r}")
        given[name] = made
        return made

    @property
    def param_shape(self) -> Size:
        """The shape of the parameter that was given."""
        return self._param.shape

    @property
    def _param(self) -> Tensor:
        given: Tensor = self.__dict__["probs" if "probs" in self.__dict__ else "logits"]
        return given
