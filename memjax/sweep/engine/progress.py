"""What a running sweep tells the person who waits: lanes done, their rate and the time left."""

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, TextColumn
from rich.progress import Progress as Bar

from memjax.words import clock

Progress = Callable[[float, int], None]
"""``progress(lanes done, lanes in all)``; a lane counts by its epochs."""

_BEAT = 1.0  # seconds between two looks at the time
_ASLEEP = 10.0  # a look that is so late was kept from it: the process was stopped


class Tally:
    """Lanes done so far, told to whoever waits."""

    def __init__(self, progress: Progress | None, total: int, done: float = 0.0):
        """So many are done already, which is told with the first that follow."""
        self.progress, self.total, self.done = progress, total, done

    def add(self, lanes: float) -> None:
        """So many lanes more; fewer where some have to begin again."""
        self.done += lanes
        if lanes > 0:
            self.tell()

    def tell(self) -> None:
        """Something was done: lanes, or what is no lane of the sweep, as its reference."""
        if self.progress is not None:
            self.progress(self.done, self.total)


class Report:
    """A ``Progress`` that is shown, and can be told what is done after the lanes."""

    def __init__(self, show: Callable[[str, float, int], None], clock: "_Clock"):
        """Shows nothing yet.

        Args:
          show: shows words, of lanes done and lanes in all.
          clock: puts numbers in words.
        """
        self._show, self._clock = show, clock
        self._lanes: tuple[float, int] | None = None

    def __call__(self, done: float, total: int) -> None:
        """So many lanes are done."""
        self._lanes = done, total
        self._show(self._clock.tell(done, total), done, total)

    def now(self, doing: str) -> None:
        """What is done now, if anything was run."""
        if self._lanes is not None:
            self._show(self._clock.words(*self._lanes, doing), *self._lanes)

    def end(self) -> None:
        """All is done: how long it took."""
        self.now(f"{clock(self._clock.passed())} in all")


@contextmanager
def progress(name: str, started: float | None = None) -> Iterator[Report]:
    """Progress on stderr: a live bar on a terminal; elsewhere plain lines, one a tenth of the work.

    Args:
      name: of the sweep.
      started: when the work began, by ``time.perf_counter``; now, if not given.

    Yields:
      What to call whenever lanes are done; "compiling" until the first call. Its ``now`` says what
      else keeps a person waiting.
    """
    console, clock, over = Console(stderr=True), _Clock(started), threading.Event()
    show = _bar if console.is_terminal else _lines

    def beat() -> None:
        while not over.wait(_BEAT):
            clock.look()

    threading.Thread(target=beat, daemon=True).start()
    try:
        with show(name, console) as shown:
            report = Report(shown, clock)
            yield report
            report.end()
    finally:
        over.set()


@contextmanager
def _bar(name: str, console: Console) -> Iterator[Callable[[str, float, int], None]]:
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[told]}"))
    with Bar(*columns, console=console) as bar:
        task = bar.add_task(name, total=None, told="compiling")

        def show(told: str, done: float, total: int) -> None:
            bar.update(task, completed=done, total=total, told=told)

        yield show


@contextmanager
def _lines(name: str, console: Console) -> Iterator[Callable[[str, float, int], None]]:
    """A line a tenth of the lanes, and for all else that is said when they are done."""
    del console
    tenths, last = 0, ""

    def show(told: str, done: float, total: int) -> None:
        nonlocal tenths, last
        before, tenths = tenths, max(tenths, int(10 * done / total + 1e-6))
        if tenths > before or (tenths == 10 and told != last):
            print(f"{name}: {told}", file=sys.stderr, flush=True)
        last = told

    yield show


class _Clock:
    """The rate of lanes since the first report: neither compiling nor lanes of earlier counts.

    Nor time in which the process was stopped, on a computer that slept: whoever looks at the clock
    every second, and then does not for long, was kept from it.
    """

    def __init__(self, started: float | None = None) -> None:
        self.looked, self.away = time.perf_counter(), 0.0
        self.started = self.looked if started is None else started
        self.first: tuple[float, float] | None = None
        self.done, self.rate = 0.0, 0.0

    def passed(self) -> float:
        """Seconds since the beginning."""
        return time.perf_counter() - self.started

    def look(self) -> float:
        """The time, less what was slept through."""
        now = time.perf_counter()
        if now - self.looked > _ASLEEP:
            self.away += now - self.looked
        self.looked = now
        return now - self.away

    def tell(self, done: float, total: int) -> str:
        """Lanes done, lanes a second and the time left; other work does not change the rate."""
        now = self.look()
        since, before = self.first = self.first or (now, done)
        if done > self.done:
            self.done, self.rate = done, (done - before) / max(now - since, 1e-9)
        if done > total - 0.01:
            return self.words(done, total, "finishing")
        left = clock((total - done) / self.rate) if self.rate > 0 else ""
        return self.words(done, total, f"{left} left" if left else "")

    def words(self, done: float, total: int, rest: str) -> str:
        """Lanes done, lanes a second, and the rest."""
        rate, told = self.rate, [f"{done:{len(str(total))}.0f}/{total} lanes"]
        if rate > 0:
            told.append(f"{rate:.1f} lanes/s" if rate >= 1 else f"{60 * rate:.1f} lanes/min")
        return ", ".join([*told, rest] if rest else told)
