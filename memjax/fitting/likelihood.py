"""How likely measured ramps are for a device: an extended Kalman filter, one ramp at a time.

Pulses move a hidden conductance by the device's mean step, times a gain that is drawn anew for each
ramp, with the device's cycle-to-cycle noise; a reading adds its own. The filter carries the
Gaussian belief about (conductance, gain) from reading to reading, and the likelihood is the product
of its one-step predictions, so that noise of pulses, of ramps and of readings are told apart by the
correlations that they leave: read noise makes successive steps anti-correlated, a ramp's gain makes
all of them alike.

Source: Harvey, Forecasting, Structural Time Series Models and the Kalman Filter (1989), ch. 3.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array

from memjax.devices.base import Device

LONG = 1e4  # pulses of the ramp before, which the devices may remember


class Noise(NamedTuple):
    """What the device's own parameters do not say.

    Attributes:
      ramp: sd of a ramp's gain.
      read: sd of a reading, in fractions of the window.
    """

    ramp: Any
    read: Any


class Predictions(NamedTuple):
    """One-step predictions of a ramp's readings, the start excluded.

    Attributes:
      error: reading less its prediction.
      variance: that the filter expects of it.
      gain, gain_variance: what the whole ramp says of its gain.
    """

    error: Array
    variance: Array
    gain: Array
    gain_variance: Array


def predict(
    device: Device, noise: Noise, y: Array, pulses: Array, sign: Array, additive: Any = None
) -> Predictions:
    """Filters one ramp.

    Args:
      device: without spread; its c2c noise counts.
      noise: of ramps and readings.
      y: readings [points], as normalised conductance; NaN beyond the end.
      pulses: pulses since the reading before [points].
      sign: of all of them.
      additive: whether the c2c noise of a device of ``c2c = "step"`` is ``"additive"`` after all; a
        number, so that both conventions are one program. None: the device's own.
    """
    array = device.fabricate(jnp.zeros(2, jnp.uint32), ())
    array = device.update_memory(array, y[0], -sign * LONG)
    read = noise.read**2

    def step(carry: Any, now: tuple[Array, Array]) -> tuple[Any, tuple[Array, Array]]:
        array, x, gain, p_xx, p_xg, p_gg = carry
        reading, count = now
        n = sign * count

        def change(x: Array) -> tuple[Array, Array]:
            mean, sd = device.mean_and_sd(array, x, n)
            if additive is not None:
                sd = jnp.where(additive, device.additive_sd(array, x, n), sd)
            return mean, sd

        (move, sd), (slope, _) = jax.jvp(change, (x,), (jnp.ones_like(x),))
        f = 1.0 + gain * slope
        predicted = x + gain * move
        q_xx = f * f * p_xx + 2.0 * f * move * p_xg + move * move * p_gg + sd**2
        q_xg = f * p_xg + move * p_gg
        seen = jnp.isfinite(reading)
        error = jnp.where(seen, reading - predicted, 0.0)
        variance = q_xx + read
        k_x, k_g = q_xx / variance, q_xg / variance
        after = (
            device.update_memory(array, x, n),
            predicted + k_x * error,
            gain + k_g * error,
            q_xx - k_x * q_xx,
            q_xg - k_x * q_xg,
            p_gg - k_g * q_xg,
        )
        kept = jax.tree.map(lambda new, old: jnp.where(seen, new, old), after, carry)
        return kept, (error, jnp.where(seen, variance, 1.0))

    nothing = jnp.zeros_like(y[0])
    first = jnp.minimum(read, 1.0)  # whatever a reading is off, the conductance is in the window
    start = (array, y[0], nothing + 1.0, nothing + first, nothing, nothing + noise.ramp**2)
    start = jax.tree.map(lambda leaf: jnp.asarray(leaf, y.dtype), start)
    last, (errors, variances) = jax.lax.scan(step, start, (y[1:], pulses[1:]))
    return Predictions(errors, variances, last[2], last[5])


def log_likelihood(predictions: Predictions, y: Array) -> Array:
    """Of each of one ramp's readings after the first, in units of the window; 0 beyond the end.

    Args:
      predictions: of the ramp.
      y: its readings [points]; NaN beyond the end.
    """
    square = predictions.error**2 / predictions.variance
    terms = -0.5 * (jnp.log(2.0 * jnp.pi * predictions.variance) + square)
    return jnp.where(jnp.isfinite(y[1:]), terms, 0.0)
