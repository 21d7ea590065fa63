"""``torch.distributed`` for programs that ask whether they are one of several: they are not.

What asks is answered as PyTorch answers before `init_process_group`, which is refused: one process
computes here.  So the guards of such programs hold, and their other branch runs.
"""

from __future__ import annotations

from typing import Any, NoReturn

__all__ = [
    "all_gather",
    "all_gather_object",
    "all_reduce",
    "barrier",
    "broadcast",
    "broadcast_object_list",
    "destroy_process_group",
    "gather",
    "get_backend",
    "get_rank",
    "get_world_size",
    "init_process_group",
    "is_available",
    "is_gloo_available",
    "is_initialized",
    "is_mpi_available",
    "is_nccl_available",
    "is_torchelastic_launched",
    "new_group",
    "reduce",
    "reduce_scatter",
    "scatter",
]


def is_available() -> bool:
    """Always False."""
    return False


def is_initialized() -> bool:
    """Always False."""
    return False


def is_nccl_available() -> bool:
    """Always False."""
    return False


def is_gloo_available() -> bool:
    """Always False."""
    return False


def is_mpi_available() -> bool:
    """Always False."""
    return False


def is_torchelastic_launched() -> bool:
    """Always False."""
    return False


def init_process_group(*args: Any, **kwargs: Any) -> NoReturn:
    """Refused."""
    raise RuntimeError(
        "distributed.init_process_group: tensorgrad computes in one process; ask "
        "distributed.is_available() first, or start processes with tensorgrad.multiprocessing"
    )


def uninitialized(what: str) -> ValueError:
    """The error of whatever needs a process group."""
    return ValueError(
        f"{what}: Default process group has not been initialized, and tensorgrad has none: ask "
        "distributed.is_initialized() first"
    )


def _refusal(name: str) -> Any:
    def refuse(*args: Any, **kwargs: Any) -> NoReturn:
        """Refused: there is no process group."""
        raise uninitialized(f"distributed.{name}")

    refuse.__name__ = refuse.__qualname__ = name
    return refuse


all_gather = _refusal("all_gather")
all_gather_object = _refusal("all_gather_object")
all_reduce = _refusal("all_reduce")
barrier = _refusal("barrier")
broadcast = _refusal("broadcast")
broadcast_object_list = _refusal("broadcast_object_list")
destroy_process_group = _refusal("destroy_process_group")
gather = _refusal("gather")
get_backend = _refusal("get_backend")
get_rank = _refusal("get_rank")
get_world_size = _refusal("get_world_size")
new_group = _refusal("new_group")
reduce = _refusal("reduce")
reduce_scatter = _refusal("reduce_scatter")
scatter = _refusal("scatter")
