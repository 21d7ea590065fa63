"""What is measured of a model's outputs besides the loss, and what a printed table may say."""

from tensorgrad.training.metrics.confusion import (
    ConfusionMatrix,
    Scores,
    confusion_matrix,
    precision_recall_fscore,
)
from tensorgrad.training.metrics.consistency import (
    Consistency,
    Contradiction,
    check_consistency,
)
from tensorgrad.training.metrics.scores import accuracy, top_k_accuracy
from tensorgrad.training.metrics.streaming import FScore, Precision, Recall, StreamingMetric

__all__ = [
    "ConfusionMatrix",
    "Consistency",
    "Contradiction",
    "FScore",
    "Precision",
    "Recall",
    "Scores",
    "StreamingMetric",
    "accuracy",
    "check_consistency",
    "confusion_matrix",
    "precision_recall_fscore",
    "top_k_accuracy",
]
