"""`SummaryWriter`: events for TensorBoard, under PyTorch's names."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from tensorgrad.nn import Module
from tensorgrad.utils.tensorboard import dashboards, graph, projector, summaries
from tensorgrad.utils.tensorboard.arguments import check_writer, step_of, tagged, whole
from tensorgrad.utils.tensorboard.summaries import protos

__all__ = ["SummaryWriter"]


class SummaryWriter:
    """Writes scalars, histograms, pictures and more to a folder that TensorBoard shows.

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
        max_queue = check_writer(max_queue, flush_secs, comment, filename_suffix)
        if purge_step is not None:
            purge_step = step_of("purge_step", purge_step)
        if not log_dir:
            began = datetime.now().strftime("%b%d_%H-%M-%S")
            log_dir = os.path.join("runs", f"{began}_{socket.gethostname()}{comment}")
        self.log_dir = os.fspath(log_dir)
        if os.path.isfile(self.log_dir):
            raise NotADirectoryError(
                f"SummaryWriter: log_dir={self.log_dir!r} is a file; name a folder"
            )
        self.purge_step = purge_step
        self._options = (max_queue, flush_secs, filename_suffix)
        self._writers: dict[str, Any] = {}
        self._closed = False
        self._open(self.log_dir)

    def get_logdir(self) -> str:
        """The folder of the event files."""
        return self.log_dir

    @tagged
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

    @tagged
    def add_scalars(
        self,
        main_tag: str,
        tag_scalar_dict: Mapping[str, Any],
        global_step: int | None = None,
        walltime: float | None = None,
    ) -> None:
        """Several numbers in one chart: each has a folder of its own, as TensorBoard wants it."""
        if not isinstance(tag_scalar_dict, Mapping):
            raise TypeError(
                f"add_scalars: tag_scalar_dict must be a dict of numbers, got {tag_scalar_dict!r}"
            )
        walltime = time.time() if walltime is None else walltime
        for tag, value in tag_scalar_dict.items():
            folder = f"{self.log_dir}/{main_tag.replace('/', '_')}_{tag}"
            message = summaries.scalar(main_tag, value, False, False)
            self._add(message, global_step, walltime, folder)

    @tagged
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

    @tagged
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

    @tagged
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

    @tagged
    def add_text(
        self,
        tag: str,
        text_string: str,
        global_step: int | None = None,
        walltime: float | None = None,
    ) -> None:
        """A text, shown as Markdown."""
        self._add(summaries.text(tag, text_string), global_step, walltime)

    @tagged
    def add_figure(
        self,
        tag: str,
        figure: Any,
        global_step: int | None = None,
        close: bool = True,
        walltime: float | None = None,
    ) -> None:
        """A figure of matplotlib, or several side by side; ``close`` closes them afterwards."""
        several = isinstance(figure, list)
        pictures = [self._drawn(one) for one in (figure if several else [figure])]
        if close:
            from matplotlib import pyplot

            for one in figure if several else [figure]:
                pyplot.close(one)
        self.add_images(tag, np.stack(pictures), global_step, walltime, "NHWC")

    @staticmethod
    def _drawn(figure: Any) -> Any:
        from matplotlib.backends.backend_agg import FigureCanvasAgg

        canvas = FigureCanvasAgg(figure)
        canvas.draw()
        return np.asarray(canvas.buffer_rgba())[:, :, :3]

    @tagged
    def add_audio(
        self,
        tag: str,
        snd_tensor: Any,
        global_step: int | None = None,
        sample_rate: int = 44100,
        walltime: float | None = None,
    ) -> None:
        """A sound: numbers of -1 to 1, one channel, ``sample_rate`` of them a second."""
        self._add(summaries.audio(tag, snd_tensor, sample_rate), global_step, walltime)

    @tagged
    def add_tensor(
        self,
        tag: str,
        tensor: Any,
        global_step: int | None = None,
        walltime: float | None = None,
    ) -> None:
        """All elements of a tensor."""
        self._add(summaries.tensor(tag, tensor), global_step, walltime)

    @tagged
    def add_histogram_raw(
        self,
        tag: str,
        min: Any,
        max: Any,
        num: Any,
        sum: Any,
        sum_squares: Any,
        bucket_limits: Any,
        bucket_counts: Any,
        global_step: int | None = None,
        walltime: float | None = None,
    ) -> None:
        """A histogram that was counted elsewhere; bucket_limits are the right edges."""
        numbers = {"min": min, "max": max, "num": num, "sum": sum, "sum_squares": sum_squares}
        message = summaries.raw_histogram(tag, numbers, bucket_limits, bucket_counts)
        self._add(message, global_step, walltime)

    def add_hparams(
        self,
        hparam_dict: dict[str, Any],
        metric_dict: dict[str, Any],
        hparam_domain_discrete: dict[str, list[Any]] | None = None,
        run_name: str | None = None,
        global_step: int | None = None,
    ) -> None:
        """What a run was made with, and what came out; in a folder of its own (default: the time).

        hparam_domain_discrete: all values that a hyperparameter can have, by its name.
        """
        if not isinstance(hparam_dict, dict) or not isinstance(metric_dict, dict):
            raise TypeError("add_hparams: hparam_dict and metric_dict must be dictionaries")
        if run_name is not None and not isinstance(run_name, str):
            raise TypeError(f"add_hparams: run_name must be a string, got {run_name!r}")
        messages = dashboards.hparams(hparam_dict, metric_dict, hparam_domain_discrete or {})
        folder = os.path.join(self.log_dir, run_name or str(time.time()))
        with SummaryWriter(folder) as writer:
            for message in messages:
                writer._add(message, global_step, None)
            for tag, value in metric_dict.items():
                writer.add_scalar(tag, value, global_step)

    @tagged
    def add_pr_curve(
        self,
        tag: str,
        labels: Any,
        predictions: Any,
        global_step: int | None = None,
        num_thresholds: int = 127,
        weights: Any = None,
        walltime: float | None = None,
    ) -> None:
        """Precision against recall, of true labels (0 or 1) and predictions of 0 to 1."""
        # The dashboard shows no more than 127.
        num_thresholds = min(whole("add_pr_curve: num_thresholds", num_thresholds, 2), 127)
        rows = dashboards.pr_curve(labels, predictions, num_thresholds, weights)
        self._add(dashboards.pr_counts(tag, rows, num_thresholds), global_step, walltime)

    @tagged
    def add_pr_curve_raw(
        self,
        tag: str,
        true_positive_counts: Any,
        false_positive_counts: Any,
        true_negative_counts: Any,
        false_negative_counts: Any,
        precision: Any,
        recall: Any,
        global_step: int | None = None,
        num_thresholds: int = 127,
        weights: Any = None,
        walltime: float | None = None,
    ) -> None:
        """A curve that was counted elsewhere, a number for each threshold in each row."""
        if weights is not None:
            raise ValueError("add_pr_curve_raw: weights belong into the counts; leave them out")
        rows = (
            *(true_positive_counts, false_positive_counts, true_negative_counts),
            *(false_negative_counts, precision, recall),
        )
        self._add(dashboards.pr_counts(tag, rows, min(num_thresholds, 127)), global_step, walltime)

    def add_custom_scalars(self, layout: dict[str, dict[str, list[Any]]]) -> None:
        """Which scalars share a chart: {category: {title: ["Multiline", [tag, ...]]}}."""
        self._add(dashboards.layout(layout), None, None)

    def add_custom_scalars_multilinechart(
        self, tags: list[str], category: str = "default", title: str = "untitled"
    ) -> None:
        """One chart of several scalars."""
        self.add_custom_scalars({category: {title: ["Multiline", tags]}})

    def add_custom_scalars_marginchart(
        self, tags: list[str], category: str = "default", title: str = "untitled"
    ) -> None:
        """One chart of a scalar between two others: tags are [value, lower, upper]."""
        self.add_custom_scalars({category: {title: ["Margin", tags]}})

    def add_embedding(
        self,
        mat: Any,
        metadata: Any = None,
        label_img: Any = None,
        global_step: int | None = None,
        tag: str = "default",
        metadata_header: Any = None,
    ) -> None:
        """Points (n, features) for the projector, with labels and pictures (n, C, H, W)."""
        step = "00000" if global_step is None else f"{step_of('global_step', global_step):05d}"
        projector.write_embedding(
            Path(self.log_dir), f"{step}/{tag}", mat, metadata, label_img, metadata_header
        )

    def add_graph(
        self,
        model: Any,
        input_to_model: Any = None,
        verbose: bool = False,
        use_strict_trace: bool = True,
    ) -> None:
        """The operations that one call of the model records, a box for each module.

        input_to_model: a Tensor, or a tuple of the arguments.  verbose prints the names of all
        nodes; use_strict_trace is taken and changes nothing: the call is recorded as it is.
        """
        if input_to_model is None:
            raise ValueError("add_graph: input_to_model is needed: the graph is that of a call")
        if not isinstance(model, Module):
            raise TypeError(f"add_graph: model must be a Module, got a {type(model).__name__}")
        event = protos().Event(graph_def=graph.graph(model, input_to_model, verbose))
        self._write(event, None, None, self.log_dir)

    @tagged
    def add_mesh(
        self,
        tag: str,
        vertices: Any,
        colors: Any = None,
        faces: Any = None,
        config_dict: dict[str, Any] | None = None,
        global_step: int | None = None,
        walltime: float | None = None,
    ) -> None:
        """Points in space (batch, n, 3), with colours of 0..255 and triangles of their numbers."""
        message = dashboards.mesh(tag, vertices, colors, faces, config_dict)
        self._add(message, global_step, walltime)

    def add_video(self, *args: Any, **kwargs: Any) -> None:
        """Refused: nothing here writes moving pictures."""
        raise NotImplementedError("add_video: no encoder of videos here; use add_images")

    def add_image_with_boxes(self, *args: Any, **kwargs: Any) -> None:
        """Refused: nothing here draws into pictures."""
        raise NotImplementedError("add_image_with_boxes: draw the boxes yourself, then add_image")

    def add_onnx_graph(self, prototxt: str) -> None:
        """Refused: there is no ONNX here."""
        raise NotImplementedError("add_onnx_graph: there is no ONNX here; use add_graph")

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
            event.step = step_of("global_step", step)
        self._open(folder).add_event(event)
