"""What TensorBoard's further dashboards show: hyperparameters, recall, charts, meshes.

TensorBoard's own makers of these messages need TensorFlow; its messages do not.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tensorgrad.utils.tensorboard.summaries import as_array, protos, tensor_message

__all__ = ["hparams", "layout", "mesh", "pr_counts", "pr_curve"]


def hparams(
    values: Mapping[str, Any], metrics: Mapping[str, Any], discrete: Mapping[str, Sequence[Any]]
) -> list[Any]:
    """The experiment, the begin and the end of a run with certain hyperparameters."""
    from tensorboard.plugins.hparams import api_pb2, metadata, plugin_data_pb2

    p = protos()
    if not isinstance(discrete, Mapping):
        raise TypeError(f"add_hparams: hparam_domain_discrete must be a dict, got {discrete!r}")
    for name in (*values, *metrics):
        if not isinstance(name, str):
            raise TypeError(f"add_hparams: names must be strings, got {name!r}")
    for name, choices in discrete.items():
        if not isinstance(choices, Sequence) or isinstance(choices, str):
            raise TypeError(
                f"add_hparams: hparam_domain_discrete of {name!r} must be a list of values, got "
                f"{choices!r}"
            )
    if unknown := sorted(set(discrete) - set(values)):
        raise ValueError(f"add_hparams: hparam_domain_discrete names {unknown}, not in hparam_dict")
    begun = plugin_data_pb2.SessionStartInfo(start_time_secs=time.time())
    infos = []
    for name, value in values.items():
        if value is None:
            continue
        array = as_array(value)
        if array.ndim == 0 and array.dtype.kind == "b":
            kind, begun.hparams[name].bool_value = "BOOL", bool(array)
        elif isinstance(value, str):
            kind, begun.hparams[name].string_value = "STRING", value
        elif array.size == 1 and array.dtype.kind in "iuf":
            kind, begun.hparams[name].number_value = "FLOAT64", float(array.reshape(()))
        else:
            raise ValueError(
                f"add_hparams: {name!r} must be a number, a string, a bool or None, got "
                f"{type(value).__name__}"
            )
        info = api_pb2.HParamInfo(name=name, type=api_pb2.DataType.Value(f"DATA_TYPE_{kind}"))
        if name in discrete:
            allowed = {"BOOL": (bool,), "STRING": (str,), "FLOAT64": (int, float)}[kind]
            if not all(isinstance(choice, allowed) for choice in discrete[name]):
                raise TypeError(
                    f"add_hparams: hparam_domain_discrete of {name!r} has values of another type "
                    f"than {value!r}: {discrete[name]!r}"
                )
            info.domain_discrete.extend(discrete[name])
        infos.append(info)
    experiment = api_pb2.Experiment(
        hparam_infos=infos,
        metric_infos=[api_pb2.MetricInfo(name=api_pb2.MetricName(tag=tag)) for tag in metrics],
    )
    ended = plugin_data_pb2.SessionEndInfo(status=api_pb2.Status.Value("STATUS_SUCCESS"))
    Data = plugin_data_pb2.HParamsPluginData
    parts = (
        (metadata.EXPERIMENT_TAG, Data(experiment=experiment)),
        (metadata.SESSION_START_INFO_TAG, Data(session_start_info=begun)),
        (metadata.SESSION_END_INFO_TAG, Data(session_end_info=ended)),
    )
    made = []
    for tag, data in parts:
        about = metadata.create_summary_metadata(data)
        value = p.Summary.Value(tag=tag, metadata=about, tensor=metadata.NULL_TENSOR)
        made.append(p.Summary(value=[value]))
    return made


def pr_curve(
    labels: Any, predictions: Any, thresholds: int, weights: Any = None
) -> list[NDArray[np.float64]]:
    """True and false positives, true and false negatives, precision and recall by threshold.

    labels: what is true; predictions: numbers of 0 to 1.  An example counts as positive at the
    thresholds k / (thresholds - 1) up to its prediction.
    """
    for what, given in (("labels", labels), ("predictions", predictions)):
        if as_array(given).dtype.kind not in "biuf":
            raise TypeError(f"add_pr_curve: {what} must be numbers, got {as_array(given).dtype}")
    true, found = as_array(labels).reshape(-1).astype(bool), as_array(predictions).reshape(-1)
    if true.shape != found.shape:
        raise ValueError(f"add_pr_curve: {true.size} labels, but {found.size} predictions")
    if not ((found >= 0) & (found <= 1)).all():
        raise ValueError("add_pr_curve: predictions must lie between 0 and 1")
    weight = np.ones(true.size)
    if weights is not None:
        weight = as_array(weights).astype(np.float64)
        if weight.ndim and weight.size != true.size:
            raise ValueError(f"add_pr_curve: {true.size} labels, but {weight.size} weights")
        weight = np.broadcast_to(weight.reshape(-1), true.shape)
    bucket = np.floor(found.astype(np.float64) * (thresholds - 1)).astype(np.intp)
    positive = [
        np.bincount(bucket, weight * kind, thresholds)[::-1].cumsum()[::-1]
        for kind in (true, ~true)
    ]
    tp, fp = positive
    tn, fn = fp[0] - fp, tp[0] - tp
    # Where nothing is found, precision counts as 0, as in TensorBoard.
    precision, recall = tp / np.maximum(1e-7, tp + fp), tp / np.maximum(1e-7, tp + fn)
    return [tp, fp, tn, fn, precision, recall]


def pr_counts(tag: str, rows: Sequence[Any], thresholds: int) -> Any:
    """The six rows of `pr_curve` as a message."""
    from tensorboard.plugins.pr_curve import metadata

    shapes = [as_array(row).shape for row in rows]
    if len(set(shapes)) != 1 or len(shapes[0]) != 1:
        raise ValueError(f"add_pr_curve_raw: six rows of one length are needed, got {shapes}")
    table = np.stack([as_array(row).astype(np.float32) for row in rows])
    about = metadata.create_summary_metadata(
        display_name="", description="", num_thresholds=thresholds
    )
    p = protos()
    value = p.Summary.Value(tag=tag, metadata=about, tensor=tensor_message(table))
    return p.Summary(value=[value])


def layout(categories: Mapping[str, Mapping[str, Sequence[Any]]]) -> Any:
    """Which scalars share a chart: {category: {title: (kind, tags)}}."""
    from tensorboard.plugins.custom_scalar import layout_pb2, metadata

    p, made = protos(), []
    if not isinstance(categories, Mapping) or not all(
        isinstance(charts, Mapping) for charts in categories.values()
    ):
        raise TypeError(
            "add_custom_scalars: layout must be {category: {title: ['Multiline', tags]}}, got "
            f"{categories!r}"
        )
    for name, charts in categories.items():
        category = layout_pb2.Category(title=name)
        for title, (kind, tags) in charts.items():
            if isinstance(tags, str):
                raise TypeError(f"add_custom_scalars: {title!r}: tags must be a list, got {tags!r}")
            if kind == "Multiline":
                lines = layout_pb2.MultilineChartContent(tag=[rf"{tag}" for tag in tags])
                category.chart.append(layout_pb2.Chart(title=title, multiline=lines))
            elif kind == "Margin" and len(tags) == 3:
                value, lower, upper = tags
                series = layout_pb2.MarginChartContent.Series(value=value, lower=lower, upper=upper)
                margin = layout_pb2.MarginChartContent(series=[series])
                category.chart.append(layout_pb2.Chart(title=title, margin=margin))
            else:
                raise ValueError(
                    f"add_custom_scalars: {title!r} is {[kind, tags]}; ['Multiline', tags] or "
                    "['Margin', [value, lower, upper]] was expected"
                )
        made.append(category)
    content = layout_pb2.Layout(category=made).SerializeToString()
    tensor = p.TensorProto(
        dtype="DT_STRING", string_val=[content], tensor_shape=p.TensorShapeProto()
    )
    about = metadata.create_summary_metadata()
    value = p.Summary.Value(tag=metadata.CONFIG_SUMMARY_TAG, metadata=about, tensor=tensor)
    return p.Summary(value=[value])


def mesh(tag: str, vertices: Any, colors: Any, faces: Any, config: Any) -> Any:
    """Points in space (batch, n, 3), with colours of 0..255 and triangles of their numbers."""
    from tensorboard.plugins.mesh import metadata
    from tensorboard.plugins.mesh.plugin_data_pb2 import MeshPluginData

    p, values = protos(), []
    if config is not None and not isinstance(config, Mapping):
        raise TypeError(f"add_mesh: config_dict must be a dict, got {config!r}")
    given = [
        (MeshPluginData.VERTEX, vertices, np.float32),
        (MeshPluginData.FACE, faces, np.int32),
        (MeshPluginData.COLOR, colors, np.uint8),
    ]
    given = [part for part in given if part[1] is not None]
    components = metadata.get_components_bitmask([kind for kind, _, _ in given])
    for kind, part, dtype in given:
        array = as_array(part).astype(dtype)
        if array.ndim != 3 or array.shape[2] != 3:
            raise ValueError(
                f"add_mesh: {tag!r}: (batch, n, 3) was expected, got shape {array.shape}"
            )
        if kind == MeshPluginData.COLOR and array.shape != as_array(vertices).shape:
            raise ValueError(
                f"add_mesh: {tag!r}: a colour for each of the vertices {as_array(vertices).shape} "
                f"was expected, got {array.shape}"
            )
        if kind == MeshPluginData.FACE and array.size:
            points = as_array(vertices).shape[1]
            if array.min() < 0 or array.max() >= points:
                raise ValueError(
                    f"add_mesh: {tag!r}: faces are made of vertices 0 to {points - 1}, got "
                    f"{array.min()} to {array.max()}"
                )
        about = metadata.create_summary_metadata(
            tag, None, kind, components, array.shape, json_config=json.dumps(config or {})
        )
        name = metadata.get_instance_name(tag, kind)
        values.append(p.Summary.Value(tag=name, metadata=about, tensor=tensor_message(array)))
    return p.Summary(value=values)
