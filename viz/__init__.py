"""The graph, the gradients and the curves as pictures."""
