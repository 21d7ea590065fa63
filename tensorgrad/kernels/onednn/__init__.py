"""oneDNN, the library inside PyTorch, on NumPy's arrays: ``pip install tensorgrad[accel]``.

`library` finds and binds its C interface through ctypes, `health` says whether it may be used in
this process, `primitive` prepares and runs one computation, and the other modules are the kernels
that the registry chooses from.
"""

from __future__ import annotations

__all__: list[str] = []
