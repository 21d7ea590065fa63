"""Timing that is fair to all contestants: interleaved, in one process, low percentiles.

After each matrix product an idle worker thread of OpenBLAS spins for some 27 ms and slows whatever
else runs in the process, so its time-out is set before NumPy is imported: import this module first.
"""

import os

os.environ.setdefault("OPENBLAS_THREAD_TIMEOUT", "20")

import gc
import time
from collections.abc import Callable, Mapping
from statistics import median


def race(
    contestants: Mapping[str, Callable[[], object]],
    *,
    seconds: float = 2.0,
    turn: float = 0.02,
    settle: float = 0.02,
) -> dict[str, dict[str, float]]:
    """Run the contestants in turns; seconds per call as the 10th percentile and the median.

    In each turn a contestant runs for about ``turn`` seconds, after calls for ``settle`` seconds
    that are not counted, so that all of them meet the same state of the machine: the idle thread of
    PyTorch's OpenMP spins for 16 ms after its last operation, and meanwhile products on two threads
    take three times as long.  Each turn starts with another one, so that nobody always follows the
    same neighbour.  ``seconds`` are per contestant, with what is not counted.  The garbage
    collector is on, as in any program; what there is at the start is collected first.
    """
    times: dict[str, list[float]] = {name: [] for name in contestants}
    order = list(contestants)
    for call in contestants.values():
        call()
    gc.collect()
    end = time.perf_counter() + seconds * len(contestants)
    while time.perf_counter() < end or min(map(len, times.values())) < 5:
        for name in order:
            call = contestants[name]
            call()
            stop = time.perf_counter() + settle
            while time.perf_counter() < stop:
                call()
            stop = time.perf_counter() + turn
            while True:
                start = time.perf_counter()
                call()
                now = time.perf_counter()
                times[name].append(now - start)
                if now > stop:
                    break
        order.append(order.pop(0))
    return {
        name: {"p10": sorted(spent)[len(spent) // 10], "median": median(spent)}
        for name, spent in times.items()
    }
