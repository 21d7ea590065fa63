"""PyTorch's path of what `tensorgrad.nn.container` defines."""

from tensorgrad.nn.container import ModuleDict, ModuleList, Sequential
from tensorgrad.nn.parameter_container import ParameterDict, ParameterList

__all__ = ["ModuleDict", "ModuleList", "Sequential", "ParameterDict", "ParameterList"]
