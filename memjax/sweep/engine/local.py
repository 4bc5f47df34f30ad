"""Tasks of a sweep in this process, on all its devices."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import jax
import numpy as np

from memjax.errors import UserError
from memjax.sweep.engine.checkpoint import Keeper, NoCheckpoint
from memjax.sweep.engine.progress import Tally
from memjax.sweep.engine.trainer import Trainer
from memjax.sweep.spec.spec import Spec
from memjax.sweep.store.columns import Columns
from memjax.sweep.store.journal import Kind

TRIES = 3
"""How often a task is tried before it is told to have failed."""

Task = tuple[Kind, np.ndarray]
"""Lanes by their numbers, or the reference's seeds."""

Outcome = tuple[Task, Columns | Exception, float]
"""A task, what its lanes reported or what went wrong, and the seconds that it took."""


class LocalWorkers:
    """This process.

    Attributes:
      width: lanes that a device runs side by side.
      devices: how many there are.
      count: of workers, this process.
    """

    count = 1

    def __init__(self, spec: Spec, data: Any, program: str, keeper: Keeper):
        """Puts the data on the devices; see ``Trainer``."""
        self.trainer, self.keeper = Trainer(spec, data, program), keeper
        self.width, self.devices = self.trainer.width, len(jax.local_devices())

    def run(self, tasks: list[Task], tally: Tally) -> Iterator[Outcome]:
        """Runs every task.

        Args:
          tasks: of one static group each.
          tally: told of lanes.
        """
        self.trainer.width = self.width
        for task in tasks:
            started = time.perf_counter()
            outcome = self._try(task, tally)
            yield task, outcome, time.perf_counter() - started
            if task[0] == "lanes":  # the reference keeps no state
                self._forget(task[1])

    def _keep(self, numbers: np.ndarray) -> Callable[[int], NoCheckpoint]:
        def keep(start: int) -> NoCheckpoint:
            width = self.trainer.width  # of now: it is halved where memory does not suffice
            return self.keeper.of(numbers[start : start + width * self.devices], width)

        return keep

    def _forget(self, numbers: np.ndarray) -> None:
        chunk = self.trainer.width * self.devices
        chunks = [numbers[start : start + chunk] for start in range(0, len(numbers), chunk)]
        self.keeper.forget(chunks, self.trainer.width)

    def _try(self, task: Task, tally: Tally) -> Columns | Exception:
        (kind, numbers), before = task, tally.done

        def train() -> Columns:
            tally.add(before - tally.done)
            if kind == "baseline":
                return self.trainer.baseline_lanes(numbers, lambda lanes: tally.tell())
            return self.trainer.lanes(numbers, tally.add, self._keep(numbers))

        outcome = attempt(train)
        if isinstance(outcome, Exception):
            tally.add(before - tally.done)
        return outcome


def attempt(train: Callable[[], Columns]) -> Columns | Exception:
    """What lanes report, or what went wrong the last of three times; a user's mistake is raised."""
    failure: Exception
    for _ in range(TRIES):
        try:
            return train()
        except UserError:
            raise
        except Exception as error:  # whatever it was: the other lanes go on
            failure = error
    return failure
