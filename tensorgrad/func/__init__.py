"""Functions in, functions out: gradients, Jacobians and Hessians of Python functions.

The names and arguments are those of ``torch.func``.  Nothing here knows how to differentiate:
`grad` runs the function on fresh leaves and asks the engine, with recording on, so that the
result can be differentiated again by whoever is outside.
"""

from tensorgrad.func.gradients import grad, grad_and_value, hvp, jvp, linearize, value_and_grad, vjp
from tensorgrad.func.jacobians import hessian, jacfwd, jacobian, jacrev
from tensorgrad.func.mapping import vmap
from tensorgrad.func.rearranging import rearrange
from tensorgrad.func.stateless import (
    functional_call,
    replace_all_batch_norm_modules_,
    stack_module_state,
)

__all__ = [
    "functional_call",
    "grad",
    "grad_and_value",
    "hessian",
    "hvp",
    "jacfwd",
    "jacobian",
    "jacrev",
    "jvp",
    "linearize",
    "rearrange",
    "replace_all_batch_norm_modules_",
    "stack_module_state",
    "value_and_grad",
    "vjp",
    "vmap",
]
