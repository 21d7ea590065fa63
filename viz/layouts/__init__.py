"""The built-in layout: what is drawn as one box, and where boxes and curves are put."""
