"""PyTorch's public names beside tensorgrad's: `make names` writes docs/names.md.

``pytorch.txt`` is what PyTorch 2.13 has (`python docs/names/names.py --collect` writes it, where
PyTorch is installed), ``left_out.toml`` what tensorgrad leaves out, by reason, and ``coming.toml``
what nobody has written yet; that list only shrinks, and `make names` takes from it what exists.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import sys
import textwrap
import tomllib
import types
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent
PAGE = FOLDER.parent / "names.md"

# Where both libraries are looked at, below their own name; "" is the library itself. CLASSES are
# those whose attributes a program uses beyond calling them.
CLASSES = (
    "Tensor", "Generator", "Size", "dtype", "nn.Module", "optim.Optimizer",
    "optim.lr_scheduler.LRScheduler", "utils.data.DataLoader", "distributions.Distribution",
    "autograd.Function", "autograd.function.FunctionCtx", "autograd.graph.Node",
)  # fmt: skip
PLACES = (
    "", "Tensor", "nn", "nn.functional", "nn.init", "nn.utils", "nn.utils.parametrizations",
    "nn.utils.parametrize", "nn.utils.prune", "nn.utils.rnn", "nn.utils.stateless", "linalg", "fft",
    "special", "signal.windows", "optim", "optim.lr_scheduler", "optim.swa_utils", "autograd",
    "autograd.functional", "autograd.graph", "func", "utils.checkpoint", "utils.data",
    "nn.parameter", "distributions", "distributions.constraints", "distributions.transforms",
    "random", "testing", *CLASSES[1:],
)  # fmt: skip

REASONS = {
    "sparse": "sparse and nested (ragged) layouts: tensors are dense",
    "quantized": "quantized numbers and what prepares for them",
    "device": "bound to a device or to one device's library (CUDA, cuDNN, MKL-DNN, XLA, ...)",
    "compiler": "TorchScript, `torch.compile`, export, symbolic shapes",
    "distributed": "several processes or machines",
    "dtype": "element types that NumPy does not have (bfloat16, float8, 4-bit, complex32), and the "
    "mixed precision (autocast, gradient scaling) built on them",
    "internal": "not meant for users: helpers, flags, C++ classes that show in the namespace, "
    "imports of other modules, storage classes; what names the operators of PyTorch's dispatcher",
    "ecosystem": "what is built around PyTorch and no part of the engine: the hub of its models, "
    "its package format, its masked tensors",
    "removed": "in PyTorch only to raise an error or to keep old programs going: the function was "
    "removed there, the class is deprecated without a successor of its name",
}


def read(name: str) -> dict[str, dict[str, list[str]]]:
    """A TOML file of {place: {reason: names}}; the names of a place are one string."""
    with (FOLDER / name).open("rb") as file:
        table = tomllib.load(file)
    return {
        place.removeprefix("torch").removeprefix("."): {
            reason: names.split() for reason, names in reasons.items()
        }
        for place, reasons in table.items()
    }


def title(place: str) -> str:
    return f"torch.{place}" if place else "torch"


def pytorch() -> dict[str, list[str]]:
    """The names as stored."""
    found: dict[str, list[str]] = {}
    names: list[str] = []
    for line in (FOLDER / "pytorch.txt").read_text().splitlines():
        if line.startswith("["):
            found[line.strip("[]").removeprefix("torch").removeprefix(".")] = names = []
        elif not line.startswith("#"):
            names += line.split()
    return found


def collect() -> str:
    """The names of the installed PyTorch, as stored in pytorch.txt."""
    import torch

    # Submodules show in a namespace once something has imported them.
    for place in PLACES:
        space_of("torch", place)
    lines = [f"# The public names of PyTorch {torch.__version__.partition('+')[0]}; generated."]
    for place in PLACES:
        space = space_of("torch", place)
        names = [name for name in sorted(dir(space)) if not name.startswith("_")]
        listed = getattr(space, "__all__", None)
        if "." in place and listed:  # the module says itself what is public among its imports
            names = [n for n in names if n in listed or is_own(space, n)]
        lines += [
            "",
            f"[{title(place)}]",
            *textwrap.wrap(" ".join(names), 98, break_on_hyphens=False),
        ]
    return "\n".join(lines) + "\n"


def is_own(space: Any, name: str) -> bool:
    """Whether a namespace's module defined the thing itself."""
    value = getattr(space, name)
    if isinstance(value, types.ModuleType):
        return False
    return getattr(value, "__module__", None) == space.__name__


def space_of(library: str, place: str) -> Any:
    """The module or class at a place of a library."""
    path = f"{library}.{place}".rstrip(".")
    if place not in CLASSES:
        return importlib.import_module(path)
    module, _, name = path.rpartition(".")
    return getattr(importlib.import_module(module), name)


