"""viz.doctor: how it is called, that it disturbs nothing, what it returns."""

from __future__ import annotations

import pytest
from doctor_tools import Forgetful, batch, classify, mlp

import tensorgrad as tg
from tensorgrad import nn, optim, viz
from tensorgrad.nn import functional as F


def test_nothing_is_disturbed():
    x, y = batch()
    model = nn.Sequential(
        nn.Linear(16, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.5), nn.Linear(8, 4)
    )
    F.cross_entropy(model(x), y).backward()
    grads = [p.grad.clone() for p in model.parameters()]
    state = {name: t.clone() for name, t in model.state_dict().items()}
    generator = tg.get_rng_state()
    optimizer = optim.Adam(model.parameters())
    optimizer.step()
    optimizer.load_state_dict(optimizer.state_dict())
    state = {name: t.clone() for name, t in model.state_dict().items()}
    viz.doctor(model, nn.CrossEntropyLoss(), (x, y), optimizer=optimizer)
    assert tg.equal(tg.get_rng_state(), generator)
    for name, t in model.state_dict().items():
        assert tg.equal(t, state[name]), name
    for p, g in zip(model.parameters(), grads):
        assert tg.equal(p.grad, g)
    assert all(module._hooks is None or module._hooks.none_left for module in model.modules())


def test_a_tensor_before_and_after_backward():
    x, y = batch()
    model = mlp()
    with tg.no_grad():
        model[2].bias.fill_(-50.0)
    loss = F.cross_entropy(model(x), y)
    assert "dead units" in viz.doctor(model, loss).causes
    loss.backward()  # the graph is still there
    after = viz.doctor(model, loss)
    assert "dead units" not in after.causes
    assert "backward() has freed them" in str(after)


def test_wrong_arguments():
    x, y = batch()
    model = mlp()
    with pytest.raises(TypeError, match="model must be a Module"):
        viz.doctor(F.cross_entropy(model(x), y), model)
    with pytest.raises(TypeError, match=r"give batch=\(input, target\)"):
        viz.doctor(model, nn.CrossEntropyLoss())
    with pytest.raises(TypeError, match="loss must be a Tensor"):
        viz.doctor(model, 3.0)
    with pytest.raises(TypeError, match="leave it out"):
        viz.doctor(model, F.cross_entropy(model(x), y), (x, y))
    sgd = optim.SGD(model.parameters(), 0.1)
    with pytest.raises(TypeError, match="by name: optimizer="):
        viz.doctor(model, F.cross_entropy(model(x), y), sgd)
    with pytest.raises(ValueError, match=r"shape \(64, 4\).*\.mean\(\)"):
        viz.doctor(model, model(x))
    with pytest.raises(TypeError, match="batch must be"):
        viz.doctor(model, nn.CrossEntropyLoss(), x)
    with pytest.raises(TypeError, match="must be an Optimizer"):
        viz.doctor(model, classify(model, x, y), optimizer=0.1)


def test_findings_as_a_figure(parse_svg, tmp_path, hostile):
    x, y = batch()
    model = Forgetful()
    for k, name in enumerate(hostile):
        model._parameters[f"{name}{k}"] = nn.Parameter(tg.ones(2))
    findings = viz.doctor(model, classify(model, x, y))
    assert len(findings) == 2 + len(hostile)
    root = parse_svg(findings.svg())
    width = float(root.attrib["width"])
    for t in root.iter("{http://www.w3.org/2000/svg}text"):
        assert float(t.attrib["x"]) + viz.figures.words.text_width(t.text or "", 11) < width + 4
    assert max(map(len, str(findings).splitlines())) <= 80
    assert "<script" not in findings.save(tmp_path / "f.html").read_text("utf-8")
    assert findings.data["findings"][0]["cause"] == "unused parameter"
    again = viz.doctor(model, classify(model, x, y))
    assert again.svg() == findings.svg()
    assert [f.cause for f in findings] == ["unused parameter"] * len(findings)
    none = viz.doctor(mlp(), lambda: tg.ones(()))
    parse_svg(none.svg())
