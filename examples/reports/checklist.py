"""Every row that the five reports are held to: what it is, and what the report has."""

from __future__ import annotations

GRID = (
    "[64], 10 epochs, 1e-3", "[128], 10 epochs, 1e-3", "[64], 30 epochs, 1e-3",
    "[128], 30 epochs, 1e-3", "[128, 64], 10 epochs, 1e-3", "[128, 256], 10 epochs, 1e-3",
    "[128, 64], 30 epochs, 1e-3", "[128, 256], 30 epochs, 1e-3",
    "[128, 128, 256], 10 epochs, 1e-3", "[128, 128, 64], 10 epochs, 1e-2",
    "[128, 128, 64], 30 epochs, 1e-2", "[128, 128, 256], 30 epochs, 1e-3",
    "[256, 128, 64, 64], 10 epochs, 1e-2", "[256, 128, 64, 64], 30 epochs, 1e-2",
    "[256, 128, 64, 64], 10 epochs, 1e-3",
)  # fmt: skip
GRID_ACCURACIES = (
    0.523, 0.520, 0.563, 0.563, 0.510, 0.543, 0.539, 0.566, 0.541, 0.445, 0.530, 0.543, 0.442,
    0.520, 0.078,
)  # fmt: skip

TITLES = {
    "000": "MLP, batch norm and CNN on CIFAR-10 (UvA)",
    "001": "a two-layer network and a grid of MLPs on CIFAR-10 (Sapienza)",
    "002": "an MLP from scratch, on points in the plane and on MNIST (VU Amsterdam)",
    "003": "MLP, weight norm, batch norm and CNN on CIFAR-10 (UvA)",
    "004": "layers, momentum and small CNNs on MNIST and CIFAR-10 (Lund)",
}

