"""Any lanes of a sweep on this process's devices."""

from collections.abc import Callable
from typing import Any

import jax
import numpy as np

from memjax.errors import UserError
from memjax.experiments import Experiment
from memjax.sweep.engine.checkpoint import NoCheckpoint
from memjax.sweep.engine.runner import Runner, TooWide, lane_width, replicated
from memjax.sweep.spec import grid, identity
from memjax.sweep.spec.spec import Spec
from memjax.sweep.store.columns import Columns

_TASK = 2e9  # numbers times samples that lanes of a task work on: a second or so of two CPU cores
_MOST_CHUNKS = 64
_OUT_OF_MEMORY = ("RESOURCE_EXHAUSTED", "Out of memory")

Tell = Callable[[float], None]
Keep = Callable[[int], NoCheckpoint]


def chunks_of_a_task(spec: Spec, data: Any, chunk: int, workers: int) -> int:
    """Chunks of lanes that are shared out and kept at once: so many that this costs little.

    Args:
      spec: the sweep.
      data: what its lanes share.
      chunk: lanes that a worker runs side by side.
      workers: how many there are; each is to have some tasks, so that they end together.
    """
    experiment = spec.built()
    samples = max((len(leaf) for leaf in jax.tree.leaves(data) if np.ndim(leaf)), default=1)
    work = chunk * experiment.size(data) * samples * len(experiment.stages().values)
    shared = grid.count(spec) // (4 * workers * chunk)
    return int(np.clip(min(_TASK // work, shared), 1, _MOST_CHUNKS))


class Trainer:
    """Runs any lanes of a sweep on this process's devices.

    Attributes:
      width: lanes a device; fewer for good when so many do not fit into its memory.
    """

    def __init__(self, spec: Spec, data: Any, program: str = "", width: int | None = None):
        """Puts the data on the devices.

        Args:
          spec: the sweep.
          data: what its lanes share.
          program: digest of the user's own code, where there is some.
          width: lanes a device; without one the specification's, or what suits the machine.
        """
        self.spec, self.data, first = spec, replicated(data), spec.built()
        self.reference = first.reference()
        self.program = program
        size = (self.reference or first).size(data)
        self.width = width or spec.sections["engine"]["width"] or lane_width(size)

    def lanes(self, numbers: np.ndarray, report: Tell = lambda lanes: None, *keep: Keep) -> Columns:
        """Runs lanes of one static group.

        Args:
          numbers: of the lanes.
          report: told how many lanes more are done.
          keep: as of ``Runner.run``.

        Raises:
          UserError: not even one lane fits into memory.
        """
        experiment = self.spec.built(grid.parameter_values(self.spec, numbers))
        key_data = identity.lane_key_data(self.spec, numbers)
        return self._run(experiment, key_data, report, *keep)

    def baseline_lanes(self, seeds: np.ndarray, report: Tell = lambda lanes: None) -> Columns:
        """Runs the reference, once a seed."""
        assert self.reference is not None
        key_data = identity.baseline_key_data(self.spec)[seeds]
        return self._run(self.reference, key_data, report)

    def _run(
        self, experiment: Experiment, key_data: np.ndarray, report: Tell, *keep: Keep
    ) -> Columns:
        stages, columns = experiment.stages(), experiment.columns(self.data)
        objective = experiment.objective(self.data).column
        reported = 0.0

        def tell(lanes: float) -> None:
            nonlocal reported
            reported += lanes
            report(lanes)

        while True:
            try:
                runner = Runner(stages, columns, self.width, self.program)
                return runner.run(experiment, key_data, self.data, objective, tell, *keep)
            except TooWide as error:
                narrower = error.width
            except jax.errors.JaxRuntimeError as error:
                if not any(sign in str(error) for sign in _OUT_OF_MEMORY):
                    raise
                narrower = self.width // 2
            if narrower == 0:
                raise UserError(
                    f"{self.spec.name}: not even one lane fits into memory; make the experiment "
                    "smaller: train.batch_size or model.hidden, say"
                )
            self.width = narrower
            report(-reported)
            reported = 0.0
