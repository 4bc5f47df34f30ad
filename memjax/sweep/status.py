"""How far a sweep is, from what its directory holds."""

from pathlib import Path

import numpy as np

from memjax.errors import UserError
from memjax.sweep.store import directory as store
from memjax.sweep.store.columns import NOT_FINITE, NOT_RUN
from memjax.sweep.store.journal import UNFINISHED, is_intact, read_lines
from memjax.sweep.store.lock import is_running
from memjax.words import clock, count


def status(directory: str | Path) -> list[str]:
    """What is done, what failed and how long is left, in sentences.

    Args:
      directory: of a sweep's results.

    Raises:
      UserError: no sweep was ever begun there.

    Example:
      >>> import tempfile
      >>> from memjax.sweep import Spec, run
      >>> with tempfile.TemporaryDirectory() as place:
      ...     _ = run(Spec.from_dict({"seeds": 1, "train": {"epochs": 1}}), place)
      ...     print(*status(place))
      It is finished: 1 lane, none failed.
    """
    directory = Path(directory)
    lines = read_lines(directory / UNFINISHED)
    if lines:
        return _unfinished(directory, lines)
    if not store.has_results(directory):
        raise UserError(f"{directory}: no sweep was begun there; run `memjax sweep SPEC.toml`")
    states = store.load(directory).status.values
    lost, left_out = int(np.sum(states == NOT_FINITE)), int(np.sum(states == NOT_RUN))
    told = [f"It is finished: {count(states.size, 'lane')}, {lost or 'none'} failed."]
    if left_out:
        told.append(
            f"{count(left_out, 'lane')} could not be run; run the same command to try again."
        )
    return told


def _unfinished(directory: Path, lines: list[dict]) -> list[str]:
    begun: dict = next((line for line in reversed(lines) if "begun" in line), {})
    done: dict[int, dict] = {}
    lost: set[int] = set()
    failed: dict[tuple[str, str], set[int]] = {}
    for line in lines[1:]:
        for keys in failed.values():
            keys -= {*line.get("keys", ())}
        if "error" in line:
            failed.setdefault((line["kind"], line["error"]), set()).update(line["keys"])
        elif line.get("kind") == "lanes":
            if is_intact(directory / UNFINISHED, line):
                done |= dict.fromkeys(line["keys"], line)
            else:
                lost |= {*line["keys"]}
    total, lanes = begun.get("lanes", 0), begun.get("known", 0) + len(done)
    part = f"{lanes} of {count(total, 'lane')} done ({100 * lanes / max(1, total):.0f} %)"
    if not begun:
        part = f"{count(lanes, 'lane')} done, of how many is not written"
    told = [f"It is unfinished: {part}."]
    running = is_running(directory)
    if (lost := lost - done.keys()) and not running:  # it would run them again
        told.append(f"{count(len(lost), 'lane')} that were done are lost on the disk.")
    for (kind, error), keys in failed.items():
        if keys:
            whose = count(len(keys), "lane") if kind == "lanes" else "The baseline"
            told.append(f"{whose} could not be run: {error}.")
    told.append(
        "A process is at it."
        if running
        else "No process is at it; run the same `memjax sweep` again to go on."
    )
    now = [line["at"] for line in done.values() if line["at"] > begun.get("begun", np.inf)]
    if running and now:
        rate = len(now) / (max(now) - begun["begun"])
        told.append(f"{rate:.1f} lanes/s, about {clock((total - lanes) / rate)} left.")
    return told
