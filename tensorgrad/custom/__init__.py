"""`Function`: operations whose forward and backward a user writes."""
