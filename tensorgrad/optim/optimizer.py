"""The base of all optimizers: parameter groups, per-parameter state, zero_grad and repr."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any, ClassVar, TypeAlias, cast

from tensorgrad.errors import describe
from tensorgrad.graph.provenance import warn
from tensorgrad.optim.hooks import (
    HookTables,
    PostHook,
    PreHook,
    StateDict,
    register_optimizer_step_post_hook,
    register_optimizer_step_pre_hook,
    with_step_hooks,
)
from tensorgrad.optim.state import load_state, packed_state
from tensorgrad.tensor import Tensor

__all__ = [
    "Optimizer",
    "ParamsT",
    "number",
    "register_optimizer_step_post_hook",
    "register_optimizer_step_pre_hook",
    "required",
]

ParamsT: TypeAlias = Iterable[Tensor] | Iterable[dict[str, Any]] | Iterable[tuple[str, Tensor]]

# PyTorch's switches that would need what is not here. ``foreach`` and ``fused`` are taken: they
# choose between implementations of one and the same step, of which there is one here.
_SWITCHES = {
    "capturable": "there are no CUDA graphs to capture",
    "differentiable": "steps write into the parameters and are not recorded; for a gradient "
    "through a step write the update with tensor operations",
}


class _Required:
    def __repr__(self) -> str:
        return "<required parameter>"


# The default of an option that each group must give.
required = _Required()


def number(value: Any) -> float:
    """A hyperparameter as a Python float: a number or a tensor of one element."""
    return float(value.item()) if isinstance(value, Tensor) else float(value)


class Optimizer(HookTables):
    """Base class of optimizers: a subclass gives ``defaults`` to ``__init__`` and writes `step`.

    params: tensors, ``(name, tensor)`` pairs, or dicts, one for each parameter group, of which
    ``"params"`` holds the tensors and the other items replace the defaults.
    defaults: the values of the options that a group does not give.

    ``param_groups`` is the list of groups, ``state`` maps each parameter to a dict of what is
    remembered about it; it is filled when the parameter takes its first step.
    """

    OptimizerPreHook: TypeAlias = PreHook
    OptimizerPostHook: TypeAlias = PostHook

    _opt_called = False  # set by the first step, read by schedulers
    # Numbers besides the count of steps that each parameter's state has.
    _numbers: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "step" in cls.__dict__:
            cls.step = with_step_hooks(cls.__dict__["step"])  # type: ignore[method-assign]

    @staticmethod
    def profile_hook_step(func: Callable[..., Any]) -> Callable[..., Any]:
        """A ``step`` with the hooks around it, as each class's own ``step`` is without asking."""
        return with_step_hooks(func)

    def __init__(self, params: ParamsT, defaults: dict[str, Any]) -> None:
        if isinstance(params, Tensor):
            raise TypeError(
                f"{type(self).__name__}: params must be an iterable of Tensors or dicts, but got "
                f"one Tensor, {describe(params)}; put it into a list"
            )
        if not isinstance(params, Iterable):
            raise TypeError(
                f"{type(self).__name__}: params must be an iterable of Tensors or dicts, but got "
                f"{type(params).__name__}{_hint(params)}"
            )
        self.defaults = defaults
        self.state: defaultdict[Tensor, Any] = defaultdict(dict)
        self.param_groups: list[dict[str, Any]] = []
        self._make_hook_tables()
        groups = list(params)
        if not groups:
            raise ValueError(
                f"{type(self).__name__}: optimizer got an empty parameter list (an iterator such "
                "as model.parameters() can be gone through only once)"
            )
        if not isinstance(groups[0], dict):
            groups = [{"params": groups}]
        for group in groups:
            self.add_param_group(cast("dict[str, Any]", group))

    # --- Groups ----------------------------------------------------------------------------------

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Optimize more parameters: ``{"params": [...], option: value, ...}``.

        Options that are left out get the defaults. Raises TypeError for what is not a Tensor or
        has no order, ValueError for a tensor that is not a leaf, is in another group, or is named
        where others are not; the optimizer and the dict are then as they were.
        """
        name = f"{type(self).__name__}.add_param_group"
        if not isinstance(param_group, dict):
            raise TypeError(f"{name}: param_group must be a dict, but got {type(param_group)}")
        if "params" not in param_group:
            raise KeyError(f"{name}: the group has no 'params'; it has {list(param_group)}")
        tensors, names = self._tensors_and_names(name, param_group["params"])
        options = dict(param_group)
        for option, default in self.defaults.items():
            if default is required and option not in options:
                raise ValueError(
                    f"{name}: parameter group didn't specify a value of required optimization "
                    f"parameter {option}"
                )
            options.setdefault(option, default)
        self._refuse_switches(options)
        given = set(map(id, tensors))
        if len(given) != len(tensors):
            warn(
                f"{name}: optimizer contains a parameter group with duplicate parameters, each of "
                "which takes several steps at once"
            )
        named = bool(names) or "param_names" in param_group
        for other in self.param_groups:
            if named != ("param_names" in other):
                with_or_without = "with names" if named else "without names"
                raise ValueError(
                    f"{name}: all optimizer param groups should be with/without names; cannot add "
                    f"a group {with_or_without}"
                )
            if not given.isdisjoint(map(id, other["params"])):
                raise ValueError(f"{name}: some parameters appear in more than one parameter group")
        # The user's own dict becomes the group, as in PyTorch: schedulers' users rely on that.
        param_group.update(options)
        param_group["params"] = tensors
        if names:
            param_group["param_names"] = names
        self.param_groups.append(param_group)

    def _tensors_and_names(self, name: str, params: Any) -> tuple[list[Tensor], list[str]]:
        if isinstance(params, set):
            raise TypeError(
                f"{name}: optimizer parameters must be in an ordered collection, but the order of "
                "a set changes between runs; use a list"
            )
        items = [params] if isinstance(params, Tensor) else list(params)
        names = [item[0] for item in items if isinstance(item, tuple)]
        tensors = [item[1] if isinstance(item, tuple) else item for item in items]
        if names and len(names) != len(items):
            raise ValueError(
                f"{name}: all optimizer params should be with/without names; {len(names)} of "
                f"{len(items)} have one"
            )
        for tensor in tensors:
            if not isinstance(tensor, Tensor):
                raise TypeError(
                    f"{name}: optimizer can only optimize Tensors, but one of the params is "
                    f"{type(tensor).__name__}{_hint(tensor)}"
                )
            if not (tensor.is_leaf or tensor.retains_grad):
                raise ValueError(
                    f"{name}: can't optimize a non-leaf Tensor: {describe(tensor)} is the result "
                    f"of {tensor.grad_fn!r}; use detach().requires_grad_() or optimize what it was "
                    "computed from"
                )
        return tensors, names

    def _refuse_switches(self, group: dict[str, Any]) -> None:
        for switch, reason in _SWITCHES.items():
            if group.get(switch):
                raise RuntimeError(
                    f"{type(self).__name__}: {switch}={group[switch]!r} is not supported here: "
                    f"{reason}; leave it out"
                )
        if group.get("foreach") and group.get("fused"):
            raise RuntimeError(
                f"{type(self).__name__}: `fused` and `foreach` cannot be `True` together"
            )

    # --- Steps -----------------------------------------------------------------------------------

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients of all parameters, or set them to zero in place."""
        for group in self.param_groups:
            for p in group["params"]:
                if set_to_none:
                    p._grad = None
                    continue
                if p.grad is None:
                    continue
                if p.grad.grad_fn is not None:
                    p.grad.detach_()
                else:
                    p.grad.requires_grad_(False)
                p.grad.zero_()

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Take one step; ``closure`` computes the loss and its gradients anew and returns it."""
        raise NotImplementedError(f"{type(self).__name__} does not define step()")

    # --- State -----------------------------------------------------------------------------------

    def state_dict(self) -> StateDict:
        """``{"state": {number: {...}}, "param_groups": [...]}`` as in PyTorch.

        Parameters are replaced by their numbers in the order of the groups. The tensors are those
        that the optimizer goes on writing: copy.deepcopy the dict to keep a moment of training.
        """
        for before in self._save_pre.values():
            before(self)
        packed = packed_state(self.state, self.param_groups)
        for after in self._save_post.values():
            changed = after(self, packed)
            if changed is not None:
                packed = changed
        return packed

    def load_state_dict(self, state_dict: StateDict) -> None:
        """Continue from a `state_dict`; groups and parameters are matched by their order.

        The tensors are copied (PyTorch shares them, so that two optimizers loaded from one dict
        write into each other's momentum) and get their parameters' dtypes. Raises ValueError if
        the groups do not fit; nothing is changed then.
        """
        state_dict = dict(state_dict)  # a hook that edits it does not edit the caller's
        for before in self._load_pre.values():
            changed = before(self, state_dict)
            if changed is not None:
                state_dict = changed
        loaded = load_state(
            type(self).__name__, state_dict, self.param_groups, ("step", *self._numbers)
        )
        for group in loaded["param_groups"]:
            self._refuse_switches(group)
        self._check_loaded(loaded)
        self.__setstate__(loaded)
        for after in self._load_post.values():
            after(self)

    def _check_loaded(self, loaded: StateDict) -> None:
        """Raise ValueError if this optimizer cannot continue from such a state."""

    def __getstate__(self) -> dict[str, Any]:
        return {
            "defaults": self.defaults,
            "state": self.state,
            "param_groups": self.param_groups,
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        if "_stepping" not in self.__dict__:  # unpickled or deep-copied
            self._make_hook_tables()

    def __repr__(self) -> str:
        groups = []
        for i, group in enumerate(self.param_groups):
            options = [f"    {key}: {group[key]}\n" for key in sorted(group) if key != "params"]
            groups.append(f"\nParameter Group {i}\n" + "".join(options))
        return f"{type(self).__name__} ({''.join(groups)})"


def _hint(params: Any) -> str:
    """What to write instead, if a module was given."""
    return "; pass its parameters()" if hasattr(params, "parameters") else ""
