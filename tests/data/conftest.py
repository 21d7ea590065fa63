"""Makers of small files in the formats of the data sets, and a server on this machine."""

from __future__ import annotations

import gzip
import http.server
import io
import pickle
import struct
import tarfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest


def idx_bytes(array: np.ndarray) -> bytes:
    return struct.pack(f">{1 + array.ndim}I", 0x800 + array.ndim, *array.shape) + array.tobytes()


def made_up(count: int, shape: tuple[int, ...], seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    images = rng.integers(0, 256, (count, *shape), dtype=np.uint8)
    return images, rng.integers(0, 10, count).astype(np.uint8)


@pytest.fixture(autouse=True)
def no_data_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No test may find real data by accident, or write to the user's cache."""
    monkeypatch.delenv("TENSORGRAD_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def write_mnist() -> Callable[..., dict[str, Any]]:
    """write_mnist(folder, zipped=True, count=12): four files; returns the arrays by split."""

    def write(folder: Path, zipped: bool = True, count: int = 12) -> dict[str, Any]:
        folder.mkdir(parents=True, exist_ok=True)
        arrays = {}
        for seed, split in enumerate(("train", "t10k")):
            images, labels = arrays[split] = made_up(count + seed, (28, 28), seed)
            for kind, array in (("images-idx3", images), ("labels-idx1", labels)):
                name, content = f"{split}-{kind}-ubyte", idx_bytes(array)
                if zipped:
                    name, content = name + ".gz", gzip.compress(content)
                (folder / name).write_bytes(content)
        return arrays

    return write


@pytest.fixture
def cifar_files() -> Callable[..., tuple[dict[str, bytes], np.ndarray, np.ndarray]]:
    """cifar_files(binary, count=3): six batches by file name; all images and labels in order."""

    def make(binary: bool, count: int = 3, protocol: int = 2) -> Any:
        images, labels = made_up(6 * count, (3, 32, 32), 7)
        files = {}
        names = [f"data_batch_{i}" for i in range(1, 6)] + ["test_batch"]
        for i, name in enumerate(names):
            part = slice(i * count, (i + 1) * count)
            flat = images[part].reshape(count, -1)
            if binary:
                files[name + ".bin"] = np.c_[labels[part], flat].astype(np.uint8).tobytes()
            else:
                files[name] = pickle.dumps(
                    {
                        b"batch_label": b"a batch",
                        b"labels": labels[part].tolist(),
                        b"data": flat,
                        b"filenames": [b"a.png"] * count,
                    },
                    protocol=protocol,
                )
        return files, images, labels

    return make


def tar_gz(
    files: dict[str, bytes], extra: Callable[[tarfile.TarFile], None] | None = None
) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        if extra is not None:
            extra(archive)
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return packed.getvalue()


@pytest.fixture
def make_tar_gz() -> Callable[..., bytes]:
    return tar_gz


class Server:
    """Serves ``files`` by path; ``cut`` paths announce their size and then hang up half-way."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.cut: set[str] = set()
        self.asked: list[str] = []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.asked.append(self.path)
                content = outer.files.get(self.path)
                if content is None:
                    self.send_error(404)
                    return
                self.send_response(200)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                if self.path in outer.cut:
                    content = content[: len(content) // 2]
                self.wfile.write(content)

            def log_message(self, *_: Any) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("no_proxy", "*")
    running = Server()
    yield running
    running.close()
