"""What a node tells of what it saved, under PyTorch's names.

Properties, one by one: a ``__getattr__`` on nodes would slow down every other attribute of theirs,
8 % of a step of small operations.
"""

from __future__ import annotations

from typing import Any

__all__ = ["SavedNames", "named"]


class SavedNames:
    """A node's ``_saved_self``, ``_saved_other``, ``_saved_result`` and their raw forms.

    ``self`` and ``other`` are the first and the second argument.  What is not saved is None.
    """

    __slots__ = ()

    def saved_tensor(self, name: str) -> Any:
        """The `SavedTensor` of an argument by its name in the operation, or of ``result``."""
        from tensorgrad.graph.saved import saved_tensor

        return saved_tensor(self, name)  # type: ignore[arg-type]

    @property
    def _raw_saved_self(self) -> Any:
        return self.saved_tensor("self")

    @property
    def _raw_saved_other(self) -> Any:
        return self.saved_tensor("other")

    @property
    def _raw_saved_result(self) -> Any:
        return self.saved_tensor("result")

    @property
    def _saved_self(self) -> Any:
        return self.saved_tensor("self").value()

    @property
    def _saved_other(self) -> Any:
        return self.saved_tensor("other").value()

    @property
    def _saved_result(self) -> Any:
        return self.saved_tensor("result").value()


_named: dict[tuple[type[Any], str], type[Any]] = {}


def named(node: Any) -> Any:
    """A node (or None) as a program gets to see it: of a class that has its name.

    For type(tensor.grad_fn).__name__.  Recording makes all nodes of one class, which costs
    nothing; a node changes its class when somebody looks.
    """
    if node is None or type(node).__name__ == (name := node.name()):
        return node
    key = type(node), name
    if key not in _named:
        _named[key] = type(name, (key[0],), {"__slots__": (), "__doc__": key[0].__doc__})
    node.__class__ = _named[key]
    return node
