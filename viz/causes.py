"""The names of what can be wrong, the limits beyond which it is, and what to do about it.

The limits are wide on purpose: a healthy model, at its first step or its last, must give no finding
(tests hold examples to that).  Each is explained in docs/doctor.md with what was measured.
"""

from __future__ import annotations

__all__ = ["FIXES", "LIMITS"]

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
    "exploded": 1e3,  # gradient relative to the parameter
    "dead": 0.4,  # share of a layer's units
    "saturated": 0.5,  # share of a layer's outputs
    "constant": 1e-4,  # deviation of the outputs over the batch, relative to their size
    "high": 0.1,  # update relative to the parameter
    "low": 1e-6,
}
