"""The pictures of a graph and of its explorer in the README and in docs/explorer.md.

    python docs/images/make.py

Writes graph.svg and, where Chromium is installed, explorer.png beside this file.  The other
pictures are made by the examples on the pages that show them, and by benchmarks/.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

import tensorgrad as tg
from tensorgrad import nn, viz

HERE = Path(__file__).resolve().parent
SIZE = (1280, 900)


class Block(nn.Module):
    """A residual block: x + MLP(norm(x))."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.mlp = nn.Sequential(
            nn.Linear(width, 4 * width), nn.ReLU(), nn.Linear(4 * width, width)
        )

    def forward(self, x: tg.Tensor) -> tg.Tensor:
        return x + self.mlp(self.norm(x))


def graph() -> viz.GraphFigure:
    """A small convolutional network with shapes and formulas; the same on every machine."""
    tg.manual_seed(0)
    model = nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(128, 10)
    )
    loss = nn.functional.cross_entropy(model(tg.randn(5, 1, 8, 8)), tg.tensor([1, 2, 3, 4, 5]))
    return viz.graph(loss, model, show=("shape", "formula"), engine="builtin")


def explorer() -> tuple[viz.ExplorerFigure, str]:
    """Eight residual blocks, and the address of a place within."""
    tg.manual_seed(0)
    model = nn.Sequential(*(Block(32) for _ in range(8)), nn.Linear(32, 10))
    with viz.record() as values:
        loss = nn.functional.cross_entropy(model(tg.randn(128, 32)), tg.randint(0, 10, (128,)))
    with viz.trace_backward(loss) as trace:
        loss.backward()
    figure = viz.explore(loss, trace, values, model, title="Eight residual blocks")
    relus = [k for k, node in enumerate(figure.data["nodes"]) if node["op"] == "relu"]
    return figure, f"#node={relus[6]}&step=36"


def photograph(page: Path, address: str, target: Path) -> None:
    """The page in a headless Chromium as a PNG."""
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if program is None:
        print(f"{target.name}: not made, Chromium is not installed")
        return
    with tempfile.TemporaryDirectory() as profile:
        subprocess.run(
            [program, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
             "--no-first-run", f"--user-data-dir={profile}", f"--screenshot={target}",
             f"--window-size={SIZE[0]},{SIZE[1]}", page.as_uri() + address],
            check=True, capture_output=True, timeout=120,
        )  # fmt: skip
    print(target.name)


def main() -> None:
    """Make both."""
    print(graph().save(HERE / "graph.svg").name)
    figure, address = explorer()
    with tempfile.TemporaryDirectory() as folder:
        photograph(figure.save(Path(folder) / "page.html"), address, HERE / "explorer.png")


if __name__ == "__main__":
    main()
