"""What programs ask of devices, mixed precision and the compiler, beside a PyTorch without CUDA."""

import importlib
import pickle

import numpy as np
import pytest
import torch

import tensorgrad as tg

LIBRARIES = (tg, torch)

ANSWERS = [
    lambda t: t.cuda.is_available(),
    lambda t: t.cuda.device_count(),
    lambda t: t.cuda.is_initialized(),
    lambda t: t.is_autocast_enabled(),
    lambda t: t.is_autocast_enabled("cpu"),
    lambda t: (t.version.cuda, t.version.hip, t.version.xpu, t.version.debug),
    lambda t: t.cuda.is_bf16_supported(),
    lambda t: t.cuda.empty_cache(),
    lambda t: t.cuda.manual_seed(1),
    lambda t: t.cuda.manual_seed_all(1),
    lambda t: t.cuda.seed_all(),
    lambda t: t.cuda.memory_allocated(),
    lambda t: t.cuda.max_memory_allocated(),
    lambda t: t.cuda.memory_reserved(),
    lambda t: t.cuda.get_rng_state_all(),
    lambda t: t.cuda.get_arch_list(),
    lambda t: t.backends.cudnn.is_available(),
    lambda t: t.backends.cudnn.enabled,
    lambda t: t.backends.cudnn.benchmark,
    lambda t: t.backends.cudnn.deterministic,
    lambda t: t.backends.cudnn.version(),
    lambda t: t.backends.cuda.is_built(),
    lambda t: t.backends.cuda.matmul.allow_tf32,
    lambda t: t.backends.mps.is_available(),
    lambda t: t.backends.mps.is_built(),
    lambda t: t.backends.cpu.get_cpu_capability(),
    lambda t: t.accelerator.is_available(),
    lambda t: t.accelerator.current_accelerator(),
    lambda t: t.accelerator.device_count(),
    lambda t: t.mps.is_available(),
    lambda t: t.mps.device_count(),
    lambda t: t.mps.manual_seed(0),
    lambda t: t.xpu.is_available(),
    lambda t: t.xpu.device_count(),
    lambda t: t.cpu.is_available(),
    lambda t: t.cpu.device_count(),
    lambda t: t.cpu.current_device(),
    lambda t: t.cpu.synchronize(),
    lambda t: str(t.device("cuda" if t.cuda.is_available() else "cpu")),
    lambda t: t.compiler.is_compiling(),
]


@pytest.mark.parametrize("number", range(len(ANSWERS)))
def test_answers(number):
    ours, theirs = (ANSWERS[number](library) for library in LIBRARIES)
    assert ours == theirs


@pytest.mark.parametrize(
    "call",
    [
        lambda t: t.cuda.current_device(),
        lambda t: t.cuda.set_device(0),
        lambda t: t.cuda.get_device_name(0),
        lambda t: t.cuda.get_device_properties(0),
        lambda t: t.cuda.get_device_capability(),
        lambda t: t.cuda.synchronize(),
        lambda t: t.cuda.current_stream(),
        lambda t: t.cuda.get_rng_state(),
        lambda t: t.cuda.reset_peak_memory_stats(),
        lambda t: t.cuda.mem_get_info(),
        lambda t: t.cuda.init(),
        lambda t: t.accelerator.current_device_index(),
        lambda t: t.accelerator.set_device_index(0),
        lambda t: t.accelerator.synchronize(),
        lambda t: t.mps.synchronize(),
        lambda t: t.mps.empty_cache(),
        lambda t: t.xpu.synchronize(),
        lambda t: t.ones(2, device="cuda"),
        lambda t: t.ones(2).to("cuda:0"),
        lambda t: t.ones(2).cuda(),
        lambda t: t.nn.Linear(2, 2).to("mps"),
        lambda t: t.nn.Linear(2, 2).cuda(),
    ],
)
def test_a_device_that_is_not_there(call):
    with pytest.raises(RuntimeError, match=r"CPU|accelerator"):
        call(tg)
    with pytest.raises((RuntimeError, AssertionError, AttributeError)):
        call(torch)


def test_flags_can_be_set():
    cudnn = tg.backends.cudnn
    for name in ("benchmark", "deterministic", "enabled"):
        before = getattr(cudnn, name)
        setattr(cudnn, name, not before)
        assert getattr(tg.backends.cudnn, name) is (not before)
        setattr(cudnn, name, before)
    with cudnn.flags(enabled=True, benchmark=True):
        assert cudnn.benchmark
    assert not cudnn.benchmark
    tg.backends.cuda.matmul.allow_tf32 = False


def test_import_paths():
    for path in ("cuda.amp", "backends.cudnn", "amp.grad_scaler", "amp.autocast_mode", "compiler"):
        importlib.import_module(f"torch.{path}")
        importlib.import_module(f"tensorgrad.{path}")


# --- Mixed precision ------------------------------------------------------------------------------


def scalers(t):
    return [
        t.amp.GradScaler(enabled=False),
        t.amp.GradScaler("cuda", enabled=t.cuda.is_available()),
        t.cuda.amp.GradScaler(enabled=False),
        t.GradScaler("cpu", init_scale=2.0**10, enabled=False),
    ]


