"""What viz.Monitor costs: training steps with one and without, in turns.

    python benchmarks/monitor.py [--every 10] [--seconds 4]

A turn is eight times ``every`` steps: in the long run activations are watched at one look of eight.
The limit is 3 % at every=10.
"""

import argparse
from collections.abc import Callable
from statistics import median

from timing import race  # first: it sets OpenBLAS's time-out before NumPy is imported

# isort: split
from workloads import WORKLOADS

import tensorgrad as tg
from tensorgrad import viz


def turn(name: str, every: int, monitored: bool) -> Callable[[], None]:
    """A function that takes eight times ``every`` steps of a workload."""
    step = WORKLOADS[name](tg)
    if monitored:
        # The optimizer keeps it alive.  After the default of 1,000 records it would look half as
        # often, which is not what is to be measured.
        viz.Monitor(step.model, step.optimizer, every=every, records=10**6)

    def run() -> None:
        for _ in range(8 * every):
            step()

    return run


def main() -> None:
    """Print the cost for each workload, as the median of several races."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--every", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=1.0, help="per contestant and race")
    parser.add_argument("--races", type=int, default=5)
    parser.add_argument(
        "--only", nargs="*", default=["tiny_mlp", "mnist_mlp", "mnist_cnn_b16", "mnist_cnn_b64"]
    )
    args = parser.parse_args()
    for name in args.only:
        plain, watched = turn(name, args.every, False), turn(name, args.every, True)
        costs, times = [], []
        for _ in range(args.races):
            found = race({"plain": plain, "watched": watched}, seconds=args.seconds)
            costs.append(100 * (found["watched"]["median"] / found["plain"]["median"] - 1))
            times.append(found["plain"]["median"] / args.every / 8 * 1e3)
        low, high = min(costs), max(costs)
        print(
            f"  {name:<14} step {median(times):7.3f} ms   monitoring costs {median(costs):5.2f} % "
            f"({low:.2f} to {high:.2f})",
            flush=True,
        )


if __name__ == "__main__":
    main()
