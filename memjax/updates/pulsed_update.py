"""The Optax transform: wanted weight changes in, what the devices did out."""

import functools
import zlib
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Int32, Key

from memjax import random
from memjax.cells import Cell, CellState, ReferenceCell
from memjax.devices import Device
from memjax.errors import UserError
from memjax.fusion import materialize
from memjax.pulses import Bernoulli, Delivered, Scheme
from memjax.pytree import as_arrays
from memjax.updates.diagnostics import PulseStats, count_pulses, no_pulses
from memjax.updates.struct_of_trees import is_masked, stack, unstack

_STATS = jax.tree.structure(PulseStats(*PulseStats._fields))  # type: ignore[arg-type]


class PulsedUpdateState(NamedTuple):
    """Everything that varies; no update reads anything else.

    Attributes:
      count: updates done.
      key: root of the write noise; with ``count`` it fixes every number drawn.
      device: the device's parameters.
      cell: the cell's parameters.
      cells: the cells' state, a struct of trees congruent with the params.
      stats: with diagnostics, what the pulses did, a struct of trees of scalars; else ``None``.
      lost: what rounding has kept out of those sums so far, likewise.
    """

    count: Int32[Array, ""]  # type: ignore[assignment]  # hides tuple.count, as Optax's states do
    key: Key[Array, ""]
    device: Device
    cell: Cell
    cells: CellState
    stats: PulseStats | None = None
    lost: PulseStats | None = None

    def readout(self, params: Any) -> Any:
        """The weights that the devices hold; those that the state masks stay as they are."""
        structure = cell_structure(self.device, self.cell)
        fields = structure.flatten_up_to(self.cells)

        def read(*fields_and_param: Any) -> Any:
            *of_leaf, param = fields_and_param
            if is_masked(of_leaf[0]):
                return param
            leaf = jnp.asarray(param)
            state = structure.unflatten(of_leaf)
            weight = self.cell.readout(self.device, state, leaf.astype(jnp.float32))
            return weight.astype(leaf.dtype)

        return jax.tree.map(read, *fields, params, is_leaf=is_masked)


def pulsed_update(
    device: Device,
    *,
    key: Key[Array, ""],
    cell: Cell | None = None,
    pulses: Scheme | None = None,
    exact_noise: bool = False,
    diagnostics: bool = False,
) -> optax.GradientTransformationExtraArgs:
    """Applies wanted weight changes as programming pulses on memristive devices.

    For each weight: pulses ``n`` are drawn for ``wanted / pulse_size``; the cell's devices take
    them; the update returned is ``w_new - params``, so ``optax.apply_updates`` gives the weight
    that the devices hold. It must be the **last** link of a chain: what comes before (clipping,
    Adam, schedules, momentum) shapes the wanted change; what came after would change what hardware
    did.

    Weights outside the cell's range are programmed to its edge by the first update; ``readout``
    gives them before it. Conductances are float32 whatever the params' dtype; but a reference
    cell's only state is its weight, so give it float32 params: in bfloat16 small pulses round away.
    ``device.sigma_read`` is not this transform's: reading is the layers' (``memjax.nn``).

    Args:
      device: a device; its leaves are copied into the state, so a ``vmap`` of ``init`` over
        devices makes one transform serve all variants.
      key: one typed key. Two uses of one key draw the same devices and noise.
      cell: how devices make a weight (default: ``ReferenceCell()``).
      pulses: how a wanted change becomes whole pulses (default: ``Bernoulli()``); ``Delivered()``
        takes updates that already are counts (``memjax.nn``).
      exact_noise: exact normal write noise instead of the fast one (static).
      diagnostics: counts pulses, their load and their errors in ``state.stats`` (static).

    Returns:
      A transform with state ``PulsedUpdateState``. Its ``update`` needs ``params``.

    Raises:
      UserError: an argument of the wrong kind, or ``update`` without ``params``.

    Example:
      >>> import jax, jax.numpy as jnp, optax, memjax
      >>> tx = memjax.pulsed_update(memjax.devices.ConstantStep(levels=5), key=jax.random.key(0))
      >>> params = {"w": jnp.zeros(3)}
      >>> state = tx.init(params)
      >>> wanted = {"w": jnp.array([0.5, -0.25, 0.0])}
      >>> updates, state = tx.update(wanted, state, params)
      >>> optax.apply_updates(params, updates)["w"].tolist()
      [0.5, -0.25, 0.0]
    """
    check_device("pulsed_update", device)
    cell = ReferenceCell() if cell is None else cell
    scheme = Bernoulli() if pulses is None else pulses
    check_cell("pulsed_update", cell)
    if not hasattr(scheme, "draw"):
        raise UserError(
            f"pulsed_update: pulses = {scheme!r} cannot draw pulses from a gradient; try "
            "memjax.pulses.Bernoulli(), or Delivered() behind memjax.nn layers"
        )
    check_key("pulsed_update", key)
    device, cell = as_arrays(device), as_arrays(cell)

    def init(params: Any) -> PulsedUpdateState:
        leaves, names, treedef = _flatten(params)
        root = random.fold_in(random.stream(key), 0)
        states = [
            cell.init(device, random.fold_in(root, name), jnp.asarray(leaf, jnp.float32))[0]
            for leaf, name in zip(leaves, names, strict=True)
        ]
        cells = stack(states, treedef, cell_structure(device, cell))
        stats = stack([no_pulses(device) for _ in leaves], treedef, _STATS) if diagnostics else None
        count = jnp.zeros((), jnp.int32)
        state = PulsedUpdateState(count, key, device, cell, cells, stats, stats)
        return jax.tree.map(jnp.copy, state)  # shares no buffer with itself or us: donate it freely

    def update(
        updates: Any, state: PulsedUpdateState, params: Any = None, **extra_args: Any
    ) -> tuple[Any, PulsedUpdateState]:
        del extra_args
        if params is None:
            raise UserError("pulsed_update: update needs params; call update(grads, state, params)")
        leaves, names, treedef = _flatten(params)
        wanted = treedef.flatten_up_to(updates)
        structure = cell_structure(state.device, state.cell)
        states = unstack(state.cells, treedef, structure)
        step = random.fold_in(random.fold_in(random.stream(state.key), 1), state.count)
        size = state.cell.pulse_size(state.device)
        changes, new_states, counted = [], [], []
        for leaf, name, want, old in zip(leaves, names, wanted, states, strict=True):
            here = random.fold_in(step, name)
            weight = leaf.astype(jnp.float32)
            want = want.astype(jnp.float32)
            asked = want if isinstance(scheme, Delivered) else want / size
            n = scheme.draw(random.fold_in(here, 0), asked)
            new, held = state.cell.pulse(
                state.device,
                old,
                weight,
                n,
                random.fold_in(here, 1),
                count=state.count,
                exact_noise=exact_noise,
            )
            change = held - weight
            new_states.append(new)
            if state.stats is not None:
                change = materialize(change)
                what = {"asked": asked, "n": n, "change": change}
                counted.append(count_pulses(state.device, state.cell, old, weight, **what))
            changes.append(change.astype(leaf.dtype))
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


