"""A small computation whose result is known, before oneDNN is trusted with others."""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorgrad.kernels.onednn.library import Library

__all__ = ["smoke"]


def smoke(lib: Library) -> str:
    """Multiply two small matrices of whole numbers: "" if the product is right, else what it was.

    Only the functions of ``lib`` are used, not the modules that ask whether it may be used.
    """
    import ctypes

    from tensorgrad.kernels.onednn.library import ARGUMENTS, F32, Argument

    a = np.arange(6, dtype=np.float32).reshape(2, 3)
    b = np.arange(12, dtype=np.float32).reshape(3, 4) - 5
    c = np.full((2, 4), np.nan, np.float32)

    def dims(values: Any) -> Any:
        return (ctypes.c_int64 * 12)(*values)

    made: list[tuple[str, int]] = []

    def new(kind: str, name: str, *args: Any) -> int:
        handle = lib.new(name, *args)
        made.append((kind, handle))
        return handle

    try:
        layouts = [
            new("memory_desc", "memory_desc_create_with_strides", 2, dims(x.shape), F32,
                dims((x.shape[1], 1)))
            for x in (a, b, c)
        ]  # fmt: skip
        what = new(
            "primitive_desc", "matmul_primitive_desc_create", lib.engine, *layouts[:2], None,
            layouts[2], None,
        )  # fmt: skip
        product = new("primitive", "primitive_create", what)
        stream = new("stream", "stream_create", lib.engine, 1)
        arguments = []
        for name, layout, array in zip(("src", "weights", "dst"), layouts, (a, b, c), strict=True):
            memory = new("memory", "memory_create", layout, lib.engine, None)
            lib.memory_set_data_handle(memory, array.ctypes.data)
            arguments.append(Argument(ARGUMENTS[name], memory))
        lib.primitive_execute(product, stream, 3, (Argument * 3)(*arguments))
    finally:
        for kind, handle in reversed(made):
            getattr(lib, f"{kind}_destroy")(handle)
    return "" if np.array_equal(c, a @ b) else f"its smoke test gave {c.tolist()}"
