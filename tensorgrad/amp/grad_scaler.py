"""``GradScaler``: disabled, it passes losses and steps through; enabled, refused."""

from __future__ import annotations

from typing import Any

__all__ = ["GradScaler"]


class GradScaler:
    """``GradScaler(enabled=False)``: ``scale(loss)`` is the loss, ``step(optimizer)`` a step.

    Raises RuntimeError when enabled: without mixed precision nothing needs scaling.
    """

    def __init__(
        self,
        device: str = "cuda",
        init_scale: float = 65536.0,
        growth_factor: float = 2.0,
        backoff_factor: float = 0.5,
        growth_interval: int = 2000,
        enabled: bool = True,
    ) -> None:
        if enabled:
            raise RuntimeError(
                "GradScaler: there is no mixed precision to scale gradients for: tensorgrad "
                "computes on the CPU, in the tensors' own dtypes. Pass enabled=False (or "
                "enabled=tensorgrad.cuda.is_available())."
            )
        self._device = device
        self._settings = (growth_factor, backoff_factor, growth_interval)

    def is_enabled(self) -> bool:
        """Always False."""
        return False

    def scale(self, outputs: Any) -> Any:
        """The outputs as they are."""
        return outputs

    def unscale_(self, optimizer: Any) -> None:
        """Nothing to undo."""

    def step(self, optimizer: Any, *args: Any, **kwargs: Any) -> Any:
        """``optimizer.step(*args, **kwargs)``."""
        return optimizer.step(*args, **kwargs)

    def update(self, new_scale: Any = None) -> None:
        """Nothing to adapt."""

    def get_scale(self) -> float:
        """1: nothing is scaled."""
        return 1.0

    def get_growth_factor(self) -> float:
        """The factor it was made with."""
        return self._settings[0]

    def set_growth_factor(self, new_factor: float) -> None:
        """Keep another factor."""
        self._settings = (new_factor, *self._settings[1:])

    def get_backoff_factor(self) -> float:
        """The factor it was made with."""
        return self._settings[1]

    def set_backoff_factor(self, new_factor: float) -> None:
        """Keep another factor."""
        self._settings = (self._settings[0], new_factor, self._settings[2])

    def get_growth_interval(self) -> int:
        """0: a disabled scaler does not grow."""
        return 0

    def set_growth_interval(self, new_interval: int) -> None:
        """Keep another interval."""
        self._settings = (*self._settings[:2], new_interval)

    def state_dict(self) -> dict[str, Any]:
        """Empty, as of PyTorch's disabled scaler."""
        return {}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Nothing to load: whatever an enabled scaler saved does not matter here."""
