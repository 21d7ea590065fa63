"""The pages whose examples no other test runs, and what all pages link to and name."""

from __future__ import annotations

import doctest
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import tensorgrad as tg
from tensorgrad import command_line, nn, optim, viz
from tensorgrad.data import DataLoader, TensorDataset

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(DOCS.glob("*.md"))]


def blocks(page: str, kind: str = "python") -> list[str]:
    return re.findall(rf"```{kind}\n(.*?)```", (DOCS / page).read_text(encoding="utf-8"), re.DOTALL)


def run(page: str, block: str, names: dict[str, Any]) -> None:
    exec(compile(block, f"docs/{page}", "exec"), names)


def session(page: str, block: str, names: dict[str, Any]) -> None:
    """Run what stands after ``>>>``, and compare what it prints with what the page shows."""
    test = doctest.DocTestParser().get_doctest(block, names, page, page, 0)
    said: list[str] = []
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE, verbose=False)
    assert test.examples
    assert not runner.run(test, out=said.append).failed, "".join(said)


def test_array_api() -> None:
    (block,) = blocks("array_api.md")
    names: dict[str, Any] = {}
    run("array_api.md", block, names)
    assert names["x"].grad.abs().sum() > 0


def test_batch_norm_composed() -> None:
    (block,) = blocks("batchnorm.md")
    names: dict[str, Any] = {}
    run("batchnorm.md", block, names)
    generator = tg.Generator().manual_seed(0)
    x, w, b = (tg.randn(*shape, generator=generator) for shape in ((4, 3, 2, 2), (3,), (3,)))
    fused = nn.functional.batch_norm(x, None, None, w, b, training=True)
    tg.testing.assert_close(names["composed"](x, w, b), fused, rtol=1e-4, atol=1e-5)


def test_profiler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    for block in blocks("profiler.md"):
        run("profiler.md", block, names)
    assert (tmp_path / "flame.html").exists()
    shown = re.search(r"^0 \(Conv2d\).*?(\d+)$", str(names["prof"].by_module()), re.MULTILINE)
    assert shown is not None
    assert shown[1] == "20"
    assert (tmp_path / "trace.json").exists()


def test_vmap() -> None:
    example, declared = blocks("vmap.md")
    names: dict[str, Any] = {}
    run("vmap.md", example, names)
    assert tuple(names["per_example"]["0.weight"].shape) == (64, 64, 10)
    first = declared.splitlines()[0]
    assert first in (ROOT / "tensorgrad/ops/reduction.py").read_text(encoding="utf-8")


def test_explorer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    picture, page = blocks("explorer.md")
    model, x = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 1)), tg.ones(5, 3)
    names = {"viz": viz, "model": model, "x": x, "loss": model(x).sum()}
    run("explorer.md", picture, names)
    run("explorer.md", page, names)
    assert Path("graph.svg").read_text(encoding="utf-8").startswith("<svg")
    assert "default-src 'none'" in Path("explorer.html").read_text(encoding="utf-8")


def test_kernels() -> None:
    (block,) = blocks("kernels.md")
    without = "\n".join(line for line in block.splitlines() if "onednn" not in line) + "\n"
    lines = without.replace('tg.backends.kernels("conv")', "print(chosen())")

    def chosen() -> str:
        said = str(tg.backends.kernels("conv")).splitlines()
        return "\n".join(line for line in said if "onednn" not in line)

    with tg.backends.use_kernels("numpy"):  # the page shows what is chosen where oneDNN is not
        session("kernels.md", lines, {"tg": tg, "nn": nn, "chosen": chosen})


def test_training(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    fitting, consistency = blocks("training.md")
    generator = tg.Generator().manual_seed(0)
    data = TensorDataset(
        tg.randn(20, 4, generator=generator), tg.randint(0, 10, (20,), generator=generator)
    )
    model = nn.Linear(4, 10)
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    names = {
        "nn": nn,
        "model": model,
        "optimizer": optimizer,
        "scheduler": optim.lr_scheduler.ExponentialLR(optimizer, 0.9),
        "train_loader": DataLoader(data, batch_size=10),
        "validation_loader": DataLoader(data, batch_size=20),
    }
    run("training.md", fitting, names)
    table = (DOCS / "training.md").read_text(encoding="utf-8")
    files = set(re.findall(r"`([\w.]+\.(?:csv|jsonl|safetensors))`", table))
    assert files == {path.name for path in Path("runs/first").iterdir()}
    session("training.md", consistency, {})


def test_command_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (program,) = blocks("command_line.md")
    Path("train.py").write_text(program, encoding="utf-8")
    page = (DOCS / "command_line.md").read_text(encoding="utf-8")
    ((command, wanted),) = re.findall(r"```\n\$ python -m tensorgrad (.*)\n([^`]*)```", page)
    assert command_line.main(command.split()) == 1
    assert capsys.readouterr().out.split() == wanted.split()


def _anchors(text: str) -> set[str]:
    """What headings are called in addresses, as GitHub does it."""
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", h.lower()).strip().replace(" ", "-") for h in headings}


def _broken(page: Path) -> Iterator[str]:
    text = page.read_text(encoding="utf-8")
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        if not link.startswith("http"):
            file, _, anchor = link.partition("#")
            target = page.parent / file if file else page
            if not target.exists() or (
                anchor and anchor not in _anchors(target.read_text(encoding="utf-8"))
            ):
                yield link
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    yield from (f"make {t}" for t in re.findall(r"`make ([a-z-]+)", text) if t not in targets)
    for path in re.findall(
        r"`(?:python )?((?:tensorgrad|tests|examples|docs|viz|nn)/[\w./]+)", text
    ):
        if not (ROOT / path.rstrip(".")).exists():
            yield path


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_what_a_page_points_at_is_there(page: Path) -> None:
    assert list(_broken(page)) == []


def _named(path: str) -> Any:
    found: Any = tg
    for name in path.split("."):
        found = getattr(found, name)
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_names_of_the_package_on_a_page_are_there(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for path in set(re.findall(r"\btg((?:\.[A-Za-z_]\w*)+)", text)):
        _named(path[1:])
