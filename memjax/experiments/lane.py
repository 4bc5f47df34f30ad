"""One device variant's training: pure functions, an epoch a scan, ready for ``vmap``."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Bool, Float32, Int32, UInt32

from memjax import random
from memjax.cells import Cell
from memjax.devices import Device
from memjax.experiments.meter import metered
from memjax.experiments.perceptron import (
    Dense,
    apply_network,
    cross_entropy,
    init_network,
    plain_dense,
)
from memjax.nn import pulsed_dense, read_noise
from memjax.pulses import Coincidence, OuterProduct, Scheme
from memjax.pytree import Leaf, param, params, static
from memjax.updates import Algorithm, PulsedSGD, delivered_counts, readout


@params
class Variant:
    """What may differ between lanes of one compilation: every leaf is swept."""

    device: Device
    cell: Cell
    algorithm: Algorithm = PulsedSGD()
    learning_rate: Leaf = param(default=0.1, doc="step of gradient descent", at_least=0)
    learning_rate_decay: Leaf = param(
        default=1.0, doc="factor on the rate after each epoch", more_than=0
    )


@params
class Program:
    """What fixes the compiled program: one compilation for each.

    Attributes:
      sizes: units of every layer, the input first.
      activation: of the hidden layers.
      batch_size: samples an update.
      pulses: an outer product's or an element-wise scheme; ``None``: floating-point SGD.
      diagnostics: counts what pulses do, for ``diagnose``; changes no weight.
    """

    sizes: tuple[int, ...] = static(default=(64, 32, 10), doc="units of every layer")
    activation: str = static(default="sigmoid", doc="hidden activation")
    batch_size: int = static(default=1, doc="samples an update", at_least=1)
    pulses: OuterProduct | Scheme | None = static(
        default=Coincidence(), doc="pulse scheme; None: floating-point SGD"
    )
    diagnostics: bool = static(default=False, doc="count what pulses do")


class LaneState(NamedTuple):
    """A lane between two epochs.

    Attributes:
      params: the network's weights, as the devices hold them.
      opt_state: the optimiser's state.
      words: the lane's root random words.
      epoch: epochs done.
      finite: no loss has been NaN or infinite so far.
      wanted: with diagnostics, pulses that gradient descent has wanted of each layer: the sum of
        ``|learning_rate gradient| / pulse size``; else ``None``.
    """

    params: Any
    opt_state: Any
    words: UInt32[Array, "2"]
    epoch: Int32[Array, ""]
    finite: Bool[Array, ""]
    wanted: Float32[Array, " layers"] | None = None


class Samples(NamedTuple):
    """A data set on the device: flat inputs and integer labels."""

    x: Float32[Array, "samples features"]
    y: Int32[Array, " samples"]


_INIT, _ORDER, _PULSES, _WRITE, _READ, _TEST = range(6)


def _optimizer(
    program: Program, variant: Variant, words: Array, learning_rate: Any
) -> optax.GradientTransformationExtraArgs:
    if program.pulses is None:
        return optax.with_extra_args_support(optax.sgd(learning_rate))
    key = jax.random.wrap_key_data(random.fold_in(words, _WRITE), impl="threefry2x32")
    counted = _trains(program, variant) is not None
    pulses: Any = None
    if not (counted or variant.algorithm.wants_gradients):
        pulses = program.pulses
    update = variant.algorithm.transform(
        variant.device,
        key=key,
        cell=variant.cell,
        pulses=pulses,
        diagnostics=program.diagnostics,
    )
    return optax.chain(delivered_counts() if counted else optax.sgd(learning_rate), update)


def _trains(program: Program, variant: Variant) -> OuterProduct | None:
    """The trains whose coincidences layers deliver in place of gradients, if they do."""
    if isinstance(program.pulses, OuterProduct) and not variant.algorithm.wants_gradients:
        return program.pulses
    return None


def _dense(
    program: Program,
    variant: Variant,
    stream: Array,
    learning_rate: Any,
    meters: Array | None = None,
) -> Dense:
    """How this program's layers multiply, and what they deliver backwards, also to ``meters``."""

    def dense(number: int, x: Array, layer: dict[str, Array]) -> Array:
        here = random.fold_in(stream, number)
        if (pulses := _trains(program, variant)) is not None:
            y = pulsed_dense(
                x,
                layer["kernel"],
                layer["bias"],
                stream=random.fold_in(here, _PULSES),
                rate=learning_rate / variant.cell.pulse_size(variant.device),
                pulses=pulses,
            )
        else:
            y = plain_dense(number, x, layer)
        if meters is not None:
            y = metered(y, jax.lax.stop_gradient(x), meters[number])
        if program.pulses is None or variant.device.sigma_read is None:
            return y
        noise = read_noise(
            random.fold_in(here, _READ),
            x,
            layer["kernel"],
            layer["bias"],
            device=variant.device,
            cell=variant.cell,
        )
        return y + noise

    return dense


