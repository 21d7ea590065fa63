"""The names of what can be wrong, the limits beyond which it is, and what to do about it.

The limits are wide on purpose: a healthy model, at its first step or its last, must give no finding
(tests hold examples to that).  Each is explained in docs/doctor.md with what was measured.
"""

from __future__ import annotations

__all__ = ["DATA_FIX", "FIXES", "LIMITS", "ZERO_GRADIENT_FIX"]

FIXES = {
    "vanishing gradient": (
        "Use ReLU (or GELU) instead of sigmoid or tanh, an initialisation that fits it "
        "(nn.init.kaiming_normal_), normalisation layers or skip connections."
    ),
    "tiny initialisation": (
        "Initialise with the scale that keeps the size of the signal: "
        "nn.init.kaiming_normal_(weight, nonlinearity='relu'), or leave the layer's default."
    ),
    "exploding gradient": (
        "Clip it (nn.utils.clip_grad_norm_(model.parameters(), 1.0)), scale the inputs to about "
        "unit size, initialise with smaller weights, or lower the learning rate."
    ),
    "dead units": (
        "Lower the learning rate, initialise biases with 0, scale the inputs to about unit size; "
        "LeakyReLU keeps a gradient below 0. Units that are dead stay so: initialise them anew."
    ),
    "saturation": (
        "Scale the inputs to about unit size and initialise with smaller weights "
        "(nn.init.xavier_normal_), or use ReLU in hidden layers."
    ),
    "constant predictor": (
        "The inputs do not reach the output: mend the causes named beside this one, initialise "
        "anew (a collapsed model does not recover), and check that the inputs differ."
    ),
    "softmax before cross-entropy": (
        "Give cross_entropy the scores themselves (remove the softmax): it applies log_softmax. "
        "For log-probabilities use nll_loss."
    ),
    "broadcast loss": (
        "Give both the same shape: output.squeeze(-1), or target.unsqueeze(-1)."
    ),
    "unused parameter": (
        "Use it in forward, remove it, or freeze it with requires_grad_(False); look for a "
        "detach(), .data or no_grad() on the way to the loss."
    ),
    "parameter that never changes": (
        "Give it to the optimizer (optim.SGD(model.parameters(), ...) after the model is complete) "
        "with a learning rate above 0, or freeze it with requires_grad_(False)."
    ),
    "learning rate too high": "Divide the learning rate by 10, or warm it up over the first steps.",
    "learning rate too low": "Multiply the learning rate by 10 until updates are near 1e-3.",
    "NaN or infinity": (
        "Keep the operation away from where it is not finite: clamp or add an eps before log, "
        "sqrt and division, use cross_entropy or log_softmax instead of log(softmax), lower the "
        "learning rate."
    ),
}  # fmt: skip

LIMITS = {
    "vanished": 1e-4,  # gradient of a weight, relative to the largest of the model
    "exploded": 1e3,  # gradient relative to the parameter, for a loss that is a mean
    "exploded in training": 3e4,  # where it is not known whether the loss is a mean or a sum
    "grown": 1e3,  # or relative to what it was at first, if it is above the first of these limits
    # Share of a layer's units. Of a layer behind a narrow one half are 0 for every example from the
    # start, by the sign of their bias, and learn all the same.
    "dead": 0.75,
    "saturated": 0.5,  # share of a layer's outputs
    "constant": 1e-4,  # deviation of the outputs over the batch, relative to their size
    "high": 0.3,  # update relative to the parameter, over the last records
    "low": 1e-6,
    "high at once": 0.5,  # of a single step: the first of Adam is longer than those that follow
    "overshoot": 10.0,  # what a step promises, relative to the loss there is
    "large input": 10.0,
    "indifferent": 1e-5,  # deviation of probabilities over the batch: 6e-4 in a healthy deep MLP
    "gain": 0.1,  # size of a layer's output relative to its input, by its weights
    "passed": 1e-4,  # that of several small layers together
}

# Of NaN in what the program was given.
DATA_FIX = (
    "Look at the data before the model gets them: missing values, a division by a deviation of 0, "
    "a logarithm of 0; leave such examples out, or fill them (nan_to_num)."
)

# Of a parameter that never changes because its gradient is 0: no optimizer is at fault.
ZERO_GRADIENT_FIX = (
    "No optimizer moves it then: mend what makes its gradient 0, dead or saturated units behind it "
    "or a factor of 0, or freeze it with requires_grad_(False)."
)
