"""Confusion matrices, precision and recall, top-k, and printed tables that cannot be true.

The expected numbers were worked by hand; tests/parity compares with scikit-learn.
"""

from __future__ import annotations

import math

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import nn, optim, training
from tensorgrad.training import (
    ConfusionMatrix,
    FScore,
    Precision,
    Recall,
    accuracy,
    check_consistency,
    confusion_matrix,
    evaluate,
    precision_recall_fscore,
    top_k_accuracy,
)

TRUE = [0, 0, 0, 1, 1, 2, 2, 2, 2, 3]
TAKEN = [0, 0, 1, 1, 2, 2, 2, 2, 0, 0]  # 3 is never named


def test_confusion_matrix():
    matrix = confusion_matrix(TAKEN, TRUE)
    assert matrix.counts.tolist() == [[2, 1, 0, 0], [0, 1, 1, 0], [1, 0, 3, 0], [1, 0, 0, 0]]
    assert matrix.accuracy() == 0.6
    assert repr(matrix).splitlines() == [
        "true \\ predicted  0  1  2  3  sum",
        "----------------  -  -  -  -  ---",
        "0                 2  1  0  0    3",
        "1                 0  1  1  0    2",
        "2                 1  0  3  0    4",
        "3                 1  0  0  0    1",
        "----------------  -  -  -  -  ---",
        "sum               4  2  4  0   10",
    ]


def test_precision_recall_by_hand():
    p, r, f, n = precision_recall_fscore(TAKEN, TRUE)
    assert p.tolist() == [0.5, 0.5, 0.75, 0]
    assert r.tolist() == pytest.approx([2 / 3, 0.5, 0.75, 0])
    assert f.tolist() == pytest.approx([4 / 7, 0.5, 0.75, 0])
    assert n.tolist() == [3, 2, 4, 1]
    macro = precision_recall_fscore(TAKEN, TRUE, "macro", zero_division=math.nan)
    assert macro.precision == pytest.approx(1.75 / 3)  # the class never named is left out
    assert macro.recall == pytest.approx((2 / 3 + 1.25) / 4)
    micro = precision_recall_fscore(TAKEN, TRUE, "micro")
    assert micro == (0.6, 0.6, pytest.approx(0.6), 10)
    weighted = precision_recall_fscore(TAKEN, TRUE, "weighted")
    assert weighted.precision == pytest.approx((3 * 0.5 + 2 * 0.5 + 4 * 0.75) / 10)
    assert weighted.recall == pytest.approx(0.6)


def test_top_k():
    scores = np.array([[0.1, 0.5, 0.4], [0.3, 0.3, 0.3], [0.9, 0.0, 0.1]])
    targets = np.array([2, 1, 1])
    assert [top_k_accuracy(scores, targets, k) for k in (1, 2, 3)] == [0, 2 / 3, 1]
    assert top_k_accuracy(tg.tensor(scores), tg.tensor(targets), 2) == 2 / 3
    rng = np.random.default_rng(1)
    outputs, classes = rng.normal(size=(50, 7, 3)), rng.integers(0, 7, (50, 3))
    assert top_k_accuracy(outputs, classes, 1) == accuracy(outputs, classes)
    sorted_out = np.argsort(-outputs, axis=1)[:, :4]
    assert top_k_accuracy(outputs, classes, 4) == (sorted_out == classes[:, None]).any(1).mean()
    assert top_k_accuracy(np.array([[np.nan, 1.0]]), np.array([0]), 2) == 0
    some = np.array([[np.nan, 1.0], [np.nan, 1.0], [np.nan, np.nan], [2.0, 1.0]])
    for rate in (accuracy, lambda *given: top_k_accuracy(*given, 1)):
        assert rate(some, np.array([0, 1, 0, 0])) == 0.5  # not what argmax says: the first of all
    with pytest.raises(ValueError, match="accuracy: targets must be class numbers 0 to 1, found 1"):
        accuracy([[0.1, 0.9]] * 2, [1, 2])
    with pytest.raises(ValueError, match="k=4 is not within 1 to 3"):
        top_k_accuracy(scores, targets, 4)
    with pytest.raises(ValueError, match="found 0 to 3"):
        top_k_accuracy(scores, [0, 1, 3], 1)


