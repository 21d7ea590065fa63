"""`SummaryWriter`: events for TensorBoard, under PyTorch's names."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from tensorgrad.utils.tensorboard import summaries
from tensorgrad.utils.tensorboard.summaries import protos

__all__ = ["SummaryWriter"]


class SummaryWriter:
    """Writes scalars, histograms, images and texts to a folder that TensorBoard shows.

    log_dir: by default ``runs/`` and the date, the host and ``comment``, which is only used then.
    purge_step: TensorBoard forgets what runs before in this folder wrote from this step on.
    max_queue, flush_secs: how many events may wait, and how long, before they are written.
    filename_suffix: added to the names of the files.

    A context manager; ``close()`` writes what is waiting. Raises ModuleNotFoundError where the
    package tensorboard is not installed.
    """

    def __init__(
        self,
        log_dir: str | os.PathLike[str] | None = None,
        comment: str = "",
        purge_step: int | None = None,
        max_queue: int = 10,
        flush_secs: float = 120,
        filename_suffix: str = "",
    ) -> None:
        if not log_dir:
            began = datetime.now().strftime("%b%d_%H-%M-%S")
            log_dir = os.path.join("runs", f"{began}_{socket.gethostname()}{comment}")
        self.log_dir = os.fspath(log_dir)
        self.purge_step = purge_step
        self._options = (max_queue, flush_secs, filename_suffix)
        self._writers: dict[str, Any] = {}
        self._closed = False
        self._open(self.log_dir)

    def get_logdir(self) -> str:
        """The folder of the event files."""
        return self.log_dir

    def add_scalar(
        self,
        tag: str,
        scalar_value: Any,
        global_step: int | None = None,
        walltime: float | None = None,
        new_style: bool = False,
        double_precision: bool = False,
    ) -> None:
        """One number at a step; ``new_style`` writes it as a tensor, then double if wanted."""
        message = summaries.scalar(tag, scalar_value, new_style, double_precision)
        self._add(message, global_step, walltime)

    def add_scalars(
        self,
        main_tag: str,
        tag_scalar_dict: Mapping[str, Any],
        global_step: int | None = None,
        walltime: float | None = None,
    ) -> None:
        """Several numbers in one chart: each has a folder of its own, as TensorBoard wants it."""
        walltime = time.time() if walltime is None else walltime
        for tag, value in tag_scalar_dict.items():
            folder = f"{self.log_dir}/{main_tag.replace('/', '_')}_{tag}"
            message = summaries.scalar(main_tag, value, False, False)
            self._add(message, global_step, walltime, folder)

    def add_histogram(
        self,
        tag: str,
        values: Any,
        global_step: int | None = None,
        bins: Any = "tensorflow",
        walltime: float | None = None,
        max_bins: int | None = None,
    ) -> None:
        """How values are distributed; bins: "tensorflow", or what ``numpy.histogram`` takes."""
        self._add(summaries.histogram(tag, values, bins, max_bins), global_step, walltime)

    def add_image(
        self,
        tag: str,
        img_tensor: Any,
        global_step: int | None = None,
        walltime: float | None = None,
        dataformats: str = "CHW",
    ) -> None:
        """A picture, floats of 0..1 or uint8 of 0..255; dataformats: "CHW", "HWC" or "HW"."""
        self._add(summaries.image(tag, img_tensor, dataformats), global_step, walltime)

    def add_images(
        self,
        tag: str,
        img_tensor: Any,
        global_step: int | None = None,
        walltime: float | None = None,
        dataformats: str = "NCHW",
    ) -> None:
        """Pictures side by side, eight in a row; dataformats: "NCHW", "NHWC" or "NHW"."""
        self._add(summaries.image(tag, img_tensor, dataformats), global_step, walltime)

    def add_text(
        self,
        tag: str,
        text_string: str,
        global_step: int | None = None,
        walltime: float | None = None,
    ) -> None:
        """A text, shown as Markdown."""
        self._add(summaries.text(tag, text_string), global_step, walltime)

    def flush(self) -> None:
        """Write what is waiting."""
        for writer in self._writers.values():
            writer.flush()

    def close(self) -> None:
        """Write what is waiting and end; adding more is refused then."""
        for writer in self._writers.values():
            writer.close()
        self._writers = {}
        self._closed = True

    def __enter__(self) -> SummaryWriter:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _open(self, folder: str) -> Any:
        if folder not in self._writers:
            p = protos()
            self._writers[folder] = p.EventFileWriter(folder, *self._options)
            if self.purge_step is not None:
                start = p.SessionLog(status=p.SessionLog.START)
                for event in (
                    p.Event(file_version="brain.Event:2"),
                    p.Event(session_log=start),
                ):
                    self._write(event, self.purge_step, None, folder)
        return self._writers[folder]

    def _add(
        self, message: Any, step: int | None, walltime: float | None, folder: str | None = None
    ) -> None:
        self._write(protos().Event(summary=message), step, walltime, folder or self.log_dir)

    def _write(self, event: Any, step: int | None, walltime: float | None, folder: str) -> None:
        if self._closed:
            raise ValueError(f"SummaryWriter: the writer to {self.log_dir} was closed")
        event.wall_time = time.time() if walltime is None else walltime
        if step is not None:
            event.step = int(step)
        self._open(folder).add_event(event)
