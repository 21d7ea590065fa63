"""Checkpoints: peak memory and time of a training step of deep networks, with and without."""

import gc
import time
import tracemalloc
from collections.abc import Callable
from statistics import median
from typing import Any

import tensorgrad as tg
from tensorgrad import nn
from tensorgrad.utils.checkpoint import checkpoint_sequential


def mlp() -> tuple[Any, Any]:
    """48 layers of 256 with tanh, batch 512."""
    tg.manual_seed(0)
    model = nn.Sequential(*(nn.Sequential(nn.Linear(256, 256), nn.Tanh()) for _ in range(48)))
    return model, tg.randn(512, 256, requires_grad=True)


def cnn() -> tuple[Any, Any]:
    """24 convolutions 3x3 of 16 channels with batch norm and ReLU, batch 16 of 32x32."""
    tg.manual_seed(0)

    def block() -> Any:
        return nn.Sequential(nn.Conv2d(16, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU())

    return nn.Sequential(*(block() for _ in range(24))), tg.randn(
        16, 16, 32, 32, requires_grad=True
    )


def ways(model: Any, x: Any, segments: int) -> dict[str, Callable[[], Any]]:
    """The forward passes to compare."""
    return {
        "kept": lambda: model(x),
        "checkpointed": lambda: checkpoint_sequential(model, segments, x, use_reentrant=False),
        "re-entrant": lambda: checkpoint_sequential(model, segments, x, use_reentrant=True),
    }


def step(model: Any, x: Any, forward: Callable[[], Any]) -> None:
    """One forward and backward; gradients are replaced."""
    model.zero_grad()
    x.grad = None
    forward().square().mean().backward()


def peak(model: Any, x: Any, forward: Callable[[], Any]) -> int:
    """Bytes that a step allocates at most, beyond what was there (NumPy reports its arrays)."""
    step(model, x, forward)
    gc.collect()
    tg.backends.empty_cache()  # memory from before would not be counted
    tracemalloc.start()
    try:
        step(model, x, forward)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def main(quick: bool) -> dict[str, Any]:
    """Measure and print; the figures by network and way."""
    print("\ncheckpoints: peak memory and time of a step")
    figures: dict[str, Any] = {}
    for name, build, segments in (("mlp", mlp, 8), ("cnn", cnn, 6)):
        model, x = build()
        forwards = ways(model, x, segments)
        times: dict[str, list[float]] = {way: [] for way in forwards}
        for _ in range(3 if quick else 15):
            for way, forward in forwards.items():
                start = time.perf_counter()
                step(model, x, forward)
                times[way].append(time.perf_counter() - start)
        figures[name] = {
            way: {"peak": peak(model, x, forward), "median": median(times[way])}
            for way, forward in forwards.items()
        }
        for way, found in figures[name].items():
            print(
                f"  {name} {way:<13} {found['peak'] / 2**20:7.1f} MB  "
                f"{found['median'] * 1e3:8.1f} ms",
                flush=True,
            )
    return figures


if __name__ == "__main__":
    main(quick=False)
