"""Downloads: checked, atomic, from the mirror that works; from a server on this machine."""

from __future__ import annotations

import gzip
import hashlib
from pathlib import Path
from typing import Any

import pytest

from tensorgrad.data import download as module
from tensorgrad.data.download import download

CONTENT = bytes(range(256)) * 1000
MD5 = hashlib.md5(CONTENT).hexdigest()


def fetch(tmp_path: Path, *urls: str, **options: Any) -> Path:
    target = tmp_path / "sets" / "file.bin"
    download(urls, target, md5=options.pop("md5", MD5), limit=1_000_000, **options)
    return target


def nothing_left(tmp_path: Path) -> bool:
    return not list((tmp_path / "sets").iterdir())


def test_the_file_arrives_with_progress(
    server: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    server.files["/a"] = CONTENT
    target = fetch(tmp_path, server.url + "/a")
    assert target.read_bytes() == CONTENT
    assert [target] == list(target.parent.iterdir())
    progress = capsys.readouterr().err
    assert "file.bin" in progress
    assert "256k/256k" in progress


def test_the_next_mirror_is_asked_when_one_fails(server: Any, tmp_path: Path) -> None:
    server.files |= {"/wrong": b"<html>sorry</html>", "/cut": CONTENT, "/good": CONTENT}
    server.cut.add("/cut")
    urls = [server.url + path for path in ("/missing", "/wrong", "/cut", "/good", "/unasked")]
    target = fetch(tmp_path, *urls)
    assert target.read_bytes() == CONTENT
    assert server.asked == ["/missing", "/wrong", "/cut", "/good"]
    assert [target] == list(target.parent.iterdir())


def test_when_none_works_each_reason_is_given_and_nothing_is_left(
    server: Any, tmp_path: Path
) -> None:
    server.files |= {"/wrong": b"<html>sorry</html>", "/cut": CONTENT, "/long": bytes(1_000_001)}
    server.cut.add("/cut")
    paths = ("/missing", "/wrong", "/cut", "/long")
    with pytest.raises(RuntimeError) as caught:
        fetch(tmp_path, *(server.url + path for path in paths), "http://127.0.0.1:1/refused")
    message = str(caught.value)
    assert all(server.url + path in message for path in paths)
    assert "404" in message
    assert hashlib.md5(b"<html>sorry</html>").hexdigest() in message
    assert MD5 in message
    assert "128,000 of 256,000" in message
    assert "more than 1,000,000" in message
    assert "refused" in message
    assert nothing_left(tmp_path)


def test_an_interrupt_leaves_nothing(
    server: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.files["/a"] = CONTENT

    def interrupted(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "check_md5", interrupted)
    with pytest.raises(KeyboardInterrupt):
        fetch(tmp_path, server.url + "/a")
    assert nothing_left(tmp_path)


def test_a_file_that_is_there_survives_a_failed_download(server: Any, tmp_path: Path) -> None:
    target = tmp_path / "sets" / "file.bin"
    target.parent.mkdir()
    target.write_bytes(b"before")
    with pytest.raises(RuntimeError):
        fetch(tmp_path, server.url + "/missing")
    assert target.read_bytes() == b"before"


def test_the_sum_of_unpacked_content_whatever_the_wrapping(server: Any, tmp_path: Path) -> None:
    for level in (1, 9):
        server.files["/a"] = gzip.compress(CONTENT, compresslevel=level)
        target = fetch(tmp_path, server.url + "/a", unzipped=True)
        assert gzip.decompress(target.read_bytes()) == CONTENT
        target.unlink()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (CONTENT, "Not a gzipped file"),
        (gzip.compress(CONTENT)[:-9], "damaged gzip"),
        (gzip.compress(CONTENT + b"x"), "the MD5 is"),
        (gzip.compress(bytes(2_000_000)), "unpacks to more than"),
    ],
)
def test_wrong_zipped_content_is_refused(
    server: Any, tmp_path: Path, content: bytes, reason: str
) -> None:
    server.files["/a"] = content
    with pytest.raises(RuntimeError, match=reason):
        fetch(tmp_path, server.url + "/a", unzipped=True)
    assert nothing_left(tmp_path)
