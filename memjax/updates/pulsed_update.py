"""The Optax transform: wanted weight changes in, what the devices did out."""

from typing import Any

import jax
import optax
from jaxtyping import Array, Key

from memjax.cells import Cell
from memjax.devices import Device
from memjax.errors import UserError
from memjax.pulses import Bernoulli, Scheme
from memjax.updates.draw_pulses import DrawPulsesState, drawn
from memjax.updates.fire_pulses import PulsedUpdateState, fire_pulses


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

    ``draw_pulses`` and ``fire_pulses`` in one. For each weight: pulses ``n`` are drawn for
    ``wanted / pulse_size``; the cell's devices take them; the update returned is
    ``w_new - params``, so ``optax.apply_updates`` gives the weight that the devices hold. It must
    be the **last** link of a chain: what comes before (clipping, Adam, schedules, momentum) shapes
    the wanted change; what came after would change what hardware did.

    Weights outside the cell's range are programmed to its edge by the first update; ``readout``
    gives them before it. Conductances are float32 whatever the params' dtype; but a reference
    cell's only state is its weight, so give it float32 params: in bfloat16 small pulses round away.
    ``device.sigma_read`` is not this transform's: reading is the layers' (``memjax.nn``).

    Args:
      device: a device; its leaves are copied into the state, so a ``vmap`` of ``init`` over
        devices makes one transform serve all variants.
      key: one typed key. Two uses of one key draw the same devices and noise.
      cell: how devices make a weight (default: ``ReferenceCell()``).
      pulses: how a wanted change becomes whole pulses (default: ``Bernoulli()``); updates that
        are ``memjax.pulses.Counts`` are fired as they are.
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
    scheme = Bernoulli() if pulses is None else pulses
    if not isinstance(scheme, Scheme):
        raise UserError(
            f"pulsed_update: pulses = {scheme!r} cannot draw pulses from a gradient; try "
            "memjax.pulses.Bernoulli(), or delivered_counts() behind memjax.nn layers"
        )
    fire = fire_pulses(device, key=key, cell=cell, exact_noise=exact_noise, diagnostics=diagnostics)

    def update(
        updates: Any, state: PulsedUpdateState, params: Any = None, **extra_args: Any
    ) -> tuple[Any, PulsedUpdateState]:
        if params is None:
            raise UserError("pulsed_update: update needs params; call update(grads, state, params)")
        size = state.cell.pulse_size(state.device)
        draws = DrawPulsesState(state.count, state.key, size)
        counts = drawn(scheme, updates, draws, params, diagnostics=state.stats is not None)
        return fire.update(counts, state, params, **extra_args)

    return optax.GradientTransformationExtraArgs(fire.init, update)


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
