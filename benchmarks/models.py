"""The models of the workloads, written once: ``lib`` is tensorgrad or torch.

Each function returns a module of that library, written as its users write one.
"""

from itertools import pairwise
from typing import Any

VOCABULARY = 65  # the characters of the usual small GPT's text


def mlp(lib: Any, sizes: tuple[int, ...], activation: str, batch_norm: bool = False) -> Any:
    """Linear layers of these sizes, with the activation (and batch norm) between them."""
    nn = lib.nn
    layers: list[Any] = []
    for i, (n, m) in enumerate(pairwise(sizes)):
        layers.append(nn.Linear(n, m))
        if i < len(sizes) - 2:
            layers += [nn.BatchNorm1d(m)] if batch_norm else []
            layers.append(getattr(nn, activation)())
    return nn.Sequential(*layers)


def mnist_cnn(lib: Any) -> Any:
    """conv5x5x16, pool, conv5x5x16, pool, 784-10: report 004."""
    nn = lib.nn
    return nn.Sequential(
        nn.Conv2d(1, 16, 5, padding=2),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(16, 16, 5, padding=2),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(784, 10),
    )


def mini_vgg(lib: Any) -> Any:
    """64 | 128 | 256 256 | 512 512 | 512 512 | of 3x3 with batch norm: reports 000 and 003."""
    nn = lib.nn
    layers: list[Any] = []
    channels = 3
    for block in ((64,), (128,), (256, 256), (512, 512), (512, 512)):
        for size in block:
            layers += [nn.Conv2d(channels, size, 3, padding=1), nn.BatchNorm2d(size), nn.ReLU()]
            channels = size
        layers.append(nn.MaxPool2d(3, stride=2, padding=1))
    return nn.Sequential(*layers, nn.AvgPool2d(1), nn.Flatten(), nn.Linear(512, 10))


def gpt(lib: Any, layers: int = 2, features: int = 128, heads: int = 4, length: int = 64) -> Any:
    """A GPT: norm first, causal attention, GELU; logits (batch * length, VOCABULARY)."""
    nn = lib.nn
    attend = nn.functional.scaled_dot_product_attention

    class Attention(nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.qkv = nn.Linear(features, 3 * features)
            self.out = nn.Linear(features, features)

        def forward(self, x: Any) -> Any:
            batch, time, _ = x.shape
            shape = (batch, time, heads, features // heads)
            q, k, v = (part.view(shape).transpose(1, 2) for part in self.qkv(x).chunk(3, dim=-1))
            y = attend(q, k, v, is_causal=True)
            return self.out(y.transpose(1, 2).reshape(batch, time, features))

    class Block(nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.norm1, self.attention = nn.LayerNorm(features), Attention()
            self.norm2 = nn.LayerNorm(features)
            self.mlp = nn.Sequential(
                nn.Linear(features, 4 * features), nn.GELU(), nn.Linear(4 * features, features)
            )

        def forward(self, x: Any) -> Any:
            x = x + self.attention(self.norm1(x))
            return x + self.mlp(self.norm2(x))

    class GPT(nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.tokens = nn.Embedding(VOCABULARY, features)
            self.places = nn.Embedding(length, features)
            self.blocks = nn.Sequential(*(Block() for _ in range(layers)))
            self.norm = nn.LayerNorm(features)
            self.head = nn.Linear(features, VOCABULARY, bias=False)

        def forward(self, tokens: Any) -> Any:
            x = self.tokens(tokens) + self.places(lib.arange(tokens.shape[1]))
            return self.head(self.norm(self.blocks(x))).flatten(0, 1)

    return GPT()


def lstm(lib: Any, features: int = 64, hidden: int = 128) -> Any:
    """An LSTM over (batch, time, features), and ten classes from its last output."""
    nn = lib.nn

    class Classifier(nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.lstm = nn.LSTM(features, hidden, batch_first=True)
            self.head = nn.Linear(hidden, 10)

        def forward(self, x: Any) -> Any:
            output, _ = self.lstm(x)
            return self.head(output[:, -1])

    return Classifier()
