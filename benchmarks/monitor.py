"""What viz.Monitor costs: training steps with one and without, in turns.

    python benchmarks/monitor.py [--every 10] [--seconds 20]

A turn is sixteen times ``every`` steps: in the long run activations are watched at one look of
sixteen.  Each turn is compared with the other one's beside it, and the median of the differences
taken: the machine's clock moves by more than the cost within a second, hardly within two turns.
The limit is 3 % at every=10.
"""

import argparse
import gc
import time
from collections.abc import Callable
from statistics import median

import timing  # noqa: F401  # first: it sets OpenBLAS's time-out before NumPy is imported

# isort: split
from workloads import WORKLOADS

import tensorgrad as tg
from tensorgrad import viz

LOOKS = 16  # in a turn
SETTLED = 256  # looks, after which no more is looked at activations than later on


def turn(name: str, every: int, monitored: bool) -> Callable[[], float]:
    """A function that takes the steps of a turn and says how long they took, in seconds."""
    step = WORKLOADS[name](tg)
    if monitored:
        # The optimizer keeps it alive.  After the default of 1,000 records it would look half as
        # often, which is not what is to be measured.
        viz.Monitor(step.model, step.optimizer, every=every, records=10**6)

    def run() -> float:
        start = time.perf_counter()
        for _ in range(LOOKS * every):
            step()
        return time.perf_counter() - start

    return run


def cost(name: str, every: int, seconds: float) -> tuple[float, list[float]]:
    """Seconds of a plain step, and what each watched turn took longer than its neighbour."""
    plain, watched = turn(name, every, False), turn(name, every, True)
    for _ in range(SETTLED // LOOKS):
        watched()
    plain()
    gc.collect()
    steps, differences = [], []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(steps) < 8:
        if len(steps) % 2:
            first = plain()
            second = watched()
        else:
            second = watched()
            first = plain()
        steps.append(first)
        differences.append(second - first)
    return median(steps) / every / LOOKS, [d / median(steps) for d in differences]


def main() -> None:
    """Print the cost for each workload, with the quartiles of the single pairs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--every", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=20.0, help="for each network")
    parser.add_argument(
        "--only", nargs="*", default=["tiny_mlp", "mnist_mlp", "mnist_cnn_b16", "mnist_cnn_b64"]
    )
    args = parser.parse_args()
    for name in args.only:
        step, shares = cost(name, args.every, args.seconds)
        shares.sort()
        low, high = shares[len(shares) // 4], shares[3 * len(shares) // 4]
        print(
            f"  {name:<14} step {step * 1e3:7.3f} ms   monitoring costs {median(shares):6.2%} "
            f"({len(shares)} pairs, half of them from {low:.2%} to {high:.2%})",
            flush=True,
        )


if __name__ == "__main__":
    main()
