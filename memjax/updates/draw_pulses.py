"""The link that makes pulse counts of wanted changes, and the one that marks delivered ones."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Int32, Key

from memjax import random
from memjax.errors import UserError
from memjax.fusion import materialize
from memjax.pulses import Counts, Delivered, Scheme
from memjax.pytree import Leaf
from memjax.updates.diagnostics import total
from memjax.updates.leaf_names import check_leaf_names, leaf_names


class DrawPulsesState(NamedTuple):
    """Everything that varies.

    Attributes:
      count: updates done.
      key: stream of the drawn numbers.
      pulse_size: the change that one pulse makes.
    """

    count: Int32[Array, ""]  # type: ignore[assignment]  # hides tuple.count, as Optax's states do
    key: random.Stream
    pulse_size: Array


def draw_pulses(
    scheme: Scheme, pulse_size: Leaf, *, key: Key[Array, ""], diagnostics: bool = False
) -> optax.GradientTransformationExtraArgs:
    """Makes ``Counts`` of wanted changes: ``n ~ scheme(wanted / pulse_size)``; Counts pass.

    ``chain(draw_pulses(scheme, cell.pulse_size(device), key=key), fire_pulses(device, key=key))``
    is ``pulsed_update``, bit for bit.

    Args:
      scheme: how a wanted change becomes whole pulses (static).
      pulse_size: the change that one pulse makes, in weight units.
      key: one typed key.
      diagnostics: counts in ``Counts.clipped`` what was wanted beyond ``scheme.most`` (static).

    Example:
      >>> import jax, jax.numpy as jnp
      >>> from memjax.pulses import Deterministic
      >>> from memjax.updates import draw_pulses
      >>> tx = draw_pulses(Deterministic(), 0.25, key=jax.random.key(0))
      >>> wanted = jnp.array([0.5, -0.3])
      >>> tx.update(wanted, tx.init(wanted), wanted)[0].n.tolist()
      [2.0, -1.0]
    """

    def init(params: Any) -> DrawPulsesState:
        check_leaf_names("draw_pulses", params)
        state = DrawPulsesState(
            jnp.int32(0), random.stream(key), jnp.asarray(pulse_size, jnp.float32)
        )
        return jax.tree.map(jnp.copy, state)

    def update(
        updates: Any, state: DrawPulsesState, params: Any = None, **extra_args: Any
    ) -> tuple[Any, DrawPulsesState]:
        del extra_args
        if params is None:
            raise UserError("draw_pulses: update needs params; call update(grads, state, params)")
        counts = drawn(scheme, updates, state, params, diagnostics=diagnostics)
        return counts, state._replace(count=optax.safe_increment(state.count))

    return optax.GradientTransformationExtraArgs(init, update)


def drawn(
    scheme: Scheme, updates: Any, state: DrawPulsesState, params: Any, *, diagnostics: bool
) -> Any:
    """The counts of one update, a tree of ``Counts``; arguments as of ``draw_pulses``."""
    treedef: Any = jax.tree.structure(params)
    streams = weight_streams(state.key, state.count, params)
    counts = [
        change if isinstance(change, Counts) else _draw(scheme, change, stream, state, diagnostics)
        for change, stream in zip(treedef.flatten_up_to(updates), streams, strict=True)
    ]
    return treedef.unflatten(counts)


def _draw(
    scheme: Scheme, change: Array, stream: random.Stream, state: DrawPulsesState, diagnostics: bool
) -> Counts:
    change = change.astype(jnp.float32)
    if isinstance(scheme, Delivered):
        return Counts(change)
    wanted = change / state.pulse_size
    n = scheme.draw(random.fold_in(stream, 0), wanted)
    if not diagnostics:
        return Counts(n)
    beyond = jnp.maximum(jnp.abs(materialize(wanted)) - scheme.most, 0.0)
    return Counts(n, total(beyond))


def weight_streams(stream: random.Stream, count: Array, params: Any) -> list[random.Stream]:
    """The random stream of each weight array in one update."""
    step = random.fold_in(random.fold_in(stream, 1), count)
    return [random.fold_in(step, name) for name in leaf_names(params)]


def delivered_counts() -> optax.GradientTransformationExtraArgs:
    """Takes gradients for the counts that ``memjax.nn`` layers deliver in their place: ``-g``.

    The first link behind such layers: a cotangent must have its weight's type, so that counts come
    as plain arrays. The sign is that of descent.

    Example:
      >>> import jax.numpy as jnp
      >>> from memjax.updates import delivered_counts
      >>> tx = delivered_counts()
      >>> delivered = jnp.array([3.0, -1.0])
      >>> tx.update(delivered, tx.init(delivered))[0].n.tolist()
      [-3.0, 1.0]
    """

    def mark(updates: Any, params: Any = None) -> Any:
        del params
        return jax.tree.map(lambda g: Counts(-1.0 * g), updates)

    return optax.with_extra_args_support(optax.stateless(mark))
