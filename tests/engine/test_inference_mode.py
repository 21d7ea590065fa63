"""inference_mode: nothing is recorded, and what it makes is never saved."""

import numpy as np
import pytest

import tensorgrad as tg


def test_what_is_an_inference_tensor():
    x = tg.ones(2, requires_grad=True)
    with tg.inference_mode():
        assert tg.is_inference_mode_enabled()
        assert not tg.is_grad_enabled()
        made = [
            tg.ones(2), x * 2, x + x, tg.tensor([1.0]), tg.rand(2), tg.cat([x, x]), x.clone(),
            tg.linalg.inv(tg.eye(2)), tg.from_numpy(np.ones((2, 3)).T), tg.Tensor(2),
            tg.ones(2).view(2, 1), tg.ones(2)[0], tg.nn.Linear(2, 2).weight,
        ]  # fmt: skip
        views = [x[0], x.view(2, 1), x.detach()]
        with tg.enable_grad():
            assert not (x * 2).requires_grad
        with tg.inference_mode(False):
            assert (x * 2).requires_grad
            assert not tg.ones(1).is_inference()
        assert tg.ones(1).is_inference()
        own = tg.ones(2, requires_grad=True)
    assert not tg.is_inference_mode_enabled()
    assert [t.is_inference() for t in made] == [True] * len(made)
    assert [t.is_inference() for t in views] == [False] * 3
    assert own.requires_grad
    assert tg.is_inference(own)
    assert not tg.ones(2).is_inference()
    assert not (made[0] * 2).is_inference()
    assert not made[0].clone().is_inference()
    assert made[0].detach().is_inference()
    assert made[0][0].is_inference()


def test_what_must_not_be_done_with_it():
    x = tg.ones(2, requires_grad=True)
    with tg.inference_mode():
        i = tg.ones(2)
        i.add_(1)
        i.requires_grad_()
        i.requires_grad_(False)
        with pytest.raises(RuntimeError, match="do not track version"):
            _ = i._version
    assert i.tolist() == [2.0, 2.0]
    for save in (
        lambda: x * i,
        lambda: i * x,
        lambda: tg.where(x > 0, x, i) * i,
        lambda: tg.nn.functional.linear(i[None], tg.ones(3, 2, requires_grad=True)),
        lambda: (x * 1).mul_(i),
        lambda: tg.matmul(x, i),
    ):
        with pytest.raises(RuntimeError, match="Inference tensors cannot be saved for backward"):
            save()
    assert (x + i).requires_grad  # nothing of it is saved
    for write in (lambda: i.add_(1), lambda: i[0].zero_(), lambda: i.__setitem__(0, 1)):
        with pytest.raises(RuntimeError, match="Inplace update to inference tensor"):
            write()
    with pytest.raises(RuntimeError, match="outside InferenceMode"):
        i.requires_grad_()
    with pytest.raises(RuntimeError, match="do not track version"):
        _ = i._version
    with pytest.raises(RuntimeError, match="do not track version"):
        tg.autograd.graph.increment_version(i)

    class Saves(tg.autograd.Function):
        @staticmethod
        def forward(ctx, x, i):
            ctx.save_for_backward(i)
            return x * 1

        @staticmethod
        def backward(ctx, g):
            return g, None

    with pytest.raises(RuntimeError, match="Inference tensors cannot be saved for backward"):
        Saves.apply(x, i)


def test_ordinary_tensors_may_be_written_inside():
    x = tg.ones(2, requires_grad=True)
    y = x.exp()
    with tg.inference_mode():
        y.add_(1)
    with pytest.raises(RuntimeError, match="modified by an inplace"):
        y.sum().backward()


def test_as_decorator_and_generator():
    x = tg.ones(2, requires_grad=True)

    @tg.inference_mode()
    def called():
        return x * 2

    @tg.inference_mode
    def bare():
        return x * 2

    @tg.inference_mode()
    def generated():
        yield x * 2

    assert called().is_inference()
    assert bare().is_inference()
    for y in generated():
        assert y.is_inference()
        assert not tg.is_inference_mode_enabled()
    with pytest.raises(ValueError, match="inside"), tg.inference_mode():
        raise ValueError("inside")
    assert not tg.is_inference_mode_enabled()
    assert (x * 2).requires_grad


def test_the_mode_belongs_to_a_thread():
    import threading

    seen = []
    with tg.inference_mode():
        thread = threading.Thread(target=lambda: seen.append(tg.ones(2).is_inference()))
        thread.start()
        thread.join()
    assert seen == [False]


def test_multithreading_is_a_permission():
    assert tg.autograd.is_multithreading_enabled()
    with tg.autograd.set_multithreading_enabled(False):
        assert not tg.autograd.is_multithreading_enabled()
        x = tg.ones(2, requires_grad=True)
        x.sum().backward()
    assert tg.autograd.is_multithreading_enabled()
    assert x.grad.tolist() == [1.0, 1.0]
