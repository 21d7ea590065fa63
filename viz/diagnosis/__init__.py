"""What stands behind `doctor`: causes, and the rules that find them."""