def has(place: str, name: str) -> bool:
    """Whether tensorgrad has the name at that place: an attribute, or a module of that path."""
    try:
        space = space_of("tensorgrad", place)
    except ModuleNotFoundError as error:
        if error.name is not None and error.name.startswith("tensorgrad"):
            return False
        raise
    if hasattr(space, name):
        return True
    path = getattr(space, "__path__", None)
    return path is not None and importlib.util.find_spec(f"{space.__name__}.{name}") is not None


def invert(table: dict[str, dict[str, list[str]]]) -> dict[tuple[str, str], str]:
    """{(place, name): reason}"""
    return {
        (place, name): reason
        for place, reasons in table.items()
        for reason, names in reasons.items()
        for name in names
    }


class Comparison:
    """What is there, what is left out, what is coming, and what does not fit together."""

    def __init__(self) -> None:
        self.theirs = pytorch()
        self.left_out = invert(read("left_out.toml"))
        self.coming = invert(read("coming.toml"))
        names = [(place, name) for place, names in self.theirs.items() for name in names]
        self.there = {pair for pair in names if has(*pair)}
        self.unclassified = [
            p for p in names if p not in self.there | self.left_out.keys() | self.coming.keys()
        ]
        self.found = [p for p in self.coming if p in self.there]
        self.left_out_yet_there = [p for p in self.left_out if p in self.there]
        self.unknown = [p for p in {**self.left_out, **self.coming} if p not in set(names)]
        self.twice = sorted(self.left_out.keys() & self.coming.keys())


def page(found: Comparison) -> str:
    """docs/names.md."""
    lines = [
        "# PyTorch's names",
        "",
        "Every public name of PyTorch 2.13 in the places below is in tensorgrad, or left out for "
        "one of the reasons",
        "of the last section. Written by `make names`; a test fails on a name that is neither.",
        "",
        "| place | names | there | left out | coming |",
        "| --- | ---: | ---: | ---: | ---: |",
    ]
    for place, names in found.theirs.items():
        pairs = [(place, name) for name in names]
        there = sum(p in found.there for p in pairs)
        coming = sum(p in found.coming and p not in found.there for p in pairs)
        row = (f"`{title(place)}`", len(names), there, len(names) - there - coming, coming)
        lines.append("| " + " | ".join(map(str, row)) + " |")
    for heading, table, reasons in (
        ("Coming", found.coming, sorted({*found.coming.values()})),
        ("Left out", found.left_out, list(REASONS)),
    ):
        if not table:
            continue
        lines += ["", f"## {heading}"]
        for reason in [reason for reason in reasons if reason in table.values()]:
            lines += ["", f"### {reason}", ""]
            if heading == "Left out":
                lines += [REASONS[reason][0].upper() + REASONS[reason][1:] + ".", ""]
            for place in found.theirs:
                listed = [n for n in found.theirs[place] if table.get((place, n)) == reason]
                if listed:
                    lines.append(f"- `{title(place)}`: " + " ".join(f"`{n}`" for n in listed))
    lines += ["", "## There", ""]
    for place, names in found.theirs.items():
        listed = [f"`{name}`" for name in names if (place, name) in found.there]
        lines.append(f"- `{title(place)}`: " + " ".join(listed))
    return "\n".join(lines) + "\n"


def write_coming(found: Comparison) -> None:
    """coming.toml without what exists by now."""
    lines = ["# Not written yet, by the part that will bring it. Empty in the end."]
    for place, reasons in read("coming.toml").items():
        kept = {
            reason: [n for n in names if (place, n) not in found.there | found.left_out.keys()]
            for reason, names in reasons.items()
        }
        if any(kept.values()):
            lines += ["", f'["{title(place)}"]']
        for reason, names in kept.items():
            if names:
                wrapped = textwrap.wrap(" ".join(sorted(names)), 98, break_on_hyphens=False)
                lines += [f'{reason} = """', *wrapped, '"""']
    (FOLDER / "coming.toml").write_text("\n".join(lines) + "\n")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--collect", action="store_true", help="print PyTorch's names")
    if parser.parse_args().collect:
        sys.stdout.write(collect())
        return 0
    found = Comparison()
    write_coming(found)
    PAGE.write_text(page(Comparison()))
    print(f"{PAGE.name}: {len(found.there)} there, {len(found.left_out)} left out")
    for what in ("unclassified", "left_out_yet_there", "unknown", "twice"):
        for place, name in getattr(found, what):
            print(f"{what.replace('_', ' ')}: {title(place)}.{name}")
    return 1 if found.unclassified or found.left_out_yet_there or found.unknown else 0


if __name__ == "__main__":
    sys.exit(main())
