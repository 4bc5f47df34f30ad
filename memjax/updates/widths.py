"""Pulses of a width of their own: which devices know them."""

from typing import Any

import jax
import numpy as np

from memjax.devices import MODELS, Device
from memjax.errors import UserError


def check_widths(algorithm: str, device: Device, width: Any) -> None:
    """Raises ``UserError`` where a device knows whole pulses only and ``width`` is not 1."""
    known = not isinstance(width, jax.core.Tracer)
    if not device.integer_pulses_only or (known and np.all(np.asarray(width) == 1)):
        return
    able = ", ".join(name for name, model in MODELS.items() if not model.integer_pulses_only)
    raise UserError(
        f"{algorithm}: it sets the width of pulses, and {type(device).__name__} knows whole pulses "
        f"only; take one of {able}"
    )
