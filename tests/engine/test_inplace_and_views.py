"""Writes in place, views, versions: what is followed, what is refused, what is caught."""

import numpy as np
import pytest

import tensorgrad as tg


def test_views_and_bases_see_each_others_writes():
    x = tg.zeros(2, 3)
    row, column = x[0], x[:, 1]
    row.add_(1)
    column.mul_(5)
    assert x.tolist() == [[1.0, 5.0, 1.0], [0.0, 0.0, 0.0]]
    assert row.tolist() == [1.0, 5.0, 1.0]
    assert x._version == row._version == column._version == 2


def test_a_write_through_a_view_is_differentiated():
    w = tg.ones(3, requires_grad=True)
    base = w * 2
    part = base[1:]
    part.mul_(3)
    assert base.grad_fn.name() == "CopySlicesBackward0"
    (base * base).sum().backward()
    assert w.grad.tolist() == [8.0, 72.0, 72.0]


def test_a_view_made_before_follows_a_write_to_the_base():
    w = tg.ones(3, requires_grad=True)
    base = w * 2
    early = base[:2]
    base.mul_(4)
    early.sum().backward()
    assert w.grad.tolist() == [8.0, 8.0, 0.0]


def test_a_view_of_a_view():
    w = tg.ones(2, 3, requires_grad=True)
    base = w * 1.0
    inner = base.t()[1]
    inner.fill_(7.0)
    assert base.tolist() == [[1.0, 7.0, 1.0], [1.0, 7.0, 1.0]]
    base.sum().backward()
    assert w.grad.tolist() == [[1.0, 0.0, 1.0], [1.0, 0.0, 1.0]]


def test_a_constant_base_starts_to_require_grad():
    w = tg.tensor([2.0], requires_grad=True)
    base = tg.zeros(3)
    early = base[1:]
    base[1:2] = w * 3
    assert base.requires_grad
    assert early.requires_grad
    (early * early).sum().backward()
    assert w.grad.tolist() == [36.0]


def test_setitem_with_arrays_and_masks():
    w = tg.ones(4, requires_grad=True)
    x = w * 1.0
    x[tg.tensor([0, 2])] = tg.tensor([5.0, 6.0])
    x[x > 5.5] = 0.0
    assert x.tolist() == [5.0, 1.0, 0.0, 1.0]
    x.sum().backward()
    assert w.grad.tolist() == [0.0, 1.0, 0.0, 1.0]


def test_setitem_with_repeated_places_gives_the_gradient_to_the_last():
    v = tg.tensor([1.0, 2.0], requires_grad=True)
    x = tg.zeros(3)
    x[tg.tensor([1, 1])] = v
    assert x.tolist() == [0.0, 2.0, 0.0]
    x.sum().backward()
    assert v.grad.tolist() == [0.0, 1.0]


def test_inplace_with_a_saved_operand_keeps_the_old_values():
    a, b = tg.tensor([2.0], requires_grad=True), tg.tensor([3.0], requires_grad=True)
    x = a * 1.0
    x.mul_(b)
    x.pow_(2)
    x.sum().backward()
    assert a.grad.tolist() == [36.0]
    assert b.grad.tolist() == [24.0]


def test_a_saved_array_that_was_written_is_caught_and_both_places_named():
    w = tg.ones(3, requires_grad=True)
    x = w * 1.0
    y = x * x  # saved here
    x.add_(1)  # written here
    with pytest.raises(
        RuntimeError,
        match=r"argument 'a' of mul, saved at .*test_inplace_and_views\.py:\d+, was written at "
        r".*test_inplace_and_views\.py:\d+",
    ):
        y.sum().backward()


def test_a_saved_output_that_was_written_is_caught():
    w = tg.ones(3, requires_grad=True)
    y = w.exp()
    y.detach()[0] = 5.0
    with pytest.raises(RuntimeError, match="output of exp"):
        y.sum().backward()


def test_data_is_not_counted_and_detach_is():
    w = tg.ones(3)
    w.data.add_(1)
    assert w._version == 0
    w.detach().add_(1)
    assert w._version == 1
    assert w.tolist() == [3.0, 3.0, 3.0]


def test_from_numpy_shares_memory():
    array = np.zeros(3, np.float32)
    x = tg.from_numpy(array)
    array[0] = 1
    x[1] = 2
    assert x.tolist() == [1.0, 2.0, 0.0]
    assert array.tolist() == [1.0, 2.0, 0.0]


def test_a_leaf_that_requires_grad_cannot_be_written():
    x = tg.ones(3, requires_grad=True)
    with pytest.raises(RuntimeError, match="a leaf Variable that requires grad"):
        x.add_(1)
    with pytest.raises(RuntimeError, match="a view of a leaf Variable"):
        x[0] = 2.0
    assert x.tolist() == [1.0, 1.0, 1.0]
    with tg.no_grad():
        x.add_(1)
    assert x.tolist() == [2.0, 2.0, 2.0]
    assert x.is_leaf


def test_a_failed_write_changes_nothing():
    x = tg.zeros(2, 3)
    for bad in (
        lambda: x.add_(tg.ones(4)),
        lambda: x.copy_(tg.ones(3, 2)),
        lambda: x.__setitem__(5, 1.0),
    ):
        with pytest.raises((RuntimeError, IndexError)):
            bad()
    assert x._version == 0
    assert x.tolist() == [[0.0] * 3] * 2


