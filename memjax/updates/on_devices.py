"""What stands between a model's params and the devices: which weights, their scale, and a watch."""

import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Int32

from memjax.cells import Cell
from memjax.devices import Device
from memjax.errors import UserError
from memjax.fusion import materialize
from memjax.updates.digital_scale import in_cells, in_model, omega_to_fit, wanted_in_cells
from memjax.updates.memristive import Memristive, are_memristive, path_texts
from memjax.updates.readout import states_of_devices
from memjax.updates.wanted import wanted_of
from memjax.updates.watch import are_moved, digest

MANY_UPDATES = 500
"""A wait for a row's turn that is told."""


class DevicesWarning(UserWarning):
    """Something about weights on devices that is probably not meant."""


class OnDevicesState(NamedTuple):
    """The state of a learning algorithm, and what is known of the params.

    Attributes:
      inner_state: the algorithm's own, of the weights on devices, in units of the cell.
      omega: the digital scale of each array: a weight of the model is ``omega`` times the cell's.
      digests: a fingerprint of each array as the last update left it; ``None`` without a watch.
      moved: updates before which something else had moved the weights.
      not_finite: updates in which a wanted change was no number; such a change is not written.
    """

    inner_state: Any
    omega: Any
    digests: Any
    moved: Int32[Array, ""]
    not_finite: Int32[Array, ""]

    def readout(self, params: Any) -> Any:
        """The weights that the devices hold; all others as they are.

        Raises:
          UserError: something else than the transform has moved the weights.
        """
        params, as_given = self._as_held(params)
        self._check("readout", params)
        return as_given(in_model(self.omega, self._arrays().readout(in_cells(self.omega, params))))

    def read_variance(self, params: Any) -> Any:
        """The variance of one read of each weight."""
        params, as_given = self._as_held(params)
        variance = self._arrays().read_variance(in_cells(self.omega, params))
        return as_given(in_model(self.omega, in_model(self.omega, variance)))

    def conductances(self, params: Any) -> Any:
        """The conductance of each device in siemens: a tuple in place of an array."""
        held, as_given = self._as_held(params)
        self._check("conductances", held)
        found = self._arrays().conductances(in_cells(self.omega, held))
        if held is params:
            return found
        return jax.tree.map(lambda *devices: devices, *map(as_given, found))

    def _check(self, who: str, params: Any) -> None:
        """Raises ``UserError`` where something else has moved the weights, now or before."""
        if self.digests is None:
            return
        are_moved(who, self.digests, params)
        if _is_concrete(self.moved) and np.any(self.moved > 0):
            raise UserError(
                f"{who}: {int(np.max(self.moved)):,} updates found weights that something else had "
                "moved. Make the transform the last link of the chain, with nothing that averages "
                "or moves params after it; or give watch = False"
            )

    def _arrays(self) -> Any:
        """The state of the arrays, wherever the algorithm keeps it."""
        (found,) = states_of_devices("readout", self.inner_state)
        return found

    def _as_held(self, params: Any) -> tuple[Any, Any]:
        """Params as the transform has them, one vector behind ``optax.flatten``; the way back."""
        is_array = jax.tree_util.all_leaves
        if is_array([self.omega]) and not is_array([params]):
            return ravel_pytree(params)
        return params, lambda tree: tree


def on_devices(
    inner: optax.GradientTransformationExtraArgs,
    *,
    who: str,
    device: Device,
    cell: Cell,
    memristive: Memristive = None,
    fits: bool = False,
    watch: bool = True,
    reads: bool = False,
    last_to_be_written: Callable[[Any], tuple[str, int]] = lambda params: ("", 1),
) -> optax.GradientTransformationExtraArgs:
    """A learning algorithm on the weights that are on devices; all other updates pass unchanged.

    With ``fits`` each array has a digital scale, ``w = omega w_cell``: the least power of two, so
    that nothing is rounded, at which R is at least four times its largest initial weight.

    The weights must be moved by this transform alone: a digest of what it left is compared with
    what the next update is given. Where both are concrete a difference is an error; under ``jit``
    it is counted. ``watch = False`` turns that off: for what tries an update at other weights and
    comes back to them but for rounding, as ``optax.contrib.sam`` does.

    Args:
      inner: the algorithm, of float32 weights.
      who: its name.
      device: the device of the weights.
      cell: their cell.
      memristive: which weights are on devices.
      fits: whether each array has a range of its own (static).
      watch: whether the weights are compared with what the last update left (static).
      reads: whether what reads the weights knows of ``device.sigma_read`` (static).
      last_to_be_written: ``Algorithm.last_to_be_written``.

    Raises:
      UserError: weights that cannot be on devices (``are_memristive``), gradients that are missing
        or of other shapes, or weights that something else has moved.

    Warns:
      DevicesWarning: weights beyond the range of their cells, a ``sigma_read`` that nothing draws,
        a noisy programming without ``sigma_write``, rows that are first written after
        ``MANY_UPDATES``, or wanted changes that are no numbers.
    """

    def init(params: Any) -> OnDevicesState:
        held = _only(are_memristive(who, memristive, params), params)
        _check_finite(who, held)
        scale = lambda w: omega_to_fit(w, cell.weight_range) if fits else jnp.float32(1.0)  # noqa: E731
        omega = jax.tree.map(scale, held)
        _tell_of_clipping(who, held, omega, cell)
        _tell_of_slow_writing(who, *last_to_be_written(held))
        if not reads:
            _tell_of_reads(who, device)
        _tell_of_exact_programming(who, device)
        arrays = inner.init(in_cells(omega, held) if fits else held)
        none = jnp.zeros((), jnp.int32)
        digests = jax.tree.map(digest, held) if watch else None
        state = OnDevicesState(arrays, omega, digests, none, none)
        return jax.tree.map(jnp.copy, state)

    def update(
        updates: Any, state: OnDevicesState, params: Any = None, **extra_args: Any
    ) -> tuple[Any, OnDevicesState]:
        if params is None:
            raise UserError(f"{who}: update needs params; call update(grads, state, params)")
        chosen = are_memristive(who, memristive, params)
        held = _only(chosen, params)
        wanted, are_finite = wanted_of(who, updates, params, chosen)
        is_moved = are_moved(who, state.digests, held) if watch else jnp.bool_(False)
        _tell_of_not_finite(who, are_finite)
        if fits:
            wanted, weights = wanted_in_cells(state.omega, wanted), in_cells(state.omega, held)
        else:
            weights = held
        changes, arrays = inner.update(wanted, state.inner_state, weights, **extra_args)
        if fits:
            changes = in_model(state.omega, changes)
        digests = None
        if watch:
            changes = jax.tree.map(materialize, changes)
            digests = jax.tree.map(lambda w, change: digest(w + change), held, changes)
        state = OnDevicesState(
            inner_state=arrays,
            omega=state.omega,
            digests=digests,
            moved=_one_more(state.moved, is_moved),
            not_finite=_one_more(state.not_finite, ~are_finite),
        )
        return _merged(chosen, changes, updates, params), state

    return optax.GradientTransformationExtraArgs(init, update)


