"""What stands behind `derive`: formulas chosen, checked against the rules, and written out."""
