"""A note on algorithms that write a row at a time, where a training is too short for all rows."""

from collections.abc import Mapping
from typing import Any

from memjax.updates import ALGORITHMS


def rows_unwritten(trained: Any, swept: Mapping[str, list[Any]], weights: Any, updates: int) -> str:
    """Tells the algorithms by which some rows are never written.

    Args:
      trained: an experiment with an algorithm, of the sweep's first lane.
      swept: values of every swept parameter.
      weights: a tree of what is on devices.
      updates: of a training.
    """
    own = trained.algorithm
    for name in swept.get("train.algorithm", [None]):
        is_own = name is None or type(own) is ALGORITHMS[name]
        wait = (own if is_own else ALGORITHMS[name]()).updates_to_write(weights)
        slowest = max(wait, key=lambda path: wait[path], default="")
        if wait and wait[slowest] > updates:
            who = type(own).__name__ if name is None else name
            return (
                f"{who} first writes the last row of {slowest} at update {wait[slowest]:,}, and a "
                f"training has {updates:,}; lower train.transfer_every (0.1 reads ten rows at an "
                "update) or train longer"
            )
    return ""
