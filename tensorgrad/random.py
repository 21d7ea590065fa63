"""Random state: generators, one of them the default, seeded by `manual_seed`."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from tensorgrad.batching.drawing import drawing
from tensorgrad.device import check_device
from tensorgrad.graph.node import TensorBase, local, wrap

__all__ = [
    "Generator",
    "default_generator",
    "fork_rng",
    "get_rng_state",
    "initial_seed",
    "manual_seed",
    "seed",
    "set_rng_state",
]


class Generator:
    """A source of random numbers with a state of its own.

    The numbers are NumPy's (PCG64), not PyTorch's: the same seed gives the same run here, and
    another one there.
    """

    def __init__(self, device: Any = "cpu") -> None:
        if str(device) != "cpu":
            raise RuntimeError(
                f"Generator: device {device!s} is not available; tensorgrad has 'cpu'"
            )
        self._seed = 67280421310721  # PyTorch's default
        self._rng = np.random.Generator(np.random.PCG64(self._seed))

    @property
    def device(self) -> Any:
        from tensorgrad.device import device

        return device("cpu")

    def manual_seed(self, seed: int) -> Generator:
        """Start the sequence that belongs to a seed; returns the generator."""
        seed = int(seed)
        if not -(1 << 63) <= seed < 1 << 64:
            raise RuntimeError(f"manual_seed: {seed} is not within [-2**63, 2**64)")
        self._seed = seed % (1 << 64)
        self._rng = np.random.Generator(np.random.PCG64(self._seed))
        return self

    def initial_seed(self) -> int:
        """The seed the present sequence started from."""
        return self._seed

    def seed(self) -> int:
        """Start from a seed that the operating system supplies, and return it."""
        fresh = int(np.random.SeedSequence().generate_state(1, np.uint64)[0])
        self.manual_seed(fresh)
        return fresh

    def get_state(self) -> Any:
        """The state as a uint8 tensor, for set_state."""
        state: Any = self._rng.bit_generator.state
        words = b"".join(
            int(part).to_bytes(16, "little")
            for part in (
                state["state"]["state"],
                state["state"]["inc"],
                state["has_uint32"],
                state["uinteger"],
                self._seed,
            )
        )
        return wrap(np.frombuffer(words, np.uint8).copy())

    def set_state(self, new_state: Any) -> Generator:
        """Go back to a state that get_state returned."""
        if not isinstance(new_state, TensorBase):
            raise TypeError(f"expected a Tensor that get_state returned, got {new_state!r:.40}")
        if new_state._array.dtype != np.uint8:
            raise TypeError(f"RNG state must be a uint8 tensor, got {new_state._array.dtype}")
        words = new_state._array.tobytes()
        if len(words) != 80:
            raise RuntimeError(f"RNG state is wrong size: {len(words)} bytes, expected 80")
        parts = [int.from_bytes(words[i : i + 16], "little") for i in range(0, 80, 16)]
        self._rng.bit_generator.state = {
            "bit_generator": "PCG64",
            "state": {"state": parts[0], "inc": parts[1]},
            "has_uint32": parts[2],
            "uinteger": parts[3],
        }
        self._seed = parts[4]
        return self

    def clone_state(self) -> Generator:
        """A new generator that continues as this one would."""
        return Generator().set_state(self.get_state())


default_generator = Generator()


def manual_seed(seed: int) -> Generator:
    """Seed the default generator, from which every function draws that is given no other."""
    return default_generator.manual_seed(seed)


def seed() -> int:
    """Seed the default generator from the operating system; returns the seed."""
    return default_generator.seed()


def initial_seed() -> int:
    """The seed of the default generator."""
    return default_generator.initial_seed()


def get_rng_state() -> Any:
    """The default generator's state."""
    return default_generator.get_state()


def set_rng_state(new_state: Any) -> None:
    """Restore the default generator's state."""
    default_generator.set_state(new_state)


@contextlib.contextmanager
def fork_rng(
    devices: Sequence[Any] | None = None, enabled: bool = True, device_type: str = "cpu"
) -> Iterator[None]:
    """Within it the default generator may be used and seeded; after it, it goes on as before."""
    for device in devices or ():
        check_device(device)
    if device_type not in ("cpu", "cuda"):  # "cuda" is PyTorch's default, and means all there are
        check_device(device_type)
    if not enabled:
        yield
        return
    state = default_generator.get_state()
    try:
        yield
    finally:
        default_generator.set_state(state)


def rng_of(generator: Generator | None) -> Any:
    """NumPy's generator behind one of ours, or behind the default one.

    Under vmap, what draws as its ``randomness`` says.
    """
    try:
        rng = (default_generator if generator is None else generator)._rng
    except AttributeError:
        raise TypeError(
            f"generator must be a tensorgrad.Generator, got {type(generator).__name__}; make one "
            "by tensorgrad.Generator().manual_seed(seed)"
        ) from None
    return drawing(rng) if local.context.vmaps else rng
