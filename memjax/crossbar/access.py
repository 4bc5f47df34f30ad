"""The transistor that selects a cell: a resistance in series with each device."""

import jax
import jax.numpy as jnp

from memjax.pytree import Leaf, param, params


@params
class Access:
    """What is in series with the device of a cell (1T1R)."""

    r_access: Leaf | None = param(
        default=None,
        doc="resistance in series with each device, of its access transistor",
        unit="ohm",
        at_least=0,
    )


def behind(access: Access, g: jax.Array, gmax: Leaf) -> jax.Array:
    """What a read sees of devices: ``1 / (1 / G + r_access)``.

    Weights are decoded by the range of the bare devices, so that products are smaller.

    Args:
      access: the parameters.
      g: conductances of the devices over Gmax.
      gmax: siemens.

    Returns:
      Conductances of the cells over Gmax.

    Example:
      >>> import jax.numpy as jnp
      >>> from memjax.crossbar.access import Access, behind
      >>> behind(Access(r_access=10e3), jnp.array([0.0, 1.0]), 100e-6).tolist()
      [0.0, 0.5]

    Source: NeuroSim manual, access resistance of 1T1R cells.
    """
    if access.r_access is None:
        return g
    return g / (1.0 + jnp.asarray(access.r_access, g.dtype) * jnp.asarray(gmax, g.dtype) * g)
