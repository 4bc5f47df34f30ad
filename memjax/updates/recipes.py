"""Short recipes: whole optimisers for memristive hardware."""

from typing import Any

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Key

from memjax.cells import Cell
from memjax.devices import Device
from memjax.errors import UserError
from memjax.pulses import Delivered, Scheme
from memjax.pytree import check_number
from memjax.updates.agad import AGAD
from memjax.updates.base import Algorithm
from memjax.updates.chopped_tiki_taka import ChoppedTikiTaka
from memjax.updates.manhattan import Manhattan
from memjax.updates.mixed_precision import MixedPrecision
from memjax.updates.pulsed_sgd import PulsedSGD
from memjax.updates.pulsed_update import pulsed_update
from memjax.updates.rprop import RProp
from memjax.updates.tiki_taka import TikiTaka
from memjax.updates.tiki_taka_v2 import TikiTakaV2


def in_situ(
    algorithm: Algorithm,
    learning_rate: optax.ScalarOrSchedule,
    device: Device,
    *,
    key: Key[Array, ""],
    cell: Cell | None = None,
    pulses: Scheme | None = None,
    momentum: float | None = None,
    exact_noise: bool = False,
    **more: Any,
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
        leaves that open; ``Delivered()`` behind ``memjax.nn`` layers.
      momentum: decay of a digital momentum, if any.
      exact_noise: exact normal write noise instead of the fast one (static).
      more: what else the algorithm's ``transform`` takes, such as ``slow_device``.

    Raises:
      UserError: a rate that is or becomes negative or no number, a momentum outside [0, 1), or
        whatever the algorithm's ``transform`` refuses.

    Example:
      >>> import jax, memjax
      >>> device = memjax.devices.get("ReRamArrayOM")
      >>> tx = memjax.in_situ(memjax.updates.AGAD(), 0.1, device, key=jax.random.key(0))
    """
    if not isinstance(algorithm, Algorithm):
        raise UserError(
            f"in_situ: algorithm = {algorithm!r} is no algorithm; try memjax.updates.PulsedSGD()"
        )
    _check_rate(learning_rate)
    if momentum is not None:
        check_number("in_situ: momentum", momentum, at_least=0, less_than=1)
    update = algorithm.transform(
        device, key=key, cell=cell, pulses=pulses, exact_noise=exact_noise, **more
    )
    return optax.chain(optax.sgd(learning_rate, momentum), update)


def _check_rate(learning_rate: Any) -> None:
    """A schedule is tried at some counts of updates, over all that a training may have."""
    counts = (0, *(10**power for power in range(8)))
    if not callable(learning_rate):
        check_number("in_situ: learning_rate", learning_rate, at_least=0)
        return
    for count in counts:
        with jax.numpy_dtype_promotion("standard"):
            rate = learning_rate(jnp.asarray(count, jnp.int32))  # as Optax does
        what = f"in_situ: learning_rate at update {count}"
        check_number(what, rate, finite=count == 0, at_least=0)  # it may grow beyond all training


def memristive_sgd(
    learning_rate: optax.ScalarOrSchedule,
    device: Device,
    *,
    key: Key[Array, ""],
    cell: Cell | None = None,
    pulses: Scheme | None = None,
    momentum: float | None = None,
    exact_noise: bool = False,
) -> optax.GradientTransformationExtraArgs:
    """Stochastic gradient descent in which every weight change is made by programming pulses.

    ``chain(sgd(learning_rate, momentum), pulsed_update(device, ...))``. In the limit of many
    levels, no noise and no spread it is ``optax.sgd``. Arguments as of ``in_situ``.

    Example:
      >>> import jax, memjax
      >>> device = memjax.devices.ConstantStep(levels=32, sigma_c2c=0.5)
      >>> tx = memjax.memristive_sgd(0.1, device, key=jax.random.key(0))
    """
    return in_situ(
        PulsedSGD(),
        learning_rate,
        device,
        key=key,
        cell=cell,
        pulses=pulses,
        momentum=momentum,
        exact_noise=exact_noise,
    )


def coincidence_sgd(
    device: Device, *, key: Key[Array, ""], cell: Cell | None = None, exact_noise: bool = False
) -> optax.GradientTransformationExtraArgs:
    """Descends by the pulses that ``memjax.nn`` layers deliver in place of a gradient.

    ``chain(scale(-1), pulsed_update(device, pulses=Delivered(), ...))``: the layers hold the
    learning rate, since it sets the probabilities of their trains. For an algorithm with a fast and
    a slow array, ``in_situ(algorithm, 1.0, device, pulses=Delivered(), ...)`` does the same.

    Args:
      device: the device of every weight.
      key: a typed key.
      cell: how devices make a weight (default: ``ReferenceCell()``).
      exact_noise: exact normal write noise instead of the fast one (static).

    Example:
      >>> import jax, memjax
      >>> tx = memjax.coincidence_sgd(memjax.devices.ConstantStep(), key=jax.random.key(0))
    """
    update = pulsed_update(device, key=key, cell=cell, pulses=Delivered(), exact_noise=exact_noise)
    return optax.chain(optax.scale(-1.0), update)


def _recipe(
    algorithm: type[Algorithm],
    letters: dict[str, Any],
    learning_rate: optax.ScalarOrSchedule,
    device: Device,
    key: Key[Array, ""],
) -> optax.GradientTransformationExtraArgs:
    """``letters`` holds the algorithm's own parameters and, maybe, what ``in_situ`` takes."""
    own = {name for name in algorithm.__dataclass_fields__}  # type: ignore[attr-defined]
    letters = dict(letters.pop("letters", {})) | letters  # as optax.inject_hyperparams has them
    mine = {name: value for name, value in letters.items() if name in own}
    rest = {name: value for name, value in letters.items() if name not in own}
    if "learning_rate" in rest:
        raise UserError(f"{algorithm.__name__}: learning_rate does not matter to it; leave it out")
    return in_situ(algorithm(**mine), learning_rate, device, key=key, **rest)


def manhattan(
    device: Device, *, key: Key[Array, ""], **letters: Any
) -> optax.GradientTransformationExtraArgs:
    """One pulse by the sign of the gradient: ``Manhattan``, whose parameters ``letters`` are.

    Other keywords are ``in_situ``'s (``cell``, ``exact_noise``).

    Example:
      >>> import jax, memjax
      >>> tx = memjax.manhattan(memjax.devices.ConstantStep(levels=256), key=jax.random.key(0))
    """
    return _recipe(Manhattan, letters, 1.0, device, key)


def rprop(
    device: Device, *, key: Key[Array, ""], **letters: Any
) -> optax.GradientTransformationExtraArgs:
    """Pulses whose width adapts to the gradient's signs: ``RProp``.

    Example:
      >>> import jax, memjax
      >>> tx = memjax.rprop(memjax.devices.Ernoult(levels=100), key=jax.random.key(0), shrink=0.95)
    """
    return _recipe(RProp, letters, 1.0, device, key)


def mixed_precision(
    learning_rate: optax.ScalarOrSchedule, device: Device, *, key: Key[Array, ""], **letters: Any
) -> optax.GradientTransformationExtraArgs:
    """A digital accumulator that fires whole pulses: ``MixedPrecision``.

    Example:
      >>> import jax, memjax
      >>> device = memjax.devices.get("PCMO-Babu2018")
      >>> tx = memjax.mixed_precision(0.1, device, key=jax.random.key(0))
    """
    return _recipe(MixedPrecision, letters, learning_rate, device, key)


def tiki_taka(
    learning_rate: optax.ScalarOrSchedule, device: Device, *, key: Key[Array, ""], **letters: Any
) -> optax.GradientTransformationExtraArgs:
    """A fast and a slow array: ``TikiTaka``, version 1.

    Example:
      >>> import jax, memjax
      >>> device = memjax.devices.SoftBounds(levels=64)
      >>> tx = memjax.tiki_taka(0.1, device, key=jax.random.key(0), gamma=0.5)
    """
    return _recipe(TikiTaka, letters, learning_rate, device, key)


def tiki_taka_v2(
    learning_rate: optax.ScalarOrSchedule, device: Device, *, key: Key[Array, ""], **letters: Any
) -> optax.GradientTransformationExtraArgs:
    """A fast and a slow array with a buffer between them: ``TikiTakaV2``.

    Example:
      >>> import jax, memjax
      >>> device = memjax.devices.SoftBounds(levels=64)
      >>> tx = memjax.tiki_taka_v2(0.1, device, key=jax.random.key(0), transfer_rate=0.2)
    """
    return _recipe(TikiTakaV2, letters, learning_rate, device, key)


def chopped_tiki_taka(
    learning_rate: optax.ScalarOrSchedule, device: Device, *, key: Key[Array, ""], **letters: Any
) -> optax.GradientTransformationExtraArgs:
    """Version 2 with choppers: ``ChoppedTikiTaka``.

    Example:
      >>> import jax, memjax
      >>> device = memjax.devices.SoftBounds(levels=64)
      >>> tx = memjax.chopped_tiki_taka(0.1, device, key=jax.random.key(0), flip_probability=0.05)
    """
    return _recipe(ChoppedTikiTaka, letters, learning_rate, device, key)


def agad(
    learning_rate: optax.ScalarOrSchedule, device: Device, *, key: Key[Array, ""], **letters: Any
) -> optax.GradientTransformationExtraArgs:
    """A fast and a slow array with a dynamic reference: ``AGAD``.

    Example:
      >>> import jax, memjax
      >>> device = memjax.devices.get("ReRamArrayOM")
      >>> tx = memjax.agad(0.1, device, key=jax.random.key(0), chop_every=20)
    """
    return _recipe(AGAD, letters, learning_rate, device, key)
