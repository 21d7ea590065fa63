"""Training loops, metrics and tables of results."""

from tensorgrad.training.loop import Curves, evaluate, fit
from tensorgrad.training.metrics import accuracy
from tensorgrad.training.table import format_table

__all__ = ["Curves", "accuracy", "evaluate", "fit", "format_table"]
