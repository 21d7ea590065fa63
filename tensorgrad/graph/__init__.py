"""What a graph is made of: nodes and what they keep, scopes, places, hooks."""
