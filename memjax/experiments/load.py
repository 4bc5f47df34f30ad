"""An experiment by its name in a specification."""

from pathlib import Path

from memjax.errors import UserError, suggest
from memjax.experiments.base import Experiment
from memjax.experiments.own_code import function, is_function, resolved
from memjax.experiments.registry import EXPERIMENTS


def experiment(name: str, folder: Path) -> type[Experiment]:
    """The class of an experiment.

    Args:
      name: of ``EXPERIMENTS``, or ``"file.py:name"``.
      folder: what the file's path is relative to.

    Raises:
      UserError: there is none of that name, or it is no experiment.
    """
    if name in EXPERIMENTS:
        return EXPERIMENTS[name]
    if not is_function(name):
        known = suggest(name, EXPERIMENTS)
        raise UserError(f"{name!r} is not known; {known}, or write 'my_study.py:Study'")
    found = function(resolved(name, folder))
    if not (isinstance(found, type) and issubclass(found, Experiment)):
        raise UserError(f"{name}: is no memjax.experiments.Experiment; derive it from that")
    return found


def name_of(kind: type[Experiment]) -> str:
    """What a specification calls an experiment's class."""
    for name, known in EXPERIMENTS.items():
        if known is kind:
            return name
    return kind.__name__
