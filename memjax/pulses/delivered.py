"""Deprecated: the type of an update says whether it is a count."""

import warnings

from jaxtyping import Array

from memjax import random
from memjax.pytree import check, params


@params
class Delivered:
    """Takes plain arrays for counts. Deprecated: give ``memjax.pulses.Counts``."""

    most = float("inf")

    def __post_init__(self) -> None:
        check(self)
        warnings.warn(
            "Delivered is deprecated: an update that is memjax.pulses.Counts is fired as it is; "
            "behind memjax.nn layers, chain memjax.updates.delivered_counts() before it",
            DeprecationWarning,
            stacklevel=3,
        )

    def draw(self, stream: random.Stream, wanted: Array) -> Array:
        """The counts as they are."""
        del stream
        return wanted
