"""StackDataset beside PyTorch's."""

import pytest
import torch.utils.data as theirs

import tensorgrad.utils.data as ours


class Many(list):
    """A dataset that gives several samples at once."""

    def __getitems__(self, indices):
        return [self[i] * 10 for i in indices]


class Few(list):
    def __getitems__(self, indices):
        return []


PARTS = ([1, 2, 3], Many([4, 5, 6]))


@pytest.mark.parametrize("data", [ours, theirs], ids=["tensorgrad", "torch"])
def test_stacks(data):
    stack = data.StackDataset(*PARTS)
    assert len(stack) == 3
    assert stack[1] == (2, 5)
    assert stack.__getitems__([2, 0]) == [(3, 60), (1, 40)]
    assert stack.datasets == PARTS
    named = data.StackDataset(a=PARTS[0], b=PARTS[1])
    assert named[-1] == {"a": 3, "b": 6}
    assert named.__getitems__([1]) == [{"a": 2, "b": 50}]
    batches = list(data.DataLoader(data.StackDataset(a=[1, 2, 3], b=[4, 5, 6]), batch_size=2))
    assert [{k: v.tolist() for k, v in batch.items()} for batch in batches] == [
        {"a": [1, 2], "b": [4, 5]},
        {"a": [3], "b": [6]},
    ]


@pytest.mark.parametrize("data", [ours, theirs], ids=["tensorgrad", "torch"])
def test_what_does_not_stack(data):
    for args, more in (((), {}), (([1],), {"b": [2]}), (([1], [2, 3]), {})):
        with pytest.raises(ValueError, match=r"dataset|type"):
            data.StackDataset(*args, **more)
    with pytest.raises(ValueError, match="Nested dataset's output size mismatch"):
        data.StackDataset([1, 2], Few([1, 2])).__getitems__([0])
