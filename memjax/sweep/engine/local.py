"""Tasks of a sweep in this process, on all its devices."""

import time
from collections.abc import Callable, Collection, Iterator

import jax
import numpy as np

from memjax.data import Dataset
from memjax.errors import UserError
from memjax.sweep.engine.checkpoint import Keeper, NoCheckpoint
from memjax.sweep.engine.progress import Tally
from memjax.sweep.engine.trainer import Trainer
from memjax.sweep.spec.spec import Spec
from memjax.sweep.store.journal import BASELINE, Columns, Task

TRIES = 3
"""How often a task is tried before it is told to have failed."""

Outcome = tuple[Task, Columns | Exception, float]
"""A task, what its lanes reported or what went wrong, and the seconds that it took."""


class Here:
    """This process.

    Attributes:
      width: lanes that a device trains side by side.
      devices: how many there are.
      count: of workers, this process.
    """

    count = 1

    def __init__(self, spec: Spec, dataset: Dataset, keeper: Keeper):
        """Puts the data on the devices."""
        self.trainer, self.keeper = Trainer(spec, dataset), keeper
        self.width, self.devices = self.trainer.width, len(jax.local_devices())

    def outcomes(
        self, tasks: dict[Task, np.ndarray], done: Collection[Task], tally: Tally
    ) -> Iterator[Outcome]:
        """Trains what is not done, task by task.

        Args:
          tasks: numbers of their lanes, or the baseline's seeds.
          done: those that are not to be trained again.
          tally: told of lanes.
        """
        self.trainer.width = self.width
        for task, numbers in tasks.items():
            if task not in done:
                started = time.perf_counter()
                outcome = self._try(task, numbers, tally)
                yield task, outcome, time.perf_counter() - started
            if task != BASELINE:  # it keeps no state
                self._forget(numbers)

    def _keep(self, numbers: np.ndarray) -> Callable[[int], NoCheckpoint]:
        def keep(start: int) -> NoCheckpoint:
            width = self.trainer.width  # of now: it is halved where memory does not suffice
            return self.keeper.of(numbers[start : start + width * self.devices], width)

        return keep

    def _forget(self, numbers: np.ndarray) -> None:
        chunk = self.trainer.width * self.devices
        chunks = [numbers[start : start + chunk] for start in range(0, len(numbers), chunk)]
        self.keeper.forget(chunks, self.trainer.width)

    def _try(self, task: Task, numbers: np.ndarray, tally: Tally) -> Columns | Exception:
        before = tally.done

        def train() -> Columns:
            tally.add(before - tally.done)
            if task == BASELINE:
                return self.trainer.baseline_lanes(numbers, tally.add)
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
