"""What stands behind `gradcheck`: differences, their comparison, and the report."""
