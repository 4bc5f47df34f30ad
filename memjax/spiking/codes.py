"""Values as spikes, for models of one's own: random trains of a rate, or one spike in time."""

import jax.numpy as jnp
from jaxtyping import Array, Float, Key

from memjax import random
from memjax.spiking.desired import steps_of


def rate_spikes(
    key: Key[Array, ""],
    x: Float[Array, "..."],
    dt: float | int,
    *,
    duration: float | int = 100.0,
    most: float | int = 0.2,
) -> Float[Array, "steps ..."]:
    """Random spikes at a rate in proportion to the value: ``P(spike in a step) = x most dt``.

    Args:
      key: a typed key.
      x: values in [0, 1].
      dt: the step, in ms.
      duration: in ms.
      most: the rate of x = 1, in kHz.

    Example:
      >>> import jax, jax.numpy as jnp
      >>> from memjax.spiking import rate_spikes
      >>> spikes = rate_spikes(jax.random.key(0), jnp.array([0.0, 1.0]), 0.5, duration=10_000)
      >>> [round(float(mean), 1) for mean in spikes.mean(axis=0)]
      [0.0, 0.1]
    """
    steps = steps_of(duration, dt, "the duration")
    u = random.uniform(random.stream(key), (steps, *x.shape))
    return (u < (x * (most * dt))[None]).astype(jnp.float32)


def latency_spikes(
    x: Float[Array, "..."],
    dt: float | int,
    *,
    duration: float | int = 100.0,
    last: float | int = 50.0,
) -> Float[Array, "steps ..."]:
    """One spike, the earlier the larger the value: at ``last (1 - x)``; none of a value of 0.

    Args:
      x: values in [0, 1].
      dt: the step, in ms.
      duration: in ms.
      last: when the smallest values fire, in ms.

    Example:
      >>> import jax.numpy as jnp
      >>> from memjax.spiking import latency_spikes
      >>> jnp.argwhere(latency_spikes(jnp.array([0.0, 0.5, 1.0]), 0.5)).tolist()
      [[0, 2], [50, 1]]
    """
    steps = steps_of(duration, dt, "the duration")
    when = jnp.where(x > 0, jnp.round((1.0 - x) * (last / dt)), -1.0)
    step = jnp.arange(steps, dtype=jnp.float32).reshape(-1, *[1] * x.ndim)
    return (step == when[None]).astype(jnp.float32)
