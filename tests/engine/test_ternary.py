"""The recorder of operations on three arrays gives what the general one gives."""

import numpy as np
import pytest
from recorder_tools import leaf, same

from tensorgrad.graph.node import edge_of
from tensorgrad.primitive import primitives, recorded

WINDOWS = {"stride": (1,), "padding": ((1, 1),), "dilation": (1,), "groups": 1}
TERNARY = {
    "linear": (((4, 3), (5, 3), (5,)), {}),
    "conv": (((4, 3, 6), (5, 3, 3), (5,)), WINDOWS),
    "where": (((), (2, 3), (2, 3)), {}),
}


@pytest.mark.parametrize("name", TERNARY)
@pytest.mark.parametrize("needs", [*np.ndindex(2, 2, 2)], ids=str)
def test_three_arguments(name, needs):
    shapes, params = TERNARY[name]
    a, b, c = (leaf(*shape, grad=bool(grad)) for shape, grad in zip(shapes, needs, strict=True))
    if name == "where":
        a = a > 1
    keep = [edge_of(t) for t in (a, b, c)]
    out = same(primitives[name], a, b, c, **params)
    assert (out._node is None) == (keep == [None] * 3)
    if name != "where":
        same(primitives[name], a, b, None, **params)
        if needs[0]:  # b is saved
            b = b.detach()
            out = getattr(recorded, name)(a, b, c, **params)
            b.mul_(2)
            with pytest.raises(RuntimeError, match="modified by an inplace"):
                out.sum().backward()
