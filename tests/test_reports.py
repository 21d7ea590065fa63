"""The five reports' scripts on made-up data in the data sets' formats: no real data, few steps."""

from __future__ import annotations

import gzip
import importlib
import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tensorgrad as tg
from examples.reports import checklist, collect, data, report, training, uva
from tensorgrad import nn, optim
from tensorgrad.optim.lr_scheduler import StepLR

NUMBERS = ["000", "001", "002", "003", "004"]
# Every row that the five reports are held to, written out: nothing may go missing unnoticed.
IDS = [
    "000-F1", "000-F2", "000-F3", "000-F4", "000-F5", "000-F6", "000-F7", "000-F8", "000-F9",
    "000-F10", "000-F11", "000-F12", "000-N1", "000-P1", "000-M1", "000-M2", "000-M3", "000-P2",
    "000-F13", "000-F14", "000-C1", "000-P3", "001-F1", "001-F2", "001-F3", "001-F4", "001-T0",
    "001-N0", "001-N1", "001-M0", "001-M1", "001-M2", "001-M3", "001-M4", "001-M5", "001-M6",
    "001-M7", "001-M8", "001-M9", "001-M10", "001-M11", "001-M12", "001-M13", "001-M14",
    "001-M15", "001-M16", "001-D1", "002-F1", "002-F2", "002-N1", "002-P1", "002-N2", "002-P2",
    "002-F3", "002-N3", "002-P3", "002-V1", "002-P4", "002-V2", "002-V3", "002-V4", "003-F1",
    "003-F2", "003-F3", "003-F4", "003-F5", "003-F6", "003-F7", "003-N1", "003-P1", "003-N2",
    "003-M1", "003-P2", "003-F8", "003-C1", "004-F1", "004-F2", "004-F3", "004-F4", "004-F5",
    "004-T1", "004-P1", "004-P2", "004-P3", "004-T2", "004-N1", "004-N2", "004-T3", "004-P4",
    "004-P5", "004-P6", "004-P7", "004-T4",
]  # fmt: skip


def script(number: str) -> Any:
    return importlib.import_module(f"examples.reports.r{number}")


def run(number: str, out: Path, *arguments: str) -> dict[str, Any]:
    module = script(number)
    code = report.main(number, module.__doc__, module.PARTS, ["--out", str(out), *arguments])
    form = "full" if "--full" in arguments else "quick"
    found = json.loads((out / number / f"results-{form}.json").read_text(encoding="utf-8"))
    assert code == any(row["verdict"] == report.MISSED for row in found["rows"])
    return found


def verdicts(found: dict[str, Any], id: str) -> list[str]:
    return [row["verdict"] for row in found["rows"] if row["id"] == id]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> str:
    """MNIST and CIFAR-10 as files, a few hundred images that a class's brightness tells apart."""
    folder = tmp_path_factory.mktemp("data")
    rng = np.random.default_rng(0)
    for prefix, count in (("train", 600), ("t10k", 300)):
        labels = rng.integers(0, 10, count).astype(np.uint8)
        images = rng.integers(0, 30, (count, 28, 28)) + 22 * labels[:, None, None]
        for kind, array in (("images-idx3", images.astype(np.uint8)), ("labels-idx1", labels)):
            head = struct.pack(f">{1 + array.ndim}I", 0x800 + array.ndim, *array.shape)
            path = folder / "mnist" / f"{prefix}-{kind}-ubyte.gz"
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(gzip.compress(head + array.tobytes()))
    (folder / "cifar-10-batches-bin").mkdir()
    for name in (*(f"data_batch_{k}" for k in range(1, 6)), "test_batch"):
        labels = rng.integers(0, 10, 200)
        records = rng.integers(80, 140, (200, 1 + 3072)) + 3 * labels[:, None]
        records[:, 0] = labels
        path = folder / "cifar-10-batches-bin" / f"{name}.bin"
        path.write_bytes(records.astype(np.uint8).tobytes())
    return str(folder)


# --- the checklist --------------------------------------------------------------------------------


def test_every_row_is_in_the_checklist_and_in_a_part():
    assert list(checklist.ROWS) == IDS
    for number in NUMBERS:
        ids = [id for _, ids in script(number).PARTS for id in ids]
        assert set(ids) == set(checklist.rows_of(number)), number


