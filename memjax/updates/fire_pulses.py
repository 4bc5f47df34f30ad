"""The link that fires pulse counts at devices."""

import functools
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Int32, Key

from memjax import random
from memjax.cells import Cell, CellState
from memjax.devices import Device
from memjax.errors import UserError
from memjax.fusion import materialize
from memjax.pulses import Counts
from memjax.pytree import as_arrays
from memjax.updates.checks import checked_cell
from memjax.updates.diagnostics import PulseStats, count_pulses, no_pulses
from memjax.updates.draw_pulses import weight_streams
from memjax.updates.leaf_names import check_leaf_names, leaf_names
from memjax.updates.struct_of_trees import is_masked, stack, unstack

_STATS = jax.tree.structure(PulseStats(*PulseStats._fields))  # type: ignore[arg-type]


class PulsedUpdateState(NamedTuple):
    """Everything that varies; no update reads anything else.

    Attributes:
      count: updates done.
      key: stream of the write noise; with ``count`` it fixes every number drawn.
      device: the device's parameters.
      cell: the cell's parameters.
      cells: the cells' state, a struct of trees congruent with the params.
      stats: with diagnostics, what the pulses did, a struct of trees of scalars; else ``None``.
      lost: what rounding has kept out of those sums so far, likewise.
    """

    count: Int32[Array, ""]  # type: ignore[assignment]  # hides tuple.count, as Optax's states do
    key: random.Stream
    device: Device
    cell: Cell
    cells: CellState
    stats: PulseStats | None = None
    lost: PulseStats | None = None

    def readout(self, params: Any) -> Any:
        """The weights that the devices hold; those that the state masks stay as they are."""
        return self._each(self.cell.readout, params, masked=lambda param: param)

    def read_variance(self, params: Any) -> Any:
        """The variance of one read of each weight."""
        return self._each(lambda device, _, w: self.cell.read_variance(device, w), params)

    def conductances(self, params: Any) -> Any:
        """The conductance of each device of the cells, in siemens: a tuple in place of an array."""

        def siemens(device: Device, cells: CellState, weight: Array) -> tuple[Array, ...]:
            return tuple(map(device.siemens, self.cell.conductances(device, cells, weight)))

        return self._each(siemens, params)

    def normalised_conductances(self, params: Any) -> Any:
        """The same of each device in [0, 1], the range from Gmin to Gmax."""
        return self._each(self.cell.conductances, params)

    def _each(self, of_cells: Any, params: Any, masked: Any = lambda _: optax.MaskedNode()) -> Any:
        """A function of the device, the cells of an array and their weights, of every array."""
        structure = cell_structure(self.device, self.cell)
        fields = structure.flatten_up_to(self.cells)

        def of_array(*fields_and_param: Any) -> Any:
            *of_leaf, param = fields_and_param
            if is_masked(of_leaf[0]):
                return masked(param)
            weight = jnp.asarray(param, jnp.float32)
            return of_cells(self.device, structure.unflatten(of_leaf), weight)

        return jax.tree.map(of_array, *fields, params, is_leaf=is_masked)