def test_batches_add_up_to_the_whole():
    rng = np.random.default_rng(2)
    outputs, classes = tg.tensor(rng.normal(size=(30, 5))), tg.tensor(rng.integers(0, 5, 30))
    whole = confusion_matrix(outputs, classes)
    parts = ConfusionMatrix(5)
    for batch in range(0, 30, 7):
        parts.update(outputs[batch : batch + 7], classes[batch : batch + 7])
    np.testing.assert_array_equal(parts.counts, whole.counts)
    again = ConfusionMatrix(5)
    again.load_state_dict(parts.state_dict())
    np.testing.assert_array_equal(again.counts, whole.counts)
    parts.reset()
    with pytest.raises(ValueError, match="no samples"):
        parts.accuracy()


def test_streaming_metrics_in_evaluate():
    tg.manual_seed(0)
    model = nn.Linear(4, 3)
    x, y = tg.randn(20, 4), tg.randint(0, 3, (20,))
    batches = [(x[i : i + 6], y[i : i + 6]) for i in range(0, 20, 6)]
    wanted = {"F1": FScore(3), "p": Precision(3, "weighted"), "r": Recall(3)}
    found = evaluate(model, nn.CrossEntropyLoss(), batches, {"accuracy": accuracy, **wanted})
    with tg.no_grad():
        whole = confusion_matrix(model(x), y)
    macro = whole.precision_recall_fscore("macro")
    assert found["F1"] == macro.fscore
    assert found["r"] == macro.recall
    assert found["p"] == whole.precision_recall_fscore("weighted").precision
    assert found["accuracy"] == pytest.approx(whole.accuracy())
    curves = training.fit(
        model, nn.CrossEntropyLoss(), optim.SGD(model.parameters(), lr=0.0), batches, batches,
        epochs=2, metrics=wanted, progress=False,
    )  # fmt: skip
    assert curves["F1"] == {"train": [macro.fscore] * 2, "validation": [macro.fscore] * 2}


def test_report_of_classes():
    text = confusion_matrix(TAKEN, TRUE, labels=["a", "b", "c", "d"]).report(digits=2)
    assert text.splitlines()[2].split() == ["a", "0.50", "0.67", "0.57", "3"]
    assert text.splitlines()[-1].split() == ["accuracy", "0.60", "10"]


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: ConfusionMatrix(0), ValueError, "at least 1"),
        (lambda: ConfusionMatrix("3"), TypeError, "num_classes must be an int, got '3'"),
        (lambda: ConfusionMatrix(3, ["a"]), ValueError, "1 labels for 3 classes"),
        (lambda: confusion_matrix([0, 1], [0, 4], 3), ValueError, "targets must be 0 to 2"),
        (lambda: confusion_matrix([0, 9], [0, 1], 3), ValueError, "predicted classes must be"),
        (lambda: confusion_matrix([0, 1], [0.0, 1.0], 3), TypeError, "integers"),
        (lambda: confusion_matrix([0, 1], [0, 1, 2], 3), ValueError, r"int64\(2\)"),
        (lambda: confusion_matrix(np.ones((2, 4)), [0, 1], 3), ValueError, "3 classes"),
        (lambda: confusion_matrix([[0.0, math.nan]], [0]), ValueError, "NaN"),
        (lambda: confusion_matrix([], np.zeros(0, int)), ValueError, "no samples"),
        (lambda: ConfusionMatrix.from_counts([[0.5, 0.5], [0, 1]]), ValueError, "whole numbers"),
        (lambda: ConfusionMatrix.from_counts(np.ones((2, 3))), ValueError, r"expected \(C, C\)"),
        (lambda: precision_recall_fscore([0], [0], "binary"), ValueError, "average must be"),
        (lambda: precision_recall_fscore([0], [0], zero_division=2), ValueError, "0, 1 or NaN"),
        (lambda: FScore(3, None), ValueError, "one number is wanted"),
        (lambda: check_consistency(), ValueError, "nothing was given"),
        (lambda: check_consistency([0.5], [0.5, 0.5]), ValueError, "one number per class"),
    ],
)
def test_refusals(call, error, message):
    with pytest.raises(error, match=message):
        call()


# --- Printed tables -------------------------------------------------------------------------------