def test_expanded_memory_is_not_written():
    with pytest.raises(RuntimeError, match="read-only"):
        tg.zeros(1).expand(3).add_(1)


def test_expanded_memory_is_not_written_under_no_grad_either():
    with tg.no_grad(), pytest.raises(RuntimeError, match="read-only"):
        tg.zeros(1).expand(3).add_(1)


def test_data_of_another_dtype_gives_gradients_of_that_dtype():
    x = tg.ones(2, requires_grad=True)
    kept = (x * 2).sum()  # keeps the old place for gradients alive
    x.data = tg.ones(3, dtype=tg.float64)
    (x * 2).sum().backward()
    assert x.grad.dtype == tg.float64
    assert x.grad.shape == (3,)
    assert kept.requires_grad


def test_to_by_position_and_memory_formats():
    x = tg.ones(2)
    assert x.to(tg.float32) is x
    assert x.to(tg.float32, False, True) is not x
    assert x.to("cpu", tg.float32, False, True) is not x
    for call in (
        lambda: x.clone(memory_format="channels_last"),
        lambda: x.to(tg.float64, memory_format="channels_last"),
        lambda: tg.zeros_like(x, memory_format="channels_last"),
        lambda: tg.rand_like(x, memory_format="channels_last"),
    ):
        with pytest.raises(RuntimeError, match="memory_format"):
            call()


def test_integers_are_not_given_fractions():
    x = tg.tensor([1, 2])
    with pytest.raises(RuntimeError, match="can't be cast"):
        x.add_(0.5)
    x += 1
    assert x.tolist() == [2, 3]


def test_augmented_assignment_is_in_place():
    x = tg.zeros(2)
    same = x
    x += 1
    x *= 3
    assert same is x
    assert same.tolist() == [3.0, 3.0]


def test_gradients_of_split_pieces_written_in_place():
    w = tg.ones(4, requires_grad=True)
    base = w * 1.0
    first, _second = base.split(2)
    first.mul_(5)
    base.sum().backward()
    assert w.grad.tolist() == [5.0, 5.0, 1.0, 1.0]


# --- Layout ---


def channels_last():
    """A tensor whose memory is channels last, as a convolution leaves it."""
    array = np.arange(24.0).reshape(1, 3, 4, 2).transpose(0, 3, 1, 2)
    return tg.from_numpy(array) * 1.0


def test_an_engine_chosen_layout_is_invisible():
    x = channels_last()
    assert not x._array.flags.c_contiguous
    assert x.is_contiguous()
    assert x.stride() == (24, 12, 4, 1)
    expected = np.ascontiguousarray(x._array)
    early, detached = x[0, 1], x.detach()
    flat = x.view(-1)
    assert flat.tolist() == expected.ravel().tolist()
    flat[0] = 100.0
    early[0, 0] = 200.0
    assert x[0, 0, 0, 0].item() == 100.0
    assert detached[0, 1, 0, 0].item() == 200.0
    assert flat[12].item() == 200.0


def test_numpy_of_an_engine_chosen_layout_is_contiguous_and_shared():
    x = channels_last()
    array = x.numpy()
    assert array.flags.c_contiguous
    array[0, 0, 0, 0] = 9.0
    assert x[0, 0, 0, 0].item() == 9.0


def test_view_refuses_what_pytorch_refuses():
    x = tg.zeros(2, 3)
    assert x.t().stride() == (1, 3)
    assert not x.t().is_contiguous()
    with pytest.raises(RuntimeError, match="not compatible"):
        x.t().view(6)
    assert x.t().reshape(6).shape == (6,)
    assert x.t().contiguous().view(6).shape == (6,)
    with pytest.raises(RuntimeError, match="invalid for input of size 6"):
        x.view(4)


def test_a_saved_array_survives_the_exchange_of_layout():
    w = tg.from_numpy(np.arange(24.0).reshape(1, 3, 4, 2).transpose(0, 3, 1, 2)).requires_grad_()
    y = w * 2.0
    z = y * y
    y.view(-1)  # exchanges y's memory
    z.sum().backward()
    assert np.array_equal(w.grad.numpy(), 8 * w.detach().numpy())


def test_detached_views_keep_their_strides_and_cost_the_next_ones_nothing():
    x = tg.zeros(8, 8)
    detached = x.reshape(4, 16).detach()
    assert x._storage.aliases is None
    assert (detached.stride(), detached.storage_offset()) == ((16, 1), 0)
    assert detached.view(64).stride() == (1,)
    part, turned = x[2:6, 1:].detach(), x.transpose(0, 1).detach()
    assert (part.stride(), part.storage_offset()) == ((8, 1), 17)
    assert (part[1:].stride(), part[1:].storage_offset()) == ((8, 1), 25)
    assert turned.stride() == turned[1:].stride() == (1, 8)
    assert not turned.is_contiguous()
    assert turned.t().view(64).stride() == (1,)
    with pytest.raises(RuntimeError, match="view"):
        turned.view(64)
    count = len(x._storage.aliases)
    views = [x.reshape(4, 16), x.view(64), x[1:], x.t(), part[1:], turned.t()]
    assert len(x._storage.aliases) == count
    views[1][17] = 5
    assert part[0, 0] == 5
    assert turned[1, 2] == 5
    assert x._version == turned._version == 1
