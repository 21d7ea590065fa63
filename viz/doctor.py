"""`doctor`: what is wrong with a model, from one loss of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tensorgrad.viz.diagnosis import rules
from tensorgrad.viz.diagnosis.examination import examine
from tensorgrad.viz.diagnosis.findings import Findings
from tensorgrad.viz.diagnosis.steps import step_findings
from tensorgrad.viz.figures.words import plural, visible
from tensorgrad.viz.snapshots.naming import is_module, kind_of

if TYPE_CHECKING:
    from tensorgrad.nn import Module
    from tensorgrad.optim import Optimizer

__all__ = ["doctor"]


def doctor(
    model: Module, loss: Any, batch: Any = None, *, optimizer: Optimizer | None = None
) -> Findings:
    """What is wrong with a model: causes, each with its layer, evidence, line and fix.

    model: the Module.
    loss: its loss, in one of three ways:
        a Tensor, before ``backward()`` (afterwards values are gone, and only what the shapes of the
        graph and ``.grad`` tell is checked);
        a function without arguments that computes it, such as the closure of LBFGS;
        a loss function ``loss(output, target)``, with ``batch=(input, ..., target)``.
    optimizer: the one that trains it; then its learning rate is judged too, by the step that it
        would take, taken on copies.

    The Findings print as a list and are false if there are none.  Nothing is changed: no ``.grad``,
    no parameter, no running statistics, no random numbers.  Works before, during and after
    training.  What is looked for, and beyond which limits, is told in docs/doctor.md.
    """
    if not is_module(model):
        raise TypeError(
            f"viz.doctor: model must be a Module, got {kind_of(model)}; "
            "doctor(model, loss), or doctor(model, loss_function, (input, target))"
        )
    facts = examine(model, loss, batch)
    found = [
        *rules.not_finite(facts),
        *rules.softmax_before_cross_entropy(facts),
        *rules.broadcast_loss(facts),
        *rules.constant_predictor(facts),
        *rules.tiny_initialisation(facts),
        *rules.dead_units(facts),
        *rules.saturation(facts),
        *rules.gradient_sizes(facts),
        *rules.unused_parameters(facts),
        *rules.zero_gradients(facts),
    ]
    if optimizer is not None:
        lost = {"vanishing gradient", "tiny initialisation", "constant predictor"}
        small = any(f.cause in lost for f in found)  # then a larger rate is no cure for small steps
        steps = step_findings(facts, optimizer)
        found += [f for f in steps if not (small and f.cause == "learning rate too low")]
    examined = (
        f"{plural(len(facts.nodes), 'operation')} and "
        f"{plural(len(facts.parameters), 'parameter')} of {type(model).__name__} were examined"
    )
    if facts.freed:
        examined += (
            ", but not the values: backward() has freed them. Call the doctor before it, or give a "
            "function that computes the loss"
        )
    if optimizer is None:
        examined += "; not the learning rate: optimizer= was not given"
    return Findings(found, visible(f"Doctor, {type(model).__name__}"), examined + ".")