def init_lane(program: Program, variant: Variant, words: UInt32[Array, "2"]) -> LaneState:
    """A network with its weights programmed.

    Args:
      program: the compiled part.
      variant: the swept part.
      words: the lane's root random words (``jax.random.key_data``).
    """
    weights = init_network(random.fold_in(words, _INIT), program.sizes)
    opt_state = _optimizer(program, variant, words, variant.learning_rate).init(weights)
    if program.pulses is not None:
        weights = readout(opt_state, weights)
    counts = program.diagnostics and program.pulses is not None
    wanted = jnp.zeros(len(program.sizes) - 1) if counts else None
    return LaneState(weights, opt_state, words, jnp.int32(0), jnp.bool_(True), wanted)


def train_epoch(
    program: Program, variant: Variant, state: LaneState, train: Samples
) -> tuple[LaneState, Float32[Array, ""]]:
    """One pass over the training set in a new random order; the last partial batch is left out.

    Args:
      program: the compiled part.
      variant: the swept part.
      state: the lane before the epoch.
      train: the training set.

    Returns:
      The lane after the epoch and its mean training loss.
    """
    samples, batch = train.x.shape[0], program.batch_size
    epoch_stream = random.fold_in(random.fold_in(state.words, _ORDER), state.epoch)
    order = jnp.argsort(random.bits(random.fold_in(epoch_stream, 0), (samples,)))
    batches = order[: samples // batch * batch].reshape(-1, batch)
    decay = variant.learning_rate_decay ** state.epoch.astype(jnp.float32)
    learning_rate = variant.learning_rate * decay
    optimizer = _optimizer(program, variant, state.words, learning_rate)

    def step(carry: tuple[Any, ...], now: tuple[Array, Array]) -> tuple[tuple[Any, ...], Array]:
        weights, opt_state, wanted = carry
        number, chosen = now
        stream = random.fold_in(random.fold_in(epoch_stream, 1), number)

        def loss_of(weights: Any, meters: Array | None) -> Array:
            dense = _dense(program, variant, stream, learning_rate, meters)
            logits = apply_network(weights, train.x[chosen], dense, program.activation)
            return cross_entropy(logits, train.y[chosen])

        if wanted is None:
            loss, grads = jax.value_and_grad(loss_of)(weights, None)
        else:
            of_both = jax.value_and_grad(loss_of, argnums=(0, 1))
            loss, (grads, sizes) = of_both(weights, jnp.zeros_like(wanted))
            wanted = wanted + sizes * (learning_rate / variant.cell.pulse_size(variant.device))
        updates, opt_state = optimizer.update(grads, opt_state, weights)
        return (optax.apply_updates(weights, updates), opt_state, wanted), loss

    numbers = jnp.arange(batches.shape[0])
    carry = (state.params, state.opt_state, state.wanted)
    (weights, opt_state, wanted), losses = jax.lax.scan(step, carry, (numbers, batches))
    finite = state.finite & jnp.all(jnp.isfinite(losses))
    finite &= jnp.all(jnp.stack([jnp.all(jnp.isfinite(w)) for w in jax.tree.leaves(weights)]))
    state = LaneState(weights, opt_state, state.words, state.epoch + 1, finite, wanted)
    return state, jnp.mean(losses)


def accuracy(
    program: Program, variant: Variant, state: LaneState, test: Samples
) -> Float32[Array, ""]:
    """Fraction of ``test`` that the lane gets right; NaN for a lane that is not finite."""
    stream = random.fold_in(random.fold_in(state.words, _TEST), state.epoch)
    dense = _dense(program, variant, stream, variant.learning_rate)
    logits = apply_network(state.params, test.x, dense, program.activation)
    right = jnp.mean((jnp.argmax(logits, axis=1) == test.y).astype(jnp.float32))
    return jnp.where(state.finite, right, jnp.nan)
