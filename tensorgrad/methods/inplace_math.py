"""In-place methods of the trigonometric, special and floating-point families."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tensorgrad.functions import floating, special, trigonometric
from tensorgrad.views.following import before_write, write

if TYPE_CHECKING:
    from tensorgrad.tensor import Tensor

__all__ = ["InplaceMathMethods"]


class InplaceMathMethods:
    """Methods whose names end in an underscore: the operation, then a write into its memory."""

    __slots__ = ()

    def acos_(self: Any) -> Tensor:
        """In-place `acos`."""
        return write(self, trigonometric.acos(before_write(self)), "acos_")  # type: ignore[no-any-return]

    def acosh_(self: Any) -> Tensor:
        """In-place `acosh`."""
        return write(self, trigonometric.acosh(before_write(self)), "acosh_")  # type: ignore[no-any-return]

    def addcdiv_(self: Any, tensor1: Tensor, tensor2: Tensor, *, value: Any = 1) -> Tensor:
        """In-place `addcdiv`."""
        return write(  # type: ignore[no-any-return]
            self,
            floating.addcdiv(before_write(self, tensor1), tensor1, tensor2, value=value),
            "addcdiv_",
        )

    def addcmul_(self: Any, tensor1: Tensor, tensor2: Tensor, *, value: Any = 1) -> Tensor:
        """In-place `addcmul`."""
        return write(  # type: ignore[no-any-return]
            self,
            floating.addcmul(before_write(self, tensor1), tensor1, tensor2, value=value),
            "addcmul_",
        )

    def arccos_(self: Any) -> Tensor:
        """In-place `arccos`."""
        return write(self, trigonometric.acos(before_write(self)), "arccos_")  # type: ignore[no-any-return]

    def arccosh_(self: Any) -> Tensor:
        """In-place `arccosh`."""
        return write(self, trigonometric.acosh(before_write(self)), "arccosh_")  # type: ignore[no-any-return]

    def arcsin_(self: Any) -> Tensor:
        """In-place `arcsin`."""
        return write(self, trigonometric.asin(before_write(self)), "arcsin_")  # type: ignore[no-any-return]

    def arcsinh_(self: Any) -> Tensor:
        """In-place `arcsinh`."""
        return write(self, trigonometric.asinh(before_write(self)), "arcsinh_")  # type: ignore[no-any-return]

    def arctan_(self: Any) -> Tensor:
        """In-place `arctan`."""
        return write(self, trigonometric.atan(before_write(self)), "arctan_")  # type: ignore[no-any-return]

    def arctan2_(self: Any, other: Tensor) -> Tensor:
        """In-place `arctan2`."""
        return write(self, trigonometric.atan2(before_write(self, other), other), "arctan2_")  # type: ignore[no-any-return]

    def arctanh_(self: Any) -> Tensor:
        """In-place `arctanh`."""
        return write(self, trigonometric.atanh(before_write(self)), "arctanh_")  # type: ignore[no-any-return]

    def asin_(self: Any) -> Tensor:
        """In-place `asin`."""
        return write(self, trigonometric.asin(before_write(self)), "asin_")  # type: ignore[no-any-return]

    def asinh_(self: Any) -> Tensor:
        """In-place `asinh`."""
        return write(self, trigonometric.asinh(before_write(self)), "asinh_")  # type: ignore[no-any-return]

    def atan_(self: Any) -> Tensor:
        """In-place `atan`."""
        return write(self, trigonometric.atan(before_write(self)), "atan_")  # type: ignore[no-any-return]

    def atan2_(self: Any, other: Tensor) -> Tensor:
        """In-place `atan2`."""
        return write(self, trigonometric.atan2(before_write(self, other), other), "atan2_")  # type: ignore[no-any-return]

    def atanh_(self: Any) -> Tensor:
        """In-place `atanh`."""
        return write(self, trigonometric.atanh(before_write(self)), "atanh_")  # type: ignore[no-any-return]

    def bitwise_left_shift_(self: Any, other: Any) -> Tensor:
        """In-place `bitwise_left_shift`."""
        return write(  # type: ignore[no-any-return]
            self,
            floating.bitwise_left_shift(before_write(self, other), other),
            "bitwise_left_shift_",
        )

    def bitwise_right_shift_(self: Any, other: Any) -> Tensor:
        """In-place `bitwise_right_shift`."""
        return write(  # type: ignore[no-any-return]
            self,
            floating.bitwise_right_shift(before_write(self, other), other),
            "bitwise_right_shift_",
        )

    def clamp_max_(self: Any, max: Any) -> Tensor:
        """In-place `clamp_max`."""
        return write(self, floating.clamp_max(before_write(self, max), max), "clamp_max_")  # type: ignore[no-any-return]

    def clamp_min_(self: Any, min: Any) -> Tensor:
        """In-place `clamp_min`."""
        return write(self, floating.clamp_min(before_write(self, min), min), "clamp_min_")  # type: ignore[no-any-return]

    def copysign_(self: Any, other: Any) -> Tensor:
        """In-place `copysign`."""
        return write(self, floating.copysign(before_write(self, other), other), "copysign_")  # type: ignore[no-any-return]

    def cosh_(self: Any) -> Tensor:
        """In-place `cosh`."""
        return write(self, trigonometric.cosh(before_write(self)), "cosh_")  # type: ignore[no-any-return]

    def deg2rad_(self: Any) -> Tensor:
        """In-place `deg2rad`."""
        return write(self, trigonometric.deg2rad(before_write(self)), "deg2rad_")  # type: ignore[no-any-return]

    def digamma_(self: Any) -> Tensor:
        """In-place `digamma`."""
        return write(self, special.digamma(before_write(self)), "digamma_")  # type: ignore[no-any-return]

    def erf_(self: Any) -> Tensor:
        """In-place `erf`."""
        return write(self, special.erf(before_write(self)), "erf_")  # type: ignore[no-any-return]

    def erfc_(self: Any) -> Tensor:
        """In-place `erfc`."""
        return write(self, special.erfc(before_write(self)), "erfc_")  # type: ignore[no-any-return]

    def erfinv_(self: Any) -> Tensor:
        """In-place `erfinv`."""
        return write(self, special.erfinv(before_write(self)), "erfinv_")  # type: ignore[no-any-return]

    def exp2_(self: Any) -> Tensor:
        """In-place `exp2`."""
        return write(self, trigonometric.exp2(before_write(self)), "exp2_")  # type: ignore[no-any-return]

    def float_power_(self: Any, exponent: Any) -> Tensor:
        """In-place `float_power`, for float64 and complex128 tensors."""
        found = floating.float_power(before_write(self, exponent), exponent)
        if found.dtype != self.dtype:
            raise RuntimeError(
                f"float_power_: the result has dtype {found.dtype}, the tensor {self.dtype}; "
                "use float_power, or convert the tensor first"
            )
        return write(self, found, "float_power_")  # type: ignore[no-any-return]

    def fmod_(self: Any, other: Any) -> Tensor:
        """In-place `fmod`."""
        return write(self, floating.fmod(before_write(self, other), other), "fmod_")  # type: ignore[no-any-return]

    def gcd_(self: Any, other: Tensor) -> Tensor:
        """In-place `gcd`."""
        return write(self, floating.gcd(before_write(self, other), other), "gcd_")  # type: ignore[no-any-return]

    def heaviside_(self: Any, values: Tensor) -> Tensor:
        """In-place `heaviside`."""
        return write(self, floating.heaviside(before_write(self, values), values), "heaviside_")  # type: ignore[no-any-return]

    def hypot_(self: Any, other: Tensor) -> Tensor:
        """In-place `hypot`."""
        return write(self, trigonometric.hypot(before_write(self, other), other), "hypot_")  # type: ignore[no-any-return]

    def i0_(self: Any) -> Tensor:
        """In-place `i0`."""
        return write(self, special.i0(before_write(self)), "i0_")  # type: ignore[no-any-return]

    def igamma_(self: Any, other: Tensor) -> Tensor:
        """In-place `igamma`."""
        return write(self, special.igamma(before_write(self, other), other), "igamma_")  # type: ignore[no-any-return]

    def igammac_(self: Any, other: Tensor) -> Tensor:
        """In-place `igammac`."""
        return write(self, special.igammac(before_write(self, other), other), "igammac_")  # type: ignore[no-any-return]

    def lcm_(self: Any, other: Tensor) -> Tensor:
        """In-place `lcm`."""
        return write(self, floating.lcm(before_write(self, other), other), "lcm_")  # type: ignore[no-any-return]

    def ldexp_(self: Any, other: Tensor) -> Tensor:
        """In-place `ldexp`."""
        return write(self, floating.ldexp(before_write(self, other), other), "ldexp_")  # type: ignore[no-any-return]

    def lgamma_(self: Any) -> Tensor:
        """In-place `lgamma`."""
        return write(self, special.lgamma(before_write(self)), "lgamma_")  # type: ignore[no-any-return]

    def logit_(self: Any, eps: float | None = None) -> Tensor:
        """In-place `logit`."""
        return write(self, special.logit(before_write(self), eps), "logit_")  # type: ignore[no-any-return]

    def mvlgamma_(self: Any, p: int) -> Tensor:
        """In-place `mvlgamma`."""
        return write(self, special.mvlgamma(before_write(self), p), "mvlgamma_")  # type: ignore[no-any-return]

    def nan_to_num_(
        self: Any,
        nan: float | None = None,
        posinf: float | None = None,
        neginf: float | None = None,
    ) -> Tensor:
        """In-place `nan_to_num`."""
        return write(  # type: ignore[no-any-return]
            self, floating.nan_to_num(before_write(self), nan, posinf, neginf), "nan_to_num_"
        )

    def nextafter_(self: Any, other: Tensor) -> Tensor:
        """In-place `nextafter`."""
        return write(self, floating.nextafter(before_write(self, other), other), "nextafter_")  # type: ignore[no-any-return]

    def polygamma_(self: Any, n: int) -> Tensor:
        """In-place `polygamma`."""
        return write(self, special.polygamma(n, before_write(self)), "polygamma_")  # type: ignore[no-any-return]

    def rad2deg_(self: Any) -> Tensor:
        """In-place `rad2deg`."""
        return write(self, trigonometric.rad2deg(before_write(self)), "rad2deg_")  # type: ignore[no-any-return]

    def sinc_(self: Any) -> Tensor:
        """In-place `sinc`."""
        return write(self, trigonometric.sinc(before_write(self)), "sinc_")  # type: ignore[no-any-return]

    def sinh_(self: Any) -> Tensor:
        """In-place `sinh`."""
        return write(self, trigonometric.sinh(before_write(self)), "sinh_")  # type: ignore[no-any-return]

    def tan_(self: Any) -> Tensor:
        """In-place `tan`."""
        return write(self, trigonometric.tan(before_write(self)), "tan_")  # type: ignore[no-any-return]

    def xlogy_(self: Any, other: Any) -> Tensor:
        """In-place `xlogy`."""
        return write(self, special.xlogy(before_write(self, other), other), "xlogy_")  # type: ignore[no-any-return]
