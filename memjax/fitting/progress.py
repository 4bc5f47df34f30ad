"""What a running fit tells the person who waits."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from memjax.words import clock


@contextmanager
def progress() -> Iterator[Callable[[int, int, str], None]]:
    """Fits done, of how many, and the time left, on stderr: a bar on a terminal, else plain lines.

    Yields:
      What ``memjax.fit`` calls after each fit.
    """
    console, started = Console(stderr=True), time.perf_counter()

    def told(done: int, total: int, name: str) -> str:
        elapsed = time.perf_counter() - started
        left = f"{clock(elapsed / done * (total - done))} left" if done < total else clock(elapsed)
        return f"{done}/{total} fits, {name} is done, {left}"

    if not console.is_terminal:
        yield lambda *now: print(f"fitting: {told(*now)}", file=sys.stderr, flush=True)
        return
    columns = (TextColumn("fitting"), BarColumn(), TextColumn("{task.fields[told]}"))
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("", total=None, told="compiling")
        yield lambda done, total, name: bar.update(
            task, completed=done, total=total, told=told(done, total, name)
        )
