"""What a lane does: the contract between an experiment and the engine that runs thousands."""

import hashlib
import inspect
from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

import jax
import numpy as np
from jaxtyping import Array, Int32, UInt32

from memjax.experiments import own_code
from memjax.pytree import params

State = Any
"""What a lane carries from stage to stage: a pytree of arrays."""
Data = Any
"""What all lanes share: a pytree of arrays, the same for every lane."""
Report = dict[str, Array]
"""What a lane tells, by the name of a column. ``finite`` (a bool) says whether it is still sane."""

Swept = Mapping[str, list[Any]]
"""Values by their parameters' names: an axis, or several that are swept together."""

FINITE = "finite"
"""The key of a report that becomes the lane's ``status``."""


class Column(NamedTuple):
    """What a report's entry is.

    Attributes:
      dims: its dimensions; with the stages' first, it is told at every stage, else after the last.
      units: of its values, ``"1"`` for a fraction.
      long_name: what it is, for axes and tables.
    """

    dims: tuple[str, ...] = ()
    units: str = "1"
    long_name: str = ""


class Coordinate(NamedTuple):
    """The values along a column's dimension."""

    values: Any
    units: str = "1"
    long_name: str = ""


class Stages(NamedTuple):
    """When a lane is evaluated: epochs, times since programming, lengths of a stream.

    Attributes:
      dim: the name of the dimension.
      values: of its points.
      units: of the values.
      long_name: what they are.
    """

    dim: str
    values: tuple[float, ...]
    units: str = "1"
    long_name: str = ""


class Objective(NamedTuple):
    """The column that a search, a table and a map are about.

    Attributes:
      column: its name; told at every stage, a number a lane.
      better: which of two values is.
      bounds: between which it lies; a search models its logit within them, else itself.
      guess: what chance gets, and what a failed lane counts as; finite.
    """

    column: str
    better: Literal["higher", "lower"]
    bounds: tuple[float, float] | None
    guess: float


