"""A graph as plain data, with the names and places of the program; nothing is drawn here."""
