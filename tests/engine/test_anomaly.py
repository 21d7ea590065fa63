"""detect_anomaly names the operation that made a NaN, and what was changed unseen."""

import pytest

import tensorgrad as tg
from tensorgrad.autograd import detect_anomaly, set_detect_anomaly


def make_nan():
    x = tg.zeros(2, requires_grad=True)
    return (x.sqrt() * 0.0).sum()  # the slope of sqrt at 0 is inf, times 0


def test_a_nan_is_traced_to_its_operation_and_line():
    loss = make_nan()
    loss.backward()  # silent without the block
    with (
        detect_anomaly(),
        pytest.raises(RuntimeError, match=r"'SqrtBackward0' returned nan.*test_anomaly\.py:11"),
    ):
        make_nan().backward()
    make_nan().backward()  # and silent again after it


def test_only_checksums_without_check_nan():
    with detect_anomaly(check_nan=False):
        make_nan().backward()


def test_unseen_writes_are_caught():
    w = tg.ones(3, requires_grad=True)
    with detect_anomaly():
        y = w.exp()
        loss = y.sum()
        y.data.add_(1)
        with pytest.raises(RuntimeError, match=r"output of exp, saved at .*without tensorgrad"):
            loss.backward()


def test_set_detect_anomaly():
    set_detect_anomaly(True)
    try:
        with pytest.raises(RuntimeError, match="nan values"):
            make_nan().backward()
        with set_detect_anomaly(False):
            make_nan().backward()
    finally:
        set_detect_anomaly(False)
    make_nan().backward()


def test_the_mode_can_be_asked_for_and_set():
    assert not tg.is_anomaly_enabled()
    assert tg.is_anomaly_check_nan_enabled()
    tg.set_anomaly_enabled(True, check_nan=False)
    try:
        assert tg.is_anomaly_enabled()
        assert not tg.is_anomaly_check_nan_enabled()
    finally:
        tg.set_anomaly_enabled(False)
    assert not tg.is_anomaly_enabled()
    with detect_anomaly():
        assert tg.is_anomaly_check_nan_enabled()
        assert tg.is_anomaly_enabled()
