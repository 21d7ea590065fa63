"""Sums of events, the texts that show them, and the files."""

import gzip
import json
import re

import pytest

import tensorgrad as tg
from tensorgrad import nn
from tensorgrad.profiler import profile, record_function, tensorboard_trace_handler
from tensorgrad.profiler.table import of_bytes, of_time


@pytest.fixture(scope="module")
def prof():
    tg.manual_seed(0)
    net = nn.Sequential(nn.Linear(3, 40), nn.Tanh(), nn.Linear(40, 2))
    x = tg.ones(50, 3)
    with profile(
        record_shapes=True, profile_memory=True, with_flops=True, with_stack=True
    ) as found, record_function("the step"):  # fmt: skip
        loss = net(x).sum()
        loss.backward()
    return found


def test_sums_by_name(prof):
    sums = {e.key: e for e in prof.key_averages()}
    events = [e for e in prof.events() if e.name == "linear"]
    assert sums["linear"].count == len(events) == 2
    assert sums["linear"].cpu_time_total == pytest.approx(sum(e.cpu_time_total for e in events))
    assert sums["linear"].cpu_time == pytest.approx(sums["linear"].cpu_time_total / 2)
    assert sums["linear"].flops == 2 * 50 * 40 * (3 + 2)
    total = prof.key_averages().total_average()
    assert total.count == len(prof.events()) == prof.total_average().count
    assert total.key == "Total"


def test_sums_by_shape_and_stack(prof):
    by_shape = [e for e in prof.key_averages(group_by_input_shape=True) if e.key == "linear"]
    assert len(by_shape) == 2
    assert all("50" in e.input_shapes for e in by_shape)
    by_stack = [e for e in prof.key_averages(group_by_stack_n=2) if e.key == "linear"]
    assert [len(e.stack) for e in by_stack] == [2]  # one line calls the network


def test_the_table(prof):
    text = prof.key_averages().table(sort_by="self_cpu_time_total", row_limit=4)
    lines = text.splitlines()
    assert len({len(line.rstrip()) for line in lines[:3]}) == 1
    headings = re.split(r"\s{2,}", lines[1].strip())
    assert headings == [
        "Name", "Self CPU %", "Self CPU", "CPU total %", "CPU total", "CPU time avg", "CPU Mem",
        "Self CPU Mem", "# of Calls", "Total KFLOPs",
    ]  # fmt: skip
    assert len(lines) == 3 + 4 + 2
    assert lines[-1].startswith("Self CPU time total: ")
    shares = [float(re.search(r"([\d.]+)%", line)[1]) for line in lines[3:7]]
    assert shares == sorted(shares, reverse=True)


def test_columns_do_not_depend_on_the_rows_shown(prof):
    sums = prof.key_averages(group_by_input_shape=True, group_by_stack_n=1)
    whole = re.split(r"\s{2,}", sums.table().splitlines()[1].strip())
    assert whole[-3:] == ["Input Shapes", "Source Location", "Total KFLOPs"]
    sums.sort(key=lambda event: (event.flops, bool(event.stack)))
    assert not sums[0].flops
    assert not sums[0].stack
    for rows in range(len(sums)):
        shown = sums.table(row_limit=rows).splitlines()[1].strip()
        assert re.split(r"\s{2,}", shown) == whole


def test_options_of_the_table(prof):
    events, sums = prof.events(), prof.key_averages(group_by_input_shape=True)
    assert "the step" in events.table(top_level_events_only=True)
    assert "tanh" not in events.table(top_level_events_only=True)
    assert events.table(header="a title").splitlines()[1] == "a title"
    assert "LinearBa..." in sums.table(max_name_column_width=11)
    assert "[[50, 3]..." in sums.table(max_shapes_column_width=11)
    assert "Source Location" in events.table()
    assert re.search(r"total: [\d.]+us\n", sums.table(time_unit="us"))
    assert len(events.table(row_limit=-1).splitlines()) == len(events) + 5
    assert sums.table(sort_by="self_cuda_time_total") == sums.table()  # all are 0
    with pytest.raises(ValueError, match="sort_by is one of cpu_time"):
        events.table(sort_by="time")
    with pytest.raises(ValueError, match="time_unit is one of s, ms, us"):
        events.table(time_unit="h")
    assert prof.key_averages()[:0] == []
    assert tg.profiler.EventList().table() == ""
    assert str(sums) == sums.table()


def test_units():
    assert [of_time(t) for t in (1.2, 1234, 1234567.0)] == ["1.200us", "1.234ms", "1.235s"]
    assert of_time(1234, "us") == "1234.000us"
    assert [of_bytes(n) for n in (0, 1000, 1240, 1234567, 5 << 30)] == [
        "0 B", "1000 B", "1.21 KB", "1.18 MB", "5.00 GB",
    ]  # fmt: skip


def test_by_module(prof):
    rows = {row.name: row for row in prof.by_module()}
    assert {*rows} == {"0 (Linear)", "1 (Tanh)", "2 (Linear)", "(no module)"}
    assert all(row.forward > 0 and row.backward > 0 and row.calls == 1 for row in rows.values())
    backward = [e for e in prof.events() if e.name == "TanhBackward0"]
    assert rows["1 (Tanh)"].backward == pytest.approx(backward[0].self_cpu_time_total)
    times = [row.total for row in prof.by_module()]
    assert times == sorted(times, reverse=True)
    assert prof.by_module().rest > 0
    text = str(prof.by_module())
    assert text.splitlines()[-1].startswith("outside of operations")
    assert len(prof.by_module().table(row_limit=1).splitlines()) == 4
    assert "3 more" in prof.by_module().table(row_limit=1)


