"""What a user's type checker must see; `make types` checks this file against the built wheel."""
