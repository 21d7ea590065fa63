"""How a call becomes a node: the general recorder, and quick ones for the commonest calls."""
