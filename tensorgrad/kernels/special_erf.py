"""erf, erfc, erfcx, their inverses, and the normal distribution: NumPy alone, float64 to 1e-15.

`special_pieces` says how the coefficients were obtained.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorgrad.kernels.special_pieces import (
    exp_minus_square,
    on_interval,
    pieces,
    polynomial,
    wide,
)

__all__ = ["erf", "erfc", "erfcx", "erfinv", "log_ndtr", "ndtr", "ndtri"]

# fmt: off
# (1 + 2x) exp(x**2) erfc(x) for all x >= 0, in t = (x - 3.75) / (x + 3.75): the variable that
# M. Shepherd and J. Laframboise (1981) chose, the coefficients derived anew.
_ERFCX = (
    4.2514714447963895e-10, 3.1114333809799254e-10, -5.1739902140113095e-09,
    -3.744210080962018e-09, 3.8675334242222354e-08, 2.3263508708859124e-08,
    -2.5866850716155884e-07, -5.7218230603224086e-08, 1.751637648849062e-06,
    -9.73559896736775e-07, -1.1444146237700524e-05, 2.238423915508223e-05, 5.164909889268241e-05,
    -0.0002901540805408417, 0.0002937136655913448, 0.0017556258528952954, -0.009746579558029276,
    0.028362277418956406, -0.05869339858963677, 0.09230432116037748, -0.10880393014174886,
    0.0822767384901452, 0.0035854154854644293, -0.14024059858554697, 1.2375126308378275,
)
# erf(x) / x, in x**2 from 0 to 1.
_ERF = (
    1.454817075960679e-14, -3.8078827395263415e-13, 9.167606746069445e-12,
    -2.035228404899467e-10, 4.11580059766496e-09, -7.51156928660089e-08, 1.223382738352401e-06,
    -1.7537169441124826e-05, 0.00021751715604160108, -0.0022854855611441132,
    0.019852496688983708, -0.1405360890227171, 0.9654687386698673,
)
# erfinv(y) / y, in y**2 from 0 to 1/4.
_ERFINV = (
    2.0671742197483168e-13, 1.5684593709957392e-12, 1.1316232483758686e-11,
    8.772059005647083e-11, 6.87947841959413e-10, 5.45663287400155e-09, 4.398277107297447e-08,
    3.6198638117747397e-07, 3.063743625042923e-06, 2.697700101543171e-05, 0.0002522747551744835,
    0.0026140273452602476, 0.03356743029704948, 0.9174083670522701,
)
# erfcinv(q) / s, in s = sqrt(-log q), on the intervals that _tail_inverse names.
_TAIL_1 = (
    -1.4835230897210527e-12, 4.94576594505433e-12, 1.4288087525428692e-13, -7.32247475253897e-11,
    5.177683282734596e-10, -2.3521015882833306e-09, 6.6888383166334376e-09,
    -4.750969838073263e-10, -1.3881456952269314e-07, 1.0632028194528621e-06,
    -5.075794298788572e-06, 1.5157073278312897e-05, 1.327904571535603e-06,
    -0.00040315186511836126, 0.0035156657320374214, -0.020864234068561336, 0.09602614308708744,
    0.6850224272694319,
)
_TAIL_2 = (
    -2.824009247731181e-12, 5.6292182203437126e-12, 1.4289734949023313e-11,
    -1.188292546048692e-10, 6.268397584495762e-10, -2.902155970781974e-09,
    1.1606550463983843e-08, -3.994212344472275e-08, 1.1174779882995894e-07,
    -1.883397294129969e-07, -4.366698819443188e-07, 6.6325804757732626e-06,
    -4.4580714298412347e-05, 0.00023718633116574474, -0.0011058499610120758, 0.00466014837579252,
    -0.017784650985479517, 0.05962044386200053, 0.8467687622267094,
)
_TAIL_3 = (
    -2.1989698416176394e-12, 6.93085432761242e-12, -9.59881100403503e-12, 1.896034599704419e-11,
    -2.3954152774543564e-11, -1.9251863171358379e-10, 1.795099563242463e-09,
    -1.0478435263552693e-08, 5.225800340439226e-08, -2.3904863869703145e-07,
    1.0316290382912867e-06, -4.259542065454612e-06, 1.695037127411654e-05, -6.52296204754724e-05,
    0.00024285629604588408, -0.0008724253775933927, 0.0030019134548025126, -0.009730226508921115,
    0.02849690622436277, 0.9347896504765493,
)
_TAIL_4 = (
    -1.3157790444706272e-11, 4.5176467111538373e-11, -8.603646164767817e-11,
    2.867494245522383e-10, -1.0873623279539132e-09, 3.5334862902810025e-09,
    -1.1198401598704593e-08, 3.5713887649590644e-08, -1.1295599118780685e-07,
    3.534987949811332e-07, -1.0956378293821119e-06, 3.3617239930671672e-06,
    -1.0201383802811836e-05, 3.057371854335475e-05, -9.030115234084332e-05,
    0.0002619554487652634, -0.0007422617975072107, 0.00203466879093945, -0.005294842339405791,
    0.01251475310416965, 0.9768615052430081,
)
_TAIL_5 = (
    -5.160442111098439e-10, 1.042072710329687e-09, 1.254162352264559e-09,
    -2.2890863783990416e-09, -5.5203666105761446e-09, 1.0601655645905962e-08,
    -4.234834598501116e-09, 1.0723307819885065e-08, -4.3153645615813056e-08,
    8.85363146123901e-08, -1.6920346586601877e-07, 3.542116952657389e-07, -7.447201186228847e-07,
    1.541517411924304e-06, -3.1761469411805526e-06, 6.520476453549698e-06,
    -1.3314215827573075e-05, 2.70111159991744e-05, -5.437681006216548e-05,
    0.00010842826473435076, -0.0002136024477656256, 0.00041412922682392976,
    -0.0007854139773974765, 0.0014421022565736777, -0.002513024524044154, 0.003969572029969923,
    0.9951220253859558,
)
# fmt: on


def _scaled(x: Any) -> Any:
    """exp(x**2) erfc(x) for x >= 0."""
    t = np.where(np.isinf(x), 1, (x - 3.75) / (x + 3.75))
    return polynomial(t, _ERFCX) / (1 + 2 * x)


def _small(x: Any) -> Any:
    """erf(x) for |x| <= 1."""
    return x * on_interval(x * x, 0, 1, _ERF)


def _tail(x: Any) -> Any:
    """erfc(x) for x >= 0."""
    return exp_minus_square(x) * _scaled(x)


@wide
def erf(x: Any) -> Any:
    """2/sqrt(pi) times the integral of exp(-t**2) from 0 to x."""
    return pieces(
        x,
        (np.abs(x) <= 1, _small),
        (np.abs(x) > 1, lambda x: np.copysign(1 - _tail(np.abs(x)), x)),
    )


@wide
def erfc(x: Any) -> Any:
    """1 - erf(x), without cancellation."""
    return pieces(
        x,
        (np.abs(x) <= 0.5, lambda x: 1 - _small(x)),
        (x > 0, _tail),
        (x < 0, lambda x: 2 - _tail(-x)),
    )


@wide
def erfcx(x: Any) -> Any:
    """exp(x**2) erfc(x), which overflows below -26.6 only."""
    return pieces(
        x,
        (x >= 0, _scaled),
        (x < -27, lambda x: np.full_like(x, np.inf)),
        (x < 0, lambda x: 2 / exp_minus_square(x) - _scaled(-x)),
    )


def _central_inverse(y: Any) -> Any:
    """erfinv(y) for |y| <= 1/2."""
    return y * on_interval(y * y, 0, 0.25, _ERFINV)


def _tail_inverse(q: Any) -> Any:
    """The x >= 0 with erfc(x) = q, for 0 <= q <= 1/2.  x / s is smooth in s = sqrt(-log q)."""
    s = np.sqrt(-np.log(q))
    return s * pieces(
        s,
        (s <= 1.5, lambda s: on_interval(s, 0.8125, 1.5, _TAIL_1)),
        (s <= 2.75, lambda s: on_interval(s, 1.5, 2.75, _TAIL_2)),
        (s <= 5, lambda s: on_interval(s, 2.75, 5, _TAIL_3)),
        (s <= 10, lambda s: on_interval(s, 5, 10, _TAIL_4)),
        (s <= 28, lambda s: on_interval(s, 10, 28, _TAIL_5)),
        (s > 28, np.ones_like),  # q = 0: infinity
    )


@wide
def erfinv(y: Any) -> Any:
    """The x with erf(x) = y; infinite at -1 and 1, NaN beyond."""
    size = np.abs(y)
    return pieces(
        y,
        (size <= 0.5, _central_inverse),
        # 1 - |y| is exact from 1/2 on.
        (size <= 1, lambda y: np.copysign(_tail_inverse(1 - np.abs(y)), y)),
    )


def _normal_tail(x: Any) -> Any:
    """The probability beyond x >= 0 of the normal distribution."""
    return exp_minus_square(x, 0.5) * _scaled(x * _ROOT_HALF) / 2


_ROOT_HALF = float(np.sqrt(0.5))


@wide
def ndtr(x: Any) -> Any:
    """The normal distribution's probability below x."""
    return pieces(
        x,
        (np.abs(x) <= 0.5, lambda x: 0.5 + _small(x * _ROOT_HALF) / 2),
        (x > 0, lambda x: 1 - _normal_tail(x)),
        (x < 0, lambda x: _normal_tail(-x)),
    )


@wide
def log_ndtr(x: Any) -> Any:
    """log(ndtr(x)), which underflows nowhere."""
    return pieces(
        x,
        (x > -0.5, lambda x: np.log1p(-_ndtr_of_minus(x))),
        (x <= -0.5, lambda x: np.log(_scaled(-x * _ROOT_HALF) / 2) - x * x / 2),
    )


def _ndtr_of_minus(x: Any) -> Any:
    return pieces(
        x,
        (np.abs(x) <= 0.5, lambda x: 0.5 - _small(x * _ROOT_HALF) / 2),
        (x > 0, _normal_tail),
    )


@wide
def ndtri(p: Any) -> Any:
    """The x with ndtr(x) = p; infinite at 0 and 1, NaN beyond."""
    root = float(np.sqrt(2))
    return pieces(
        p,
        (np.abs(p - 0.5) <= 0.25, lambda p: root * _central_inverse(2 * p - 1)),
        ((p >= 0) & (p < 0.5), lambda p: -root * _tail_inverse(2 * p)),
        ((p > 0.5) & (p <= 1), lambda p: root * _tail_inverse(2 * (1 - p))),
    )
