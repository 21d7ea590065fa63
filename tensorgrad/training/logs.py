"""The numbers of each epoch in files: CSV, a JSON object a line, and TensorBoard's."""

from __future__ import annotations

import csv
import io
import json
import math
import os
from pathlib import Path
from typing import Any

__all__ = ["Logs"]


class Logs:
    """Appends a row for each epoch to ``history.csv`` and ``history.jsonl`` of a folder.

    They begin with the rows that are there already: a run that is resumed writes its past anew,
    without what had been logged after its checkpoint. JSON has no NaN: such numbers are null.
    """

    def __init__(
        self, folder: str | os.PathLike[str] | None, rows: list[dict[str, Any]], tensorboard: bool
    ) -> None:
        if folder is None and tensorboard:
            raise ValueError("fit: tensorboard needs a folder")
        self._folder = None if folder is None else Path(folder)
        self._writer: Any = None
        if tensorboard:
            from tensorgrad.utils.tensorboard import SummaryWriter  # an extra: only if it is used

            # What was written for later epochs by a run that was killed is to be forgotten.
            self._writer = SummaryWriter(str(folder), purge_step=len(rows) + 1 if rows else None)
        if self._folder is not None:
            for name, text in (("history.csv", _csv(rows)), ("history.jsonl", _jsonl(rows))):
                (self._folder / name).write_text(text, encoding="utf-8", newline="")

    def write(self, row: dict[str, Any]) -> None:
        """Add an epoch."""
        if self._folder is None:
            return
        first = row["epoch"] == 1
        for name, text in (
            ("history.csv", _csv([row], header=first)),
            ("history.jsonl", _jsonl([row])),
        ):
            with open(self._folder / name, "a", encoding="utf-8", newline="") as file:
                file.write(text)
        if self._writer is not None:
            for split in ("train", "validation"):
                for name, value in row.get(split, {}).items():
                    self._writer.add_scalar(f"{name}/{split}", value, row["epoch"])
            for name, value in _flat(row).items():
                if name.startswith("lr"):
                    self._writer.add_scalar(name, value, row["epoch"])
            self._writer.flush()

    def __enter__(self) -> Logs:
        return self

    def __exit__(self, *error: object) -> None:
        if self._writer is not None:
            self._writer.close()


def _flat(row: dict[str, Any]) -> dict[str, Any]:
    """One level: ``train_loss``, and ``lr``, or ``lr_0``, ``lr_1`` for several groups."""
    flat: dict[str, Any] = {"epoch": row["epoch"]}
    for split in ("train", "validation"):
        flat |= {f"{split}_{name}": value for name, value in row.get(split, {}).items()}
    rates = row["lr"]
    flat |= {"lr": rates[0]} if len(rates) == 1 else {f"lr_{k}": r for k, r in enumerate(rates)}
    return flat | {"seconds": round(row["seconds"], 3)}


def _csv(rows: list[dict[str, Any]], header: bool = True) -> str:
    if not rows:
        return ""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(_flat(rows[0])), lineterminator="\n")
    if header:
        writer.writeheader()
    writer.writerows(_flat(row) for row in rows)
    return text.getvalue()


def _jsonl(rows: list[dict[str, Any]]) -> str:
    def known(value: Any) -> Any:
        return None if isinstance(value, float) and not math.isfinite(value) else value

    lines = [{name: known(value) for name, value in _flat(row).items()} for row in rows]
    return "".join(json.dumps(line, allow_nan=False) + "\n" for line in lines)
