"""A specification: sections, axes, lanes."""
