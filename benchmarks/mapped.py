"""vmap: the gradients of each of 64 examples, at once, against a loop over the examples."""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

from timing import race

import tensorgrad as tg

SIZES = {"10-64-64-10": (10, 64, 64, 10), "784-300-10": (784, 300, 10)}
EXAMPLES = 64


def build(library: Any, sizes: tuple[int, ...]) -> tuple[Callable[[], Any], Callable[[], Any]]:
    """(vmap(grad(loss)), the loop) over 64 examples of an MLP with tanh."""
    nn, func = library.nn, library.func
    library.manual_seed(0)
    layers: list[Any] = []
    for n, m in pairwise(sizes):
        layers += [nn.Linear(n, m), nn.Tanh()]
    model = nn.Sequential(*layers[:-1])
    parameters = {name: p.detach() for name, p in model.named_parameters()}
    x = library.randn(EXAMPLES, sizes[0])
    target = library.randint(0, sizes[-1], (EXAMPLES,))

    def loss(parameters: Any, row: Any, label: Any) -> Any:
        logits = func.functional_call(model, parameters, (row[None],))
        return nn.functional.cross_entropy(logits, label[None])

    slope = func.grad(loss)
    mapped = func.vmap(slope, in_dims=(None, 0, 0))
    return (
        lambda: mapped(parameters, x, target),
        lambda: [slope(parameters, row, label) for row, label in zip(x, target, strict=True)],
    )


def main(seconds: float) -> dict[str, Any]:
    """Times of both ways, and PyTorch's where it is installed."""
    try:
        import torch
    except ImportError:
        torch = None  # type: ignore[assignment]
    print(f"gradients of each of {EXAMPLES} examples: vmap(grad(loss)) against the loop")
    results: dict[str, Any] = {}
    for name, sizes in SIZES.items():
        mapped, loop = build(tg, sizes)
        ways = {"vmap": mapped, "loop": loop}
        if torch is not None:
            ways["torch vmap"] = build(torch, sizes)[0]
        figures = race(ways, seconds=seconds)
        times = "  ".join(f"{way} {t['median'] * 1e3:7.2f} ms" for way, t in figures.items())
        ratio = figures["loop"]["median"] / figures["vmap"]["median"]
        print(f"  {name:<14} {times}   {ratio:.1f} times faster", flush=True)
        results[name] = {**figures, "speedup": ratio}
    return results
