"""Colours of pictures, which the colour-blind tell apart."""

COLOURS = ["#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9"]
"""One a line, in this order."""