def _only(chosen: list[bool], params: Any) -> Any:
    """The params with nothing in place of those that are not on devices."""
    leaves, treedef = jax.tree.flatten(params)
    kept = [w if on else optax.MaskedNode() for w, on in zip(leaves, chosen, strict=True)]
    return jax.tree.unflatten(treedef, kept)


def _merged(chosen: list[bool], changes: Any, updates: Any, params: Any) -> Any:
    """The changes of the weights on devices, and the other updates as they came."""
    treedef: Any = jax.tree.structure(params)
    pairs = zip(treedef.flatten_up_to(changes), treedef.flatten_up_to(updates), strict=True)
    return treedef.unflatten(
        [change if on else update for (change, update), on in zip(pairs, chosen, strict=True)]
    )


def _one_more(count: Array, happened: Array) -> Array:
    return jnp.where(happened, optax.safe_increment(count), count)


def _is_concrete(tree: Any) -> bool:
    return not any(isinstance(leaf, jax.core.Tracer) for leaf in jax.tree.leaves(tree))


def _check_finite(who: str, params: Any) -> None:
    """Raises ``UserError`` for initial weights that are no numbers."""
    for name, weights in zip(path_texts(params), jax.tree.leaves(params), strict=True):
        if _is_concrete(weights) and not np.all(np.isfinite(np.asarray(weights))):
            raise UserError(f"{who}: {name or 'the weight'} begins with nan or inf; mend the model")


def _tell_of_clipping(who: str, params: Any, omega: Any, cell: Cell) -> None:
    """Warns of weights beyond the range of their cells."""
    if not _is_concrete((params, omega, cell)):
        return
    clipped = []
    for name, weights, scale in zip(
        path_texts(params), jax.tree.leaves(params), jax.tree.leaves(omega), strict=True
    ):
        largest = np.max(np.asarray(cell.weight_range)) * np.asarray(scale)
        outside = np.abs(np.asarray(weights)) > largest
        if np.any(outside):
            clipped.append(f"{name or 'the weight'} ({np.mean(outside):.1%})")
    if clipped:
        told = ", ".join(clipped[:8]) + (", ..." if len(clipped) > 8 else "")
        _warn(
            f"{who}: weights beyond weight_range are clipped by the first update: {told}; give "
            'a larger weight_range; "fit" gives each array its own'
        )


def _tell_of_slow_writing(who: str, slowest: str, update: int) -> None:
    """Warns of arrays whose rows wait long for their turn."""
    if update > MANY_UPDATES:
        _warn(
            f"{who}: the last row of {slowest or 'the weights'} is first written at update "
            f"{update:,}, as the rows of a tile take turns; transfer_every = 0.1 reads "
            "ten at an update, and a smaller tile_rows makes more tiles"
        )


def _tell_of_reads(who: str, device: Device) -> None:
    """Warns of a read noise that this transform does not draw."""
    sigma = device.sigma_read
    if sigma is not None and _is_concrete(sigma) and np.any(np.asarray(sigma) > 0):
        _warn(
            f"{who}: sigma_read acts where weights are read, which is the model's: give it "
            "memjax.read(state, params, key) in place of params, or use memjax.nn layers"
        )


def _tell_of_exact_programming(who: str, device: Device) -> None:
    """Warns of a noisy programming without a noise."""
    if device.programming == "noisy" and not device.is_programmed_with_noise:
        _warn(f'{who}: programming = "noisy" has no effect without sigma_write; give that too')


def _tell_of_not_finite(who: str, are_finite: Array) -> None:
    if _is_concrete(are_finite) and not are_finite:
        _warn(f"{who}: wanted changes that are nan or infinite are not written to the devices")


def _warn(what: str) -> None:
    warnings.warn(what, DevicesWarning, stacklevel=4)
