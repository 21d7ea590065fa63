"""The methods of Tensor, one family a file: mixins without state, joined here."""

from __future__ import annotations

from tensorgrad.methods.arithmetic import ArithmeticMethods
from tensorgrad.methods.comparison import ComparisonMethods
from tensorgrad.methods.complex_parts import ComplexMethods
from tensorgrad.methods.conversion import ConversionMethods
from tensorgrad.methods.creating import CreatingMethods
from tensorgrad.methods.drawing import DrawingMethods
from tensorgrad.methods.elementwise import ElementwiseMethods
from tensorgrad.methods.floating import FloatingMethods
from tensorgrad.methods.further import FurtherMethods
from tensorgrad.methods.gradients import GradientMethods
from tensorgrad.methods.indexing import IndexingMethods
from tensorgrad.methods.inplace import InplaceMethods
from tensorgrad.methods.inplace_logic import InplaceLogicMethods
from tensorgrad.methods.inplace_math import InplaceMathMethods
from tensorgrad.methods.inplace_matrices import InplaceMatrixMethods
from tensorgrad.methods.inplace_random import InplaceRandomMethods
from tensorgrad.methods.inplace_shape import InplaceShapeMethods
from tensorgrad.methods.interchange import InterchangeMethods
from tensorgrad.methods.joining import JoiningMethods
from tensorgrad.methods.kinds import KindMethods
from tensorgrad.methods.linalg import LinalgMethods
from tensorgrad.methods.matrices import MatrixMethods
from tensorgrad.methods.products import ProductMethods
from tensorgrad.methods.rearranging import RearrangingMethods
from tensorgrad.methods.reduction import ReductionMethods
from tensorgrad.methods.scattering import ScatteringMethods
from tensorgrad.methods.shape import ShapeMethods
from tensorgrad.methods.sorting import SortingMethods
from tensorgrad.methods.special import SpecialMethods
from tensorgrad.methods.statistics import StatisticsMethods
from tensorgrad.methods.strided import StridedMethods
from tensorgrad.methods.trigonometric import TrigonometricMethods
from tensorgrad.recording.spelling import numpy_names

__all__ = ["Methods"]


@numpy_names
class Methods(
    ArithmeticMethods,
    ElementwiseMethods,
    ComparisonMethods,
    ReductionMethods,
    StatisticsMethods,
    SortingMethods,
    ScatteringMethods,
    RearrangingMethods,
    ShapeMethods,
    JoiningMethods,
    IndexingMethods,
    LinalgMethods,
    MatrixMethods,
    ProductMethods,
    ComplexMethods,
    TrigonometricMethods,
    SpecialMethods,
    FloatingMethods,
    InplaceMethods,
    InplaceMathMethods,
    InplaceLogicMethods,
    InplaceMatrixMethods,
    InplaceRandomMethods,
    InplaceShapeMethods,
    KindMethods,
    CreatingMethods,
    DrawingMethods,
    FurtherMethods,
    ConversionMethods,
    GradientMethods,
    StridedMethods,
    InterchangeMethods,
):
    """All of a Tensor's operations."""

    __slots__ = ()
