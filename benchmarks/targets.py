"""The bars: what each figure should reach, in one place.

A figure is tensorgrad's time (or memory) over PyTorch's in the same run, unless its unit is given.
``bar`` is what plain NumPy should reach, ``goal`` where the project wants to go.
"""

from typing import Any, NamedTuple


class Target(NamedTuple):
    """What a figure should be at most."""

    bar: float
    goal: float | None
    unit: str = ""


STEPS = {
    "scalar": Target(0.40, 0.25),
    "tiny_mlp": Target(0.35, 0.20),
    "mnist_mlp": Target(0.95, 0.80),
    "cifar_mlp": Target(1.2, 0.95),
    "deep_mlp_bn": Target(1.3, 1.0),
    "mnist_cnn_b16": Target(1.6, 1.0),
    "mnist_cnn_b64": Target(2.1, 1.0),
    "cifar_vgg": Target(1.3, 1.0),
    "transformer": Target(2.0, 1.0),
    "lstm": Target(2.0, 1.0),
    "elementwise": Target(1.3, 0.5),
}
# With oneDNN.
ACCELERATED = {
    "mnist_cnn_b16": Target(0.5, None),
    "mnist_cnn_b64": Target(0.5, None),
    "cifar_vgg": Target(1.0, None),
    "transformer": Target(1.3, None),
}
CONVOLUTIONS = {"mnist_cnn_b16", "mnist_cnn_b64", "cifar_vgg"}
MEMORY = {name: Target(1.0, None) for name in sorted(CONVOLUTIONS)}


def inference(name: str, part: str) -> Target:
    """The full batch may take its training ratio; one example as long as PyTorch's."""
    if part == "full":
        return Target(STEPS[name].bar, 0.5)
    return Target(1.5 if name in CONVOLUTIONS else 1.0, 0.5)


class Figure(NamedTuple):
    """A measured number with its target, if it has one; ``runs`` are the numbers of each run."""

    name: str
    value: float
    runs: list[float]
    target: Target | None

    @property
    def verdict(self) -> str:
        """``goal``, ``bar`` or ``missed``: the best of them that is reached."""
        if self.target is None:
            return ""
        if self.value > self.target.bar:  # which can lie below the goal: of an inference
            return "missed"
        goal = self.target.goal
        return "goal" if goal is not None and self.value <= goal else "bar"


def figures(results: dict[str, Any]) -> list[Figure]:
    """Every figure of a result file that can be compared, in the order of the page."""
    found: list[Figure] = []

    def add(name: str, holder: Any, key: str, target: Target | None) -> None:
        if isinstance(holder, dict) and isinstance(holder.get(key), (int, float)):
            runs = holder.get("runs", {}).get(key) or [holder[key]]
            found.append(Figure(name, float(holder[key]), runs, target))

    for name, target in STEPS.items():
        add(name, results.get("steps", {}).get(name), "ratio", target)
    for name, measured in results.get("accelerator", {}).items():
        add(f"accelerator {name}", measured, "ratio", ACCELERATED[name])
    add("per-op", results.get("per-op"), "ratio", Target(0.30, 0.15))
    add("import + first step", results.get("startup"), "ratio", Target(0.25, 0.10))
    deep = results.get("graph", {}).get("1000000", {}).get("tensorgrad")
    add("deep graph, 1e6 nodes, us a node", deep, "time", Target(8, 5, "us"))
    add("deep graph, 1e6 nodes, bytes a node", deep, "bytes", Target(450, None, "bytes"))
    for name, parts in results.get("inference", {}).items():
        for part, measured in parts.items():
            label = {"full": "full batch", "one": "batch 1"}[part]
            add(f"inference {name}, {label}", measured, "ratio", inference(name, part))
    for name, measured in results.get("memory", {}).items():
        add(f"memory {name}", measured, "ratio", MEMORY.get(name))
    return found
