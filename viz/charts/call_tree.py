"""What called what in a profile: the events of one name under one parent, taken together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tensorgrad.profiler.events import FunctionEvent

__all__ = ["Call", "call_tree"]

MODULE = "nn.Module: "  # what ranges of modules begin with


@dataclass
class Call:
    """Events of one name under one parent: their time together (us), and how many there were."""

    name: str
    kind: str  # "forward", "backward", "range", "module"
    total: float = 0.0
    calls: int = 0
    inside: dict[str, Call] = field(default_factory=dict)

    @property
    def own(self) -> float:
        """The time that nothing inside of it took."""
        return max(0.0, self.total - sum(call.total for call in self.inside.values()))

    @property
    def children(self) -> list[Call]:
        """What ran inside, the slowest first."""
        return sorted(self.inside.values(), key=lambda call: -call.total)

    def walk(self, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Call]]:
        """This call and all inside, each with the names of those around it."""
        stack = [(path, self)]
        while stack:
            above, call = stack.pop()
            yield above, call
            stack += [((*above, call.name), inner) for inner in reversed(call.children)]


def call_tree(events: Iterable[FunctionEvent], elapsed: float) -> Call:
    """The whole profile; modules stand around their operations, named ranges around those."""
    root = Call("profile", "range", elapsed, 1)
    found: dict[int, tuple[Call, bool]] = {}  # an event's call, and whether a module is around it
    for event in events:  # parents first: by their start
        above = event.cpu_parent
        parent, inside = (root, False) if above is None else found[id(above)]
        path, cls = event.module
        is_range = event.kind == "range"
        if cls and not inside and not is_range:
            parent = _inner(parent, f"{path} ({cls})" if path else cls, "module")
            parent.total += event.cpu_time_total
            parent.calls += 1
        is_module = is_range and event.name.startswith(MODULE)
        name = _module_name(event.name) if is_module else event.name
        call = _inner(parent, name, "module" if is_module else event.kind)
        call.total += event.cpu_time_total
        call.calls += 1
        found[id(event)] = call, inside or is_module or bool(cls and not is_range)
    return root


def _inner(parent: Call, name: str, kind: str) -> Call:
    return parent.inside.setdefault(name, Call(name, kind))


def _module_name(name: str) -> str:
    """``nn.Module: Linear a.b`` as tables call it, ``a.b (Linear)``."""
    cls, _, path = name.removeprefix(MODULE).partition(" ")
    return f"{path} ({cls})" if path else cls
