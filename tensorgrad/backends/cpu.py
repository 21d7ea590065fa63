"""The processor, as NumPy sees it."""

from __future__ import annotations

import numpy as np

__all__ = ["get_cpu_capability"]


def get_cpu_capability() -> str:
    """The widest vectors that NumPy's own loops use: AVX512, AVX2, NEON or DEFAULT."""
    found = np.show_config(mode="dicts")["SIMD Extensions"]
    names = " ".join([*found.get("found", []), *found.get("baseline", [])])
    for wide, sign in (("AVX512", "AVX512"), ("X86_V4", "AVX512"), ("AVX2", "AVX2"),
                       ("X86_V3", "AVX2"), ("NEON", "NEON")):  # fmt: skip
        if wide in names:
            return sign
    return "DEFAULT"
