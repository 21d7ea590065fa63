"""The graph, the gradients and the curves as pictures: figures that print, show and save.

Every function returns a `Figure`: ``print`` it in a terminal, show it in Jupyter, or
``save("x.svg")`` it in the format that the suffix names.
"""

from tensorgrad.viz.charts.smoothing import over_runs
from tensorgrad.viz.confusions import ConfusionFigure, confusion_matrix
from tensorgrad.viz.curves import CurvesFigure, learning_curves
from tensorgrad.viz.derivation_checks import DerivationCheck, check_derivation
from tensorgrad.viz.derivations import DerivationFigure, derive
from tensorgrad.viz.diagnosis.findings import Finding, Findings
from tensorgrad.viz.doctor import doctor
from tensorgrad.viz.drawing.dot_engine import DotError
from tensorgrad.viz.explorer import ExplorerFigure, explore
from tensorgrad.viz.figures.figure import Figure
from tensorgrad.viz.figures.raster import EngineError
from tensorgrad.viz.gradients import GradFlowFigure, GradStats, grad_flow
from tensorgrad.viz.graphs import GraphFigure, graph
from tensorgrad.viz.monitor import Monitor
from tensorgrad.viz.monitoring.views import MonitorFigure
from tensorgrad.viz.pictures import ImagesFigure, images, kernels, misclassified
from tensorgrad.viz.profiles import FlameFigure, ProfileFigure, profile
from tensorgrad.viz.snapshots.snapshot import Snapshot
from tensorgrad.viz.tables import TableFigure, table
from tensorgrad.viz.tracing import Recording, Trace, record, trace_backward

__all__ = [
    "graph",
    "derive",
    "check_derivation",
    "grad_flow",
    "learning_curves",
    "over_runs",
    "confusion_matrix",
    "images",
    "misclassified",
    "kernels",
    "table",
    "Monitor",
    "doctor",
    "profile",
    "record",
    "trace_backward",
    "explore",
    "Figure",
    "GraphFigure",
    "DerivationFigure",
    "DerivationCheck",
    "GradFlowFigure",
    "CurvesFigure",
    "ConfusionFigure",
    "ImagesFigure",
    "TableFigure",
    "GradStats",
    "MonitorFigure",
    "Finding",
    "Findings",
    "ProfileFigure",
    "FlameFigure",
    "ExplorerFigure",
    "Recording",
    "Trace",
    "Snapshot",
    "EngineError",
    "DotError",
]
