"""Mixed precision: changes are gathered in a digital memory and written when they fill a step."""

from typing import Any, ClassVar, NamedTuple

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Key

from memjax.cells import Cell
from memjax.devices import Device
from memjax.pulses import Counts
from memjax.pytree import Leaf, check_number, param, params
from memjax.updates.base import Algorithm
from memjax.updates.buffer import MOST, drain
from memjax.updates.checks import wanted_changes
from memjax.updates.digital_scale import WeightRange
from memjax.updates.fire_pulses import fire_pulses
from memjax.updates.in_situ import in_situ
from memjax.updates.memristive import Memristive


class WholePulsesState(NamedTuple):
    """What has not been written yet.

    Attributes:
      epsilon: the change that one pulse is taken to make.
      chi: the wanted changes so far, less what was written, in weight units.
    """

    epsilon: Any
    chi: Any


@params
class MixedPrecision(Algorithm):
    """``chi += wanted``; ``n = trunc(chi / epsilon)`` pulses; ``chi -= n epsilon``.

    The sum of what was wanted is the sum of what was written and chi; devices see few pulses, each
    of which a digital accumulator has made sure of. Two arrays a weight: the weight and chi.

    Source: Nandakumar et al., Front. Neurosci. 14:406 (2020), eqs. 2 and 3.
    """

    epsilon: Leaf = param(
        default=1.0, doc="what a pulse is taken to change", unit="mean steps", more_than=0
    )

    wants_gradients: ClassVar[bool] = True
    arrays: ClassVar[int] = 2

    def build(
        self, device: Device, *, cell: Any, **options: Any
    ) -> optax.GradientTransformationExtraArgs:
        """``chain(whole_pulses(epsilon pulse_size), fire_pulses(device, ...))``."""
        gather = whole_pulses(self.epsilon * cell.pulse_size(device))
        return optax.chain(gather, fire_pulses(device, cell=cell, **options))


def whole_pulses(epsilon: Leaf, max_pulses: int = MOST) -> optax.GradientTransformationExtraArgs:
    """Gathers wanted changes and gives out ``Counts`` of the whole pulses in them; the rest stays.

    Args:
      epsilon: the change that one pulse makes, in weight units.
      max_pulses: most pulses a weight and update (static).

    Raises:
      UserError: one of them is no number or not above 0.

    Example:
      >>> import jax.numpy as jnp
      >>> from memjax.updates import whole_pulses
      >>> tx = whole_pulses(0.25)
      >>> state = tx.init(jnp.zeros(2))
      >>> n, state = tx.update(jnp.array([0.625, -0.125]), state)
      >>> n.n.tolist(), state.chi.tolist()
      ([2.0, -0.0], [0.125, -0.125])
    """

    check_number("whole_pulses: epsilon", epsilon, more_than=0)
    check_number("whole_pulses: max_pulses", max_pulses, whole=True, at_least=1)

    def init(params: Any) -> WholePulsesState:
        chi = jax.tree.map(lambda w: jnp.zeros(jnp.shape(w), jnp.float32), params)
        return WholePulsesState(jnp.array(epsilon, jnp.float32), chi)

    def update(
        updates: Any, state: WholePulsesState, params: Any = None, **extra_args: Any
    ) -> tuple[Any, WholePulsesState]:
        del params, extra_args
        wanted = wanted_changes("whole_pulses", updates)
        chi = jax.tree.map(lambda c, u: c + u.astype(jnp.float32), state.chi, wanted)
        treedef: Any
        leaves, treedef = jax.tree.flatten(chi)
        drained = [drain(c, state.epsilon, max_pulses) for c in leaves]
        rest = treedef.unflatten([left for left, _ in drained])
        return treedef.unflatten([Counts(n) for _, n in drained]), state._replace(chi=rest)

    return optax.GradientTransformationExtraArgs(init, update)


def mixed_precision(
    learning_rate: optax.ScalarOrSchedule,
    device: Device,
    *,
    key: Key[Array, ""],
    epsilon: Leaf = 1.0,
    cell: Cell | None = None,
    memristive: Memristive = None,
    weight_range: WeightRange = None,
    watch: bool = True,
    momentum: float | None = None,
    exact_noise: bool = False,
    diagnostics: bool = False,
) -> optax.GradientTransformationExtraArgs:
    """A digital accumulator that fires whole pulses: ``MixedPrecision``.

    Parameters as of ``MixedPrecision`` and as of ``in_situ``.

    Example:
      >>> import jax, memjax
      >>> device = memjax.devices.get("PCMO-Babu2018")
      >>> tx = memjax.mixed_precision(0.1, device, key=jax.random.key(0))
    """
    algorithm = MixedPrecision(epsilon=epsilon)
    return in_situ(
        algorithm,
        learning_rate,
        device,
        key=key,
        cell=cell,
        memristive=memristive,
        weight_range=weight_range,
        watch=watch,
        momentum=momentum,
        exact_noise=exact_noise,
        diagnostics=diagnostics,
    )
