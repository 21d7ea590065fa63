"""What every picture of viz is made with: figures, SVG, colours, words, and what saves them."""
