"""How far a sweep is, from what its directory holds."""

from pathlib import Path

import numpy as np

from memjax.errors import UserError
from memjax.sweep.engine.progress import clock
from memjax.sweep.show.tables import count
from memjax.sweep.store import directory as store
from memjax.sweep.store.journal import BASELINE, read_lines
from memjax.sweep.store.label import NOT_FINITE, NOT_RUN
from memjax.sweep.store.lock import is_running


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
    lines = read_lines(directory)
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
    plan, tasks = lines[0], [line for line in lines[1:] if "task" in line]
    done = [line for line in tasks if "error" not in line and line["task"] != BASELINE]
    lanes = plan["known"] + sum(line["lanes"] for line in done)
    part = 100 * lanes / plan["lanes"]
    told = [f"It is unfinished: {lanes} of {count(plan['lanes'], 'lane')} done ({part:.0f} %)."]
    for line in tasks:
        if "error" in line:
            whose = (
                count(line.get("lanes", plan["size"]), "lane")
                if line["task"] != BASELINE
                else "The baseline"
            )
            told.append(f"{whose} could not be run: {line['error']}.")
    running = is_running(directory)
    told.append(
        "A process is at it."
        if running
        else "No process is at it; run the same `memjax sweep` again to go on."
    )
    begun = max((line["begun"] for line in lines if "begun" in line), default=np.inf)
    now = [line for line in done if line["at"] > begun]
    if running and now:
        rate = sum(line["lanes"] for line in now) / (max(line["at"] for line in now) - begun)
        told.append(f"{rate:.1f} lanes/s, about {clock((plan['lanes'] - lanes) / rate)} left.")
    return told
