"""The weakest device that will do, from a fraction of the lanes."""
