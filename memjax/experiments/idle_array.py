"""Options of an array that act in no lane of a sweep."""

import contextlib
import copy
import dataclasses
import itertools
from collections.abc import Sequence
from typing import Any

from memjax.errors import UserError
from memjax.experiments.base import Swept


def idle(array: Any, axes: Sequence[Swept]) -> list[str]:
    """What is said of an array to no effect in any lane; a number that is swept counts as its
    largest.

    Args:
      array: an ``Array``, or one in place.
      axes: as of ``Experiment.notes``.
    """
    swept = {
        name.removeprefix("array."): values if isinstance(values[0], str) else [max(values)]
        for axis in axes
        for name, values in axis.items()
        if name.removeprefix("array.") in {field.name for field in dataclasses.fields(array)}
    }
    found = []
    for values in itertools.product(*swept.values()):
        lane = copy.copy(array)  # of lanes one by one each is checked; of the largest together none
        for name, value in zip(swept, values, strict=True):
            object.__setattr__(lane, name, value)
        with contextlib.suppress(UserError):  # such a lane there is not
            found.append(lane.idle())
    every = found[0] if found else []
    return [sentence for sentence in every if all(sentence in other for other in found)]
