"""What kind of numbers an argument holds, be it an array, a Tensor or a scalar."""

from __future__ import annotations

from typing import Any

import numpy as np


def is_complex(*values: Any) -> bool:
    """Whether any of the values is complex."""
    return any(
        getattr(getattr(v, "_array", v), "dtype", np.dtype(type(v))).kind == "c" for v in values
    )


def zeros(xp: Any, g: Any) -> Any:
    """The gradient of what does not depend on its argument: 0 even where g is infinite or NaN."""
    return xp.mask(g, mask=np.zeros(g.shape, bool))


def refuse_complex(name: str, *values: Any) -> None:
    """Raise for complex numbers, which have no order; NumPy would compare their real parts."""
    for value in values:  # the forwards of relu and its kin come here: no generator
        if isinstance(value, np.ndarray):
            if value.dtype.kind != "c":
                continue
        elif not is_complex(value):
            continue
        raise NotImplementedError(
            f"{name} is not supported for complex tensors: they have no order"
        )
