"""What a user does wrong is said with the operation, the shapes and the line."""

import copy
import inspect
import pickle

import numpy as np
import pytest

import tensorgrad as tg

a, b = tg.ones(2, 3), tg.ones(4)


@pytest.mark.parametrize(
    ("call", "kind", "words"),
    [
        (lambda: a + b, RuntimeError, ["add", "(2, 3)", "(4)", "dimension -1", "test_errors.py"]),
        (lambda: a @ tg.ones(2, 3), RuntimeError, ["matmul", "(2, 3)", "3 columns", "2 rows"]),
        (lambda: a @ tg.ones(3, 1, dtype=tg.float64), RuntimeError, ["dtype"]),
        (lambda: a.reshape(5), RuntimeError, ["reshape", "[5]", "size 6"]),
        (lambda: a.view(-1, -1), RuntimeError, ["view", "only one dimension"]),
        (lambda: a.sum(2), IndexError, ["sum", "[-2, 1]", "2"]),
        (lambda: a.sum((0, 0)), RuntimeError, ["multiple times"]),
        (lambda: a[5], IndexError, ["index 5", "dimension 0", "size 2"]),
        (lambda: a[0, 0, 0], IndexError, ["too many indices"]),
        (lambda: a[tg.tensor([0, 9])], IndexError, ["index 9", "size 2"]),
        (lambda: a[tg.tensor([True, False, True])], IndexError, ["mask", "[3]", "[2, 3]"]),
        (lambda: a[0.5], IndexError, ["integers", "float"]),
        (lambda: a["x"], TypeError, ["str"]),
        (lambda: tg.cat([a, b]), RuntimeError, ["cat", "same number of dimensions"]),
        (lambda: tg.cat([a, tg.ones(2, 4)]), RuntimeError, ["cat", "size 3", "size 4"]),
        (lambda: tg.cat([]), ValueError, ["cat", "non-empty"]),
        (lambda: tg.stack([a, b]), RuntimeError, ["stack", "[2, 3]", "[4]"]),
        (lambda: tg.tensor([[1.0], [1.0, 2.0]]), ValueError, ["ragged"]),
        (lambda: tg.tensor("x"), TypeError, ["str"]),
        (lambda: tg.exp("x"), TypeError, ["exp", "str"]),
        (lambda: a + "x", TypeError, ["+"]),
        (lambda: tg.ones(2, device="cuda"), RuntimeError, ["cuda", "CPU"]),
        (lambda: tg.ones(-1), RuntimeError, ["negative"]),
        (lambda: tg.tensor([1, 2]).mean(), RuntimeError, ["mean", "int64", "float()"]),
        (lambda: -tg.tensor([True]), RuntimeError, ["neg", "bool"]),
        (lambda: tg.tensor([1, 2]) // 0, RuntimeError, ["ZeroDivisionError"]),
        (lambda: tg.zeros(0).max(), RuntimeError, ["max", "dim"]),
        (lambda: bool(a), RuntimeError, ["ambiguous"]),
        (lambda: a.item(), RuntimeError, ["6 elements", "(2, 3)"]),
        (lambda: len(tg.tensor(1.0)), TypeError, ["0-d"]),
        (lambda: a.permute(0), RuntimeError, ["permute"]),
        (lambda: a.expand(3, 3), RuntimeError, ["expanded size", "(3)", "(2)"]),
        (lambda: a.split([1, 2, 3]), RuntimeError, ["sum exactly to 2"]),
        (lambda: a.clamp(), RuntimeError, ["clamp", "None"]),
        (lambda: tg.from_numpy([1.0]), TypeError, ["np.ndarray", "list"]),
        (lambda: tg.tensor(np.array(["a"])), TypeError, ["cannot hold"]),
        (lambda: tg.randint(3, 3, (2,)), RuntimeError, ["from=3", "to=3"]),
        (lambda: a.size(True), TypeError, ["dimension", "True"]),
        (lambda: a.size(slice(1)), TypeError, ["slice"]),
        (lambda: a.split([1.0, 1.0]), TypeError, ["float"]),
        (lambda: a.split(1, True), TypeError, ["dimension", "True"]),
        (lambda: tg.expand([1.0], 2), TypeError, ["expand()", "'input' must be Tensor", "list"]),
        (lambda: tg.unique([1.0]), TypeError, ["unique()", "'input' must be Tensor", "list"]),
        (lambda: tg.split([1.0], 1), TypeError, ["split()", "'tensor' must be Tensor", "list"]),
        (lambda: tg.linalg.vander([1.0]), TypeError, ["vander()", "'x' must be Tensor", "list"]),
    ],
)
def test_message(call, kind, words):
    with pytest.raises(kind) as caught:
        call()
    for word in words:
        assert word in str(caught.value)


def functions_of_a_tensor():
    """(place, name, function, how many arguments it needs) of all whose first is a tensor."""
    for place, space in (("", tg), ("linalg", tg.linalg), ("fft", tg.fft), ("special", tg.special)):
        for name in sorted(space.__all__ if hasattr(space, "__all__") else dir(space)):
            function = getattr(space, name)
            if not inspect.isfunction(function):
                continue
            needed = [
                p.name
                for p in inspect.signature(function).parameters.values()
                if p.default is p.empty and p.kind is p.POSITIONAL_OR_KEYWORD
            ]
            if needed[:1] in (["input"], ["A"], ["x"], ["tensor"]):
                yield place, name, function, len(needed)


def test_a_list_is_no_tensor():
    """No function takes one without a word, or fails over an attribute that lists have not."""
    seen = 0
    for place, name, function, needed in functions_of_a_tensor():
        with pytest.raises((TypeError, RuntimeError)) as caught:
            function([1.0, 2.0], *[1] * (needed - 1))
        assert "has no attribute" not in str(caught.value), (place, name)
        seen += 1
    assert seen > 500


def test_a_failed_call_records_nothing():
    x = tg.ones(2, 3, requires_grad=True)
    with pytest.raises(RuntimeError):
        x * b
    assert x.grad is None
    assert x._accumulator is None or x._accumulator() is None


def test_copies_keep_type_and_ties_and_refuse_non_leaves():
    x = tg.ones(2, requires_grad=True)
    x.note = "mine"
    pair = copy.deepcopy([x, x])
    assert pair[0] is pair[1]
    assert pair[0].requires_grad
    assert pair[0].note == "mine"
    assert pair[0] is not x
    again = pickle.loads(pickle.dumps(x))
    assert again.tolist() == [1.0, 1.0]
    assert again.requires_grad
    with pytest.raises(RuntimeError, match=r"leaves.*result of mul at .*test_errors.py"):
        copy.deepcopy(x * 2)
    with pytest.raises(RuntimeError, match="leaf"):
        pickle.dumps(x * 2)
