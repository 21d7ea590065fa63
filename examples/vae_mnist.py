"""A variational autoencoder that learns to write digits, after Kingma and Welling (2014).

    python examples/vae_mnist.py [--data FOLDER] [--out FOLDER] [--quick] [--seed 0]

An encoder makes of an image a normal distribution over 10 numbers, a decoder makes of a point of it
the probabilities of ink, and both learn by the bound of the paper's equation 10: what the image
costs given the point, and what the point costs given that it is expected around 0. Afterwards the
decoder turns any 10 normal numbers into a digit. 784-400-200-10-200-400-784 with ReLU, 0.8 million
parameters, Adam with a rate of 0.001 that falls as a cosine, 10 passes over the 60,000 images in
batches of 128. Grey is taken as the probability of ink, as is usual with this example.

It writes vae.png: a row of test images, a row of what the model makes of them, and eight rows of
digits that nobody has written. The bar is the bound on the test images, in nats for each. --quick
takes 3 passes; the exit status is 1 if the bar is missed.

FOLDER holds the four files of MNIST; without --data it is the one named by TENSORGRAD_DATA. Where
that has none, the digits of 8x8 pixels are used that come with tensorgrad, of which there are
only 1,442; a pixel of theirs stands for 16 dots, and the bound for all of them.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
from tqdm import tqdm

import tensorgrad as tg
from tensorgrad import nn, optim
from tensorgrad.data import MNIST, DataLoader, Digits, TensorDataset
from tensorgrad.nn import functional as F
from tensorgrad.utils.png import encode_png

COLUMNS = 16


class Task(NamedTuple):
    """A data set as probabilities of ink (images, pixels), and how to learn it."""

    training: TensorDataset
    test: TensorDataset
    side: int  # of an image, in pixels
    batch: int
    passes: int
    dots: int  # that may be ink in a pixel
    bar: float  # nats for an image


class VAE(nn.Module):
    def __init__(self, pixels: int = 784, wide: int = 400, narrow: int = 200, latent: int = 10):
        super().__init__()
        self.latent = latent
        self.encoder = nn.Sequential(
            nn.Linear(pixels, wide), nn.ReLU(), nn.Linear(wide, narrow), nn.ReLU()
        )
        self.mean = nn.Linear(narrow, latent)
        self.log_variance = nn.Linear(narrow, latent)
        self.decoder = nn.Sequential(
            nn.Linear(latent, narrow), nn.ReLU(),
            nn.Linear(narrow, wide), nn.ReLU(),
            nn.Linear(wide, pixels),
        )  # fmt: skip

    def encode(self, images: tg.Tensor) -> tuple[tg.Tensor, tg.Tensor]:
        hidden = self.encoder(images)
        return self.mean(hidden), self.log_variance(hidden)

    def draw(self, mean: tg.Tensor, log_variance: tg.Tensor) -> tg.Tensor:
        """A point of the distribution, through which gradients reach its mean and variance."""
        return mean + tg.exp(0.5 * log_variance) * tg.randn_like(mean)

    def forward(self, images: tg.Tensor) -> tuple[tg.Tensor, tg.Tensor, tg.Tensor]:
        mean, log_variance = self.encode(images)
        return self.decoder(self.draw(mean, log_variance)), mean, log_variance

    def sample(self, count: int) -> tg.Tensor:
        """Images (count, pixels) of points drawn around 0."""
        with tg.no_grad():
            return tg.sigmoid(self.decoder(tg.randn(count, self.latent)))


def bound(
    logits: tg.Tensor, images: tg.Tensor, mean: tg.Tensor, log_variance: tg.Tensor, dots: int
) -> tg.Tensor:
    """An upper bound of what a batch costs, in nats: the sum over its images."""
    ink = dots * F.binary_cross_entropy_with_logits(logits, images, reduction="sum")
    # The Kullback-Leibler divergence of N(mean, variance) from N(0, 1): the paper's appendix B.
    point = -0.5 * (1 + log_variance - mean**2 - log_variance.exp()).sum()
    return ink + point


def load(folder: str | None, quick: bool) -> Task:
    """MNIST from the folder, or the bundled digits if no folder was named and it is not there."""
    try:
        parts = MNIST(folder, train=True), MNIST(folder, train=False)
        task = (28, 128, 3 if quick else 10, 1, 130.0 if quick else 110.0)
    except FileNotFoundError:
        if folder is not None:
            raise
        print("MNIST is not there (see --help): the bundled digits of 8x8 pixels are used")
        parts = Digits(train=True), Digits(train=False)
        # A pixel counts the ink in 4x4 dots of the original scan.
        task = (8, 32, 30 if quick else 150, 16, 310.0 if quick else 290.0)

    def ink(images: MNIST | Digits) -> TensorDataset:
        pixels = images.arrays()[0].reshape(len(images), -1).astype(np.float32)
        return TensorDataset(tg.from_numpy(pixels / images.largest))

    return Task(ink(parts[0]), ink(parts[1]), *task)


def train(model: VAE, task: Task) -> None:
    loader = DataLoader(task.training, batch_size=task.batch, shuffle=True)
    optimizer = optim.Adam(model.parameters(), lr=1e-3)
    scheduler = optim.lr_scheduler.CosineAnnealingLR(optimizer, task.passes * len(loader))
    model.train()
    with tqdm(total=task.passes * len(loader), desc="training", unit="step") as bar:
        for _ in range(task.passes):
            total = 0.0
            for (images,) in loader:
                optimizer.zero_grad()
                logits, mean, log_variance = model(images)
                loss = bound(logits, images, mean, log_variance, task.dots) / len(images)
                loss.backward()
                optimizer.step()
                scheduler.step()
                total += loss.item() * len(images)
                bar.update()
            bar.set_postfix(nats=f"{total / len(task.training):.1f}", refresh=False)


def evaluate(model: VAE, task: Task) -> float:
    """The bound for a test image, in nats: the mean over all of them."""
    model.eval()
    total = 0.0
    with tg.no_grad():
        for (batch,) in DataLoader(task.test, batch_size=500):
            logits, mean, log_variance = model(batch)
            total += bound(logits, batch, mean, log_variance, task.dots).item()
    return total / len(task.test)


def draw(model: VAE, task: Task) -> np.ndarray:
    """Test images, what the model makes of them, and eight rows of its own: grey pixels."""
    model.eval()
    # Some from everywhere: the first half of MNIST's test images is tidier than the second.
    originals = task.test[:: len(task.test) // COLUMNS][0][:COLUMNS]
    with tg.no_grad():
        again = tg.sigmoid(model.decoder(model.encode(originals)[0]))
    pixels = tg.cat([originals, again, model.sample(8 * COLUMNS)]).numpy()
    images = pixels.reshape(-1, COLUMNS, task.side, task.side)
    if task.side < 28:  # the small ones touch the edges
        images = np.pad(images, [(0, 0), (0, 0), (1, 1), (1, 1)])
    side = images.shape[-1]
    grid = images.swapaxes(1, 2).reshape(-1, COLUMNS * side)
    scale = 56 // side
    return (255 - 255 * grid).astype(np.uint8).repeat(scale, axis=0).repeat(scale, axis=1)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", help="folder of MNIST (default: TENSORGRAD_DATA)")
    parser.add_argument("--out", type=Path, default=Path("out"), help="folder for the picture")
    parser.add_argument("--quick", action="store_true", help="3 passes, with a bar of 130 nats")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    try:
        task = load(arguments.data, arguments.quick)
    except FileNotFoundError as error:
        parser.error(str(error))

    tg.manual_seed(arguments.seed)
    model = VAE(task.side**2)
    count = sum(p.numel() for p in model.parameters())
    print(f"{count:,} parameters, {len(task.training):,} images, {task.passes} passes")
    began = time.perf_counter()
    train(model, task)
    seconds = time.perf_counter() - began
    nats = evaluate(model, task)
    arguments.out.mkdir(parents=True, exist_ok=True)
    picture = arguments.out / "vae.png"
    picture.write_bytes(encode_png(draw(model, task)))
    verdict = "reached" if nats <= task.bar else "MISSED"
    print(
        f"{nats:.1f} nats for an image after {seconds:.0f} s; the bar, {task.bar:g}, is {verdict}"
    )
    print(f"The digits it writes: {picture}")
    return 0 if nats <= task.bar else 1


if __name__ == "__main__":
    sys.exit(main())