DIGITS = [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]  # MNIST's test images
TABLE_2 = (
    [0.9938, 0.9908, 0.9302, 0.9663, 0.9684, 0.9955, 0.9551, 0.9708, 0.9559, 0.9832],
    [0.9700, 0.9852, 0.9917, 0.9869, 0.9917, 0.9193, 0.9956, 0.9371, 0.9936, 0.9439],
)
TABLE_4 = (
    [0.7380, 0.8750, 0.4250, 0.2100, 0.1560, 0.1480, 0.2380, 0.4020, 0.2140, 0.1310],
    [0.1915, 0.3486, 0.4691, 0.5541, 0.8966, 0.6789, 0.5231, 0.6045, 0.3927, 0.4441],
)


def entries(found):
    return [contradiction.entry for contradiction in found.contradictions]


def test_a_reports_table_of_digits():
    """Recalls that no number of images of the class gives, and 10,018 predictions of 10,000."""
    found = check_consistency(*TABLE_2, DIGITS)
    assert not found
    # 0.9193 of 892 fives is 820; every other recall is no k / n.
    assert [e for e in entries(found) if e.startswith("recall")] == [
        f"recall of {k}" for k in (0, 1, 2, 3, 4, 6, 7, 8, 9)
    ]
    assert "precision of 5" in entries(found)
    assert "precision" in entries(found)
    assert "there are 10,000 samples" in repr(found)
    # Exchanged, only 0 and 1 are left, whose digits are no k / n.
    assert found.exchanged == 2
    assert "most likely swapped" in repr(found)
    precision, recall = TABLE_2
    exchanged = check_consistency(recall, precision, DIGITS)
    assert entries(exchanged) == ["recall of 0", "recall of 1"]
    assert exchanged.accuracy == pytest.approx(0.971, abs=5e-4)


def test_a_reports_table_of_objects():
    """As printed, the classes were named 23,662 times in 10,000 images; exchanged, it is 35.4 %."""
    found = check_consistency(*TABLE_4, [1000] * 10, accuracy=0.58, accuracy_decimals=2)
    assert not found
    assert "accuracy" in entries(found)
    assert "precision" in entries(found)
    assert "23,6" in repr(found)
    precision, recall = TABLE_4
    exchanged = check_consistency(
        recall, precision, [1000] * 10, accuracy=0.58, accuracy_decimals=2
    )
    assert entries(exchanged) == ["accuracy"]
    assert "0.3537" in repr(exchanged)
    assert exchanged.accuracy == pytest.approx(0.3537)
    assert check_consistency(recall, precision, [1000] * 10)


def test_what_is_computed_is_consistent():
    rng = np.random.default_rng(3)
    for _ in range(20):
        true, taken = rng.integers(0, 6, (2, 200))
        matrix = confusion_matrix(taken, true, 7)  # one class is neither seen nor named
        p, r, f, n = matrix.precision_recall_fscore()
        for decimals in (2, 4):
            found = check_consistency(
                p.round(decimals), r.round(decimals), n, fscore=f.round(decimals),
                accuracy=round(matrix.accuracy(), decimals), confusion=matrix, decimals=decimals,
            )  # fmt: skip
            assert found, found


def test_one_wrong_entry_is_named():
    matrix = confusion_matrix(TAKEN, TRUE)
    *shares, n = matrix.precision_recall_fscore()
    p, r, f = (x.round(4) for x in shares)
    wrong = r.copy()
    wrong[2] = 0.8
    # 0.8 of 4 is no whole number, and with it the classes would be named 10.27 times.
    assert entries(check_consistency(p, wrong, n)) == ["recall of 2", "precision"]
    assert entries(check_consistency(p, wrong, confusion=matrix)) == ["recall of 2"]
    wrong = f.copy()
    wrong[0] = 0.6
    assert entries(check_consistency(p, r, n, fscore=wrong)) == ["fscore of 0"]
    assert entries(check_consistency(confusion=matrix, support=[3, 2, 5, 1])) == ["support of 2"]
    assert entries(check_consistency(confusion=matrix, accuracy=0.7)) == ["accuracy"]
    assert entries(check_consistency(p, [1.2, *r[1:]], n)) == ["recall of 0"]
    found = check_consistency([0.9, 0.75], [0.6, 1.0], [10, 15])  # as in docs/training.md
    assert entries(found) == ["precision of 0", "precision"]
    assert "named 26.7 times in all" in repr(found)
    # Nothing found, and yet half of what was named was right.
    assert entries(check_consistency([0.5, 0.5], [0.0, 1.0], [10, 10])) == ["precision of 0"]
