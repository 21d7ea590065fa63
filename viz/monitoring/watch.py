"""What a `Monitor` does while a model is trained: at some steps it copies a few numbers.

Nothing is computed here, and nothing is done at the other steps: the optimizer counts them.  What
is done at a look is spelled out in few functions: since the look before, ten steps ago, the caches
have forgotten it all, and a call that takes a microsecond in a loop takes five here.
"""

from __future__ import annotations

from io import BytesIO
from math import nan
from typing import TYPE_CHECKING, Any

from tensorgrad.optim.hooks import Appointment
from tensorgrad.viz.monitoring.activity import Activation, Activity
from tensorgrad.viz.monitoring.layout import Form, Layout, Place
from tensorgrad.viz.monitoring.records import Raw, Recorder

if TYPE_CHECKING:
    from tensorgrad.nn import Module
    from tensorgrad.optim import Optimizer

__all__ = ["Watch"]

# Of the parameters the start and form; of gradients the start, their form and which there are.
Before = tuple[int, Form, int, tuple[Form, tuple[int, ...] | None] | None]
WALK = 32  # looks from one walk through all modules to the next
_new: Any = tuple.__new__  # a NamedTuple's own goes through two more calls


class Watch:
    """Looks at a model around every so-manieth step of an optimizer, until `end`.

    names: of all parameters that were ever seen, with their numbers; ``shapes`` by number.
    """

    def __init__(
        self,
        model: Module,
        optimizer: Optimizer,
        every: int,
        sample: int,
        activations: bool | None,
        records: int,
    ) -> None:
        self.model, self.optimizer, self.every = model, optimizer, every
        self.names: dict[str, int] = {}
        self.shapes: list[tuple[int, ...]] = []
        self.recorder = Recorder(records)
        self.activity = None if activations is False else Activity(model, self._put)
        self._always = activations is True
        self._rest = 0  # looks until the next at which activations are watched
        self._sample = sample
        self._looks = self._walk = 0  # looks taken, and when next to walk through the modules
        self._places: list[Place] = []
        self._layout = Layout((), sample)
        # Of the parameters in the layout: their numbers, and the ids of the tensors.
        self._about: tuple[tuple[int, ...], tuple[int, ...]] = (), ()
        # Of the optimizer's groups at the last look: rates and sizes; rates and ids of parameters.
        self._rates: list[tuple[float, int]] = []
        self._groups: list[tuple[float, tuple[int, ...]]] = []
        # Of this look: where to write, and what was written before the step.
        self._block = BytesIO()
        self._before: Before | None = None
        self._start = optimizer._begun + 1  # the number of the first step, which is 0 here
        self._due = self._start  # the next to look at
        self._end: int | None = None  # how many steps there were when it ended
        self._look = Appointment(0, self._before_step, self._after_step)
        self._eyes = Appointment(0, None, self._open_eyes)
        self._prepare()

    @property
    def steps(self) -> int:
        """How many steps were begun while it watched."""
        if self._end is not None:
            return self._end
        return self.optimizer._begun + 1 - self._start

    @property
    def ended(self) -> bool:
        """Whether it watches no longer."""
        return self._end is not None

    def end(self) -> None:
        """Model and optimizer are as before."""
        if self._end is not None:
            return
        self._end = self.steps
        self.optimizer._call_off(self._look)
        self.optimizer._call_off(self._eyes)
        self._before = None
        if self.activity is not None:
            self.activity.remove()

    # --- The next look ---------------------------------------------------------------------------

    def _prepare(self) -> None:
        """Arrange for the next look.

        Activations are watched from the end of the step before it, so that a closure that this one
        may call is not.
        """
        activity = self.activity
        self._look.step = self._due
        if activity is not None and not self._rest:
            if self.optimizer._begun < self._due - 1:
                self._eyes.step = self._due - 1
                self.optimizer._expect(self._eyes)
                return
            activity.install()
        self.optimizer._expect(self._look)

    def _open_eyes(self, optimizer: Any, args: Any, kwargs: Any) -> None:
        """Called after the step before one whose activations are looked at."""
        if self._end is None:
            self._due = optimizer._begun + 1  # later than it was, if steps have failed
            self._prepare()

    # --- A look ----------------------------------------------------------------------------------

    def _put(self, array: Any) -> tuple[BytesIO, int]:
        return self.recorder.shelf.put(array)

    def _before_step(self, optimizer: Any, args: Any, kwargs: Any) -> None:
        if self._end is not None:  # since this step began
            return
        layout = self._layout
        self._looks += 1
        # Walking through the modules takes longer than all else with a small model.
        if self._looks >= self._walk or not layout.holds():
            layout = self._look_up()
        self._block = block = self.recorder.shelf.block(3 * layout.nbytes)
        start = block.tell()
        form = layout.write(block)
        gradients = None
        if (len(args) == 1 and not kwargs) or _closure(*args, **kwargs) is None:
            gradients = layout.write_gradients(block)
        # else they are computed within the step: those that are there now are old.
        self._before = start, form, start + layout.nbytes, gradients

    def _look_up(self) -> Layout:
        """The parameters as they are now, and the optimizer's groups."""
        self._rates.clear()
        if self._looks >= self._walk:
            self._walk = self._looks + WALK
            places = _places(self.model)
            moved = _identities(places) != _identities(self._places)
            self._places = places
            if not moved and self._layout.holds():
                return self._layout
        self._layout = layout = Layout(self._places, self._sample)
        for name, shape in zip(layout.names, layout.shapes):
            number = self.names.setdefault(name, len(self.names))
            self.shapes[number:] = [shape, *self.shapes[number + 1 :]]
        self._about = tuple(self.names[name] for name in layout.names), layout.ids
        return layout

    def _after_step(self, optimizer: Any, args: Any, kwargs: Any) -> None:
        if self._before is None:  # it has ended
            return
        layout, activity, recorder, block = self._layout, self.activity, self.recorder, self._block
        start, form, middle, gradients = self._before
        self._before = None
        step = optimizer._begun - self._start
        try:
            if gradients is None:
                middle, gradients = block.tell(), layout.write_gradients(block)
            third = block.tell()
            forms = form, gradients[0], layout.write_anew(block)
            rates = [(float(g.get("lr", nan)), len(g["params"])) for g in optimizer.param_groups]
            if rates != self._rates:
                if len(rates) != len(self._groups):
                    self._walk = 0  # there is a new group: maybe there are new parameters
                self._rates = rates
                ids = (tuple(map(id, group["params"])) for group in optimizer.param_groups)
                self._groups = [(rate, of_group) for (rate, _), of_group in zip(rates, ids)]
            seen: tuple[Activation, ...] = ()
            which, nbytes, output = gradients[1], 3 * layout.nbytes, None
            if activity is not None and activity.watching:
                seen, output = tuple(activity.found.values()), activity.output
                nbytes += activity.nbytes
            recorder.waiting.append(
                _new(Raw, (
                    step, self._about, forms, block, (start, middle, third), which,
                    None if which is None else self._missing(which), self._groups,
                    seen, output, nbytes,
                ))
            )  # fmt: skip
            recorder.nbytes += nbytes
            if recorder.nbytes >= recorder.most or len(recorder.waiting) >= recorder.room:
                self.every *= 2 if recorder.tidy() else 1
        finally:
            step += 1
            self._due = self._start + step + -step % self.every
            if activity is not None:
                if activity.watching:
                    activity.remove()
                    # Where it is not the model but its parts that are called, the next look will
                    # see them.
                    often = self._always or not activity.called
                    self._rest = 1 if often else _rest(self._looks)
                self._rest -= 1
            self._prepare()

    def _missing(self, which: tuple[int, ...]) -> dict[int, str]:
        """Why parameters have no gradient, by number."""
        missing = {}
        numbers = self._about[0]
        for k in set(range(len(numbers))).difference(which):
            frozen = not self._layout.params[k].requires_grad
            missing[numbers[k]] = "frozen" if frozen else "no gradient"
        return missing


def _rest(looks: int) -> int:
    """How many looks from one at activations to the next: a look at them costs most."""
    return 4 if looks < 32 else 8 if looks < 256 else 16


def _closure(optimizer: Any, closure: Any = None, **others: Any) -> Any:
    return closure


def _places(model: Module) -> list[Place]:
    """Where the parameters stand, each once, under the name that named_parameters has."""
    found: list[Place] = []
    seen: set[int] = set()
    for path, module in model.named_modules():
        for key, p in module._parameters.items():
            if p is not None and id(p) not in seen:
                seen.add(id(p))
                found.append((f"{path}.{key}" if path else key, module._parameters, key))
    return found


def _identities(places: list[Place]) -> list[tuple[str, int, str]]:
    return [(name, id(table), key) for name, table, key in places]
