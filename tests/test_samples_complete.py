"""Nothing without a row: every primitive, every public function, every layer."""

import importlib
import inspect
import pkgutil

from samples import FUNCTIONS, LAYERS, SAMPLES
from samples_layers import CONTAINERS

import tensorgrad as tg
import tensorgrad.functions
import tensorgrad.nn.functional
from tensorgrad import nn
from tensorgrad.primitive import primitives

# Names of __all__ that are methods of Tensor in PyTorch, and have their rows as such.
METHODS = {name: f"Tensor.{name}" for name in ("view", "expand", "unfold", "put")}


def names_with_a_row() -> set[str]:
    return {name for sample in FUNCTIONS for name in (sample.path, *sample.aliases)}


def test_every_primitive_has_a_row():
    held = {sample.primitive for sample in SAMPLES if sample.primitive}
    assert sorted(set(primitives) - held) == []
    assert sorted(held - set(primitives)) == []


def test_every_public_function_has_a_row():
    public = set()
    for found in pkgutil.iter_modules(tensorgrad.functions.__path__):
        module = importlib.import_module(f"tensorgrad.functions.{found.name}")
        public |= {METHODS.get(name, name) for name in module.__all__}
    assert len(public) > 100
    assert sorted(public - names_with_a_row()) == []


def test_every_function_of_nn_has_a_row():
    public = {f"nn.functional.{name}" for name in nn.functional.__all__}
    assert sorted(public - names_with_a_row()) == []


def test_every_function_of_linalg_and_fft_has_a_row():
    public = {f"linalg.{name}" for name in tg.linalg.__all__ if name != "LinAlgError"}
    public |= {f"fft.{name}" for name in tg.fft.__all__}
    assert sorted(public - names_with_a_row()) == []


def layers_without_a_row():
    kinds = vars(nn).items()
    layers = {
        name for name, kind in kinds if isinstance(kind, type) and issubclass(kind, nn.Module)
    }
    return sorted(layers - {layer.name for layer in LAYERS} - set(CONTAINERS))


def test_every_layer_has_a_row():
    assert layers_without_a_row() == []


def test_a_layer_without_a_row_is_noticed(monkeypatch):
    monkeypatch.setattr(nn, "Brand", type("Brand", (nn.Module,), {}), raising=False)
    assert layers_without_a_row() == ["Brand"]


def test_every_layer_is_run_in_both_modes():
    """Gradients in training and in evaluation, and evaluation beside PyTorch."""
    trained = {layer.name for layer in LAYERS if layer.mode == "train"}
    compared = {layer.name for layer in LAYERS if "eval" in layer.compared}
    named = {layer.name for layer in LAYERS}
    assert sorted(named - trained) == []
    different = {layer.name: layer.reason for layer in LAYERS if not layer.torch}
    assert sorted(named - compared - different.keys()) == []


def test_aliases_are_the_same_function():
    for sample in FUNCTIONS:
        for alias in sample.aliases:
            # published under another name, which the wrapper answers to
            assert inspect.unwrap(getattr(tg, alias)) is inspect.unwrap(sample.function()), alias


def test_exceptions_have_reasons():
    for sample in SAMPLES:
        exceptional = (sample.torch is None and not sample.path.startswith("primitive.")) or (
            sample.order < 2 or sample.tolerance
        )
        assert bool(sample.reason) or not exceptional, sample.path
        assert all(sample.differs.values()), sample.path
    for layer in LAYERS:
        assert layer.reason or (layer.torch and layer.order == 2), layer.name
