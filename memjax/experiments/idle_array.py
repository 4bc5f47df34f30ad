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
    """What is said of an array to no effect in any lane that says it.

    Args:
      array: an ``Array``, or one in place; of the numbers of an axis the largest is looked at.
      axes: as of ``Experiment.notes``.
    """
    usual = {field.name: field.default for field in dataclasses.fields(array)}
    swept = {
        key: own if isinstance(own[0], str) else [max([v for v in own if v != usual[key]] or own)]
        for axis in axes
        for name, own in axis.items()
        if (key := name.removeprefix("array.")) in usual
    }
    told: dict[str, str] = {}
    acting: set[str] = set()
    for values in itertools.product(*swept.values()):
        lane = copy.copy(array)  # of lanes one by one each is checked; of the largest together none
        for name, value in zip(swept, values, strict=True):
            object.__setattr__(lane, name, value)
        with contextlib.suppress(UserError):  # such a lane there is not
            found = {sentence.partition(" = ")[0]: sentence for sentence in lane.idle()}
            unsaid = {
                name for name, value in zip(swept, values, strict=True) if value == usual[name]
            }
            acting |= usual.keys() - found.keys() - unsaid
            told |= found
    return [sentence for name, sentence in told.items() if name not in acting]
