"""The Optax transform: wanted weight changes in, what the devices did out."""

from typing import Any

import optax
from jaxtyping import Array, Key

from memjax.cells import Cell
from memjax.devices import Device
from memjax.errors import UserError
from memjax.pulses import Bernoulli, Scheme
from memjax.updates.checks import checked_cell
from memjax.updates.digital_scale import WeightRange, is_fit, ranged
from memjax.updates.draw_pulses import DrawPulsesState, drawn
from memjax.updates.fire_pulses import PulsedUpdateState, fire_pulses
from memjax.updates.memristive import Memristive
from memjax.updates.on_devices import on_devices


def pulsed_update(
    device: Device,
    *,
    key: Key[Array, ""],
    cell: Cell | None = None,
    pulses: Scheme | None = None,
    memristive: Memristive = None,
    weight_range: WeightRange = None,
    watch: bool = True,
    exact_noise: bool = False,
    diagnostics: bool = False,
) -> optax.GradientTransformationExtraArgs:
    """Applies wanted weight changes as programming pulses on memristive devices.

    ``draw_pulses`` and ``fire_pulses`` in one, on the weights that are on devices. For each: pulses
    ``n`` are drawn for ``wanted / pulse_size``; the cell's devices take them; the update returned
    is ``w_new - params``, so ``optax.apply_updates`` gives the weight that the devices hold. It
    must be the **last** link of a chain: what comes before (clipping, Adam, schedules, momentum)
    shapes the wanted change; what came after would change what hardware did, and is refused by the
    next update, or counted in ``state.moved`` where it is compiled.

    Weights outside the cell's range are programmed to its edge by the first update; ``readout``
    gives them before it. ``device.sigma_read`` is not this transform's: reading is the model's, by
    ``memjax.read(state, params, key)`` or the layers of ``memjax.nn``.

    Args:
      device: a device; its leaves are copied into the state, so a ``vmap`` of ``init`` over
        devices (``memjax.devices.stack``) makes one transform serve all variants.
      key: one typed key. Two uses of one key draw the same devices and noise.
      cell: how devices make a weight (default: ``ReferenceCell()``).
      pulses: how a wanted change becomes whole pulses (default: ``Bernoulli()``); updates that
        are ``memjax.pulses.Counts`` are fired as they are.
      memristive: which weights are on devices: patterns of their paths (``"*/kernel"``; ``"*"`` for
        all), or a function of path and weight. Default: arrays of rank 2 or more, so that biases
        and scales stay in floating point; where there is none, all but ``*bias`` and ``*scale``.
        The updates of all others pass unchanged.
      weight_range: the largest weight R, in place of the cell's, or ``"fit"``: R of each array at
        least four times its largest initial weight, by a digital scale that is a power of two.
      watch: whether to compare the weights with what the last update left (static).
      exact_noise: exact normal write noise instead of the fast one (static).
      diagnostics: counts pulses, their load and their errors in ``state.inner_state.stats``
        (static).

    Returns:
      A transform with state ``OnDevicesState``, whose ``inner_state`` is a ``PulsedUpdateState``.
      Its ``update`` needs ``params``.

    Raises:
      UserError: an argument of the wrong kind; ``init`` with weights on devices that are not in
        float32; ``update`` without ``params``, with gradients that are missing or of other shapes,
        or with weights that something else has moved.

    Warns:
      DevicesWarning: ``init`` with weights beyond the range, or with a ``sigma_read``; ``update``
        with wanted changes that are no numbers, which are not written.

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
    who = "pulsed_update"
    cell = ranged(who, checked_cell(who, device, cell, key), weight_range)
    inner = draw_and_fire(
        device, key=key, cell=cell, pulses=pulses, exact_noise=exact_noise, diagnostics=diagnostics
    )
    return on_devices(
        inner,
        who=who,
        device=device,
        cell=cell,
        memristive=memristive,
        fits=is_fit(weight_range),
        watch=watch,
    )


def draw_and_fire(
    device: Device, *, key: Key[Array, ""], pulses: Scheme | None = None, **options: Any
) -> optax.GradientTransformationExtraArgs:
    """``pulsed_update`` of weights that are all on devices, which nothing watches."""
    scheme = Bernoulli() if pulses is None else pulses
    if isinstance(scheme, type) or not isinstance(scheme, Scheme):
        raise UserError(
            f"pulsed_update: pulses = {scheme!r} cannot draw pulses from a gradient; try "
            "memjax.pulses.Bernoulli(), or delivered_counts() behind memjax.nn layers"
        )
    fire = fire_pulses(device, key=key, **options)

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
