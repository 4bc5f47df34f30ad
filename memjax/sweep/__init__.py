"""Sweeps: a specification, its lanes, the results and what to read from them."""

from memjax.sweep.engine.runner import use_all_cores
from memjax.sweep.run import run
from memjax.sweep.spec.spec import Spec
from memjax.sweep.store.directory import load

__all__ = ["Spec", "load", "run", "use_all_cores"]
