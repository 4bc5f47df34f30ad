"""Device parameters from measured pulse responses."""
