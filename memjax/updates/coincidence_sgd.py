"""SGD by the pulses that layers deliver."""

import optax
from jaxtyping import Array, Key

from memjax.cells import Cell
from memjax.devices import Device
from memjax.updates.checks import checked_cell
from memjax.updates.draw_pulses import delivered_counts
from memjax.updates.fire_pulses import fire_pulses
from memjax.updates.on_devices import on_devices


def coincidence_sgd(
    device: Device,
    *,
    key: Key[Array, ""],
    cell: Cell | None = None,
    watch: bool = True,
    exact_noise: bool = False,
    diagnostics: bool = False,
) -> optax.GradientTransformationExtraArgs:
    """Descends by the pulses that ``memjax.nn`` layers deliver in place of a gradient.

    ``chain(delivered_counts(), fire_pulses(device, ...))``: the layers hold the learning rate,
    since it sets the probabilities of their trains. For an algorithm with a fast and a slow array,
    ``chain(delivered_counts(), algorithm.transform(device, memristive="*", ...))`` does the same.

    Args:
      device: the device of every weight.
      key: a typed key.
      cell: how devices make a weight (default: ``ReferenceCell()``).
      watch: whether to compare the weights with what the last update left (static).
      exact_noise: exact normal write noise instead of the fast one (static).
      diagnostics: counts what pulses do (``memjax.updates.diagnostics``; static).

    Example:
      >>> import jax, memjax
      >>> tx = memjax.coincidence_sgd(memjax.devices.ConstantStep(), key=jax.random.key(0))
    """
    who = "coincidence_sgd"
    cell = checked_cell(who, device, cell, key)
    fire = fire_pulses(device, key=key, cell=cell, exact_noise=exact_noise, diagnostics=diagnostics)
    watched = on_devices(
        fire, who=who, device=device, cell=cell, memristive="*", reads=True, watch=watch
    )
    return optax.chain(delivered_counts(), watched)
