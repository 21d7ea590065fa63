"""A language model of two LSTM layers, word by word, on tensorgrad's own documentation strings.

    python examples/lstm_words.py [--text FILE] [--quick] [--seed 0]

As in W. Zaremba, I. Sutskever and O. Vinyals, "Recurrent Neural Network Regularization" (2014):
dropout between the layers but not along time, 16 streams of text read side by side in pieces of 35
words, the state carried from one piece to the next, gradients cut to a norm. Input and output share
one table (O. Press and L. Wolf, 2017). Words that occur once are one word, <unk>. The model is
small, and so is the text: 12 epochs with Adam, the rate divided by 4 when the validation gets no
better; the last tenth of the text is for validation.

The bar is the perplexity of a table of how often each word occurs; the model must halve it.
--quick takes 3 epochs of a smaller model, for which being below the table is enough. The exit
status is 1 if the bar is missed.
"""

from __future__ import annotations

import argparse
import math
import re
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np
from tqdm import tqdm

import tensorgrad as tg
from tensorgrad import nn, optim
from tensorgrad.nn import functional as F

BATCH, STEPS = 16, 35
State = tuple[tg.Tensor, tg.Tensor]


class Model(nn.Module):
    """Numbers of words (steps, batch) and a state to logits (steps, batch, words) and the state."""

    def __init__(self, words: int, features: int, layers: int = 2, dropout: float = 0.3) -> None:
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.encoder = nn.Embedding(words, features)
        self.lstm = nn.LSTM(features, features, layers, dropout=dropout)
        self.decoder = nn.Linear(features, words)
        self.decoder.weight = self.encoder.weight
        nn.init.uniform_(self.encoder.weight, -0.1, 0.1)
        nn.init.zeros_(self.decoder.bias)

    def forward(self, words: tg.Tensor, state: State | None = None) -> tuple[tg.Tensor, State]:
        output, state = self.lstm(self.dropout(self.encoder(words)), state)
        return self.decoder(self.dropout(output)), state


class Text:
    """A text as numbers of words, in streams that are read side by side."""

    def __init__(self, text: str) -> None:
        found = re.findall(r"\w+|[^\w\s]|\n\n", text.lower())
        count = Counter(found)
        self.words = ["<unk>", *(word for word, n in count.most_common() if n > 1)]
        number = {word: i for i, word in enumerate(self.words)}
        numbers = tg.tensor([number.get(word, 0) for word in found])
        cut = len(found) * 9 // 10
        self.training, self.validation = self.streams(numbers[:cut]), self.streams(numbers[cut:])

    @staticmethod
    def streams(numbers: tg.Tensor) -> tg.Tensor:
        """(length, BATCH): column k is the k-th part of the text."""
        length = len(numbers) // BATCH
        return numbers[: length * BATCH].view(BATCH, length).t().contiguous()

    def perplexity_of_counts(self) -> float:
        """That of a table of the words' frequencies, on the validation text."""
        count = np.bincount(self.training.flatten().numpy(), minlength=len(self.words)) + 1.0
        share = count / count.sum()
        return float(np.exp(-np.log(share[self.validation[1:].flatten().numpy()]).mean()))


def pieces(streams: tg.Tensor) -> list[tuple[tg.Tensor, tg.Tensor]]:
    """STEPS words of every stream, and the words that follow them."""
    starts = range(0, len(streams) - 1, STEPS)
    return [(streams[i : i + STEPS][: len(streams) - 1 - i], streams[i + 1 : i + 1 + STEPS])
            for i in starts]  # fmt: skip


def perplexity(model: Model, streams: tg.Tensor) -> float:
    model.eval()
    state, total, count = None, 0.0, 0
    with tg.no_grad():
        for words, following in pieces(streams):
            logits, state = model(words, state)
            loss = F.cross_entropy(logits.flatten(0, 1), following.flatten(), reduction="sum")
            total, count = total + loss.item(), count + following.numel()
    return math.exp(total / count)


def train(model: Model, text: Text, epochs: int, rate: float = 5e-3) -> float:
    """The best perplexity on the validation text; the model that had it is kept."""
    optimizer = optim.Adam(model.parameters(), lr=rate)
    scheduler = optim.lr_scheduler.ReduceLROnPlateau(optimizer, factor=0.25, patience=0)
    best, kept = math.inf, model.state_dict()
    with tqdm(total=epochs * len(pieces(text.training)), desc="training", unit="step") as bar:
        for _ in range(epochs):
            model.train()
            state = None
            for words, following in pieces(text.training):
                if state is not None:  # the gradient ends where the piece begins
                    state = (state[0].detach(), state[1].detach())
                logits, state = model(words, state)
                loss = F.cross_entropy(logits.flatten(0, 1), following.flatten())
                optimizer.zero_grad()
                loss.backward()
                nn.utils.clip_grad_norm_(model.parameters(), 0.5)
                optimizer.step()
                if not math.isfinite(loss.item()):
                    sys.exit(f"the loss is {loss.item()}")
                bar.update()
            reached = perplexity(model, text.validation)
            scheduler.step(reached)
            bar.set_postfix(perplexity=f"{reached:.0f}")
            if reached < best:
                best = reached
                kept = {name: value.clone() for name, value in model.state_dict().items()}
    model.load_state_dict(kept)
    return best


def write(model: Model, text: Text, count: int) -> str:
    """Words that the model draws one after the other, each from its state after the last one."""
    model.eval()
    word, state, written = tg.zeros(1, 1, dtype=tg.int64), None, []
    with tg.no_grad():
        for _ in range(count):
            logits, state = model(word, state)
            share = F.softmax(logits[0] / 0.8, dim=-1)
            share[0, 0] = 0  # never <unk>
            word = tg.multinomial(share, 1)
            written.append(text.words[int(word.item())])
    return re.sub(r"(?<=\w) (?=[.,;:)])", "", " ".join(written).replace(" \n\n ", "\n"))


def own_documentation() -> str:
    """All documentation strings of the installed package."""
    files = sorted(Path(tg.__file__).parent.rglob("*.py"))
    strings = [re.findall(r'"""(.*?)"""', file.read_text("utf-8"), re.DOTALL) for file in files]
    return "\n\n".join(string for found in strings for string in found)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--text", type=Path, help="a text in UTF-8 (default: the documentation)")
    parser.add_argument("--quick", action="store_true", help="3 epochs of a smaller model")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    try:
        text = Text(arguments.text.read_text("utf-8") if arguments.text else own_documentation())
    except (OSError, UnicodeDecodeError) as error:
        parser.error(f"{arguments.text}: {error}")
    if len(text.validation) < 2:
        parser.error(f"{arguments.text} has too few words for {BATCH} streams")

    tg.manual_seed(arguments.seed)
    features, epochs, factor = (64, 3, 1.0) if arguments.quick else (200, 12, 0.5)
    model = Model(len(text.words), features)
    count = sum(p.numel() for p in model.parameters())
    print(f"{text.training.numel():,} words, {len(text.words):,} different, {count:,} parameters")
    began = time.perf_counter()
    reached = train(model, text, epochs)
    seconds = time.perf_counter() - began
    print(write(model, text, 60))
    bar = text.perplexity_of_counts() * factor
    verdict = "reached" if reached < bar else "MISSED"
    print(f"perplexity {reached:.0f} after {seconds:.0f} s; the bar, {bar:.0f}, is {verdict}")
    return 0 if reached < bar else 1


if __name__ == "__main__":
    sys.exit(main())
