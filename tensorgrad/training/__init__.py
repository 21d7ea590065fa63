"""Training loops, metrics and tables of results."""

from tensorgrad.training import metrics
from tensorgrad.training.loop import Curves, evaluate, fit
from tensorgrad.training.metrics import (
    ConfusionMatrix,
    FScore,
    Precision,
    Recall,
    accuracy,
    check_consistency,
    confusion_matrix,
    precision_recall_fscore,
    top_k_accuracy,
)
from tensorgrad.training.summary import Summary, SummaryError, summary
from tensorgrad.training.table import format_table

__all__ = [
    "ConfusionMatrix",
    "Curves",
    "FScore",
    "Precision",
    "Recall",
    "Summary",
    "SummaryError",
    "accuracy",
    "check_consistency",
    "confusion_matrix",
    "evaluate",
    "fit",
    "format_table",
    "metrics",
    "precision_recall_fscore",
    "summary",
    "top_k_accuracy",
]
