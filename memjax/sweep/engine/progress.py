"""What a running sweep tells the person who waits: lanes done, their rate and the time left."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, TextColumn
from rich.progress import Progress as Bar

from memjax.words import clock

Progress = Callable[[float, int], None]
"""``progress(lanes done, lanes in all)``; a lane counts by its epochs."""


class Tally:
    """Lanes done so far, told to whoever waits."""

    def __init__(self, progress: Progress | None, total: int, done: float = 0.0):
        """So many are done already, which is told with the first that follow."""
        self.progress, self.total, self.done = progress, total, done

    def add(self, lanes: float) -> None:
        """So many lanes more; fewer where some have to begin again."""
        self.done += lanes
        if self.progress is not None and lanes > 0:
            self.progress(self.done, self.total)


@contextmanager
def progress(name: str) -> Iterator[Progress]:
    """Progress on stderr: a live bar on a terminal; elsewhere plain lines, one a tenth of the work.

    Args:
      name: of the sweep.

    Yields:
      What to call whenever lanes are done; "compiling" until the first call.
    """
    console = Console(stderr=True)
    if console.is_terminal:
        with _bar(name, console) as report:
            yield report
    else:
        yield _lines(name)


@contextmanager
def _bar(name: str, console: Console) -> Iterator[Progress]:
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[told]}"))
    with Bar(*columns, console=console) as bar:
        task, clock = bar.add_task(name, total=None, told="compiling"), _Clock()

        def report(done: float, total: int) -> None:
            bar.update(task, completed=done, total=total, told=clock.tell(done, total))

        yield report


def _lines(name: str) -> Progress:
    clock, tenths = _Clock(), 0

    def report(done: float, total: int) -> None:
        nonlocal tenths
        told = clock.tell(done, total)
        if (now := int(10 * done / total + 1e-6)) > tenths:
            tenths = now
            print(f"{name}: {told}", file=sys.stderr, flush=True)

    return report


class _Clock:
    """The rate of lanes since the first report: neither compiling nor lanes of earlier counts."""

    def __init__(self) -> None:
        self.started = time.perf_counter()
        self.first: tuple[float, float] | None = None

    def tell(self, done: float, total: int) -> str:
        """Lanes done, lanes a second and the time left (at the end: taken)."""
        now, told = time.perf_counter(), [f"{done:{len(str(total))}.0f}/{total} lanes"]
        since, before = self.first = self.first or (now, done)
        rate = (done - before) / max(now - since, 1e-9)
        if rate > 0:
            told.append(f"{rate:.1f} lanes/s" if rate >= 1 else f"{60 * rate:.1f} lanes/min")
        if done > total - 0.01:
            told.append(f"{clock(now - self.started)} in all")
        elif rate > 0:
            told.append(f"{clock((total - done) / rate)} left")
        return ", ".join(told)
