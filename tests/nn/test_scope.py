"""Nodes know the module that made them: path, class and call number."""

import threading

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import nn
from tensorgrad.graph.node import local


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.lin = nn.Linear(3, 3)

    def forward(self, x):
        return self.lin(x).relu()


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = Block()
        self.rest = nn.ModuleList([Block(), Block()])
        self.named = nn.ModuleDict({"head": nn.Linear(3, 1)})
        self.tail = nn.Sequential(nn.Linear(1, 1), nn.Sequential(nn.Tanh()))

    def forward(self, x):
        x = self.first(x)
        for block in self.rest:
            x = block(x)
        x = self.named["head"](x)
        return self.tail(x) * 2


def scopes(output):
    """(operation, path) of every node, in the order in which they were made."""
    found, stack = {}, [output.grad_fn]
    while stack:
        node = stack.pop()
        if node is not None and node.seq not in found:
            found[node.seq] = (node.op.name, node.scope.path if node.scope else None)
            stack.extend(node.inputs)
    return [found[seq] for seq in sorted(found) if seq]


def test_paths_are_those_of_named_modules():
    net = Net()
    made = scopes(net(tg.ones(2, 3)))
    assert made == [
        ("linear", "first.lin"),
        ("relu", "first"),
        ("linear", "rest.0.lin"),
        ("relu", "rest.0"),
        ("linear", "rest.1.lin"),
        ("relu", "rest.1"),
        ("linear", "named.head"),
        ("linear", "tail.0"),
        ("tanh", "tail.1.0"),
        ("mul", ""),
    ]
    names = dict(net.named_modules())
    assert {path for _, path in made} <= set(names)


def test_scope_has_class_parents_and_call_number():
    net = Net()
    for call in range(3):
        scope = net(tg.ones(2, 3)).grad_fn.inputs[0].scope
        assert (scope.name, scope.cls, scope.call) == ("0", "Tanh", call)
        assert (scope.parent.name, scope.parent.cls) == ("1", "Sequential")
        assert (scope.parent.parent.parent.name, scope.parent.parent.parent.cls) == ("", "Net")
        assert scope.parent.parent.parent.parent is None
    shared = nn.Linear(2, 2)
    out = nn.Sequential(shared, shared)(tg.ones(1, 2))
    assert (out.grad_fn.scope.call, out.grad_fn.inputs[0].scope.call) == (1, 0)


def test_a_module_in_two_places_has_the_name_of_the_place_it_is_called_in():
    lin = nn.Linear(2, 2)

    class Outer(nn.Module):
        def __init__(self, child):
            super().__init__()
            self.child = child

        def forward(self, x):
            return self.child(x)

    outer = Outer(lin)
    sequence = nn.Sequential(nn.ReLU(), lin)
    x = tg.ones(1, 2)
    for _ in range(2):
        assert outer(x).grad_fn.scope.path == "child"
        assert sequence(x).grad_fn.scope.path == "1"
    tail = sequence[1:]
    assert tail(x).grad_fn.scope.path == "1"
    assert outer(x).grad_fn.scope.path == "child"
    del sequence[0]
    assert sequence(x).grad_fn.scope.path == "0"


def test_a_module_that_is_registered_nowhere_adds_no_name():
    loose = nn.Linear(2, 2)

    class Outer(nn.Module):
        def forward(self, x):
            return loose(x)

    scope = nn.Sequential(Outer())(tg.ones(1, 2)).grad_fn.scope
    assert (scope.path, scope.cls, scope.name) == ("0", "Linear", "")


def test_the_scope_ends_with_the_call_also_after_an_error():
    net = Net()
    with pytest.raises(RuntimeError) as caught:
        net(tg.ones(2, 4))
    assert local.context.scope is None
    assert "in the forward of Linear 'first.lin'" in caught.value.__notes__
    assert len(caught.value.__notes__) == 1  # the innermost module alone
    assert (net(tg.ones(2, 3)) * 1).grad_fn.scope is None
    assert scopes(net(tg.ones(2, 3)))[0] == ("linear", "first.lin")


def test_threads_have_scopes_of_their_own():
    net = Net()
    inside, leave = threading.Event(), threading.Event()

    class Waits(nn.Module):
        def forward(self, x):
            inside.set()
            leave.wait(5)
            return x

    thread = threading.Thread(target=Waits(), args=(tg.ones(1),))
    thread.start()
    assert inside.wait(5)
    paths = [path for _, path in scopes(net(tg.ones(2, 3)))]
    leave.set()
    thread.join()
    assert paths[0] == "first.lin"


def test_a_call_costs_little():
    # Not a benchmark: it guards against a search through the model on every call.
    import time

    deep = nn.Identity()
    for _ in range(200):
        deep = nn.Sequential(deep)
    x = np.zeros(1)
    deep(x)
    start = time.thread_time()  # not by the clock: other processes take as much as they want of it
    for _ in range(20):
        deep(x)
    per_call = (time.thread_time() - start) / (20 * 200)
    assert per_call < 50e-6
