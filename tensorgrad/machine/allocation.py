"""The C library's allocator: large blocks are given back to the system and cleared page by page."""

from __future__ import annotations

import ctypes
import platform

__all__ = ["tune_malloc"]

# Of glibc's malloc.h; 32 MiB is the largest threshold that it takes.
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
_LARGEST = 32 << 20
_NEVER = (1 << 31) - 1


def tune_malloc() -> bool:
    """Keep freed memory in the process, so that the next step's large arrays find it there.

    glibc takes blocks of 128 KiB and more (the bound grows with use) from the operating system and
    gives them back when they are freed, and so the end of the heap; the next block is cleared anew,
    page by page, as it is first touched.  This raises both bounds: 32 MiB per block (mallopt
    M_MMAP_THRESHOLD), and the heap is never trimmed (M_TRIM_THRESHOLD).  The process then keeps the
    most memory it ever used; nothing else changes.  It holds for the whole process and cannot be
    undone.

    Returns whether it was done: False where the C library is not glibc.
    """
    if platform.libc_ver()[0] != "glibc":
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return False
    return bool(mallopt(_MMAP_THRESHOLD, _LARGEST)) and bool(mallopt(_TRIM_THRESHOLD, _NEVER))