def check_device(who: str, device: Any) -> None:
    """Raises ``UserError`` for what is no device."""
    if not isinstance(device, Device):
        raise UserError(
            f"{who}: device = {device!r} is no device; try memjax.devices.ConstantStep()"
        )


def check_cell(who: str, cell: Any) -> None:
    """Raises ``UserError`` for what is no cell."""
    if not isinstance(cell, Cell):
        raise UserError(f"{who}: cell = {cell!r} is no cell; try memjax.cells.ReferenceCell()")


def check_key(who: str, key: Any) -> None:
    """Raises ``UserError`` for what is no key, or more than one."""
    typed = hasattr(key, "dtype") and jnp.issubdtype(key.dtype, jax.dtypes.prng_key)
    if not typed or key.shape:
        given = f"keys of shape {key.shape}" if typed else repr(key)
        raise UserError(
            f"{who}: key = {given} must be one typed key, such as jax.random.key(0); for "
            "several variants use vmap over init"
        )


def readout(state: Any, params: Any) -> Any:
    """The exact weights that the devices hold.

    Args:
      state: an optimiser state that holds a ``PulsedUpdateState`` (of a chain, say), or several,
        one a group of weights (``optax.partition``). Of an ``nnx.Optimizer``, give
        ``nnx.as_pure(optimizer.opt_state)`` and ``nnx.as_pure(nnx.state(model, nnx.Param))``.
      params: the params; they carry the weights of a reference cell.

    Returns:
      A tree like ``params``; weights that no device holds are as they are in it.

    Raises:
      UserError: the state holds no ``PulsedUpdateState``.
    """
    holds_weights = lambda node: hasattr(node, "readout")  # noqa: E731
    found = [s for s in jax.tree.leaves(state, is_leaf=holds_weights) if holds_weights(s)]
    if not found:
        raise UserError("readout: the state holds no PulsedUpdateState; give tx.init's or update's")
    for devices in found:
        params = devices.readout(params)
    return params


def name_leaves(params: Any) -> list[int]:
    """A number for each leaf's path, so that its noise is its own."""
    with_paths, _ = jax.tree_util.tree_flatten_with_path(params)
    return [
        zlib.crc32(jax.tree_util.keystr(path).removesuffix(".value").encode()) >> 1
        for path, _ in with_paths
    ]


def _flatten(params: Any) -> tuple[list[Array], list[int], Any]:
    """Leaves, their names and the treedef."""
    leaves, treedef = jax.tree.flatten(params)
    return [jnp.asarray(leaf) for leaf in leaves], name_leaves(params), treedef


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
