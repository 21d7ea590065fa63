"""Rows of the Fourier transforms."""

from collections.abc import Callable

from sampling import Drawn, Sample, case, cplx, real, row, whole

__all__ = ["FOURIER", "FOURIER_PRIMITIVES"]

# fmt: off
MODES = ("backward", "ortho", "forward")


def _along_one(name: str, make: Callable[..., Drawn], least: int) -> Sample:
    """One dimension: lengths cut and filled, other dimensions, the modes."""
    return row(
        f"fft.{name}", case(make(4)), case(make(2, 5)), case(make(2, 4), 3), case(make(2, 3), n=6),
        case(make(3, 2), dim=0), case(make(2, least), n=least),
        *(case(make(2, 3), norm=norm) for norm in MODES), case(make(2, 4), 5, 1, "ortho"),
    )


def _along_many(name: str, make: Callable[..., Drawn]) -> Sample:
    cases = [case(make(2, 4)), case(make(2, 3, 4)), case(make(3, 4), (2, 3)),
              case(make(2, 3), s=(4, 5))]
    cases += [case(make(3, 4, 2), dim=(0, 1)), case(make(3, 4), (4, -1), (1, 0))]
    return row(f"fft.{name}", *cases, *(case(make(2, 3), norm=norm) for norm in MODES))


FOURIER = [
    *(_along_one(name, make, 2) for name in ("fft", "ifft") for make in (real, cplx)),
    *(_along_one(name, real, 2) for name in ("rfft", "ihfft")),
    *(_along_one(name, make, 2) for name in ("irfft", "hfft") for make in (cplx, real)),
    *(_along_many(name, make) for name in ("fftn", "ifftn", "fft2", "ifft2") for make in (real,
        cplx)),
    *(_along_many(name, real) for name in ("rfftn", "rfft2", "ihfftn", "ihfft2")),
    *(_along_many(name, cplx) for name in ("irfftn", "irfft2", "hfftn", "hfft2")),
    row("fft.fft", case(whole(4, below=9)), differentiable=False),
    row("fft.rfft", case(whole(4, below=9)), differentiable=False),
    row("fft.fftshift", case(real(4)), case(real(2, 5)), case(real(2, 5), 1),
        case(cplx(3, 4), dim=(0,))),
    row("fft.ifftshift", case(real(4)), case(real(2, 5)), case(real(2, 5), 1),
        case(cplx(3, 4), dim=(0,))),
    row("fft.fftfreq", case(4), case(5, 0.5), case(5, d=2.0), differentiable=False),
    row("fft.rfftfreq", case(4), case(5, 0.5), case(5, d=2.0), differentiable=False),
]

FOURIER_PRIMITIVES = [
    row("primitive.fft", *(case(cplx(3, 4), axes=axes, inverse=inverse, norm=norm)
                           for axes, inverse, norm in (((1,), False, "backward"), ((0, 1), True,
                           "ortho"),
                                                       ((0,), True, "backward"))),
        torch=None, primitive="fft"),
    row("primitive.rfft", case(real(2, 5), axis=1, norm="backward"),
        case(real(4, 2), axis=0, norm="ortho"),
        torch=None, primitive="rfft"),
    row("primitive.irfft", case(cplx(2, 3), n=5, axis=1, norm="backward"),
        case(cplx(3, 2), n=4, axis=0, norm="forward"), case(cplx(2, 3), n=4, axis=1, norm="ortho"),
        torch=None, primitive="irfft"),
]
