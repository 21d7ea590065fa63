"""tensorgrad and, where it is installed, PyTorch, with the same number of threads."""

from typing import Any

import tensorgrad as tg

THREADS = 2


def libraries() -> dict[str, Any]:
    """The modules by name."""
    found: dict[str, Any] = {"tensorgrad": tg}
    try:
        import torch
    except ImportError:
        return found
    torch.set_num_threads(THREADS)
    return {**found, "torch": torch}
