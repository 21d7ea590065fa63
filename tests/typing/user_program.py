"""What a user's type checker must see; `make types` checks this file against the built wheel."""

from typing import assert_type

import numpy as np

import tensorgrad as tg
from tensorgrad import Tensor, nn, optim
from tensorgrad.nn import functional as F


class Classifier(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Linear(4, 8), nn.ReLU())
        self.head = nn.Linear(8, 3)

    def forward(self, x: Tensor) -> Tensor:
        hidden: Tensor = self.body(x)
        return F.relu(self.head(hidden))


def train(steps: int) -> float:
    model = Classifier()
    optimizer = optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    criterion = nn.CrossEntropyLoss()
    x, y = tg.randn(5, 4), tg.tensor([0, 1, 2, 0, 1])
    loss = tg.zeros(())
    for _ in range(steps):
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
    return float(loss.item())


a = tg.tensor([1.0, 2.0], requires_grad=True)
assert_type(a, Tensor)
assert_type(a * 2 + a.exp(), Tensor)
assert_type(tg.matmul(a, a).sum(), Tensor)
assert_type(a.requires_grad, bool)
assert isinstance(a.detach().numpy(), np.ndarray)
assert_type(tg.autograd.grad(a.sum(), [a]), tuple[Tensor, ...])
assert_type(
    tg.autograd.grad(a.sum(), dict(Classifier().named_parameters()), allow_unused=True),
    dict[str, Tensor],
)
