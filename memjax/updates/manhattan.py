"""Manhattan rule: one pulse by the sign of the gradient."""

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


@params
class Manhattan(Algorithm):
    """``n = width sign(wanted)``: one pulse for every weight that wants a change, however small.

    The learning rate does not matter. ``width`` is the pulse's, in pulses of the device: 1, or, on
    models that know pulses of any width, the paper's ``dt0``. One array a weight: the weight.

    Source: Ernoult, Grollier & Querlioz, Sci. Rep. 9:1851 (2019), "Cst"; Zamanidoost et al., IEEE
    MWSCAS (2015).
    """

    width: Leaf = param(default=1.0, doc="width of a pulse", unit="pulses", more_than=0)

    wants_gradients: ClassVar[bool] = True

    def check(self, device: Device, cell: Cell) -> None:
        """A width other than 1 needs a model that knows it."""
        super().check(device, cell)
        check_widths("Manhattan", device, self.width)

    def build(self, device: Device, **options: Any) -> optax.GradientTransformationExtraArgs:
        """``chain(sign_pulses(width), fire_pulses(device, ...))``."""
        return optax.chain(sign_pulses(self.width), fire_pulses(device, **options))


class SignPulsesState(NamedTuple):
    """The width of a pulse, which may be a lane's own."""

    width: Any


def sign_pulses(width: Leaf = 1.0) -> optax.GradientTransformationExtraArgs:
    """Turns wanted changes into ``Counts`` of one pulse each, of their sign.

    Args:
      width: of a pulse, in pulses of the device.

    Raises:
      UserError: it is no number or not above 0.

    Example:
      >>> import jax.numpy as jnp
      >>> from memjax.updates import sign_pulses
      >>> tx = sign_pulses(0.5)
      >>> wanted = jnp.array([0.01, -3.0, 0.0])
      >>> tx.update(wanted, tx.init(wanted))[0].n.tolist()
      [0.5, -0.5, 0.0]
    """

    check_number("sign_pulses: width", width, more_than=0)

    def init(params: Any) -> SignPulsesState:
        del params
        return SignPulsesState(jnp.array(width, jnp.float32))

    def update(
        updates: Any, state: SignPulsesState, params: Any = None, **extra_args: Any
    ) -> tuple[Any, SignPulsesState]:
        del params, extra_args

        def pulse(wanted: Any) -> Counts:
            return Counts(jnp.sign(wanted.astype(jnp.float32)) * state.width)

        return jax.tree.map(pulse, wanted_changes("sign_pulses", updates)), state

    return optax.GradientTransformationExtraArgs(init, update)


def manhattan(
    device: Device,
    *,
    key: Key[Array, ""],
    width: Leaf = 1.0,
    cell: Cell | None = None,
    memristive: Memristive = None,
    weight_range: WeightRange = None,
    watch: bool = True,
    float_learning_rate: optax.ScalarOrSchedule = 0.1,
    momentum: float | None = None,
    exact_noise: bool = False,
    diagnostics: bool = False,
) -> optax.GradientTransformationExtraArgs:
    """One pulse by the sign of the gradient: ``Manhattan``.

    Parameters as of ``Manhattan`` and as of ``in_situ``. On devices the gradient's sign alone
    matters; ``float_learning_rate``, above 0, is of biases and scales, in floating point.

    Example:
      >>> import jax, memjax
      >>> tx = memjax.manhattan(memjax.devices.ConstantStep(levels=256), key=jax.random.key(0))
    """
    if not callable(float_learning_rate):
        check_number("manhattan: float_learning_rate", float_learning_rate, more_than=0)
    algorithm = Manhattan(width=width)
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
