"""The same program gives the same bits in every run, with every choice of kernels."""

import os
import subprocess
import sys

import pytest

PROGRAM = """
import hashlib
import tensorgrad as tg
from tensorgrad import nn

tg.use_deterministic()
assert tg.are_deterministic_algorithms_enabled()
tg.set_num_threads(2)
tg.manual_seed(0)
model = nn.Sequential(
    nn.Conv2d(3, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU(), nn.MaxPool2d(2),
    nn.Conv2d(16, 64, 3, padding=1), nn.ReLU(), nn.Conv2d(64, 64, 3, padding=1), nn.GELU(),
    nn.Dropout(0.1), nn.Flatten(), nn.Linear(64 * 256, 10),
)
optimizer = tg.optim.Adam(model.parameters())
for _ in range(3):
    x, y = tg.randn(16, 3, 32, 32), tg.randint(0, 10, (16,))
    optimizer.zero_grad()
    nn.functional.cross_entropy(model(x), y).backward()
    optimizer.step()
digest = hashlib.sha256()
for p in model.state_dict().values():
    digest.update(p.numpy().tobytes())
print(digest.hexdigest())
"""


# "numpy" is what "auto" chooses where there is no accelerator.
@pytest.mark.parametrize(
    "kernels",
    ["auto", *(pytest.param(k, marks=pytest.mark.long) for k in ("numpy", "reference"))],
)
def test_two_runs_end_in_the_same_bits(kernels):
    runs = [
        subprocess.run(
            [sys.executable, "-c", PROGRAM],
            env={**os.environ, "TENSORGRAD_KERNELS": kernels},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for _ in range(2)
    ]
    assert runs[0] == runs[1]
    assert len(runs[0].strip()) == 64
