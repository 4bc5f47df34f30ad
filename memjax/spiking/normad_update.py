"""NormAD as an Optax transform: spikes and their errors in, what a gradient would be out."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float

from memjax.errors import UserError
from memjax.spiking.normad import TAU, normad
from memjax.spiking.traces import SYNAPSE, Synapse


class Trial(NamedTuple):
    """What an array of weights has seen, in place of its gradient.

    Attributes:
      spikes: of its inputs, one to a row.
      error: of its outputs, one to a column: spikes that are wanted less those that are seen.
    """

    spikes: Float[Array, "*batch steps rows"]
    error: Float[Array, "*batch steps columns"]


def normad_update(
    dt: float | int, *, synapse: Synapse = SYNAPSE, tau: float | int = TAU
) -> optax.GradientTransformationExtraArgs:
    """The first link of a chain: ``Trial`` leaves become ``-sum over t of d^(t) e(t) / ||d^(t)||``.

    That is the sign of a gradient, as Optax has it, so that whatever takes gradients may follow:
    ``chain(normad_update(dt), memjax.mixed_precision(rate, device, key=key))`` or
    ``chain(normad_update(dt), optax.sgd(rate), memjax.pulsed_update(device, key=key))``, with the
    rate r in units of the weights. A batch of trials is summed.

    Args:
      dt: the step, in ms.
      synapse: time constants of the inputs' traces.
      tau: of NormAD's membrane, in ms.

    Raises:
      UserError: an update that is no ``Trial``, or of another shape than its weights.

    Example:
      >>> import jax, jax.numpy as jnp, optax, memjax
      >>> from memjax.spiking import Trial, normad_update
      >>> device = memjax.devices.ConstantStep(levels=201)  # a step is 0.1 nA
      >>> cell = memjax.cells.ReferenceCell(weight_range=10.0)
      >>> pulsed = memjax.pulsed_update(device, key=jax.random.key(0), cell=cell)
      >>> tx = optax.chain(normad_update(0.5), optax.sgd(0.2), pulsed)
      >>> w = jnp.zeros((2, 1))
      >>> trial = Trial(jnp.zeros((9, 2)).at[0, 0].set(1.0), jnp.zeros((9, 1)).at[5, 0].set(1.0))
      >>> changes, _ = tx.update(trial, tx.init(w), w)
      >>> changes.round(3).tolist()
      [[0.20000000298023224], [0.0]]
    """

    def gradient(trial: Any, weights: Any) -> Array:
        if not isinstance(trial, Trial):
            raise UserError(
                "normad_update: the updates are no memjax.spiking.Trial; give one an array, "
                "Trial(spikes, error)"
            )
        shape = (trial.spikes.shape[-1], trial.error.shape[-1])
        if weights is not None and shape != jnp.shape(weights):
            raise UserError(
                f"normad_update: a Trial of {shape[0]} inputs and {shape[1]} outputs is given for "
                f"weights {jnp.shape(weights)}; weights are [inputs, outputs]"
            )

        def of_one(spikes: Array, error: Array) -> Array:
            return -normad(spikes, error, dt, rate=1.0, synapse=synapse, tau=tau)

        spikes, error = (x.reshape(-1, *x.shape[-2:]) for x in trial)
        return jnp.sum(jax.vmap(of_one)(spikes, error), axis=0)

    def update(updates: Any, params: Any = None) -> Any:
        is_trial = lambda node: isinstance(node, Trial)  # noqa: E731
        if params is None:
            return jax.tree.map(lambda trial: gradient(trial, None), updates, is_leaf=is_trial)
        return jax.tree.map(gradient, updates, params, is_leaf=is_trial)

    return optax.with_extra_args_support(optax.stateless(update))
