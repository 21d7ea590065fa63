"""A small GPT, character by character, on tensorgrad's own source code.

    python examples/char_gpt.py [--text FILE] [--quick] [--seed 0]

A Transformer that sees 64 characters and predicts the next one at every place: 4 layers of 4 heads
and 128 features, norm first, as in GPT-2 (A. Radford et al., 2019), 0.8 million parameters. It
trains for 1,000 steps of 32 pieces with AdamW, the rate rising for 50 steps and then falling as a
cosine, and writes a piece of its own. The first nine tenths of the text are for training.

The bar is what a table of all pairs of characters reaches on the rest of the text; the model must
need 0.8 bits per character less. --quick takes 300 steps of a seventh of the model, for which
being better than the table is enough. The exit status is 1 if the bar is missed.
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
from tqdm import trange

import tensorgrad as tg
from tensorgrad import nn, optim
from tensorgrad.nn import functional as F

BATCH = 32


class Config(NamedTuple):
    """The size of a model."""

    characters: int
    block: int = 64
    layers: int = 4
    heads: int = 4
    features: int = 128
    dropout: float = 0.0


class CausalSelfAttention(nn.Module):
    """Every place looks at itself and what came before it."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.heads, self.dropout = config.heads, config.dropout
        self.qkv = nn.Linear(config.features, 3 * config.features)
        self.out = nn.Linear(config.features, config.features)

    def forward(self, x: tg.Tensor) -> tg.Tensor:
        batch, length, features = x.shape
        shape = (batch, length, self.heads, features // self.heads)
        q, k, v = (part.view(shape).transpose(1, 2) for part in self.qkv(x).chunk(3, dim=-1))
        p = self.dropout if self.training else 0.0
        y = F.scaled_dot_product_attention(q, k, v, dropout_p=p, is_causal=True)
        return self.out(y.transpose(1, 2).reshape(batch, length, features))


class Block(nn.Module):
    def __init__(self, config: Config) -> None:
        super().__init__()
        features = config.features
        self.norm1 = nn.LayerNorm(features)
        self.attention = CausalSelfAttention(config)
        self.norm2 = nn.LayerNorm(features)
        self.mlp = nn.Sequential(
            nn.Linear(features, 4 * features),
            nn.GELU(approximate="tanh"),
            nn.Linear(4 * features, features),
            nn.Dropout(config.dropout),
        )

    def forward(self, x: tg.Tensor) -> tg.Tensor:
        x = x + self.attention(self.norm1(x))
        return x + self.mlp(self.norm2(x))


class GPT(nn.Module):
    """Numbers of characters (batch, length) to logits of what follows each of them."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.tokens = nn.Embedding(config.characters, config.features)
        self.places = nn.Embedding(config.block, config.features)
        self.dropout = nn.Dropout(config.dropout)
        self.blocks = nn.ModuleList([Block(config) for _ in range(config.layers)])
        self.norm = nn.LayerNorm(config.features)
        self.head = nn.Linear(config.features, config.characters, bias=False)
        self.head.weight = self.tokens.weight  # one table for reading and for writing
        self.apply(self.start)
        for name, parameter in self.named_parameters():
            # Each block adds to the sum twice: what is added starts smaller, the more there are.
            if name.endswith(("attention.out.weight", "mlp.2.weight")):
                nn.init.normal_(parameter, std=0.02 / math.sqrt(2 * config.layers))

    @staticmethod
    def start(module: nn.Module) -> None:
        if isinstance(module, (nn.Linear, nn.Embedding)):
            nn.init.normal_(module.weight, std=0.02)
        if isinstance(module, nn.Linear) and module.bias is not None:
            nn.init.zeros_(module.bias)

    def forward(self, numbers: tg.Tensor) -> tg.Tensor:
        x = self.tokens(numbers) + self.places(tg.arange(numbers.size(1)))
        x = self.dropout(x)
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(x))

    def generate(self, numbers: tg.Tensor, count: int, temperature: float = 0.8) -> tg.Tensor:
        """The numbers (batch, length) with ``count`` more, drawn one after the other."""
        self.eval()
        with tg.no_grad():
            for _ in range(count):
                logits = self(numbers[:, -self.config.block :])[:, -1] / temperature
                drawn = tg.multinomial(F.softmax(logits, dim=-1), 1)
                numbers = tg.cat([numbers, drawn], dim=1)
        return numbers


class Text:
    """A text as numbers, and pieces of it with what follows each of their characters."""

    def __init__(self, text: str, block: int) -> None:
        self.alphabet = sorted(set(text))
        number = {character: i for i, character in enumerate(self.alphabet)}
        numbers = tg.tensor([number[character] for character in text])
        cut = len(text) * 9 // 10
        self.training, self.validation = numbers[:cut], numbers[cut:]
        self.block = block

    def batch(self) -> tuple[tg.Tensor, tg.Tensor]:
        """BATCH pieces from random places of the training text."""
        starts = tg.randint(len(self.training) - self.block, (BATCH, 1))
        places = starts + tg.arange(self.block)
        return self.training[places], self.training[places + 1]

    def decode(self, numbers: tg.Tensor) -> str:
        return "".join(self.alphabet[i] for i in numbers.tolist())

    def bits(self, model: GPT, pieces: int = 200) -> float:
        """What the model needs for a character of the validation text, in bits."""
        model.eval()
        size = min((len(self.validation) - 1) // self.block, pieces) * self.block
        inputs = self.validation[:size].view(-1, self.block)
        targets = self.validation[1 : size + 1].view(-1, self.block)
        total = 0.0
        with tg.no_grad():
            for x, y in zip(inputs.split(BATCH), targets.split(BATCH), strict=True):
                loss = F.cross_entropy(model(x).flatten(0, 1), y.flatten(), reduction="sum")
                total += loss.item()
        return total / size / math.log(2)

    def bits_of_pairs(self) -> float:
        """The same for a table of how often each character follows each other one."""
        count = np.ones((len(self.alphabet), len(self.alphabet)))
        np.add.at(count, (self.training[:-1].numpy(), self.training[1:].numpy()), 1)
        share = count / count.sum(1, keepdims=True)
        found = share[self.validation[:-1].numpy(), self.validation[1:].numpy()]
        return float(-np.log2(found).mean())


def own_source() -> str:
    """The source code of the installed package."""
    files = sorted(Path(tg.__file__).parent.rglob("*.py"))
    return "\n".join(file.read_text(encoding="utf-8") for file in files)


def train(model: GPT, text: Text, steps: int, rate: float = 3e-3) -> None:
    decayed = [p for p in model.parameters() if p.ndim > 1]
    others = [p for p in model.parameters() if p.ndim <= 1]
    optimizer = optim.AdamW(
        [{"params": decayed, "weight_decay": 0.1}, {"params": others, "weight_decay": 0.0}],
        lr=rate,
        betas=(0.9, 0.95),
    )
    warm = min(50, steps // 5)
    scheduler = optim.lr_scheduler.LambdaLR(
        optimizer,
        lambda step: min((step + 1) / warm, 0.55 + 0.45 * math.cos(math.pi * step / steps)),
    )
    model.train()
    with trange(steps, desc="training", unit="step") as bar:
        for step in bar:
            x, y = text.batch()
            loss = F.cross_entropy(model(x).flatten(0, 1), y.flatten())
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            scheduler.step()
            if not math.isfinite(loss.item()):
                sys.exit(f"the loss is {loss.item()} at step {step}")
            if step % 20 == 0:
                bar.set_postfix(bits=f"{loss.item() / math.log(2):.2f}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--text", type=Path, help="a text in UTF-8 (default: the package's source)")
    parser.add_argument("--quick", action="store_true", help="a seventh of the model, 300 steps")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    try:
        written = arguments.text.read_text("utf-8") if arguments.text else own_source()
    except (OSError, UnicodeDecodeError) as error:
        parser.error(f"{arguments.text}: {error}")
    if len(written) < 5000:
        parser.error(f"{arguments.text} has {len(written)} characters; 5,000 are the least")

    tg.manual_seed(arguments.seed)
    text = Text(written, block=64)
    size = {"layers": 2, "features": 64} if arguments.quick else {}
    steps, margin = (300, 0.0) if arguments.quick else (1000, 0.8)
    model = GPT(Config(len(text.alphabet), **size))
    count = sum(p.numel() for p in model.parameters())
    print(f"{len(written):,} characters, {count:,} parameters, {steps:,} steps of {BATCH}")
    began = time.perf_counter()
    train(model, text, steps)
    seconds = time.perf_counter() - began
    bits, bar = text.bits(model), text.bits_of_pairs() - margin
    print(text.decode(model.generate(text.validation[:1].view(1, 1), 300)[0]))
    verdict = "reached" if bits < bar else "MISSED"
    print(f"{bits:.2f} bits per character after {seconds:.0f} s; the bar, {bar:.2f}, is {verdict}")
    return 0 if bits < bar else 1


if __name__ == "__main__":
    sys.exit(main())