@pytest.mark.filterwarnings("ignore::FutureWarning")
@pytest.mark.parametrize("number", range(4))
def test_a_training_step_with_everything_disabled(number):
    weights = []
    for t in LIBRARIES:
        scaler = scalers(t)[number]
        model = t.nn.Linear(3, 2).double()
        with t.no_grad():
            model.weight.copy_(t.arange(6.0).reshape(2, 3) * 0.1)
            model.bias.zero_()
        optimizer = t.optim.SGD(model.parameters(), lr=0.1)
        with t.autocast("cuda", dtype=t.float16, enabled=False), t.autocast("cpu", enabled=False):
            loss = (model(t.ones(4, 3, dtype=t.float64)) ** 2).mean()
        optimizer.zero_grad()
        scaler.scale(loss).backward()
        scaler.unscale_(optimizer)
        scaler.step(optimizer)
        scaler.update()
        assert scaler.get_scale() == 1.0
        assert not scaler.is_enabled()
        assert scaler.state_dict() == {}
        scaler.load_state_dict({"scale": 3})
        weights.append(model.weight.detach().numpy())
    np.testing.assert_allclose(*weights, rtol=1e-12)


@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_autocast_as_a_decorator():
    for t in LIBRARIES:
        for mode in (t.autocast("cpu", enabled=False), t.cuda.amp.autocast(enabled=False)):

            @mode
            def double(x):
                """Twice."""
                return x * 2

            assert double(t.ones(2)).dtype is t.float32
            assert double.__doc__ == "Twice."


def test_enabled_is_refused():
    for make in (
        lambda: tg.autocast("cpu"),
        lambda: tg.autocast("cuda", dtype=tg.float16),
        lambda: tg.cuda.amp.autocast(),
        lambda: tg.amp.GradScaler(),
        lambda: tg.GradScaler("cpu"),
        lambda: tg.cuda.amp.GradScaler(),
    ):
        with pytest.raises(RuntimeError, match="enabled=False"):
            make()
    for t in LIBRARIES:
        with pytest.raises(RuntimeError):
            t.autocast("nope", enabled=False)
        with pytest.raises(ValueError, match="device_type"):
            t.autocast(3, enabled=False)


# --- The compiler and threads ---------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore")  # of torch.compile itself
def test_compile_returns_its_argument():
    def function(x):
        return x + 1

    model = tg.nn.Linear(2, 2)
    assert tg.compile(function) is function
    assert tg.compile(model, mode="max-autotune", fullgraph=True, dynamic=False) is model
    assert tg.compile(mode="default")(function) is function
    assert tg.compile(function, backend="inductor", options={"a": 1}) is function
    assert tg.compiler.disable(function) is function
    assert tg.compiler.disable()(function) is function
    assert model.compile() is None
    for t in LIBRARIES:
        with pytest.raises(AssertionError):
            t.compile(3)
        with pytest.raises(RuntimeError):
            t.compile(function, mode="fastest")
        with pytest.raises(RuntimeError):
            t.compile(function, mode="default", options={"a": 1})

        @t.compile(disable=True)
        def twice(x):
            return x * 2

        assert twice(t.ones(1)).tolist() == [2.0]


def test_threads():
    for t in LIBRARIES:
        before = t.get_num_threads()
        t.set_num_threads(2)
        assert t.get_num_threads() == 2
        t.set_num_threads(1)
        assert t.get_num_threads() == 1
        t.set_num_threads(before)
        for wrong in (0, -1, 1.5):
            with pytest.raises(RuntimeError):
                t.set_num_threads(wrong)
    assert tg.get_num_interop_threads() == 1
    tg.set_num_interop_threads(1)
    with pytest.raises(RuntimeError):
        tg.set_num_interop_threads(2)


def test_dtypes_that_numpy_lacks_are_refused():
    for name in ("bfloat16", "chalf"):
        with pytest.raises(NotImplementedError, match=name):
            getattr(tg.ones(2), name)()


def test_bfloat16_can_be_named():
    for t in LIBRARIES:
        kinds = {"float32": t.float32, "bfloat16": t.bfloat16, "float16": t.float16}
        assert kinds["bfloat16"] is t.bfloat16
        assert t.bfloat16.is_floating_point
        assert t.bfloat16.is_signed
        assert not t.bfloat16.is_complex
        assert t.bfloat16.itemsize == 2
        assert repr(t.bfloat16).endswith(".bfloat16")
        assert t.ones(1).dtype not in (t.float16, t.bfloat16)
        assert t.bfloat16 not in (t.float16, float, None, 3)
        assert t.bfloat16 == t.bfloat16
        assert pickle.loads(pickle.dumps(t.bfloat16)) is t.bfloat16
        assert not hasattr(t.bfloat16, "nonsense")
        with t.autocast("cpu", dtype=t.bfloat16, enabled=False):
            pass
    assert np.dtype(np.float32) != tg.bfloat16


@pytest.mark.parametrize(
    "use",
    [
        lambda: tg.zeros(1, dtype=tg.bfloat16),
        lambda: tg.tensor([1.0], dtype=tg.bfloat16),
        lambda: tg.ones(1).to(tg.bfloat16),
        lambda: tg.ones(1).to("cpu", tg.bfloat16),
        lambda: tg.ones(1).type(tg.bfloat16),
        lambda: tg.ones(1).view(tg.bfloat16),
        lambda: tg.ones(1).sum(dtype=tg.bfloat16),
        lambda: tg.nn.Linear(1, 1, dtype=tg.bfloat16),
        lambda: tg.nn.Linear(1, 1).to(tg.bfloat16),
        lambda: tg.set_default_dtype(tg.bfloat16),
        lambda: tg.finfo(tg.bfloat16),
        lambda: tg.promote_types(tg.bfloat16, tg.float32),
        lambda: np.zeros(1, dtype=tg.bfloat16),
    ],
)
def test_no_tensor_is_bfloat16(use):
    with pytest.raises(NotImplementedError, match="NumPy has no such dtype"):
        use()
    assert tg.get_default_dtype() is tg.float32
