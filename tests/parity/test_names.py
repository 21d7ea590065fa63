"""The stored list of PyTorch's public names is the installed PyTorch's."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "names"


def test_the_stored_list_is_pytorchs():
    # In a process of its own: submodules that other tests imported show in torch's namespaces.
    command = [sys.executable, "-W", "ignore", str(FOLDER / "names.py"), "--collect"]
    collected = subprocess.run(command, capture_output=True, check=True, text=True).stdout
    assert (FOLDER / "pytorch.txt").read_text(encoding="utf-8") == collected


@pytest.mark.parametrize("name", ["eig", "lstsq", "matrix_rank", "solve", "symeig"])
def test_removed_functions_only_raise(name):
    # They are left out because of this.
    matrices = [torch.eye(2)] * (2 if name in ("lstsq", "solve") else 1)
    with pytest.raises(RuntimeError, match="removed"):
        getattr(torch, name)(*matrices)
