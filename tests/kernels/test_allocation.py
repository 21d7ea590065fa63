"""tune_malloc: large arrays made again and again cost no page faults."""

import platform
import subprocess
import sys

import pytest

import tensorgrad as tg
from tensorgrad.machine import allocation

FAULTS = """
import resource
import numpy as np
import tensorgrad as tg

def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(20):
        arrays = [np.ones(1 << 20, np.float32) for _ in range(6)]
        del arrays
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

faults()
plain = faults()
assert tg.tune_malloc() is True
faults()
tuned = faults()
print(plain, tuned)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the C library is not glibc")
def test_freed_memory_stays_in_the_process():
    done = subprocess.run(
        [sys.executable, "-c", FAULTS], capture_output=True, text=True, check=True, timeout=120
    )
    plain, tuned = map(int, done.stdout.split())
    assert tuned < 100
    assert plain > 10 * max(tuned, 10)


def test_another_c_library_is_left_alone(monkeypatch):
    monkeypatch.setattr(allocation.platform, "libc_ver", lambda: ("", ""))
    assert tg.tune_malloc() is False
