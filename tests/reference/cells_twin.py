"""memjax.cells in NumPy, float64: devices pulsed one by one, the weight read from conductances."""

import numpy as np

from reference import devices_twin


def reference_cell(device, weight_range, own, weight, sign, noise):
    """One device; the weight is R (2 g - 1)."""
    g = devices_twin.pulse(device, own[0], 0.5 * (weight / weight_range + 1.0), sign, noise[0])
    return weight_range * (2.0 * g - 1.0)


def differential_pair(device, weight_range, own, conductances, sign, noise):
    """Two devices in opposite directions; the weight is R (g+ - g-)."""
    up, down = (
        devices_twin.pulse(device, *args)
        for args in zip(own, conductances, (sign, -sign), noise, strict=True)
    )
    return (up, down), weight_range * (up - down)


def balanced(weight_range, own, weight):
    """Both devices programmed as near as their bounds allow."""
    half = 0.5 * weight / weight_range
    return tuple(
        np.clip(0.5 + s * half, o.g_min, o.g_max) for s, o in zip((1, -1), own, strict=True)
    )
