"""Precision, recall, F and confusion matrices beside scikit-learn's."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics

import tensorgrad as tg
from tensorgrad.training import confusion_matrix, precision_recall_fscore, top_k_accuracy


@pytest.mark.parametrize("average", [None, "macro", "micro", "weighted"])
@pytest.mark.parametrize("zero_division", [0.0, 1.0, np.nan])
@pytest.mark.parametrize("beta", [1.0, 0.5, 2.0])
def test_against_scikit_learn(average, zero_division, beta):
    rng = np.random.default_rng(0)
    for seed in range(6):
        # Few samples of many classes: some are never seen, some never named, some neither.
        true, taken = rng.integers(0, 8, (2, 12 + seed))
        ours = precision_recall_fscore(
            tg.tensor(taken), tg.tensor(true), average,
            beta=beta, zero_division=zero_division, num_classes=8,
        )  # fmt: skip
        theirs = metrics.precision_recall_fscore_support(
            true, taken, beta=beta, labels=range(8), average=average, zero_division=zero_division
        )
        np.testing.assert_allclose(ours[:3], theirs[:3], rtol=1e-12)
        if average is None:
            np.testing.assert_array_equal(ours.support, theirs[3])
        counts = confusion_matrix(taken, true, 8).counts
        np.testing.assert_array_equal(
            counts, metrics.confusion_matrix(true, taken, labels=range(8))
        )


@pytest.mark.parametrize("k", [1, 2, 5])
def test_top_k(k):
    rng = np.random.default_rng(1)
    scores, classes = rng.normal(size=(60, 6)), rng.integers(0, 6, 60)
    expected = metrics.top_k_accuracy_score(classes, scores, k=k, labels=range(6))
    assert top_k_accuracy(tg.tensor(scores), tg.tensor(classes), k) == pytest.approx(expected)
