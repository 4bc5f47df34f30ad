"""A note on algorithms that write a row at a time, where a training is too short for all rows."""

from typing import Any

from memjax.updates import Algorithm


def rows_unwritten(algorithm: Algorithm, weights: Any, updates: int) -> str:
    """Tells by how much a training is too short for every row to be written.

    Args:
      algorithm: of the sweep's first lane.
      weights: a tree of what is on devices.
      updates: of a training.
    """
    wait = algorithm.updates_to_write(weights)
    slowest = max(wait, key=lambda path: wait[path], default="")
    if not wait or wait[slowest] <= updates:
        return ""
    return (
        f"{type(algorithm).__name__} first writes the last row of {slowest} at update "
        f"{wait[slowest]:,}, and a training has {updates:,}; lower train.transfer_every (0.1 reads "
        "ten rows at an update) or train longer"
    )
