"""`tensorgrad.multiprocessing` and `tensorgrad.distributed` beside PyTorch's."""

import pickle
import signal
import sys

import numpy as np
import pytest
import torch
import torch.multiprocessing as theirs

import tensorgrad as tg
import tensorgrad.multiprocessing as mp

LIBRARIES = {"tensorgrad": (tg, mp), "torch": (torch, theirs)}


def test_every_public_name_but_pickles_own():
    missing = {name for name in theirs.__all__ if not hasattr(mp, name)}
    assert missing == {"reducer"}
    others = "spawn start_processes ProcessContext ProcessRaisedException ProcessExitedException"
    assert all(hasattr(mp, name) for name in others.split())
    assert tg.multiprocessing is mp


def work(index, queue, model, x):
    queue.put((index, model(x * (index + 1)).detach()))


def test_spawn_sends_tensors_and_modules_both_ways():
    model = tg.nn.Linear(3, 2)
    x = tg.randn(4, 3)
    queue = mp.get_context("spawn").SimpleQueue()
    assert mp.spawn(work, args=(queue, model, x), nprocs=2) is None
    found = dict(queue.get() for _ in range(2))
    for index in range(2):
        expected = model(x * (index + 1)).detach()
        np.testing.assert_allclose(found[index], expected, rtol=1e-5)


def fail(index, how):
    if index == 1 and how == "raise":
        raise ValueError("of process one")
    if index == 1 and how == "exit":
        sys.exit(7)
    if index == 1:
        signal.raise_signal(signal.SIGTERM)


FAILURES = {
    "raise": ("ProcessRaisedException", "ValueError: of process one"),
    "exit": ("ProcessExitedException", "process 1 terminated with exit code 7"),
    "signal": ("ProcessExitedException", "process 1 terminated with signal SIGTERM"),
}


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("how", FAILURES)
def test_a_failure_is_the_parents(how, library):
    module = LIBRARIES[library][1]
    kind, words = FAILURES[how]
    with pytest.raises(getattr(module, kind), match=words) as caught:
        module.start_processes(fail, args=(how,), nprocs=2, start_method="fork")
    error = pickle.loads(pickle.dumps(caught.value))
    assert error.error_index == 1
    assert error.error_pid == caught.value.error_pid > 0
    if how == "raise":
        assert str(error).startswith("\n\n-- Process 1 terminated with the following error:\nTrace")
    else:
        assert error.exit_code == {"exit": 7, "signal": -15}[how]
        assert error.signal_name == {"exit": None, "signal": "SIGTERM"}[how]


def wait(index, event):
    event.wait(60 if index else 0.01)


@pytest.mark.parametrize("library", LIBRARIES)
def test_joining_later(library):
    module = LIBRARIES[library][1]
    event = module.get_context("fork").Event()
    context = module.start_processes(wait, args=(event,), nprocs=2, join=False, start_method="fork")
    assert isinstance(context, module.ProcessContext)
    assert [process.pid for process in context.processes] == context.pids()
    assert context.join() is False  # one has ended
    assert context.join(timeout=0.01) is False
    event.set()
    assert context.join() is True
    assert context.join() is True


def fail_or_sleep(index, event):
    if index:
        event.wait(60)
    else:
        raise KeyError(index)


def test_those_that_run_on_are_ended():
    event = mp.get_context("fork").Event()
    context = mp.start_processes(
        fail_or_sleep, args=(event,), nprocs=2, join=False, start_method="fork"
    )
    with pytest.raises(mp.ProcessRaisedException, match="KeyError"):
        context.join(grace_period=0.01)
    assert context.processes[1].exitcode == -signal.SIGTERM


def test_sharing_strategies():
    for _, module in LIBRARIES.values():
        assert module.get_all_sharing_strategies() == {"file_descriptor", "file_system"}
        before = module.get_sharing_strategy()
        module.set_sharing_strategy("file_system")
        assert module.get_sharing_strategy() == "file_system"
        module.set_sharing_strategy(before)
    with pytest.raises(ValueError, match="'paper' is none of"):
        mp.set_sharing_strategy("paper")
    with pytest.raises(ValueError, match="'fork'; use start_processes"):
        mp.spawn(fail, start_method="fork")


def test_no_process_group():
    dist = tg.distributed
    questions = "is_available is_initialized is_nccl_available is_gloo_available is_mpi_available"
    assert not any(getattr(dist, name)() for name in questions.split())
    assert torch.distributed.is_initialized() is dist.is_initialized() is False
    assert torch.distributed.is_torchelastic_launched() is dist.is_torchelastic_launched()
    missing = [name for name in dist.__all__ if not hasattr(torch.distributed, name)]
    assert missing == []
    for library, _ in LIBRARIES.values():
        for name in ("get_rank", "get_world_size", "get_backend", "barrier", "new_group"):
            with pytest.raises(ValueError, match="Default process group has not been initialized"):
                getattr(library.distributed, name)()
        with pytest.raises(ValueError, match="Default process group has not been initialized"):
            library.nn.parallel.DistributedDataParallel(library.nn.Linear(1, 1))
    with pytest.raises(RuntimeError, match="one process"):
        dist.init_process_group("gloo", rank=0, world_size=1)
