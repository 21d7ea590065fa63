"""Charts of numbers over time or by parameter: scales, lines, panels."""