@pytest.mark.parametrize("number", NUMBERS)
def test_formulas(number, tmp_path):
    found = run(number, tmp_path, "--only", f"{number}-F*")
    page = (tmp_path / number / "report.md").read_text(encoding="utf-8")
    for id in checklist.rows_of(number):
        assert f"| {id} |" in page
        if "-F" not in id:
            assert verdicts(found, id) == [report.NOT_RUN], id
            continue
        assert set(verdicts(found, id)) <= {report.REACHED, report.WRONG}, id
        own = [row["got"] for row in found["rows"] if row["id"] == id]
        if id == "002-F2":  # the printed digits, with the signs of its zeros
            assert any(got == "[[0.0, 0.0, 0.0], [-0.0, -0.0, -0.0]]" for got in own)
        if id != "004-F5":  # an optimizer's rule: nothing to differentiate
            assert any("finite differences" in got and ".html" in got for got in own), id
    for link in found["links"]:
        assert (tmp_path / number / link).stat().st_size > 0
    for name in ("rows.md", "rows.csv", "rows.tex"):
        assert IDS[0][:2] in (tmp_path / number / name).read_text(encoding="utf-8")


# --- the mistakes ---------------------------------------------------------------------------------


def test_the_mistakes_are_found_by_the_tools(tmp_path):
    for number, id, words in (
        ("000", "000-F3", "g * (z > 0) belongs"),
        ("000", "000-F14", "The mean term -mean(g) is missing"),
        ("000", "000-F14", "lacks its sum over axis 0"),
        ("001", "001-F2", "The sign is flipped"),
        ("002", "002-F1", "Only y[1] is wrong"),
        ("002", "002-F2", "Only o[0] is wrong"),
        ("003", "003-F5", "axis 0 of the output and axis 1 of W exchanged"),
        ("004", "004-T3", "1024x20+20 = 20500"),
        ("004", "004-T4", "23,653 to 23,670 times"),
        ("004", "004-F4", "inf"),
    ):
        found = run(number, tmp_path, "--only", id)
        assert report.WRONG in verdicts(found, id)
        evidence = (tmp_path / number / f"{id}.txt").read_text(encoding="utf-8")
        assert words in " ".join(evidence.split()), (id, evidence)
        assert any(row["note"] for row in found["rows"] if row["id"] == id)


# --- single rows ----------------------------------------------------------------------------------


def test_parameter_tables(tmp_path):
    found = run("004", tmp_path, "--only", "004-T1", "004-T3")
    assert verdicts(found, "004-T1") == [report.REACHED]
    assert verdicts(found, "004-T3") == [report.REACHED, report.WRONG]  # "64 output channels"
    table = "".join(found["tables"].values())
    for formula in ("5x5x16+16 = 416", "784x10+10 = 7850", "3x3x24x16+16 = 3472"):
        assert f"| {formula} |" in table


def test_models_have_the_reports_numbers_of_parameters():
    def count(model):
        return sum(p.numel() for p in model.parameters())

    assert count(uva.default_mlp()) == 308_310
    assert count(uva.mini_vgg()) == 9_231_114
    assert count(script("004").mnist_net()) == 14_682
    assert count(script("004").baseline_net()) == 48_602
    assert count(script("004").modified_net()) == 51_766
    lengths = sum([*script("003").DEEP_HIDDEN, 10])
    assert count(script("003").deep_mlp()) == 8_590_410 + lengths


def test_momentum_is_a_running_mean_from_zero():
    r004 = script("004")
    found = r004.three_steps(lambda p: r004.RunningMean(p, 0.1, 0.9))
    # m: 0.1, 0.04, 0.236; w: 1 - 0.1 m, each.
    assert found == pytest.approx([0.99, 0.986, 0.9624], abs=1e-15)
    other = r004.three_steps(lambda p: optim.SGD(p, 0.1, momentum=0.9, dampening=0.9))
    # m: 1, 0.85, 0.965
    assert other == pytest.approx([0.9, 0.815, 0.7185], abs=1e-15)


def test_the_toy_network(tmp_path):
    found = run("001", tmp_path, "--only", "001-T0")
    assert verdicts(found, "001-T0") == [report.REACHED] * 3


def test_the_numpy_twin_has_the_same_losses():
    rng = np.random.default_rng(0)
    split = data.Split(rng.standard_normal((60, 12)), rng.integers(0, 10, 60))
    tg.manual_seed(0)
    model = nn.Sequential(nn.Linear(12, 7), nn.ReLU(), nn.Linear(7, 10)).double()
    start = [p.detach().numpy().copy() for p in model.parameters()]
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    batches = training.Batches(split, 20, 0)
    losses = []
    for _ in range(40):
        inputs, labels = batches.next()
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(inputs), labels)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0]
    batches = training.Batches(split, 20, 0)
    twin = uva.numpy_twin(start, batches, 40, rate=0.1, measured={"right": split}, every=15)
    np.testing.assert_allclose(twin["loss"], losses, rtol=1e-10)
    assert twin["step"] == [15, 30, 40]
    assert twin["right"][-1] == pytest.approx(training.measure(model.float(), single(split))[1])


