"""The programming pulse: its voltage and width, and what it costs in energy and time."""

from typing import Any

import jax.numpy as jnp
from jaxtyping import Array

from memjax.devices.units import Units
from memjax.errors import UserError
from memjax.pytree import Leaf, param, params


@params
class Programming(Units):
    """The pulses of potentiation and depression, as they are driven."""

    voltage_up: Leaf | None = param(
        default=None, doc="amplitude of a potentiation pulse", unit="V", more_than=0
    )
    voltage_down: Leaf | None = param(
        default=None, doc="amplitude of a depression pulse", unit="V", more_than=0
    )
    width_up: Leaf | None = param(
        default=None, doc="width of a potentiation pulse", unit="s", more_than=0
    )
    width_down: Leaf | None = param(
        default=None, doc="width of a depression pulse", unit="s", more_than=0
    )

    @property
    def knows_time(self) -> bool:
        """Whether the widths of both pulses are known."""
        return self.width_up is not None and self.width_down is not None

    @property
    def knows_energy(self) -> bool:
        """Whether ``gmax`` and the voltages and widths of both pulses are known."""
        parts = self.gmax, self.voltage_up, self.voltage_down
        return self.knows_time and all(part is not None for part in parts)

    def energy(self, n: Array, g: Array) -> Array:
        """``|n| V^2 G t`` of trains of pulses, in joules, at the conductance before them.

        V and t are ``voltage_up`` and ``width_up`` of potentiation, ``voltage_down`` and
        ``width_down`` of depression, and ``G = (Gmax - Gmin) (g + 1 / (on_off - 1))``.

        Args:
          n: signed pulse counts, up positive.
          g: normalised conductances of the same shape.

        Raises:
          UserError: ``gmax``, a voltage or a width is not known.

        Example:
          >>> import jax.numpy as jnp
          >>> from memjax.devices import ConstantStep
          >>> pulses = {"voltage_up": 2.0, "voltage_down": 1.0, "width_up": 1e-6, "width_down": 1.0}
          >>> device = ConstantStep(gmax=1e-3, on_off=2.0, **pulses)
          >>> round(float(device.energy(jnp.array(3.0), jnp.array(1.0))) * 1e9, 4)  # nJ
          12.0
        """
        gmax, v_up, v_down = self._known("gmax", "voltage_up", "voltage_down")
        t_up, t_down = self._known("width_up", "width_down")
        unit = gmax * (1.0 - 1.0 / self.on_off)
        up, down = unit * v_up**2 * t_up, unit * v_down**2 * t_down
        return jnp.where(n > 0, up, down) * jnp.abs(n) * (g + self.g_offset)

    def time(self, n_up: Array, n_down: Array) -> Array:
        """``width_up n_up + width_down n_down``: pulses one after the other, in seconds.

        Args:
          n_up: number of potentiation pulses.
          n_down: number of depression pulses.

        Raises:
          UserError: a width is not known.
        """
        widths = self._known("width_up", "width_down")
        up, down = (jnp.asarray(width, jnp.float32) for width in widths)
        return up * n_up + down * n_down

    def _known(self, *names: str) -> list[Any]:
        values = [getattr(self, name) for name in names]
        for name, value in zip(names, values, strict=True):
            if value is None:
                raise UserError(f"{type(self).__name__}: {name} is not known; set it")
        return values
