"""What stands behind `Monitor`: which numbers it looks at, keeps, judges and draws."""
