"""memjax.cells in NumPy, float64: devices pulsed one by one, the weight read from conductances."""

import numpy as np

from reference import devices_twin

MEMORY = {"PhaseChange": 1.0, "OnsetStep": -1.0}
"""What a RESET leaves in the devices that remember."""


def weight(kind, weight_range, conductances):
    """R (g+ - g-) of a pair, R (2 g - 1) of one device, the mean of several."""
    if kind in ("differential", "refresh_pair"):
        return weight_range * (conductances[0] - conductances[1])
    return weight_range * (2.0 * sum(conductances) / len(conductances) - 1.0)


def programmed(kind, weight_range, own, weight):
    """Each device programmed as near as its bounds allow."""
    half = 0.5 * weight / weight_range
    wanted = [0.5 + half] * len(own)
    if kind == "differential":
        wanted = [0.5 + half, 0.5 - half]
    if kind == "refresh_pair":
        wanted = [np.maximum(2.0 * half, 0.0), np.maximum(-2.0 * half, 0.0)]
    return [np.clip(g, o.g_min, o.g_max) for g, o in zip(wanted, own, strict=True)]


def pulse(kind, device, own, conductances, sign, noise, count=0):
    """Conductances after one pulse up or down on each cell, the update after ``count`` others."""
    signs = {
        "differential": [sign, -sign],
        "refresh_pair": [sign > 0, sign < 0],  # potentiation alone
        "vector": [sign * (k == count % len(own)) for k in range(len(own))],  # in turn
    }.get(kind, [sign])
    return [
        devices_twin.pulse(device, o, g, n, xi) if n else g
        for o, g, n, xi in zip(own, conductances, signs, noise, strict=True)
    ]


def rewritten(device, own, distance, most=400):
    """Mean conductances of devices RESET and potentiated pulse by pulse: the nearest of each.

    Returns:
      Them, and the step that leads to the next.
    """
    g = np.broadcast_to(own.g_min, np.shape(distance))
    own.memory = np.full(g.shape, MEMORY.get(type(device).__name__, 0.0))
    target, path = g + distance, [g]
    for _ in range(most):
        path.append(devices_twin.pulse(device, own, path[-1], 1, np.zeros(g.shape)))
    path = np.array(path)
    at = np.argmin(abs(path - target), 0)
    step = np.take_along_axis(np.diff(path, axis=0), np.minimum(at, most - 1)[None], 0)[0]
    return np.take_along_axis(path, at[None], 0)[0], step
