"""RProp on devices: the width of each weight's pulse adapts to the signs of its gradient."""

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
from memjax.updates.checks import wanted_changes
from memjax.updates.digital_scale import WeightRange
from memjax.updates.fire_pulses import fire_pulses
from memjax.updates.in_situ import in_situ
from memjax.updates.memristive import Memristive
from memjax.updates.widths import check_widths


class PulseWidthState(NamedTuple):
    """What RProp remembers of each weight.

    Attributes:
      shrink: the factor of a change of sign.
      width: of the next pulse, in pulses of the device.
      previous: the sign of the last pulse; 0 before the first and after one that was undone.
    """

    shrink: Any
    width: Any
    previous: Any


@params
class RProp(Algorithm):
    """One pulse a weight and update, of the wanted change's sign and the weight's own width dt.

    With ``s`` the product of the sign now and the last one: ``s > 0``: ``dt = min(dt / shrink,
    1)`` and a pulse; ``s < 0``: the last pulse is undone by an opposite one of its own width, then
    ``dt = shrink dt``, and the sign is forgotten; ``s = 0``: a pulse of the width that there is.
    Widths are in pulses of the device, the paper's ``dt0``. The learning rate does not matter.
    Three arrays a weight: the weight, its width and its sign.

    Source: Ernoult, Grollier & Querlioz, Sci. Rep. 9:1851 (2019), "RProp".
    """

    shrink: Leaf = param(
        default=0.99, doc="factor on the width at a change of sign", more_than=0, at_most=1
    )

    wants_gradients: ClassVar[bool] = True
    arrays: ClassVar[int] = 3

    def check(self, device: Device, cell: Cell) -> None:
        """The model must know pulses of any width."""
        super().check(device, cell)
        check_widths("RProp", device, None)

    def build(self, device: Device, **options: Any) -> optax.GradientTransformationExtraArgs:
        """``chain(pulse_width(shrink), fire_pulses(device, ...))``."""
        return optax.chain(pulse_width(self.shrink), fire_pulses(device, **options))


def pulse_width(shrink: Leaf = 0.99) -> optax.GradientTransformationExtraArgs:
    """Turns wanted changes into ``Counts`` of one pulse a weight, of a width that adapts.

    Args:
      shrink: factor on a weight's width when its sign changes.

    Raises:
      UserError: it is no number within 0 (not 0) to 1.

    Example:
      >>> import jax.numpy as jnp
      >>> from memjax.updates import pulse_width
      >>> tx = pulse_width(0.5)
      >>> state = tx.init(jnp.zeros(()))
      >>> for wanted in (0.1, -0.2, 0.3, 0.4):
      ...     n, state = tx.update(jnp.float32(wanted), state)
      ...     print(float(n.n))
      1.0
      -1.0
      0.5
      1.0
    """

    check_number("pulse_width: shrink", shrink, more_than=0, at_most=1)

    def init(params: Any) -> PulseWidthState:
        ones = jax.tree.map(lambda w: jnp.ones(jnp.shape(w), jnp.float32), params)
        return PulseWidthState(
            jnp.array(shrink, jnp.float32), ones, jax.tree.map(jnp.zeros_like, ones)
        )

    def update(
        updates: Any, state: PulseWidthState, params: Any = None, **extra_args: Any
    ) -> tuple[Any, PulseWidthState]:
        del params, extra_args

        def pulse(wanted: Any, width: Any, previous: Any) -> tuple[Any, Any, Any]:
            sign = jnp.sign(wanted.astype(jnp.float32))
            same, opposite = sign * previous > 0, sign * previous < 0
            wider = jnp.where(same, jnp.minimum(width / state.shrink, 1.0), width)
            n = sign * wider
            width = jnp.where(opposite, state.shrink * width, wider)
            return Counts(n), width, jnp.where(opposite, 0.0, sign)

        outer: Any
        leaves, outer = jax.tree.flatten(wanted_changes("pulse_width", updates))
        widths, signs = (outer.flatten_up_to(t) for t in (state.width, state.previous))
        found = [pulse(*of_leaf) for of_leaf in zip(leaves, widths, signs, strict=True)]
        n, width, previous = (outer.unflatten([f[k] for f in found]) for k in range(3))
        return n, PulseWidthState(state.shrink, width, previous)

    return optax.GradientTransformationExtraArgs(init, update)


def rprop(
    device: Device,
    *,
    key: Key[Array, ""],
    shrink: Leaf = 0.99,
    cell: Cell | None = None,
    memristive: Memristive = None,
    weight_range: WeightRange = None,
    watch: bool = True,
    float_learning_rate: optax.ScalarOrSchedule = 0.1,
    momentum: float | None = None,
    exact_noise: bool = False,
    diagnostics: bool = False,
) -> optax.GradientTransformationExtraArgs:
    """Pulses whose width adapts to the gradient's signs: ``RProp``.

    Parameters as of ``RProp`` and as of ``in_situ``. On devices the gradient's sign alone
    matters; ``float_learning_rate``, above 0, is of biases and scales, in floating point.

    Example:
      >>> import jax, memjax
      >>> tx = memjax.rprop(memjax.devices.Ernoult(levels=100), key=jax.random.key(0), shrink=0.95)
    """
    if not callable(float_learning_rate):
        check_number("rprop: float_learning_rate", float_learning_rate, more_than=0)
    algorithm = RProp(shrink=shrink)
    return in_situ(
        algorithm,
        float_learning_rate,
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