def single(split: data.Split) -> data.Split:
    return data.Split(split.x.astype("f"), split.y)


def check_form(number: str, found: dict[str, Any], tmp_path: Path, ids: list[str]) -> None:
    """A row for every id, its figures, tables and texts."""
    rows = [row for row in found["rows"] if row["id"] in ids]
    assert {row["verdict"] for row in rows} <= {
        report.REACHED, report.WRONG, report.SHOWN, report.QUICK
    }  # fmt: skip
    page = (tmp_path / number / "report.md").read_text(encoding="utf-8")
    for id in ids:
        assert verdicts(found, id), id
        if "-P" in id:
            (shown,) = (row["got"] for row in rows if row["id"] == id)
            svg = (tmp_path / number / shown).read_text(encoding="utf-8")
            assert svg.startswith("<svg"), id
            assert f"]({shown})" in page, id
    trained = [row for row in rows if row["verdict"] == report.QUICK]
    assert trained
    assert all("1 seed" in row["got"] for row in trained if row["values"])
    for link in found["links"]:
        assert (tmp_path / number / link).stat().st_size > 0, link
    for tex in (tmp_path / number).glob("*.tex"):
        assert tex.read_text(encoding="utf-8").isascii(), tex  # so that pdflatex takes it
        assert "[U+" not in tex.read_text(encoding="utf-8"), tex
    for table in (tmp_path / number).glob("*.csv"):
        for suffix in (".md", ".tex"):
            assert table.with_suffix(suffix).stat().st_size > 0, table
    if "004-T2" in ids:
        assert verdicts(found, "004-T2") == [report.WRONG, report.QUICK, report.REACHED]
        accuracy = next(row for row in rows if row["id"] == "004-T2" and row["values"])
        assert accuracy["values"][0] > 0.3  # chance would be 0.1


# Of each script the cheapest part that trains: the whole takes more than a minute of processor.
CHEAP = {
    "000": ["000-M1", "000-M2", "000-P2"],
    "001": [f"001-M{k}" for k in range(1, 16)],
    "002": ["002-V1", "002-P4", "002-V2"],
    "003": ["003-M1", "003-P2"],
    "004": ["004-T2", "004-P1", "004-P2", "004-P3"],
}


@pytest.mark.parametrize("number", NUMBERS)
def test_a_part_of_the_quick_form(number, folder, tmp_path):
    found = run(number, tmp_path, "--data", folder, "--only", *CHEAP[number])
    check_form(number, found, tmp_path, CHEAP[number])
    others = set(checklist.rows_of(number)) - set(CHEAP[number])
    assert all(verdicts(found, id) == [report.NOT_RUN] for id in others)


@pytest.mark.long
@pytest.mark.parametrize("number", NUMBERS)
def test_the_quick_form(number, folder, tmp_path):
    """All of a script, on made-up images."""
    found = run(number, tmp_path, "--data", folder)
    check_form(number, found, tmp_path, list(checklist.rows_of(number)))


def test_rows_of_an_earlier_run_are_kept(tmp_path):
    run("004", tmp_path, "--only", "004-F5")
    found = run("004", tmp_path, "--only", "004-T1")
    assert verdicts(found, "004-F5") == verdicts(found, "004-T1") == [report.REACHED]
    assert verdicts(found, "004-N1") == [report.NOT_RUN]


def test_synthetic_points():
    points = data.synthetic(0)
    assert points.y.mean() == pytest.approx(0.457, abs=0.005)


# --- verdicts -------------------------------------------------------------------------------------


def test_verdicts(tmp_path, capsys):
    module = script("004")
    seen: list[report.Row] = []

    def part(made: report.Report) -> None:
        seen.extend([
            made.number_row("004-N1", 0.5, [0.45, 0.46, 0.47]),
            made.number_row("004-N1", 0.5, [0.49, 0.99]),
            made.number_row("004-N1", 0.5, [0.53], better="lower", percent=False),
            made.number_row("004-N1", 0.5, [0.51], better="lower", percent=False),
            made.close_row("004-N1", 1e-3, 1e-4),
            made.exact_row("004-N1", [1], [1]),
        ])  # fmt: skip

    parts = [(part, ["004-N1"])]
    assert report.main("004", module.__doc__, parts, ["--full", "--out", str(tmp_path)]) == 1
    good = [row.verdict == report.REACHED for row in seen]
    assert good == [False, True, False, True, False, True]
    assert seen[0].got == "46.0 % ± 1.0, 3 seeds"
    assert "missed: 004-N1" in capsys.readouterr().out
    seen.clear()
    assert report.main("004", module.__doc__, parts, ["--out", str(tmp_path)]) == 1
    assert [row.verdict for row in seen[:4]] == [report.QUICK] * 4


