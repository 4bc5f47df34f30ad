"""Tasks of a sweep on a Dask cluster: what a lost worker had begun, another runs again.

Workers run lanes and send back what they report; only this process writes, so that they need not
see its directory. They load the data that the specification names, from ``[data] dir`` or wherever
``memjax`` finds it there, and import the Python files that it names.
"""

import contextlib
import functools
import itertools
import logging
import re
import threading
import time
from collections.abc import Iterator
from concurrent.futures import CancelledError
from typing import Any, NamedTuple

import jax

from memjax.compilation import keep_compilations
from memjax.errors import UserError
from memjax.experiments import own_code
from memjax.sweep.engine import local_worker
from memjax.sweep.engine.local import Outcome, Task, attempt
from memjax.sweep.engine.progress import Tally
from memjax.sweep.engine.runner import use_all_cores
from memjax.sweep.engine.silence import silence_loggers
from memjax.sweep.engine.trainer import Trainer
from memjax.sweep.spec import identity
from memjax.sweep.spec.spec import Spec
from memjax.sweep.store.columns import Columns

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
        stack.enter_context(silence_loggers(*names))
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
      width: lanes that a worker's device runs side by side.
      devices: how many a worker has.
      count: of workers' threads.
    """

    def __init__(
        self, spec: Spec, data: Any, client: Any, digest: str, program: str, *, is_named: bool
    ):
        """Asks a worker how many lanes it runs at once.

        Args:
          spec: the sweep.
          data: what its lanes share.
          client: of the cluster.
          digest: of the data.
          program: digest of the user's own code.
          is_named: whether workers can load the data by what the specification says; they are
            sent to them otherwise.
        """
        self.client, self.spec, self.digest, self.program = client, spec, digest, program
        self.job = f"{digest}-{time.time_ns()}"
        with _lost_scheduler(client):
            try:
                client.wait_for_workers(1, timeout=_WORKERS)
            except TimeoutError:
                raise UserError(
                    f"{client.scheduler.address}: no worker has come within {_WORKERS} s; start "
                    "some with `dask worker`"
                ) from None
            load = functools.partial(_load, spec) if is_named else lambda: data
            self.data = client.submit(load, key=f"memjax-data-{self.job}")
            self.count = max(1, sum(client.nthreads().values()))
            sizes = client.submit(_sizes, self._job(None), self.data)
            self.width, self.devices = sizes.result()

    def run(self, tasks: list[Task], tally: Tally) -> Iterator[Outcome]:
        """Runs every task, in any order; see ``LocalWorkers.run``."""
        from distributed import as_completed

        waiting = iter(tasks)
        running: dict[Any, Task] = {}

        def submit(task: Task) -> Any:
            future = self.client.submit(_train, self._job(self.width), self.data, task, pure=False)
            running[future] = task
            return future

        with _lost_scheduler(self.client):
            first = [submit(task) for task in itertools.islice(waiting, _EACH * self.count)]
            pool = as_completed(first, loop=self.client.loop)
            for future in pool:
                task = running.pop(future)
                outcome, seconds = _result(future)
                kind, numbers = task
                if kind == "lanes":
                    tally.add(float(len(numbers)))
                else:
                    tally.tell()
                yield task, outcome, seconds
                for task in itertools.islice(waiting, 1):
                    pool.add(submit(task))

    def _job(self, width: int | None) -> "Job":
        return Job(self.job, self.spec, self.digest, self.program, width)


class Job(NamedTuple):
    """What a worker is to know of a sweep.

    Attributes:
      name: of this run of it, by which a worker knows that it has it already.
      spec: the sweep.
      digest: of its data.
      program: digest of the user's own code.
      width: lanes a device, where that is fixed.
    """

    name: str
    spec: Spec
    digest: str
    program: str
    width: int | None


def _result(future: Any) -> tuple[Columns | Exception, float]:
    """What a worker sends back; what is raised here is of the cluster, not of the lanes."""
    from distributed import KilledWorker

    try:
        return future.result()
    except KilledWorker as error:  # it took down worker after worker
        return error, 0.0


@contextlib.contextmanager
def _lost_scheduler(client: Any) -> Iterator[None]:
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


def _load(spec: Spec) -> Any:
    use_all_cores()
    return spec.built().load()


def _sizes(job: Job, data: Any) -> tuple[int, int]:
    trainer = _trainer(job, data)
    return trainer.width, len(jax.local_devices())


def _train(job: Job, data: Any, task: Task) -> tuple[Columns | Exception, float]:
    started = time.perf_counter()
    trainer, (kind, numbers) = _trainer(job, data), task
    train = trainer.baseline_lanes if kind == "baseline" else trainer.lanes
    outcome = attempt(lambda: train(numbers))
    if isinstance(outcome, Exception):  # as text: whatever it was need not travel
        outcome = RuntimeError(f"{type(outcome).__name__}: {outcome}")
    return outcome, time.perf_counter() - started


_LAST: dict[tuple[str, int | None], Trainer] = {}  # of a worker: one, for all its tasks
_LAST_LOCK = threading.Lock()
_TEXTS = contextlib.ExitStack()


def _trainer(job: Job, data: Any) -> Trainer:
    """A worker's trainer of a sweep."""
    use_all_cores()
    keep_compilations()
    with _LAST_LOCK:
        if (job.name, job.width) not in _LAST:
            if job.spec.built().digest(data) != job.digest:
                raise UserError(
                    "a worker finds other data under the same name; set data.dir for all"
                )
            _TEXTS.close()  # the files of the user's as this job finds them, for all its tasks
            _TEXTS.enter_context(own_code.pinned())
            if identity.program_digest(job.spec.first(), data) != job.program:
                raise UserError(
                    "a worker finds other source code of the experiment or model; give all workers "
                    "the same files"
                )
            _LAST.clear()
            _LAST[job.name, job.width] = Trainer(job.spec, data, job.program, job.width)
        return _LAST[job.name, job.width]
