"""The methods of Tensor, one family a file: mixins without state."""