@pytest.mark.parametrize(
    ("arguments", "words"),
    [(["--only", "000-X1"], "no row of report 000"), (["--seeds", "0"], "at least 1")],
)
def test_wrong_arguments(arguments, words, capsys):
    with pytest.raises(SystemExit) as stopped:
        report.main("000", None, script("000").PARTS, arguments)
    assert stopped.value.code == 2
    assert words in capsys.readouterr().err


def test_data_that_is_not_there(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(data.MNIST, "mirrors", ["http://127.0.0.1:9/"])
    module = script("002")
    arguments = ["--only", "002-F3", "002-N2", "--data", str(tmp_path), "--out", str(tmp_path)]
    assert report.main("002", None, module.PARTS, arguments) == 2
    found = json.loads((tmp_path / "002" / "results-quick.json").read_text(encoding="utf-8"))
    assert verdicts(found, "002-F3") == [report.REACHED] * 2
    assert verdicts(found, "002-N2") == [report.NOT_RUN]
    message = capsys.readouterr().err
    assert "could not download" in message
    assert "--data FOLDER" in message


# --- runs are kept and resumed --------------------------------------------------------------------


def tiny_run(folder: Path, *, stop_at: int | None = None, rate: float = 0.1) -> training.Curves:
    """Dropout, momentum and a schedule: everything that a checkpoint must bring back."""
    rng = np.random.default_rng(0)
    split = data.Split(rng.standard_normal((50, 6)).astype("f"), rng.integers(0, 3, 50))
    tg.manual_seed(0)
    model = nn.Sequential(nn.Linear(6, 8), nn.Dropout(0.3), nn.ReLU(), nn.Linear(8, 3))
    optimizer = optim.SGD(model.parameters(), lr=rate, momentum=0.9)
    done = 0

    def evaluate() -> dict[str, float]:
        nonlocal done
        done += 1
        if done == stop_at:
            raise KeyboardInterrupt
        return dict(zip(("loss there", "accuracy"), training.measure(model, split)))

    return training.train(
        model, optimizer, training.Batches(split, 8, 1), 20, name="tiny", folder=folder, every=1,
        evaluate=evaluate, scheduler=StepLR(optimizer, 7, 0.5),
    )  # fmt: skip


def test_an_interrupted_run_goes_on_with_the_same_numbers(tmp_path, monkeypatch):
    whole = tiny_run(tmp_path / "whole")
    monkeypatch.setattr(training, "CHECKPOINT_EVERY", -1.0)
    with pytest.raises(KeyboardInterrupt):
        tiny_run(tmp_path / "parts", stop_at=12)
    assert (tmp_path / "parts" / "tiny.checkpoint.safetensors").exists()
    parts = tiny_run(tmp_path / "parts", stop_at=12)  # nine are left
    assert not (tmp_path / "parts" / "tiny.checkpoint.safetensors").exists()
    for key in ("loss", "loss there", "accuracy", "step"):
        assert parts[key] == whole[key], key


def test_a_finished_run_is_kept_and_a_changed_one_made_anew(tmp_path):
    first = tiny_run(tmp_path)
    assert tiny_run(tmp_path, stop_at=1) == first  # nothing was evaluated
    assert tiny_run(tmp_path, rate=0.2)["loss"] != first["loss"]


def test_a_loss_that_is_not_finite_ends_the_run(tmp_path):
    curves = tiny_run(tmp_path, rate=1e30)
    assert curves["diverged"] == [float(len(curves["loss"]))]
    assert len(curves["loss"]) < 20


# --- the page -------------------------------------------------------------------------------------


def test_the_page_is_collected_from_full_runs(tmp_path):
    page = tmp_path / "reports.md"
    page.write_text(collect.PAGE.read_text(encoding="utf-8"), encoding="utf-8")
    arguments = ["--out", str(tmp_path), "--page", str(page)]
    assert collect.main(arguments) == 0
    text = page.read_text(encoding="utf-8")
    assert all(f"| {id} |" in text for id in IDS)
    assert text.count("| not run yet |") == len(IDS)
    run("004", tmp_path, "--only", "004-F5")  # quick: not for the page
    assert collect.main([*arguments, "--check"]) == 0
    run("004", tmp_path, "--full", "--only", "004-T1", "004-F5")  # and T3
    assert collect.main([*arguments, "--check"]) == 1
    collect.main(arguments)
    text = page.read_text(encoding="utf-8")
    assert text.count("| not run yet |") == len(IDS) - 3
    assert "[416, 6416, 7850] | reached |" in text


def test_the_page_names_every_row():
    text = collect.PAGE.read_text(encoding="utf-8")
    assert [id for id in IDS if f"| {id} |" not in text] == []
