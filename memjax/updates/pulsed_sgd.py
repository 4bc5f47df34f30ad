"""Pulsed SGD: the wanted change itself, in pulses."""

from typing import Any

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Key

from memjax.cells import Cell
from memjax.devices import Device
from memjax.errors import UserError
from memjax.pulses import Counts, Scheme
from memjax.pytree import params, static
from memjax.updates.base import Algorithm
from memjax.updates.digital_scale import WeightRange
from memjax.updates.in_situ import in_situ
from memjax.updates.memristive import Memristive
from memjax.updates.pulsed_update import draw_and_fire


@params
class PulsedSGD(Algorithm):
    """Every update's wanted change is programmed at once: ``n`` pulses, ``E[n] = wanted / step``.

    One array a weight: the weight. With ``steps = "own"`` a step up is the L-th part of the range
    and one down the ``levels_down``-th, where a device has both numbers of levels.

    Source: Gokmen & Vlasov, Front. Neurosci. 10:333 (2016); Chen, Peng & Yu, IEEE TCAD 37:3067
    (2018), for the steps of each direction.
    """

    steps: str = static(
        default="mean",
        doc="steps in which wanted changes are counted: mean, of both directions; own, of theirs",
        choices=("mean", "own"),
    )

    def check(self, device: Device, cell: Cell) -> None:
        """Steps of their own need levels of both directions."""
        super().check(device, cell)
        if self.steps == "own" and getattr(device, "levels_down", None) is None:
            raise UserError(
                f"PulsedSGD: steps = 'own' needs a device with levels_down; {type(device).__name__}"
                " has none: leave steps out"
            )

    def build(self, device: Device, **options: Any) -> optax.GradientTransformationExtraArgs:
        """``draw_pulses`` and ``fire_pulses``."""
        inner = draw_and_fire(device, **options)
        if self.steps == "mean":
            return inner
        levels: Any = device.levels, getattr(device, "levels_down")  # noqa: B009
        up, down = (device.mean_step * of_direction for of_direction in levels)

        def update(
            updates: Any, state: Any, params: Any = None, **extra_args: Any
        ) -> tuple[Any, Any]:
            def in_mean_steps(change: Any) -> Any:
                if isinstance(change, Counts):
                    return change
                return change * jnp.where(change > 0, up, down).astype(change.dtype)

            is_counts = lambda node: isinstance(node, Counts)  # noqa: E731
            updates = jax.tree.map(in_mean_steps, updates, is_leaf=is_counts)
            return inner.update(updates, state, params, **extra_args)

        return optax.GradientTransformationExtraArgs(inner.init, update)


def memristive_sgd(
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
    diagnostics: bool = False,
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
        memristive=memristive,
        weight_range=weight_range,
        watch=watch,
        momentum=momentum,
        exact_noise=exact_noise,
        diagnostics=diagnostics,
    )
