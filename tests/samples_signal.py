"""Rows of the windows, and of the short-time Fourier transforms."""

from sampling import Dtype, case, cplx, real, row

F64 = {"dtype": Dtype("float64")}

# fmt: off
_WINDOWS = {  # what each takes beside the length
    "bartlett": {}, "blackman": {}, "cosine": {}, "exponential": {"tau": 2.5}, "gaussian":
    {"std": 1.5}, "general_cosine": {"a": [0.3, 0.5, 0.2]}, "general_hamming": {"alpha": 0.6},
    "hamming": {}, "hann": {}, "kaiser": {"beta": 5.0}, "nuttall": {},
}
_OLD = {
    "bartlett": [], "blackman": [], "hann": [], "hamming": [0.6, 0.4], "kaiser": [5.0],
}

SIGNAL = [
    *(row(f"signal.windows.{name}", case(7, **more, **F64), case(6, sym=False, **more, **F64),
          case(1, sym=False, **more, **F64), case(0, **more, **F64), case(2, **more, **F64),
          case(1, **more), case(5, **more), differentiable=False)
      for name, more in _WINDOWS.items()),
    row("signal.windows.exponential", case(5, center=1, sym=False), differentiable=False),
    *(row(f"{name}_window", case(7, **F64), case(6, False, *more, **F64), case(1, **F64),
          case(0, True, **F64), case(2, True, *more, **F64), case(5), differentiable=False)
      for name, more in _OLD.items()),
    row("stft", case(real(12), 4, return_complex=True), case(real(2, 9), 4, 2, return_complex=True),
        case(real(2, 9), 5, 3, 4, real(4, of="positive"), return_complex=True),
        case(real(9), 4, 2, center=False, normalized=True, return_complex=True),
        case(real(9), 4, 2, pad_mode="constant", onesided=False, return_complex=True),
        case(real(9), 4, 3, pad_mode="replicate", return_complex=True),
        case(real(8), 4, 3, pad_mode="circular", return_complex=True),
        case(cplx(9), 4, 2), case(real(11), 6, 2, 3, real(3), center=False, return_complex=True),
        case(real(11), 6, 2, 4, real(4), center=False, align_to_window=True, return_complex=True),
        case(real(9), 4, 2, return_complex=False)),
    row("istft", case(cplx(3, 5), 4, 1), case(cplx(2, 3, 4), 4, 2, onesided=True),
        case(cplx(4, 5), 6, 2, 5, real(5, of="positive"), length=7),
        case(cplx(4, 5), 4, 1, onesided=False, normalized=True),
        case(cplx(4, 5), 4, 2, window=real(4, of="positive"), center=False),
        case(cplx(4, 3), 4, 2, onesided=False, return_complex=True, length=5)),
]
# fmt: on
