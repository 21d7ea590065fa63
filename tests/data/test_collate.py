"""default_collate and default_convert: what structure and which dtypes come out."""

from __future__ import annotations

import collections
import dataclasses
from typing import Any, NamedTuple

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad.data import default_collate, default_convert
from tensorgrad.data.collate import collate, default_collate_fn_map


class Pair(NamedTuple):
    x: Any
    y: Any


def same(result: Any, expected: Any, dtype: Any) -> None:
    assert isinstance(result, tg.Tensor)
    assert result.dtype == dtype
    assert result.tolist() == expected


@pytest.mark.parametrize(
    ("batch", "expected", "dtype"),
    [
        ([1, 2], [1, 2], tg.int64),
        ([True, False], [True, False], tg.bool),
        ([1.5, 2], [1.5, 2.0], tg.float64),
        ([np.float32(1), np.float32(2)], [1.0, 2.0], tg.float32),
        ([np.int32(1)], [1], tg.int32),
        ([np.bool_(True)], [True], tg.bool),
        ([np.float64(1)], [1.0], tg.float64),
        ([np.zeros(2, np.float32), np.ones(2, np.float32)], [[0, 0], [1, 1]], tg.float32),
        ([np.array(1), np.array(2)], [1, 2], tg.int64),
        ([tg.tensor([1.0]), tg.tensor([2.0])], [[1.0], [2.0]], tg.float32),
        ([tg.tensor(3), tg.tensor(4)], [3, 4], tg.int64),
    ],
)
def test_leaves_become_one_tensor(batch: list[Any], expected: Any, dtype: Any) -> None:
    same(default_collate(batch), expected, dtype)


def test_texts_stay() -> None:
    assert default_collate(["a", "b"]) == ["a", "b"]
    assert default_collate([b"a", b"b"]) == [b"a", b"b"]
    assert default_collate([np.str_("a")]) == ["a"]


def test_structures_are_kept() -> None:
    x, name = default_collate([(1, "a"), (2, "b")])
    same(x, [1, 2], tg.int64)
    assert name == ("a", "b")
    assert type(default_collate([(1,), (2,)])) is list
    pair = default_collate([Pair(1, [2, 3]), Pair(4, [5, 6])])
    assert isinstance(pair, Pair)
    same(pair.x, [1, 4], tg.int64)
    assert [column.tolist() for column in pair.y] == [[2, 5], [3, 6]]
    nested = default_collate([{"a": {"b": 1}}, {"a": {"b": 2}}])
    same(nested["a"]["b"], [1, 2], tg.int64)


def test_mapping_and_sequence_types_are_kept() -> None:
    def default(start: int) -> Any:
        made: Any = collections.defaultdict(list, a=start)
        return made

    result = default_collate([default(1), default(2)])
    assert type(result) is collections.defaultdict
    assert result.default_factory is list
    same(result["a"], [1, 2], tg.int64)
    samples = [default(1), default(2)]
    default_collate(samples)
    assert samples[0] == {"a": 1}  # the sample itself is not written to
    assert (
        type(default_collate([collections.deque([1]), collections.deque([2])])) is collections.deque
    )
    assert type(default_collate([range(2), range(2)])) is list  # a range cannot hold tensors
    ordered = default_collate([collections.OrderedDict(b=1, a=2)] * 2)
    assert list(ordered) == ["b", "a"]


def test_gradients_flow_through_a_batch() -> None:
    x = tg.tensor([2.0], requires_grad=True)
    for batch, expected in (([x, x, tg.tensor([1.0])], 2.0), ([x, x * x], 1.0 + 4.0)):
        x.grad = None
        default_collate(batch).sum().backward()
        assert x.grad is not None
        assert x.grad.tolist() == [expected]


@dataclasses.dataclass
class Sample:
    x: int


@pytest.mark.parametrize(
    ("batch", "kind", "complaint"),
    [
        ([], IndexError, "at least one sample"),
        ([Sample(1)], TypeError, "found .*Sample"),
        ([None], TypeError, "found .*NoneType"),
        ([{1}], TypeError, "found .*set"),
        ([np.array(["a"])], TypeError, "found <U1"),
        ([np.array([None])], TypeError, "found object"),
        ([[1, 2], [3]], RuntimeError, r"equal size, but lists of sizes \[1, 2\]"),
        ([(1,), (1, 2)], RuntimeError, "tuples of sizes"),
        ([tg.zeros(2), tg.zeros(3)], RuntimeError, "2.*3"),
        ([np.zeros(2), np.zeros(3)], RuntimeError, "2.*3"),
        ([{"a": 1}, {"b": 1}], KeyError, "element 1 of the batch has no 'a'"),
        ([1, "a"], TypeError, "element 1 of the batch is a str, but the first is a int"),
        ([1, 2, None], RuntimeError, "element 2 of the batch is a NoneType"),
        ([1.0, tg.zeros(2)], ValueError, "element 1 of the batch is a Tensor"),
        ([np.float32(1), "a"], TypeError, "element 1 of the batch is a str"),
        ([np.zeros(1), "a"], TypeError, "element 1 of the batch is a str"),
    ],
)
def test_what_cannot_be_collated_is_refused(
    batch: list[Any], kind: type[Exception], complaint: str
) -> None:
    with pytest.raises(kind, match=complaint):
        default_collate(batch)


def test_custom_types_by_a_map() -> None:
    def add(batch: list[Sample], *, collate_fn_map: Any) -> int:
        assert collate_fn_map is mapping
        return sum(sample.x for sample in batch)

    mapping = {**default_collate_fn_map, Sample: add}
    total, numbers = collate([(Sample(1), 5), (Sample(2), 6)], collate_fn_map=mapping)
    assert total == 3
    same(numbers, [5, 6], tg.int64)


def test_convert_changes_arrays_and_nothing_else() -> None:
    array = np.arange(2)
    result = default_convert({"a": array, "b": [np.float32(1), "text", None], "c": (1, array)})
    same(result["a"], [0, 1], tg.int64)
    same(result["b"][0], 1.0, tg.float32)
    assert result["b"][1:] == ["text", None]
    assert type(result["c"]) is list
    assert result["c"][0] == 1
    assert default_convert("abc") == "abc"
    assert default_convert(7) == 7
    pair = default_convert(Pair(array, 0))
    assert isinstance(pair, Pair)
    texts = np.array(["a"])
    assert default_convert(texts) is texts
    tensor = tg.ones(2)
    assert default_convert(tensor) is tensor
