"""What happens to the currents of a tile between its cells and its ADC, without wires."""

import jax
import jax.numpy as jnp

from memjax.pytree import Leaf, param, params, static


@params
class Analog:
    """Noise and distortion of a tile's output currents, in units of ``Gmax Vmax``."""

    w_noise: Leaf | None = param(
        default=None,
        doc="read noise of the cells, drawn anew for each product",
        unit="Gmax",
        at_least=0,
    )
    w_noise_kind: str = static(
        default="pcm_read",
        doc="pcm_read, sd in proportion to sqrt(G); additive, of one sd for all cells",
        choices=("pcm_read", "additive"),
    )
    r_series: Leaf | None = param(
        default=None,
        doc="series resistance of an output, as the share of its current that is lost",
        unit="1 / (Gmax Vmax)",
        at_least=0,
    )
    v_offset_sigma: Leaf | None = param(
        default=None,
        doc="column-to-column sd of the voltage offset of an output; negative ones are 0",
        unit="Vmax",
        at_least=0,
    )
    v_offset_w_min: Leaf = param(
        default=-1.0, doc="weight of the reference that the offset and r_series act on too"
    )
    s_shape: Leaf | None = param(
        default=None,
        doc="saturation of an output: the loss at the bound of the ADC",
        unit="relative",
        at_least=0,
    )
    slope_calibration: Leaf | None = param(
        default=None,
        doc="share of the ADC's bound at which s_shape and r_series are corrected to slope 1",
        unit="relative",
        at_least=0,
    )
    out_noise: Leaf | None = param(
        default=None, doc="sd of the noise before the ADC", unit="Gmax Vmax", at_least=0
    )
    gain_sigma: Leaf | None = param(
        default=None,
        doc="column-to-column sd of the gain before the ADC",
        unit="relative",
        at_least=0,
    )
    offset_sigma: Leaf | None = param(
        default=None,
        doc="column-to-column sd of the offset before the ADC",
        unit="Gmax Vmax",
        at_least=0,
    )

    @property
    def has_spread(self) -> bool:
        """Whether columns differ for life."""
        sigmas = (self.v_offset_sigma, self.gain_sigma, self.offset_sigma)
        return any(sigma is not None for sigma in sigmas)


def series(analog: Analog, y: jax.Array, x_sum: jax.Array, xi: jax.Array | None) -> jax.Array:
    """Series resistance and voltage offsets.

    ``(1 - v) (y + y_ref) / (1 + r |y + y_ref|) - (1 + v) y_ref / (1 + r |y_ref|)`` with
    ``y_ref = -w_min sum x`` and ``v = max(sigma xi, 0)``, fixed for each column.

    Args:
      analog: the parameters.
      y: currents.
      x_sum: sum of the inputs of each tile, of the rank of y.
      xi: standard normal numbers a column, drawn once.

    Source: aihwkit documentation, IOParameters.
    """
    if analog.r_series is None and analog.v_offset_sigma is None:
        return y
    r = jnp.asarray(0.0 if analog.r_series is None else analog.r_series, y.dtype)
    v = jnp.zeros((1,) * y.ndim, y.dtype)
    if analog.v_offset_sigma is not None:
        assert xi is not None
        v = jnp.maximum(jnp.asarray(analog.v_offset_sigma, y.dtype) * xi, 0.0)
    reference = -jnp.asarray(analog.v_offset_w_min, y.dtype) * x_sum
    up = y + reference
    lost = (1.0 + v) * reference / (1.0 + r * jnp.abs(reference))
    return (1.0 - v) * up / (1.0 + r * jnp.abs(up)) - lost


def saturate(analog: Analog, y: jax.Array, bound: jax.Array) -> jax.Array:
    """The S-shaped answer of an output: ``y f / (1 + |a y / b|)``.

    ``f = (1 + (a / b + r) c b)^2`` with ``a = s_shape``, ``b`` the bound of the ADC, ``r`` the
    series resistance and ``c = slope_calibration``.

    Args:
      analog: the parameters.
      y: currents.
      bound: b.

    Source: aihwkit documentation, IOParameters.
    """
    if analog.s_shape is None and analog.slope_calibration is None:
        return y
    slope = jnp.asarray(0.0 if analog.s_shape is None else analog.s_shape, y.dtype) / bound
    r = jnp.asarray(0.0 if analog.r_series is None else analog.r_series, y.dtype)
    c = 0.0 if analog.slope_calibration is None else analog.slope_calibration
    gain = 1.0 + (slope + r) * jnp.asarray(c, y.dtype) * bound
    return y * gain**2 / (1.0 + slope * jnp.abs(y))
