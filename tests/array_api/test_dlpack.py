"""DLPack with NumPy: one memory, both ways; what cannot be exchanged is refused."""

import numpy as np
import pytest
from array_api.strict import DTYPES

import tensorgrad as tg
from tensorgrad.utils import dlpack

ALL_TYPES = [name for kind in DTYPES.values() for name in kind]


@pytest.mark.parametrize("dtype", ALL_TYPES)
@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 3), (2, 0, 3)])
def test_one_memory(dtype, shape):
    x = tg.ones(shape, dtype=getattr(tg, dtype))
    array = np.from_dlpack(x)
    assert array.dtype == dtype
    assert array.shape == shape
    back = tg.from_dlpack(array)
    assert back.dtype == x.dtype
    assert back.shape == x.shape
    assert not back.requires_grad
    if x.numel():
        assert np.shares_memory(array, x.numpy())
        assert back.data_ptr() == x.data_ptr()
        if not array.flags.writeable:  # NumPy 2.1 lends memory to be read only
            with pytest.raises(RuntimeError, match="read-only"):
                back.zero_()
            return
        back.zero_()
        assert not x.any()
        assert not array.any()


def test_strides_survive():
    x = tg.arange(6).reshape(2, 3).T
    assert np.from_dlpack(x).strides == (8, 24)
    y = tg.from_dlpack(np.arange(6.0).reshape(2, 3)[:, ::-2])
    assert y.stride() == (3, -2)
    assert y.tolist() == [[2, 0], [5, 3]]


def test_the_engines_layout_is_not_seen():
    from tensorgrad import nn

    out = nn.functional.conv2d(tg.ones(1, 2, 4, 4), tg.ones(3, 2, 3, 3)).relu()
    array = np.from_dlpack(out)
    assert array.flags.c_contiguous
    assert np.shares_memory(array, out.numpy())


def test_the_memory_outlives_its_owner():
    made = tg.from_dlpack(np.arange(1000.0))
    array = np.from_dlpack(tg.arange(1000))
    assert made.sum() == array.sum() == 499500


def test_copies():
    x = tg.ones(3)
    assert tg.from_dlpack(x, copy=True).data_ptr() != x.data_ptr()
    assert tg.from_dlpack(x, copy=False).data_ptr() == x.data_ptr()
    copied = np.from_dlpack(x, copy=True)
    assert not np.shares_memory(copied, x.numpy())


def test_capsules_can_be_used_once():
    x = tg.ones(3)
    capsule = dlpack.to_dlpack(x)
    y = tg.from_dlpack(capsule)
    y[0] = 5
    assert x[0] == 5
    with pytest.raises(RuntimeError, match="consumed only once"):
        dlpack.from_dlpack(capsule)
    assert dlpack.from_dlpack(tg.to_dlpack(x)).data_ptr() == x.data_ptr()


def test_what_is_read_only_stays_so():
    locked = np.arange(3.0)
    locked.flags.writeable = False
    x = tg.from_dlpack(locked)
    assert x.tolist() == [0, 1, 2]
    with pytest.raises((RuntimeError, ValueError), match="read-only"):
        x.zero_()
    assert locked[1] == 1
    assert np.from_dlpack(tg.ones(1).expand(3)).tolist() == [1, 1, 1]


def test_device_and_stream():
    x = tg.ones(2)
    assert x.__dlpack_device__() == (1, 0)
    assert x.__dlpack__(stream=-1) is not None  # PyTorch's default
    with pytest.raises(AssertionError, match="stream should be None"):
        x.__dlpack__(stream=1)
    with pytest.raises(BufferError, match="cannot be exported"):
        x.__dlpack__(dl_device=(2, 0))
    assert x.__dlpack__(dl_device=(1, 0)) is not None
    with pytest.raises(RuntimeError, match="not available"):
        tg.from_dlpack(np.ones(2), device="cuda")

    class OnTheGPU:
        def __dlpack__(self, **words):
            raise AssertionError("not reached")

        def __dlpack_device__(self):
            return (2, 0)

    with pytest.raises(BufferError, match="device 2; move it to the CPU"):
        tg.from_dlpack(OnTheGPU())


def test_a_producer_without_versions():
    class Old:
        def __init__(self):
            self.array = np.arange(3.0)

        def __dlpack__(self, stream=None):
            return self.array.__dlpack__()

        def __dlpack_device__(self):
            return (1, 0)

    old = Old()
    x = tg.from_dlpack(old)
    x[0] = 9  # an old capsule cannot say whether it may be written; PyTorch takes it to be
    assert old.array[0] == 9


def test_gradients_are_not_lost_silently():
    x = tg.ones(2, requires_grad=True)
    for tensor in (x, x * 2):
        with pytest.raises(BufferError, match=r"require gradient, use tensor\.detach\(\)"):
            np.from_dlpack(tensor)
        with pytest.raises(BufferError, match="require gradient"):
            dlpack.to_dlpack(tensor)
    assert np.shares_memory(np.from_dlpack(x.detach()), x.detach().numpy())


def test_what_has_no_dlpack():
    with pytest.raises(TypeError, match="expected an object with __dlpack__"):
        tg.from_dlpack([1.0])
    with pytest.raises(BufferError):
        tg.from_dlpack(np.array(["a"]))
