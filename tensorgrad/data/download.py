"""Downloading a file: from the first mirror that has it, checked, whole or not at all."""

from __future__ import annotations

import gzip
import hashlib
import http.client
import secrets
import urllib.request
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import IO, cast

__all__ = ["check_md5", "download"]

_PIECE = 1 << 16
_SECONDS_WITHOUT_AN_ANSWER = 30


def download(
    urls: Sequence[str], target: Path, *, md5: str, limit: int, unzipped: bool = False
) -> None:
    """Fetch ``target`` from the first of ``urls`` whose content has the right MD5.

    The file appears under its name only when it is complete and checked: it is written to a
    temporary file beside it, which is removed on any failure, an interrupt included. ``limit`` is
    the most bytes that are accepted, packed and unpacked; ``unzipped`` is as in
    :func:`check_md5`. Shows a progress bar. RuntimeError, with the reason for each mirror, when
    none of them worked.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    reasons = []
    for url in urls:
        # Not mkstemp: it makes files that only their owner may read.
        part = target.with_name(f".{target.name}.{secrets.token_hex(8)}.part")
        try:
            with part.open("xb") as sink:
                _fetch(url, sink, target.name, limit)
            check_md5(part, md5, limit=limit, unzipped=unzipped)
            part.replace(target)
            return
        except (OSError, http.client.HTTPException, ValueError) as error:
            reasons.append(f"  {url}: {type(error).__name__}: {error}")
        finally:
            part.unlink(missing_ok=True)
    raise RuntimeError(
        f"could not download {target.name} to {target.parent}; nothing was left there:\n"
        + "\n".join(reasons)
    )


def check_md5(path: Path, md5: str, *, limit: int, unzipped: bool = False) -> None:
    """ValueError unless the content of ``path`` has ``md5``, unpacked first if ``unzipped``.

    No more than ``limit`` bytes are looked at. The unpacked sum is for files whose content
    publishers agree on while mirrors compress it anew. MD5 is what the publishers give; it guards
    against accidents, not against an attacker.
    """
    digest = hashlib.md5(usedforsecurity=False)
    with cast(IO[bytes], gzip.open(path) if unzipped else path.open("rb")) as source:
        seen = 0
        try:
            while piece := source.read(_PIECE):
                seen += len(piece)
                if seen > limit:
                    raise ValueError(f"it unpacks to more than {limit:,} bytes")
                digest.update(piece)
        except (EOFError, zlib.error) as error:
            raise ValueError(f"damaged gzip data ({error})") from error
    if digest.hexdigest() != md5:
        raise ValueError(f"the MD5 is {digest.hexdigest()}, but {md5} was expected")


def _fetch(url: str, sink: IO[bytes], name: str, limit: int) -> None:
    from tqdm import tqdm  # here: importing the data sets should not cost what few use

    request = urllib.request.Request(url, headers={"User-Agent": "tensorgrad"})
    with urllib.request.urlopen(request, timeout=_SECONDS_WITHOUT_AN_ANSWER) as answer:
        announced = answer.headers.get("Content-Length", "")
        total = int(announced) if announced.isdecimal() else None
        seen = 0
        with tqdm(total=total, unit="B", unit_scale=True, desc=name, mininterval=0.5) as bar:
            while piece := answer.read(_PIECE):
                seen += len(piece)
                if seen > limit:
                    raise ValueError(f"more than {limit:,} bytes, the most this file can have")
                sink.write(piece)
                bar.update(len(piece))
        # http.client itself says nothing when a connection ends early and it is read in pieces.
        if total is not None and seen != total:
            raise ValueError(f"the connection ended after {seen:,} of {total:,} bytes")
