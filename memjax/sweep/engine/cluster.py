"""Tasks of a sweep on a Dask cluster: what a lost worker had begun, another runs again.

Workers train and send back what lanes report; only this process writes, so that they need not see
its directory. They load the data set that the specification names, from ``[data] dir`` or wherever
``memjax`` finds it there.
"""

import contextlib
import functools
import itertools
import logging
import re
import threading
import time
import tomllib
from collections.abc import Collection, Iterator
from concurrent.futures import CancelledError
from typing import Any

import jax
import numpy as np

from memjax.data import Dataset
from memjax.errors import UserError
from memjax.sweep.engine import local_worker
from memjax.sweep.engine.local import Outcome, attempt
from memjax.sweep.engine.progress import Tally
from memjax.sweep.engine.quiet import quiet
from memjax.sweep.engine.trainer import Trainer
from memjax.sweep.spec.spec import Spec
from memjax.sweep.store.journal import BASELINE, Columns, Task

_ADDRESS = r"((tcp|tls|ws|wss|ucx)://)?[^/\s]+:\d{1,5}"
_EACH = 2  # tasks that a worker's thread has at most, running and waiting
_SECONDS = 5  # to wait for a scheduler
_WORKERS = 300  # seconds to wait for a first worker


@contextlib.contextmanager
def connect(scheduler: str | None = None, local: int | None = None) -> Iterator[Any]:
    """A client of a scheduler, or of so many worker processes on this machine alone.

    Args:
      scheduler: its address, ``tcp://host:8786`` or ``tls://host:8786``.
      local: number of worker processes, of a thread each, that listen on the loopback only.

    Raises:
      UserError: Dask is not installed, or the scheduler does not answer.
    """
    if scheduler is not None and not re.fullmatch(_ADDRESS, scheduler):
        raise UserError(f"{scheduler!r} is no Dask scheduler's address; write tcp://host:8786")
    try:
        from distributed import Client, LocalCluster
    except ImportError:
        raise UserError("a cluster needs Dask: pip install 'memjax[cluster]'") from None
    with contextlib.ExitStack() as stack:
        names = ("distributed", "distributed.client", "tornado.application", "asyncio")
        stack.enter_context(quiet(*names))
        if scheduler is None:
            cluster: Any = stack.enter_context(
                LocalCluster(
                    n_workers=local,
                    threads_per_worker=1,
                    host="127.0.0.1",
                    dashboard_address="127.0.0.1:0",
                    silence_logs=logging.ERROR,
                    preload=[local_worker.__name__],
                    env={local_worker.COUNT: str(local)},
                )
            )
        else:
            cluster = scheduler
        try:
            client = stack.enter_context(Client(cluster, timeout=_SECONDS, set_as_default=False))
        except (OSError, ValueError, TypeError) as error:
            raise UserError(
                f"{scheduler}: no Dask scheduler answers there "
                f"({str(error).partition(chr(10))[0] or type(error).__name__}); start one with "
                "`dask scheduler`, or use --local-cluster N"
            ) from None
        yield client


class Cluster:
    """A Dask cluster.

    Attributes:
      width: lanes that a worker's device trains side by side.
      devices: how many a worker has.
      count: of workers' threads.
    """

    def __init__(self, spec: Spec, dataset: Dataset, client: Any, *, is_named: bool):
        """Asks a worker how many lanes it trains at once.

        Args:
          spec: the sweep.
          dataset: its data set.
          client: of the cluster.
          is_named: whether workers can load the data set by what the specification says; it is
            sent to them otherwise.
        """
        self.client, self.text, self.digest = client, spec.to_toml(), dataset.digest()
        with _told(client):
            try:
                client.wait_for_workers(1, timeout=_WORKERS)
            except TimeoutError:
                raise UserError(
                    f"{client.scheduler.address}: no worker has come within {_WORKERS} s; start "
                    "some with `dask worker`"
                ) from None
            load = functools.partial(_load, self.text) if is_named else lambda: dataset
            self.data = client.submit(load, key=f"memjax-data-{self.digest}-{time.time_ns()}")
            self.count = max(1, sum(client.nthreads().values()))
            self.width, self.devices = client.submit(_sizes, self._job(None), self.data).result()

    def outcomes(
        self, tasks: dict[Task, np.ndarray], done: Collection[Task], tally: Tally
    ) -> Iterator[Outcome]:
        """Trains what is not done, in any order; see ``Here.outcomes``."""
        from distributed import as_completed

        waiting = ((task, numbers) for task, numbers in tasks.items() if task not in done)
        running: dict[Any, Task] = {}

        def submit(task: Task, numbers: np.ndarray) -> Any:
            job = self._job(self.width)
            future = self.client.submit(_train, job, self.data, task, numbers, pure=False)
            running[future] = task
            return future

        with _told(self.client):
            first = [submit(*item) for item in itertools.islice(waiting, _EACH * self.count)]
            pool = as_completed(first, loop=self.client.loop)
            for future in pool:
                task = running.pop(future)
                outcome, seconds = _result(future)
                tally.add(float(len(tasks[task])))
                yield task, outcome, seconds
                for item in itertools.islice(waiting, 1):
                    pool.add(submit(*item))

    def _job(self, width: int | None) -> tuple[str, str, int | None]:
        return self.text, self.digest, width


def _result(future: Any) -> tuple[Columns | Exception, float]:
    """What a worker sends back; what is raised here is of the cluster, not of the lanes."""
    from distributed import KilledWorker

    try:
        return future.result()
    except KilledWorker as error:  # it took down worker after worker
        return error, 0.0


@contextlib.contextmanager
def _told(client: Any) -> Iterator[None]:
    """A scheduler that is lost is told in one line; what has come back is kept."""
    try:
        yield
    except (CancelledError, OSError, RuntimeError) as error:
        if isinstance(error, UserError) or client.status == "running":
            raise
        raise UserError(
            "the Dask scheduler is gone; what was done is kept: start one, and run the same "
            "command to go on"
        ) from None


def _load(text: str) -> Dataset:
    from memjax.sweep.run import load_named

    return load_named(Spec.from_dict(tomllib.loads(text))).flat()


def _sizes(job: tuple[str, str, int | None], dataset: Dataset) -> tuple[int, int]:
    trainer = _trainer(job, dataset)
    return trainer.width, len(jax.local_devices())


def _train(
    job: tuple[str, str, int | None], dataset: Dataset, task: Task, numbers: np.ndarray
) -> tuple[Columns | Exception, float]:
    started = time.perf_counter()
    trainer = _trainer(job, dataset)
    train = trainer.baseline_lanes if task == BASELINE else trainer.lanes
    outcome = attempt(lambda: train(numbers))
    if isinstance(outcome, Exception):  # as text: whatever it was need not travel
        outcome = RuntimeError(f"{type(outcome).__name__}: {outcome}")
    return outcome, time.perf_counter() - started


_LAST: dict[tuple[str, str, int | None], Trainer] = {}  # of a worker: one, for all its tasks
_LAST_LOCK = threading.Lock()


def _trainer(job: tuple[str, str, int | None], dataset: Dataset) -> Trainer:
    """A worker's trainer of a sweep."""
    with _LAST_LOCK:
        if job not in _LAST:
            text, digest, width = job
            if dataset.digest() != digest:
                raise UserError(
                    "a worker finds other data under the same name; set data.dir for all"
                )
            _LAST.clear()
            _LAST[job] = Trainer(Spec.from_dict(tomllib.loads(text)), dataset, width)
        return _LAST[job]
