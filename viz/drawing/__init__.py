"""A graph drawn: what its boxes say, as SVG, as text and by Graphviz."""
