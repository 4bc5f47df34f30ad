"""What a worker on this machine does first: Dask preloads this module (``--local-cluster``)."""

import os
import signal
from typing import Any

COUNT = "MEMJAX_LOCAL_WORKERS"
"""The environment variable that says how many there are."""

signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal's Ctrl-C is for the client


def dask_setup(worker: Any) -> None:
    """Takes its share of the cores, before JAX starts a thread for each core that it sees.

    With threads for all cores in every process they get in one another's way.
    """
    if hasattr(os, "sched_setaffinity"):  # not on macOS and Windows
        cores = sorted(os.sched_getaffinity(0))
        number, count = int(worker.name), int(os.environ[COUNT])
        os.sched_setaffinity(0, cores[number::count] or [cores[number % len(cores)]])