@params
class Experiment:
    """Parameters of what a lane does: every leaf may be swept, everything else is compiled.

    Nested params are the sections of a specification (``memjax.experiments.part``, ``choice``);
    numbers of the experiment's own are keys of its section ``[study]``. ``init``, ``advance`` and
    ``evaluate`` are pure functions of one lane, which the engine maps over lanes (``jax.vmap``),
    shares out over devices and compiles, once for each treedef of the experiment. The rest runs on
    the host.

    Example:
      >>> import jax, jax.numpy as jnp
      >>> from memjax.experiments import Column, Experiment, Objective, Stages
      >>> from memjax.pytree import param, params
      >>> @params
      ... class Decay(Experiment):
      ...     rate: float = param(default=0.1, doc="loss of charge", unit="1/s")
      ...     def stages(self):
      ...         return Stages("time", (1.0, 10.0), "s")
      ...     def columns(self, data):
      ...         return {"charge": Column(("time",), "C", "charge left")}
      ...     def objective(self, data):
      ...         return Objective("charge", "higher", None, guess=0.0)
      ...     def evaluate(self, state, key_data, stage, data, *, last):
      ...         return {"charge": jnp.exp(-self.rate * jnp.array([1.0, 10.0])[stage])}
      >>> from memjax.sweep import Spec, run
      >>> spec = Spec.from_dict({"seeds": 1, "axes": {"rate": [0.1, 0.2]}}, experiment=Decay)
      >>> run(spec).charge.round(3).values.tolist()
      [[[0.9049999713897705, 0.36800000071525574]], [[0.8190000057220459, 0.13500000536441803]]]
    """

    def stages(self) -> Stages:
        """When lanes are evaluated; the same for all lanes of a sweep."""
        return Stages("stage", (1.0,))

    def columns(self, data: Data) -> dict[str, Column]:
        """What ``advance`` and ``evaluate`` report, by name (``finite`` aside)."""
        raise NotImplementedError(f"{type(self).__name__} must define columns")

    def objective(self, data: Data) -> Objective:
        """The column that matters."""
        raise NotImplementedError(f"{type(self).__name__} must define objective")

    def init(self, key_data: UInt32[Array, "2"], data: Data) -> State:
        """A lane before its first stage; by default it carries nothing.

        Args:
          key_data: the lane's root random words: all its randomness comes from them.
          data: what all lanes share.
        """
        del key_data, data
        return ()

    def advance(
        self, state: State, key_data: UInt32[Array, "2"], stage: Int32[Array, ""], data: Data
    ) -> tuple[State, Report]:
        """A lane at the end of a stage, and what it reports of the way; by default it stays.

        Args:
          state: the lane before the stage.
          key_data: as of ``init``.
          stage: the number of the stage, from 0.
          data: what all lanes share.
        """
        del key_data, stage, data
        return state, {}

    def evaluate(
        self,
        state: State,
        key_data: UInt32[Array, "2"],
        stage: Int32[Array, ""],
        data: Data,
        *,
        last: bool,
    ) -> Report:
        """What a lane reports at the end of a stage.

        Args:
          state, key_data, stage, data: as of ``advance``.
          last: whether it is the last stage, and some column has no stages: it is told there
            (static).
        """
        raise NotImplementedError(f"{type(self).__name__} must define evaluate")

    def load(self, given: Any = None) -> Data:
        """The data, as NumPy arrays on the host.

        Args:
          given: what the caller gave in place of what the specification names.
        """
        return () if given is None else given

    def check(self) -> None:
        """Raises ``UserError`` where parameters do not fit one another.

        Called before any work, once for each treedef; swept leaves are arrays of all their values.
        """

    def check_data(self, data: Data) -> None:
        """Raises ``UserError`` where the data do not suffice; called before any work."""
        del data

    def coords(self, data: Data) -> dict[str, Coordinate]:
        """The values along the columns' dimensions, those of the stages aside."""
        del data
        return {}

    def reference(self) -> "Experiment | None":
        """What lanes are compared with, run once a seed: a network in floating point, say."""
        return None

    def notes(self, axes: Sequence[Mapping[str, list[Any]]], data: Data = None) -> list[str]:
        """Sentences for what could mislead a reader of the results.

        Args:
          axes: an entry an axis, the values of its parameters by their canonical names
            ``section.key``; the experiment itself has what the sections say.
          data: what all lanes share, where they are loaded.
        """
        del axes, data
        return []

    def facts(self, data: Data) -> dict[str, Any]:
        """What else results tell, as attributes."""
        del data
        return {}

    def sources(self) -> list[str]:
        """Texts of the user's own code that a lane runs; none where all of it is memjax's.

        Results tell a digest of them, and of the program traced from them: other code is other
        lanes.
        """
        module = type(self).__module__
        if module.partition(".")[0] == "memjax":
            return []
        if module.startswith(own_code.PREFIX):  # its name tells a digest of the file's text
            return [module]
        try:
            return [inspect.getsource(type(self))]
        except (OSError, TypeError):  # typed into an interpreter
            return [type(self).__qualname__]

    def size(self, data: Data) -> int:
        """Numbers that a lane works on at once: by it the engine chooses the width of a batch."""
        key_data = jax.ShapeDtypeStruct((2,), np.uint32)
        state = jax.eval_shape(self.init, key_data, data)
        return max(1, sum(int(np.prod(leaf.shape)) for leaf in jax.tree.leaves(state)))

    def digest(self, data: Data) -> str:
        """A fingerprint of the data: the same data, the same digest."""
        found = hashlib.blake2b(digest_size=8)
        for leaf in jax.tree.leaves(data):
            array = np.ascontiguousarray(leaf)
            found.update(f"{array.dtype}{array.shape}".encode() + array.tobytes())
        return found.hexdigest()
