"""A note on algorithms that write a row at a time, where a training is too short for all rows."""

from typing import Any


def rows_unwritten(trained: Any, weights: Any, data: Any) -> list[str]:
    """Tells by how much a training is too short for every row to be written.

    Args:
      trained: an experiment with an algorithm and batches, of the sweep's first lane.
      weights: a tree of what is on devices.
      data: that it trains on; ``data.train.y`` are labels.
    """
    samples = getattr(trained.train, "epoch_samples", None) or len(data.train.y)
    updates = trained.train.epochs * (samples // trained.train.batch_size)
    slowest, first = trained.algorithm.last_to_be_written(weights)
    if first <= updates:
        return []
    return [
        f"{type(trained.algorithm).__name__} first writes the last row of {slowest} at update "
        f"{first:,}, and a training has {updates:,}; lower train.transfer_every (0.1 reads ten "
        "rows at an update) or train longer"
    ]