def test_by_line(prof):
    rows = {row.name.partition("  ")[2]: row for row in prof.by_line()}
    assert {*rows} == {"loss = net(x).sum()", "loss.backward()"}
    assert rows["loss = net(x).sum()"].calls == 4
    assert rows["loss = net(x).sum()"].backward > 0
    assert rows["loss.backward()"].forward == 0  # where gradients are added to .grad


@pytest.fixture(scope="module")
def training():
    net = nn.Sequential(nn.Linear(3, 40), nn.Tanh())
    optimizer = tg.optim.Adam(net.parameters())
    with profile() as found:
        for _ in range(3):
            optimizer.zero_grad()
            net(tg.ones(50, 3)).sum().backward()
            optimizer.step()
    return found


def test_an_optimizer_has_a_row(training):
    row = next(row for row in training.by_module() if row.name == "Adam.step")
    steps = [e for e in training.events() if e.name == "Optimizer.step#Adam.step"]
    assert len(steps) == row.calls == 3
    assert row.total == row.update == pytest.approx(sum(e.self_cpu_time_total for e in steps))
    assert (row.forward, row.backward) == (0, 0)
    told = next(line for line in str(training.by_module()).splitlines() if "Adam" in line)
    assert len(told.split()) == 4  # neither forward nor backward: name, total, share, calls
    found = training.by_module()
    assert found.elapsed == pytest.approx(found.rest + sum(row.total for row in found))


def test_the_line_that_calls_an_optimizer(training):
    rows = {row.name.partition("  ")[2]: row for row in training.by_line()}
    row = rows["optimizer.step()"]
    assert (row.calls, row.forward, row.backward) == (3, 0, 0)
    assert row.total == row.update > 0


def test_what_a_closure_computes_is_no_update():
    net = nn.Linear(3, 1)
    optimizer = tg.optim.LBFGS(net.parameters(), max_iter=2)

    def closure():
        optimizer.zero_grad()
        loss = net(tg.ones(4, 3)).pow(2).sum()
        loss.backward()
        return loss

    with profile() as found:
        optimizer.step(closure)
    rows = {row.name: row for row in found.by_module()}
    assert rows["Linear"].forward > 0
    assert rows["Linear"].update == 0
    assert rows["LBFGS.step"].calls == 1
    assert found.by_module().rest >= 0


def test_a_trace(prof, tmp_path):
    prof.add_metadata("who", "a test")
    prof.add_metadata_json("what", "[1, 2]")
    prof.export_chrome_trace(str(tmp_path / "trace.json"))
    prof.events().export_chrome_trace(str(tmp_path / "trace.json.gz"))
    trace = json.loads((tmp_path / "trace.json").read_text())
    assert json.loads(gzip.decompress((tmp_path / "trace.json.gz").read_bytes())) == trace
    assert (trace["who"], trace["what"], trace["with_stack"]) == ("a test", [1, 2], 1)
    whole = [e for e in trace["traceEvents"] if e["ph"] == "X"]
    assert [e["name"] for e in whole] == [e.name for e in prof.events()]
    assert all({"cat", "pid", "tid", "ts", "dur", "args"} <= {*e} for e in whole)
    linear = next(e for e in whole if e["name"] == "linear")
    assert linear["args"]["Input Dims"][0] == [50, 3]
    assert linear["args"]["Module"] == "0 (Linear)"
    arrows = [e for e in trace["traceEvents"] if e.get("cat") == "fwdbwd"]
    starts = [e["id"] for e in arrows if e["ph"] == "s"]
    assert starts == [e["id"] for e in arrows if e["ph"] == "f"]
    assert len(starts) == 4
    with pytest.raises(RuntimeError, match="sums have no times"):
        prof.key_averages().export_chrome_trace("nowhere")


def test_stacks(tmp_path):
    x = tg.ones(300, 300)
    with profile(with_stack=True) as prof:
        x.exp()
    prof.export_stacks(str(tmp_path / "stacks"))
    (line,) = (tmp_path / "stacks").read_text().splitlines()
    assert re.fullmatch(r".*test_tables\.py\(\d+\):_test_stacks;exp \d+", line)
    with pytest.raises(ValueError, match="metric should be one of"):
        prof.export_stacks("nowhere", "self_cuda_time_total")
    with profile() as prof:
        x.exp()
    with pytest.raises(RuntimeError, match="with_stack=True"):
        prof.export_stacks("nowhere")


@pytest.mark.parametrize("zipped", [False, True])
def test_traces_for_tensorboard(tmp_path, zipped):
    x = tg.ones(3)
    folder = tmp_path / "a" / "b"
    ready = tensorboard_trace_handler(str(folder), worker_name="me", use_gzip=zipped)
    plan = tg.profiler.schedule(wait=0, warmup=0, active=1)
    with profile(schedule=plan, on_trace_ready=ready) as prof:
        for _ in range(2):
            x.exp()
            prof.step()
    files = sorted(path.name for path in folder.iterdir())
    assert len(files) == 3  # the third step was begun
    ending = r"\.json\.gz" if zipped else r"\.json"
    assert all(re.fullmatch(rf"me\.\d+\.pt\.trace{ending}", name) for name in files)
