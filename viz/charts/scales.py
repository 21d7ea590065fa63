"""Scales from values to pixels, with ticks at numbers that people like to read."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tensorgrad.viz.figures.words import power_of_ten

__all__ = ["LEAST", "Linear", "Log", "linear_for", "log_for"]

Array = NDArray[np.float64]
Tick = tuple[float, str]

LEAST = 1e-307  # where a log axis ends: the next power of ten is no longer a normal number


@dataclass(frozen=True, slots=True)
class Linear:
    """The values low..high on the pixels start..end; ``start > end`` for an axis upwards."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        share = (value - self.low) / (self.high - self.low)
        return self.start + (self.end - self.start) * share

    def pixels(self, values: Array) -> Array:
        """Those of many values."""
        share = (values - self.low) / (self.high - self.low)
        return self.start + (self.end - self.start) * share

    def ticks(self, count: int = 5, *, whole: bool = False) -> list[Tick]:
        """About ``count`` multiples of 1, 2 or 5 times a power of ten; only integers if whole."""
        step = _nice((self.high - self.low) / max(count, 1))
        if whole:
            step = max(1.0, round(step))
        first = math.ceil(self.low / step - 1e-9)
        last = math.floor(self.high / step + 1e-9)
        decimals = max(0, -_exponent(step))
        largest = max(abs(self.low), abs(self.high))
        exponents = largest >= 1e6 or largest < 1e-3
        digits = 0 if largest == 0 else _exponent(largest) - _exponent(step)
        ticks = []
        for k in range(first, last + 1):
            value = k * step
            if value == 0:
                label = "0"
            elif whole and 1e4 <= largest < 1e6 and step >= 1000:
                label = f"{value / 1000:.0f}k"
            elif exponents:
                mantissa, _, exponent = f"{value:.{max(0, digits)}e}".partition("e")
                label = f"{mantissa}e{int(exponent)}"
            else:
                label = f"{value:.{decimals}f}"
            ticks.append((value, label))
        return ticks


@dataclass(frozen=True, slots=True)
class Log:
    """The positive values low..high on the pixels start..end, by their logarithms."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        low, high = math.log10(self.low), math.log10(self.high)
        return self.start + (self.end - self.start) * (math.log10(value) - low) / (high - low)

    def pixels(self, values: Array) -> Array:
        """Those of many values; the last bit may differ from that of one."""
        low, high = math.log10(self.low), math.log10(self.high)
        return self.start + (self.end - self.start) * (np.log10(values) - low) / (high - low)

    def ticks(self, count: int = 5, *, whole: bool = False) -> list[Tick]:
        """Powers of ten, as many as fit; where there are not two, 2 and 5 times them as well."""
        first = math.ceil(math.log10(self.low) - 1e-9)
        last = math.floor(math.log10(self.high) + 1e-9)
        step = max(1, math.ceil((last - first + 1) / max(count, 1)))
        first = math.ceil(first / step) * step
        ticks = [(10.0**e, power_of_ten(e)) for e in range(first, last + 1, step)]
        if len(ticks) >= 2:
            return ticks
        fine = []
        for e in range(math.floor(math.log10(self.low)), last + 1):
            for digit in (1, 2, 5):
                value = digit * 10.0**e
                if self.low <= value * (1 + 1e-9) and value <= self.high * (1 + 1e-9):
                    fine.append((value, f"{value:g}"))
        return fine if len(fine) >= 2 else Linear(self.low, self.high, 0.0, 1.0).ticks(count)


def linear_for(values: Iterable[float], start: float, end: float) -> Linear:
    """A linear scale for these finite values, with a little room at both ends."""
    known = list(values)
    low, high = (min(known), max(known)) if known else (0.0, 1.0)
    room = (high - low) * 0.04 or abs(high) * 0.1 or 0.5
    # A quantity that is never negative keeps 0 as its bound: no room below nothing.
    floor = 0.0 if low >= 0.0 and low - room < 0.0 else low - room
    return Linear(floor, high + room, start, end)


def log_for(values: Iterable[float], start: float, end: float, *, decades: bool = False) -> Log:
    """A log scale for these positive values; ends at powers of ten if ``decades``."""
    known = [max(value, LEAST * 1.1) for value in values if value > 0]
    low, high = (min(known), max(known)) if known else (1e-3, 1.0)
    if decades:
        low_e, high_e = math.floor(math.log10(low)), math.ceil(math.log10(high))
        return Log(10.0**low_e, 10.0 ** min(max(high_e, low_e + 1), 308), start, end)
    room = max(min(high / low, 1.7e308) ** 0.04, 1.05)
    return Log(max(low / room, LEAST), min(high * room, 1.7e308), start, end)


def _nice(step: float) -> float:
    """The least of 1, 2 or 5 times a power of ten that is not below ``step``."""
    power = 10.0 ** math.floor(math.log10(step))
    return next((m * power for m in (1, 2, 5) if step <= m * power * (1 + 1e-9)), 10 * power)


def _exponent(value: float) -> int:
    return math.floor(math.log10(value) + 1e-9)