def fire_pulses(
    device: Device,
    *,
    key: Key[Array, ""],
    cell: Cell | None = None,
    exact_noise: bool = False,
    diagnostics: bool = False,
) -> optax.GradientTransformationExtraArgs:
    """Fires ``memjax.pulses.Counts`` at memristive devices; what they did comes out.

    ``pulsed_update`` less the drawing of pulses: what follows a link that makes counts of its own.
    Arguments, state and what it returns are those of ``pulsed_update``.

    Args:
      device: the device of every weight.
      key: one typed key.
      cell: how devices make a weight (default: ``ReferenceCell()``).
      exact_noise: exact normal write noise instead of the fast one (static).
      diagnostics: counts pulses, their load and their errors in ``state.stats`` (static).

    Raises:
      UserError: an argument of the wrong kind, ``update`` without ``params``, or updates that are
        no ``Counts``.

    Example:
      >>> import jax, jax.numpy as jnp, memjax
      >>> from memjax.pulses import Counts
      >>> from memjax.updates import fire_pulses
      >>> tx = fire_pulses(memjax.devices.ConstantStep(levels=5), key=jax.random.key(0))
      >>> w = jnp.zeros(2)
      >>> tx.update(Counts(jnp.array([1.0, -2.0])), tx.init(w), w)[0].tolist()
      [0.25, -0.5]
    """
    cell = as_arrays(checked_cell("pulsed_update", device, cell, key))
    device = as_arrays(device)

    def init(params: Any) -> PulsedUpdateState:
        check_leaf_names("pulsed_update", params)
        leaves, treedef = jax.tree.flatten(params)
        stream = random.stream(key)
        root = random.fold_in(stream, 0)
        states = [
            cell.init(device, random.fold_in(root, name), jnp.asarray(leaf, jnp.float32))[0]
            for leaf, name in zip(leaves, leaf_names(params), strict=True)
        ]
        cells = stack(states, treedef, cell_structure(device, cell))
        stats = stack([no_pulses(device) for _ in leaves], treedef, _STATS) if diagnostics else None
        count = jnp.zeros((), jnp.int32)
        state = PulsedUpdateState(count, stream, device, cell, cells, stats, stats)
        return jax.tree.map(jnp.copy, state)  # shares no buffer with itself or us: donate it freely

    def update(
        updates: Any, state: PulsedUpdateState, params: Any = None, **extra_args: Any
    ) -> tuple[Any, PulsedUpdateState]:
        del extra_args
        if params is None:
            raise UserError("fire_pulses: update needs params; call update(counts, state, params)")
        treedef: Any
        leaves, treedef = jax.tree.flatten(params)
        structure = cell_structure(state.device, state.cell)
        states = unstack(state.cells, treedef, structure)
        streams = weight_streams(state.key, state.count, params)
        changes, new_states, counted = [], [], []
        for leaf, counts, old, stream in zip(
            leaves, treedef.flatten_up_to(updates), states, streams, strict=True
        ):
            if not isinstance(counts, Counts):
                raise UserError(
                    "fire_pulses: the updates are no memjax.pulses.Counts; chain draw_pulses, or "
                    "delivered_counts behind memjax.nn layers, before it"
                )
            weight = jnp.asarray(leaf, jnp.float32)
            n = counts.n.astype(jnp.float32)
            new, held = state.cell.pulse(
                state.device,
                old,
                weight,
                n,
                random.fold_in(stream, 1),
                count=state.count,
                exact_noise=exact_noise,
            )
            change = held - weight
            new_states.append(new)
            if state.stats is not None:
                change = materialize(change)
                programmed = state.cell.readout(state.device, old, weight) - weight
                by_pulses = change - jnp.where(state.count == 0, programmed, 0.0)
                seen = counts._replace(n=n)
                counted.append(
                    count_pulses(
                        state.device, state.cell, old, weight, counts=seen, change=by_pulses
                    )
                )
            changes.append(change)
        state = state._replace(
            count=optax.safe_increment(state.count), cells=stack(new_states, treedef, structure)
        )
        if state.stats is not None:
            now = stack(counted, treedef, _STATS)
            more = jax.tree.map(jnp.add, now, state.lost)
            stats = jax.tree.map(jnp.add, state.stats, more)
            lost = jax.tree.map(lambda old, new, d: d - (new - old), state.stats, stats, more)
            state = state._replace(stats=stats, lost=lost)
        return treedef.unflatten(changes), state

    return optax.GradientTransformationExtraArgs(init, update)


def cell_structure(device: Device, cell: Cell) -> Any:
    """The treedef of one weight array's cell state."""
    leaves, structure = jax.tree.flatten((device, cell))
    return _cell_structure(structure, tuple(jax.typeof(leaf) for leaf in leaves))


@functools.lru_cache(maxsize=256)
def _cell_structure(structure: Any, leaves: tuple[Any, ...]) -> Any:
    """The same by the types of the parameters, so that an update need not trace it again."""

    def init(*leaves: Array) -> CellState:
        device, cell = jax.tree.unflatten(structure, leaves)
        return cell.init(device, jnp.zeros(2, jnp.uint32), jnp.zeros(()))[0]

    return jax.tree.structure(jax.eval_shape(init, *leaves))
