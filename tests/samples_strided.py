"""Rows of strides of one's own."""

from typing import Any

from sampling import case, cplx, real, row

__all__ = ["STRIDED", "STRIDED_PRIMITIVES"]


def contiguous(function: Any, input: Any, *args: Any) -> Any:
    """Of a memory of its own: tests vary the layout and the place, on which the result depends."""
    return function(input.contiguous().clone(), *args)


# fmt: off
WINDOWS = (
    case(real(3, 4), (2, 2), (1, 2), 3), case(real(3, 4), (2, 2), (1, 2)),
    case(real(3, 4), (3, 3), (1, 1)), case(real(5), (3, 2), (0, 2), 1), case(real(4), (), (), 2),
    case(real(3), (0, 2), (1, 1)), case(real(2, 2), (2, 1, 2), (2, 7, 1)),
    case(cplx(4), (2, 2), (1, 2)),
)
STRIDED = [
    row("as_strided", *WINDOWS, call=contiguous),
    row("as_strided_copy", *WINDOWS, call=contiguous),
    row("as_strided_", case(real(3, 4), (2, 2), (1, 2), 3), case(real(3, 4), (3, 3), (1, 1)),
        call=contiguous),
    row("as_strided_scatter", case(real(3, 3), real(2, 2), (2, 2), (1, 2)),
        case(real(3, 3), real(2), (2,), (4,), 1), call=contiguous, torch=None,
        reason="PyTorch's gradient of input is 1 where it was written and 0 elsewhere; "
        "tests/parity/test_strided.py has the values"),
]

STRIDED_PRIMITIVES = [
    row("primitive.as_strided", *(
        case(real(3, 4), size=size, stride=stride, offset=offset)
        for size, stride, offset in (((2, 2), (1, 2), 3), ((3, 3), (1, 1), 0), ((2, 2), (0, 5), 1),
                                     ((), (), 7), ((0, 2), (1, 1), 0))),
        torch=None, primitive="as_strided"),
    row("primitive.as_strided_add", *(
        case(real(*size), shape=(3, 4), stride=stride, offset=offset)
        for size, stride, offset in (((2, 2), (1, 2), 3), ((3, 3), (1, 1), 0), ((2, 2), (0, 5), 1),
                                     ((), (), 7), ((0, 2), (1, 1), 0))),
        torch=None, primitive="as_strided_add"),
]
