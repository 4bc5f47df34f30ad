"""memjax.devices in NumPy, float64, one pulse at a time, in the published form of each law."""

import functools
from types import SimpleNamespace

import numpy as np
from scipy import optimize

from reference import random_twin

SPREADS = ("sigma_g", "sigma_read", "sigma_d2d", "sigma_up_down", "sigma_bounds", "stuck")


def spread(device, stream, shape):
    """The population of Gokmen & Vlasov: gain, imbalance, bounds, stuck devices."""
    xi = [random_twin.normal(random_twin.fold_in(stream, k), shape, exact=True) for k in range(4)]
    value = {name: float(getattr(device, name) or 0.0) for name in SPREADS}
    gain, tilt = 1.0 + value["sigma_d2d"] * xi[0], value["sigma_up_down"] * xi[1]
    imbalance = float(device.up_down)
    reach_up, reach_down = (0.5 * np.maximum(1.0 + value["sigma_bounds"] * x, 0.1) for x in xi[2:])
    is_stuck = random_twin.uniform(random_twin.fold_in(stream, 4), shape) < value["stuck"]
    at = random_twin.uniform(random_twin.fold_in(stream, 5), shape)
    g_zero = -1.0 / (float(device.on_off) - 1.0)
    return SimpleNamespace(
        up=np.maximum(gain + tilt + min(imbalance, 0.0), 0.0),
        down=np.maximum(gain - tilt - max(imbalance, 0.0), 0.0),
        g_min=np.where(is_stuck, at, np.maximum(0.5 - reach_down, g_zero)),
        g_max=np.where(is_stuck, at, 0.5 + reach_up),
        stuck=is_stuck,
    )


@functools.cache
def curvature(label):
    """A of NeuroSim's label: the maximum of the bulge found by search, A by root finding."""

    def bulge(a):
        def below(x):
            return x - np.expm1(-x / a) / np.expm1(-1.0 / a)

        return -optimize.minimize_scalar(below, (0.0, 0.4, 1.0), options={"xtol": 1e-12}).fun

    root = optimize.brentq(lambda a: 10.10152526 * bulge(a) - abs(label), 0.015, 200.0, xtol=1e-13)
    return np.copysign(root, label)


def constant_step(device, own, g, up):
    return np.where(up, own.up, -own.down) / (float(device.levels) - 1.0)


def soft_bounds(device, own, g, up):
    step = 1.0 / (float(device.levels) - 1.0)
    free = np.where(own.stuck, np.nan, 1.0)
    to_top = np.minimum(step * own.up / (free * own.g_max - 0.5), 0.999) * (own.g_max - g)
    to_bottom = np.minimum(step * own.down / (0.5 - free * own.g_min), 0.999) * (g - own.g_min)
    return np.nan_to_num(np.where(up, to_top, -to_bottom))


def saturating_exponential(device, own, g, up):
    """The place P on the curve by a logarithm, then the curve at the next pulse's place."""
    levels, extent = float(device.levels), own.g_max - own.g_min
    y = np.divide(g - own.g_min, extent, out=np.zeros_like(g), where=extent > 0)

    def along(y, pulses, a):
        full = -np.expm1(-1.0 / a)
        place = -a * np.log1p(-y * full)
        return -np.expm1(-(place + pulses / levels) / a) / full - y

    a_up, a_down = curvature(float(device.nl_up)), curvature(float(device.nl_down))
    # A negative label's depression mirrors a potentiation; a positive one's walks one back.
    down = along(y, -own.down, a_down) if a_down > 0 else -along(1.0 - y, own.down, -a_down)
    return extent * np.where(up, along(y, own.up, a_up), down)


MEANS = {
    "ConstantStep": constant_step,
    "SoftBounds": soft_bounds,
    "SaturatingExponential": saturating_exponential,
}


def pulse(device, own, g, sign, noise):
    """One pulse up (sign 1) or down (-1); the noise is in proportion to the step, and to G."""
    mean = MEANS[type(device).__name__](device, own, g, sign > 0)
    to_g = float(device.sigma_g or 0.0) * (g + 1.0 / (float(device.on_off) - 1.0))
    sd = np.sqrt((float(device.sigma_c2c) * mean) ** 2 + to_g**2)
    return np.clip(g + mean + sd * noise, own.g_min, own.g_max)
