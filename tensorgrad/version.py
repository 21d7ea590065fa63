"""What programs ask of the build: no library of a graphics card is in it."""

from tensorgrad import __version__

__all__ = ["__version__", "cuda", "debug", "hip", "xpu"]

debug = False
cuda: str | None = None
hip: str | None = None
xpu: str | None = None
