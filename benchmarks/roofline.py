"""The floor of each training step: its matrix products and memory traffic at this machine's rates.

    python benchmarks/roofline.py [--only NAME ...] [--json FILE]

Arithmetic: 2 m n k for each matrix product that the step cannot avoid (a convolution counts as the
product of its unfolded images), at the rate of a large product in NumPy.  Memory: each parameter
is read forward and backward, its gradient written and read, it and the optimizer's state read and
written; each array that an operation makes is written, read, and its gradient written and read.
At the rate of a large copy; where all of that fits the last cache it need not touch the memory,
and the line says so.  The floor is the larger of the two: nothing overlaps better than fully.
"""

import argparse
import json
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import timing  # noqa: F401  # first: it sets OpenBLAS's time-out before NumPy is imported

# isort: split
import models
import numpy as np
import results
from timing import race
from workloads import WORKLOADS, Workload

import tensorgrad as tg
from tensorgrad.autograd import observe_forward

VGG = ((3, 64, 32), (64, 128, 16), (128, 256, 8), (256, 256, 8), (256, 512, 4), (512, 512, 4),
       (512, 512, 2), (512, 512, 2))  # fmt: skip  # channels in, out, side of the map


def _mlp(batch: int, *sizes: int) -> tuple[float, float]:
    """Multiply-adds of the forward, and of the first layer: its input needs no gradient."""
    pairs = list(pairwise(sizes))
    return batch * sum(n * m for n, m in pairs), batch * pairs[0][0] * pairs[0][1]


def _cnn(batch: int) -> tuple[float, float]:
    first = batch * 28 * 28 * 25 * 16
    return first + batch * (14 * 14 * 25 * 16 * 16 + 784 * 10), first


def _vgg(batch: int) -> tuple[float, float]:
    convolutions = [batch * 9 * n * m * side * side for n, m, side in VGG]
    return sum(convolutions) + batch * 512 * 10, convolutions[0]


def _transformer(batch: int, length: int, layers: int, d: int) -> tuple[float, float]:
    linear = batch * length * (12 * d * d * layers + d * models.VOCABULARY)
    return linear + layers * 2 * batch * length * length * d, 0


def _lstm(batch: int, length: int, n: int, m: int) -> tuple[float, float]:
    first = batch * length * 4 * n * m
    return first + batch * length * 4 * m * m + batch * m * 10, first


PRODUCTS: dict[str, tuple[float, float]] = {
    "tiny_mlp": _mlp(32, 2, 16, 16, 1),
    "mnist_mlp": _mlp(50, 784, 300, 10),
    "cifar_mlp": _mlp(350, 3072, 512, 10),
    "deep_mlp_bn": _mlp(200, 3072, 300, 200, 10),
    "mnist_cnn_b16": _cnn(16),
    "mnist_cnn_b64": _cnn(64),
    "cifar_vgg": _vgg(32),
    "transformer": _transformer(16, 64, 2, 128),
    "lstm": _lstm(32, 50, 64, 128),
    "elementwise": (0, 0),
}


def flops(name: str) -> float:
    """Of a step: the forward, and twice that backward but for the first layer's input gradient."""
    forward, first = PRODUCTS[name]
    return 2 * (3 * forward - first)


def traffic(workload: Workload) -> float:
    """Bytes of a step that must move if no array stays in a cache."""
    made = 0

    def see(node: Any, out: Any) -> None:
        nonlocal made
        if not node.op.view:
            made += out.numel() * out.element_size()

    with observe_forward(see):
        workload()
    parameters = sum(p.numel() * p.element_size() for p in workload.parameters.values())
    state = 0
    if workload.optimizer is not None:
        for entry in workload.optimizer.state.values():
            arrays = [s for s in entry.values() if isinstance(s, tg.Tensor)]
            state += sum(s.numel() * s.element_size() for s in arrays)
    data = sum(a.nbytes for a in workload.data if a is not None)
    return float(4 * made + 6 * parameters + 2 * state + 2 * data)


def _best(call: Callable[[], object], times: int = 15) -> float:
    spent = []
    for _ in range(times):
        start = time.perf_counter()
        call()
        spent.append(time.perf_counter() - start)
    return min(spent)


def rates() -> dict[str, float]:
    """Operations a second of a large product in float32, bytes a second of a large copy."""
    a = np.random.default_rng(0).standard_normal((1536, 1536)).astype(np.float32)
    out = np.empty_like(a)
    source = np.full(32 << 20, 2.0, np.float32)  # zeros would all be one page of the system
    target = np.ones_like(source)
    return {
        "flops": 2 * 1536**3 / _best(lambda: np.matmul(a, a, out=out)),
        "bytes": 2 * source.nbytes / _best(lambda: np.copyto(target, source)),
    }


def last_cache() -> int:
    """Bytes of the largest cache, 0 where the system does not tell."""
    sizes = []
    for file in Path("/sys/devices/system/cpu/cpu0/cache").glob("index*/size"):
        word = file.read_text().strip()
        sizes.append(int(word[:-1]) * {"K": 1 << 10, "M": 1 << 20}[word[-1]])
    return max(sizes, default=0)


def measure(name: str, rate: dict[str, float]) -> dict[str, float]:
    """The floor of one workload and its measured step, in seconds."""
    workload = WORKLOADS[name](tg)
    workload()
    moved = traffic(workload)
    times = race({"step": workload}, seconds=0.7)
    arithmetic, memory = flops(name) / rate["flops"], moved / rate["bytes"]
    cached = moved / 4 < last_cache()
    floor = arithmetic if cached else max(arithmetic, memory)
    step = times["step"]["median"]
    return {
        "flops": flops(name),
        "moved": moved,
        "arithmetic": arithmetic,
        "memory": memory,
        "cached": float(cached),
        "floor": floor,
        "step": step,
    }


def main() -> None:
    """Measure the rates and the steps; print and store them."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", nargs="*", choices=PRODUCTS, default=[])
    parser.add_argument("--json", type=Path, metavar="FILE", help="add to this result file")
    args = parser.parse_args()
    rate = rates()
    print(
        f"{rate['flops'] / 1e9:.0f} GFLOP/s of products, {rate['bytes'] / 1e9:.1f} GB/s of copies, "
        f"last cache {last_cache() / 2**20:.0f} MB"
    )
    found: dict[str, Any] = {}
    for name in args.only or PRODUCTS:
        found[name] = f = measure(name, rate)
        where = " (fits the cache)" if f["cached"] else ""
        print(
            f"  {name:<14} {f['flops'] / 1e6:10.1f} MFLOP {f['arithmetic'] * 1e3:8.3f} ms, "
            f"{f['moved'] / 1e6:8.1f} MB {f['memory'] * 1e3:8.3f} ms{where}, "
            f"a step {f['step'] * 1e3:8.3f} ms",
            flush=True,
        )
    if args.json:
        stored = results.load(args.json) if args.json.exists() else {"about": results.about()}
        new = {"roofline": {"rates": rate, "workloads": found}}
        args.json.write_text(json.dumps(results.update(stored, new), indent=1) + "\n")


if __name__ == "__main__":
    main()
