"""Gradient descent by a learning algorithm: the whole optimiser."""

import warnings
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Key

from memjax.cells import Cell, ReferenceCell
from memjax.devices import Device
from memjax.errors import UserError
from memjax.pulses import Bernoulli, ClippedPulses, Scheme, clipping
from memjax.pytree import Leaf, check_number
from memjax.updates.base import Algorithm
from memjax.updates.digital_scale import WeightRange
from memjax.updates.memristive import Memristive


def in_situ(
    algorithm: Algorithm,
    learning_rate: optax.ScalarOrSchedule,
    device: Device,
    *,
    key: Key[Array, ""],
    cell: Cell | None = None,
    pulses: Scheme | None = None,
    memristive: Memristive = None,
    weight_range: WeightRange = None,
    watch: bool = True,
    momentum: float | None = None,
    exact_noise: bool = False,
    **options: Any,
) -> optax.GradientTransformationExtraArgs:
    """Gradient descent by a learning algorithm on memristive devices.

    ``chain(sgd(learning_rate, momentum), algorithm.transform(device, ...))``. For anything else
    before the devices (Adam, clipping), chain ``algorithm.transform`` yourself; it must be the last
    link.

    Args:
      algorithm: one of ``memjax.updates.ALGORITHMS``, with its parameters.
      learning_rate: a number or an Optax schedule.
      device: the device of every weight.
      key: a typed key.
      cell: how devices make a weight (default: ``ReferenceCell()``).
      pulses: how a wanted change becomes pulses (default: ``Bernoulli()``), where the algorithm
        leaves that open. Behind ``memjax.nn`` layers chain
        ``memjax.updates.delivered_counts()`` and ``algorithm.transform(memristive="*", ...)``
        yourself.
      memristive: which weights are on devices, as of ``pulsed_update``; by default biases and
        scales are not, but follow ``sgd``.
      weight_range: the largest weight R, as of ``pulsed_update``. Default: that of the ``cell``,
        where one is given, else ``"fit"``.
      watch: whether to compare the weights with what the last update left (static).
      momentum: decay of a digital momentum, if any.
      exact_noise: exact normal write noise instead of the fast one (static).
      options: what else the algorithm's ``transform`` takes, such as ``slow_device``.

    Raises:
      UserError: a rate that is or becomes negative or no number, a momentum outside [0, 1), or
        whatever the algorithm's ``transform`` refuses.

    Warns:
      ClippedPulses: updates at ``|gradient| = 1`` want many more pulses than ``pulses`` fires. Of a
        schedule the first hundred updates are judged.

    Example:
      >>> import jax, memjax
      >>> device = memjax.devices.get("ReRamArrayOM")
      >>> tx = memjax.in_situ(memjax.updates.AGAD(), 0.1, device, key=jax.random.key(0))
    """
    if not isinstance(algorithm, Algorithm):
        raise UserError(
            f"in_situ: algorithm = {algorithm!r} is no algorithm; try memjax.updates.PulsedSGD()"
        )
    rates = _checked_rates(learning_rate)
    if momentum is not None:
        check_number("in_situ: momentum", momentum, at_least=0, less_than=1)
    if weight_range is None and cell is None:
        weight_range = "fit"
    update = algorithm.transform(
        device,
        key=key,
        cell=cell,
        pulses=pulses,
        memristive=memristive,
        weight_range=weight_range,
        watch=watch,
        exact_noise=exact_noise,
        **algorithm.rate_options(learning_rate),
        **options,
    )
    if not algorithm.wants_gradients:
        rate = algorithm.constant_rate(max(rates[:_EARLY], default=None))
        _tell_of_clipping(rate, device, cell, pulses)
    return optax.chain(optax.sgd(learning_rate, momentum), update)


_COUNTS = (0, *(10**power for power in range(8)))
"""Updates at which a schedule is tried, over all that a training may have."""

_EARLY = 4
"""How many of them are no later than the hundredth."""


def _checked_rates(learning_rate: Any) -> list[float]:
    """The rates that a training begins with, of ``_COUNTS``; none where they are traced."""
    if not callable(learning_rate):
        check_number("in_situ: learning_rate", learning_rate, at_least=0)
        return _concrete(learning_rate)
    rates = []
    for count in _COUNTS:
        with jax.numpy_dtype_promotion("standard"):
            rate = learning_rate(jnp.asarray(count, jnp.int32))  # as Optax does
        what = f"in_situ: learning_rate at update {count}"
        check_number(what, rate, finite=count == 0, at_least=0)  # it may grow beyond all training
        rates += _concrete(rate)
    return rates


def _concrete(number: Any) -> list[float]:
    """The largest of a batch of numbers, or nothing where it is traced."""
    return [] if isinstance(number, jax.core.Tracer) else [float(np.max(np.asarray(number)))]


def _tell_of_clipping(
    rate: Leaf | None, device: Device, cell: Cell | None, scheme: Scheme | None
) -> None:
    """Warns where the largest updates want more pulses than there will be."""
    cell = ReferenceCell() if cell is None else cell
    scheme = Bernoulli() if scheme is None else scheme
    size = cell.pulse_size(device)
    if rate is None or isinstance(rate, jax.core.Tracer) or isinstance(size, jax.core.Tracer):
        return
    if told := clipping(float(np.max(rate)) / float(np.min(np.asarray(size))), scheme):
        warnings.warn(told, ClippedPulses, stacklevel=4)
