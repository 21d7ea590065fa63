"""What a warning of the Monitor advises is a cure of what it found."""

import tensorgrad as tg
from tensorgrad import nn, optim, viz


def unchanged(model, loss, parameters):
    optimizer = optim.SGD(parameters, lr=0.1)
    with viz.Monitor(model, optimizer, every=1) as monitor:
        for _ in range(8):
            optimizer.zero_grad()
            loss().backward()
            optimizer.step()
        found = monitor.warnings()
    return {f.layer: f for f in found if f.cause == "parameter that never changes"}


def test_a_gradient_of_zeros_is_not_the_optimizers_fault():
    tg.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 2))
    x = tg.randn(5, 3)
    found = unchanged(
        model,
        lambda: (model[0](x) * 0).sum() + model[1](x[:, :1].expand(5, 4)).sum(),
        model.parameters(),
    )
    assert "its gradient is 0 everywhere" in found["0.weight"].evidence
    assert "mend what makes its gradient 0" in found["0.weight"].fix
    assert "optim" not in found["0.weight"].fix.replace("No optimizer moves", "")


def test_a_parameter_without_its_optimizer_is():
    tg.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 2))
    x = tg.randn(5, 3)
    found = unchanged(model, lambda: model(x).pow(2).mean(), model[1].parameters())
    assert "in no parameter group" in found["0.weight"].evidence
    assert found["0.weight"].fix.startswith("Give it to the optimizer")