# id: (what it is, what the report prints)
ROWS = {
    "000-F1": ("1.1.a: cross-entropy", "−1 / x_argmax(t)"),
    "000-F2": ("1.1.a: Jacobian of softmax", "Sᵢ (δᵢⱼ − Sⱼ)"),
    "000-F3": ("1.1.a: derivative of ReLU", "1 where i = j"),
    "000-F4": ("1.1.a: linear layer, input", "W"),
    "000-F5": ("1.1.a: linear layer, weight", "x_k"),
    "000-F6": ("1.1.a: linear layer, bias", "1 where i = j"),
    "000-F7": ("1.1.b: scores", "δ · Jacobian"),
    "000-F8": ("1.1.b: before ReLU", "δ ⊙ relu'(x)"),
    "000-F9": ("1.1.b: input of a layer", "Wᵀ δ"),
    "000-F10": ("1.1.b: weight", "outer product of δ and x"),
    "000-F11": ("1.1.b: bias", "δ"),
    "000-F12": ("1.1.c: batches", "biases: sum over the batch; Jacobian: three dimensions"),
    "000-N1": ("1.2: default MLP in NumPy, test accuracy", "46.5 %"),
    "000-P1": ("Fig. 1: training accuracy and loss, test accuracy", "figure"),
    "000-M1": ("2: best SGD model, 3 x 300", "curve only; Adam's best is better"),
    "000-M2": ("2: best Adam model, test accuracy", "51.5 %"),
    "000-M3": ("2: what helps", "signs of effects"),
    "000-P2": ("Fig. 2: the best SGD and Adam models", "figure"),
    "000-F13": ("3.2: batch norm, γ and β", "Σ δ x̂ and Σ δ"),
    "000-F14": ("3.2: batch norm, x", "dxm1 + dxm2"),
    "000-C1": ("4: CNN beside MLP", "better in accuracy and loss"),
    "000-P3": ("Fig. 3: CNN accuracy and loss", "figure"),
    "001-F1": ("1.1: mean cross-entropy by the scores", "(ψ − Δ) / N"),
    "001-F2": ("1.1: derivative of softmax, first line", "∂(−e^z / Σ e^z)"),
    "001-F3": ("1.2: W2, with λ(|W1|² + |W2|²)", "(ψ − Δ) a2ᵀ / N + 2λ W2"),
    "001-F4": ("1.3: W1, b2, b1", "chain with Wᵀ, φ' and ones"),
    "001-T0": ("2: the assignment's toy network", "scores, loss 1.30378789133, gradients"),
    "001-N0": ("2: default network (50 hidden)", "underfits"),
    "001-N1": ("2: tuned network (512 hidden)", "train 53.4 %, validation 51.4 %, test 50.9 %"),
    "001-M0": ("3.1: two layers, 10 epochs, validation accuracy", "50.9 %"),
    **{
        f"001-M{k}": (f"Table 1: {what}", f"{100 * accuracy:.1f} %")
        for k, (what, accuracy) in enumerate(zip(GRID, GRID_ACCURACIES, strict=True), 1)
    },
    "001-M16": ("3.2: [128, 256], 30 epochs, test accuracy", "56.2 %"),
    "001-D1": ("why the last row of Table 1 is below chance", "not explained"),
    "002-F1": ("Q1, Q2: cross-entropy and softmax", "−1/yᵢ; two cases; yᵢ − δ_ic"),
    "002-F2": ("Q3: the worked example", "v_d, b2_d, w_d, b1_d; the code o_d[c] = -1"),
    "002-N1": ("Q4: scalar network 2-3-2", "epoch losses .1613 to .0882"),
    "002-P1": ("Fig. 1: its loss, means of 100 steps", "figure"),
    "002-N2": ("Q5: 784-300-10, single images", "epoch losses .6391 to .1644"),
    "002-P2": ("Fig. 2: its loss in 300 points", "figure"),
    "002-F3": ("Q6: V and b2 over a batch", "hᵀ O; O · 1"),
    "002-N3": ("Q6: batches of 50, 20 epochs", "faster, and a lower final loss"),
    "002-P3": ("Fig. 3: its loss", "figure"),
    "002-V1": ("Q7.1: training and validation loss", "train .8518 to .1413, val .4219 to .1796"),
    "002-P4": ("Fig. 4: training and validation loss", "figure"),
    "002-V2": ("Q7.2, Fig. 5: mean and deviation over 3 runs, two windows", "figure"),
    "002-V3": ("Q7.3: six learning rates", "twelve losses; 0.03 is best"),
    "002-V4": ("Q7.4, Fig. 6: accuracy at rate 0.03", "train 96.79 %, validation 96.32 %"),
    "003-F1": ("1.1.a: cross-entropy", "−t / x"),
    "003-F2": ("1.1.a: softmax", "diag(x) − x xᵀ"),
    "003-F3": ("1.1.a, b: ReLU", "ReLU_back(x), elementwise"),
    "003-F4": ("1.1.a, b: linear layer, input", "W; δ W"),
    "003-F5": ("1.1.a, b: linear layer, weight", "x; δᵀ x"),
    "003-F6": ("1.1.a, b: linear layer, bias", "1; δ"),
    "003-F7": ("1.1.c: batches", "average the gradient, sum the parameters'"),
    "003-N1": ("1.2: default MLP in NumPy, test accuracy", "46.45 %"),
    "003-P1": ("Fig. 1: accuracy every 100 batches, loss every batch", "figure"),
    "003-N2": ("2, Fig. 2: the same curves in both implementations", "same curves"),
    "003-M1": ("2: deep MLP with weight norm and dropout, test accuracy", "60.4 %"),
    "003-P2": ("Fig. 3: the deep MLP", "figure"),
    "003-F8": ("3.2: batch norm; x left open", "Σ δ x̂; Σ δ; three terms, not completed"),
    "003-C1": ("4, Fig. 4: mini-VGG, test accuracy", "78 %"),
    "004-F1": ("Ex. 1: dense layer", "Wᵀ δ; δ xᵀ; δ"),
    "004-F2": ("Ex. 2: dense layer, batch", "Wᵀ ∂L/∂Y; ∂L/∂Y Xᵀ; ∂L/∂Y 1"),
    "004-F3": ("Ex. 3: ReLU", "∂L/∂y θ(x), 0 at 0"),
    "004-F4": ("Ex. 4: softmax loss", "(y − δ) / N"),
    "004-F5": ("2: momentum", "m ← μ m + (1 − μ) g; w ← w − α m"),
    "004-T1": ("Table 1: parameters of the MNIST network", "416, 6416, 7850"),
    "004-P1": ("Fig. 1: first-layer kernels", "figure"),
    "004-P2": ("Fig. 2: misclassified digits", "figure"),
    "004-P3": ("Fig. 3: confusion matrix", "figure"),
    "004-T2": ("Table 2: precision and recall, MNIST", "implies 97.1 % accuracy"),
    "004-N1": ("Ex. 7: baseline, CIFAR-10, test accuracy", "48 %"),
    "004-N2": ("Ex. 7: modified network, test accuracy", "58 %"),
    "004-T3": (
        "Table 3: parameters of the modified network",
        "1216, 9624, 14424, 3472, 2320, 20500, 210",
    ),
    "004-P4": ("Fig. 4: learning curves, moving average", "figure"),
    "004-P5": ("Fig. 5: colour kernels", "figure"),
    "004-P6": ("Fig. 6: misclassified images", "figure"),
    "004-P7": ("Fig. 7: confusion matrix", "figure"),
    "004-T4": ("Table 4: precision and recall, CIFAR-10", "swapped, and not of a model with 58 %"),
}


def rows_of(number: str) -> list[str]:
    """The ids of one report, in its order."""
    return [id for id in ROWS if id.startswith(number)]
