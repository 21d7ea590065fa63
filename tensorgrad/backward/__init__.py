"""The backward walk over a graph, and the short cuts that it takes at most nodes."""
