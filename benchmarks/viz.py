"""Drawing large graphs: capture, layout and SVG of 60, 600 and 5,000 nodes, and their explorer.

    python benchmarks/viz.py

Seconds, the best of three.  The browser's share is measured by tests/viz/browser (with ``-s``).
"""

import time
from collections.abc import Callable
from typing import Any

import tensorgrad as tg
from tensorgrad import nn, viz


class Skip(nn.Module):
    """Two linear layers beside a skip, about ten nodes."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b = nn.Linear(4, 4), nn.Linear(4, 4)

    def forward(self, x: tg.Tensor) -> tg.Tensor:
        return (x + self.b(self.a(x).relu())) * x.tanh()


def best(call: Callable[[], Any], times: int = 3) -> tuple[float, Any]:
    """The shortest time of some calls, and the last result."""
    spent = []
    for _ in range(times):
        start = time.perf_counter()
        made = call()
        spent.append(time.perf_counter() - start)
    return min(spent), made


def main() -> dict[str, Any]:
    """Measure and print; the figures by number of nodes."""
    print("drawing with the built-in layout: seconds")
    figures = {}
    for nodes in (60, 600, 5000):
        model = nn.Sequential(*(Skip() for _ in range(nodes // 10)))

        def forward(model: nn.Module = model) -> tg.Tensor:
            return model(tg.ones(2, 4)).sum()

        plain, loss = best(forward)

        def recorded(forward: Callable[[], tg.Tensor] = forward) -> viz.Recording:
            with viz.record() as recording:
                forward()
            return recording

        watched, recording = best(recorded)
        with viz.trace_backward(loss) as trace:
            loss.backward()

        def draw(loss: tg.Tensor = loss, fold: bool = False) -> viz.GraphFigure:
            return viz.graph(loss, fold_repeats=fold, engine="builtin")

        captured, figure = best(draw)
        placed, _ = best(lambda draw=draw: draw().layout())
        drawn, _ = best(lambda draw=draw: draw().svg())
        folded, _ = best(lambda draw=draw: draw(fold=True).svg())
        explored, page = best(
            lambda loss=loss, trace=trace, recording=recording: viz.explore(
                loss, trace, recording
            ).html()
        )
        found = {
            "nodes": len(figure.snapshot.vertices),
            "capture": captured,
            "capture and layout": placed,
            "capture, layout and SVG": drawn,
            "folded, to SVG": folded,
            "explorer's page": explored,
            "forward": plain,
            "forward, recorded": watched,
            "page in kB": len(page) / 1000,
        }
        figures[str(nodes)] = found
        print("  " + ", ".join(f"{name} {value:.3g}" for name, value in found.items()), flush=True)
    return figures


if __name__ == "__main__":
    main()
