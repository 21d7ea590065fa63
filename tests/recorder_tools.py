"""What the quick recorders and the general one make of the same arguments, side by side."""

import numpy as np

import tensorgrad as tg
from tensorgrad.primitive import recorded
from tensorgrad.recording.general import general


def leaf(*shape, dtype=np.float32, grad=True, seed=0):
    values = np.random.default_rng(seed).uniform(0.5, 1.5, shape).astype(dtype)
    return tg.from_numpy(values).requires_grad_(grad)


def _saved(entry, of_argument=False):
    """What is comparable of something saved: an argument's array is the same one."""
    if isinstance(entry, dict):  # what a kernel kept for itself, made anew each time
        return {word: _saved(kept) for word, kept in entry.items()}
    if isinstance(entry, tuple):
        return [_saved(kept) for kept in entry]
    if entry is None or isinstance(entry, np.ndarray):
        return id(entry) if of_argument and entry is not None else type(entry)
    return entry


def what(node):
    """All that a node says, with the array of each argument saved, or its edge."""
    if node is None:
        return None
    saved = node.saved or (None, *node.inputs)
    storages = node.storages or (None,) * len(saved)
    return {
        "op": node.op, "inputs": node.inputs, "params": node.params, "shape": node.shape,
        "dtype": node.dtype, "scope": node.scope, "hooks": node.hooks, "line": str(node.location),
        "saved": [_saved(s, of_argument=i > 0) for i, s in enumerate(saved)],
        # Where an array is saved: as its tensor holds it, so that writes to either are noticed.
        "storages": [
            None if s is None or not isinstance(entry, np.ndarray) else id(s)
            for s, entry in zip(storages[1:], saved[1:], strict=False)
        ],
    }  # fmt: skip


def same(op, *args, **params):
    # Both on one line: nodes keep it.
    quick, slow = [call(*args, **params) for call in (getattr(recorded, op.name), general(op))]
    assert quick._array.dtype is slow._array.dtype
    np.testing.assert_array_equal(quick._array, slow._array)
    assert type(quick._array) is np.ndarray
    assert what(quick._node) == what(slow._node)
    assert quick._requires_grad == slow._requires_grad
    return quick
