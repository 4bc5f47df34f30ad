"""memjax.devices in NumPy, float64, one pulse at a time, in the published form of each law."""

import functools
from types import SimpleNamespace

import numpy as np
from scipy import optimize, special

from reference import random_twin


def value(device, name):
    """A parameter in float64; an absent one is 0."""
    held = getattr(device, name)
    return np.asarray(0.0 if held is None else held, np.float64)


def normal(stream, purpose, shape):
    return random_twin.normal(random_twin.fold_in(stream, purpose), shape, exact=True)


def spread(device, stream, shape):
    """The population: gain, imbalance, bounds, stuck devices, and the spread of own parameters."""
    of = functools.partial(value, device)
    xi = [normal(stream, k, shape) for k in range(4)]
    gain = 1.0 + of("sigma_d2d") * xi[0]
    if device.d2d == "lognormal":
        gain = np.exp(of("sigma_d2d") * xi[0])
    tilt, imbalance, ref = of("sigma_up_down") * xi[1], of("up_down"), of("g_ref")
    lower = "sigma_bounds" if device.sigma_lower_bound is None else "sigma_lower_bound"
    w_max = (1.0 - ref) * (1.0 + of("sigma_bounds") * xi[2])
    w_min = -ref * (1.0 + of(lower) * xi[3])
    w_max, w_min = abs(np.maximum(w_max, w_min)), -abs(np.minimum(w_max, w_min))  # as aihwkit folds
    is_stuck = random_twin.uniform(random_twin.fold_in(stream, 4), shape) < of("stuck")
    at = random_twin.uniform(random_twin.fold_in(stream, 5), shape)
    own = SimpleNamespace(
        up=abs(gain + tilt + np.minimum(imbalance, 0.0)),
        down=abs(gain - tilt - np.maximum(imbalance, 0.0)),
        g_min=np.where(is_stuck, at, np.maximum(ref + w_min, -1.0 / (of("on_off") - 1.0))),
        g_max=np.where(is_stuck, at, ref + w_max),
        stuck=is_stuck,
        xi=[normal(stream, k, shape) for k in (7, 8)],  # of the model's own parameters
        memory=np.full(shape, 1.0 if type(device).__name__ == "PhaseChange" else 0.0),
        reference=np.zeros(shape),
    )
    own.extent = np.where(is_stuck, np.nan, own.g_max - own.g_min)  # nan: no law of a stuck one
    if type(device).__name__ == "SoftBoundsReference":
        su, sd, b_max, b_min = own.up, own.down, own.g_max - ref, own.g_min - ref
        own.reference = of("reference") + of("sigma_reference") * own.xi[0]
        if device.at_symmetry_point == "yes":
            own.reference = own.reference + (su - sd) / (su / b_max - sd / b_min)
        own.reference = np.where(is_stuck, 0.0, own.reference)
        own.g_min, own.g_max = own.g_min - own.reference, own.g_max - own.reference
    return own


@functools.cache
def curvature(label):
    """A of NeuroSim's label: the maximum of the bulge found by search, A by root finding."""

    def bulge(a):
        def below(x):
            return x - np.expm1(-x / a) / np.expm1(-1.0 / a)

        return -optimize.minimize_scalar(below, (0.0, 0.4, 1.0), options={"xtol": 1e-12}).fun

    root = optimize.brentq(lambda a: 10.10152526 * bulge(a) - abs(label), 0.015, 200.0, xtol=1e-13)
    return np.copysign(root, label)


def nominal(device):
    return 1.0 / (value(device, "levels") - 1.0)


def constant_step(device, own, g, up):
    return np.where(up, own.up, -own.down) * nominal(device)


def linear_step(device, own, g, up):
    """``su + au w`` and ``-(sd + ad w)``, weights w from the reference, nominal bounds."""
    ref, sigma = value(device, "g_ref"), value(device, "sigma_gamma")
    w, w_max, w_min = g - ref, 1.0 - ref, -ref
    gamma_up, gamma_down = (
        value(device, n) + sigma * x
        for n, x in zip(("gamma_up", "gamma_down"), own.xi, strict=True)
    )
    su, sd = own.up * nominal(device), own.down * nominal(device)
    au, ad = -abs(gamma_up) * su / w_max, -abs(gamma_down) * sd / w_min
    return np.where(up, su + au * w, -(sd + ad * w))


def soft_bounds(device, own, g, up):
    """``su (1 - w / b_max)`` and ``sd (1 - w / b_min)`` at w + r, bounds the device's own."""
    ref = value(device, "g_ref")
    w, b_max, b_min = (x + own.reference - ref for x in (g, own.g_max, own.g_min))
    su, sd = own.up * nominal(device), own.down * nominal(device)
    rise = su / np.maximum(b_max, 1e-4) * (b_max - w)
    return np.where(up, rise, sd / np.minimum(b_min, -1e-4) * (w - b_min))


def exponential_step(device, own, g, up):
    of = functools.partial(value, device)
    z = 2.0 * of("slope") * (g - of("g_ref")) / own.extent + of("offset")
    up_by = np.maximum(1.0 - of("amplitude_up") * np.exp(of("gamma_up") * z), 0.0)
    down_by = np.maximum(1.0 - of("amplitude_down") * np.exp(-of("gamma_down") * z), 0.0)
    return nominal(device) * np.where(up, own.up * up_by, -own.down * down_by)


def exponential_step_sd(device, own, g, up, mean):
    of = functools.partial(value, device)
    return abs(mean) + of("noise_offset") + of("noise_slope") * abs(g - of("g_ref"))


def power_step(device, own, g, up):
    gamma = abs(value(device, "gamma") * (1.0 + value(device, "sigma_gamma") * own.xi[0]))

    def law(room):  # 0 at the bound itself, whatever the power
        return np.where(room > 0, np.maximum(room, 0.0) ** gamma, 0.0)

    up_by, down_by = law((own.g_max - g) / own.extent), law((g - own.g_min) / own.extent)
    return nominal(device) * np.where(up, own.up * up_by, -own.down * down_by)


def piecewise_step(device, own, g, up):
    x = (g - own.g_min) / own.extent

    def curve(name):
        nodes = value(device, name)
        return np.interp(x, np.linspace(0.0, 1.0, len(nodes)), nodes)

    up_by, down_by = curve("up_nodes"), curve("down_nodes")
    return nominal(device) * np.where(up, own.up * up_by, -own.down * down_by)


def saturating_exponential(device, own, g, up):
    """The place P on the curve by a logarithm, then the curve at the next pulse's place."""
    levels = value(device, "levels")
    pulses_down = levels if device.levels_down is None else value(device, "levels_down")
    y = (g - own.g_min) / own.extent
    sigma = value(device, "sigma_nl")
    a_up, a_down = (
        np.vectorize(curvature)(value(device, name) + sigma * (xi if sigma else 0.0))
        for name, xi in zip(("nl_up", "nl_down"), own.xi, strict=True)
    )

    def along(y, pulses, a):
        full = -np.expm1(-1.0 / a)
        place = -a * np.log1p(-y * full)
        return -np.expm1(-(place + pulses) / a) / full - y

    # A negative label's depression mirrors a potentiation; a positive one's walks one back.
    down = np.where(
        a_down > 0,
        along(y, -own.down / pulses_down, abs(a_down)),
        -along(1.0 - y, own.down / pulses_down, abs(a_down)),
    )
    return own.extent * np.where(up, along(y, own.up / levels, a_up), down)


def symmetric_step(device, own, g, up):
    """CrossSim's formula, its letters."""
    alpha, levels = np.maximum(value(device, "alpha"), 1e-2), value(device, "levels")
    delta = np.where(up, own.up, -own.down) / levels
    a = own.extent * (np.exp(alpha) + 1.0) / (np.exp(alpha) - 1.0)
    b = own.g_min - own.extent / (np.exp(alpha) - 1.0)
    return a / (1.0 + np.exp(-2.0 * alpha * delta) * (a / (g - b) - 1.0)) - g + b


def asymmetric_step(device, own, g, up):
    """CrossSim's formula, its letters."""
    alpha = np.maximum(value(device, "alpha_up" if up else "alpha_down"), 1e-3)
    delta = np.where(up, own.up, -own.down) / value(device, "levels")
    w0 = own.extent / (1.0 - np.exp(-alpha))
    if up:
        return (w0 + own.g_min - g) * (1.0 - np.exp(-alpha * delta))
    return (own.g_max - w0 - g) * (1.0 - np.exp(alpha * delta))


def ernoult(device, own, g, up):
    """The paper's letters: D the range, dt the own pulse width where dt_max is ``levels``."""
    beta, dt_max, big_d = value(device, "beta"), value(device, "levels"), own.extent
    dt, c = (own.up if up else own.down), big_d / dt_max * (np.exp(beta) - 1.0) / beta
    distance = g - own.g_min if up else own.g_max - g
    change = big_d / beta * np.log(1.0 + beta / big_d * c * dt * np.exp(-beta * distance / big_d))
    return change if up else -change


def microsiemens(device, g):
    """``G`` and ``Gmax - Gmin``."""
    of = functools.partial(value, device)
    span = 1e6 * of("gmax") * (1.0 - 1.0 / of("on_off"))
    return 1e6 * of("gmax") / of("on_off") + g * span, span


def phase_change(device, own, g, up):
    of, (big, span) = functools.partial(value, device), microsiemens(device, g)
    grow = of("mean_slope") * big + of("mean_offset") + of("mean_memory") * own.memory
    return np.where(up, own.up * grow / span, own.g_min - g)


def phase_change_sd(device, own, g, up, mean):
    of, (big, span) = functools.partial(value, device), microsiemens(device, g)
    sd = own.up * (of("sd_slope") * big + of("sd_offset") + of("sd_memory") * own.memory)
    return np.where(up, sd, of("sigma_reset")) / span


def onset_step(device, own, g, up):
    """``own.memory`` is z."""
    of, z = functools.partial(value, device), own.memory
    w = g - of("g_ref")
    rise = np.exp(of("slope_up") * w) * (1.0 - of("onset_up") * (1.0 - z) / 2.0)
    fall = np.exp(-of("slope_down") * w) * (1.0 - of("onset_down") * (1.0 + z) / 2.0)
    return nominal(device) * np.where(up, own.up * rise, -own.down * fall)


def quantiles(device, own, g, up):
    """A row of the table a device: interpolated between the rows, column by column."""
    rows = value(device, "up_quantiles" if up else "down_quantiles")
    x, at = (g - own.g_min) / own.extent, np.linspace(0.0, 1.0, len(rows))
    scale = (own.up if up else own.down) * nominal(device)
    return scale[..., None] * np.stack([np.interp(x, at, column) for column in rows.T], -1)


def jump_table(device, own, g, up):
    """The mean of a distribution is the integral of its quantile function."""
    row = quantiles(device, own, g, up)
    return np.trapezoid(row, dx=1.0 / (row.shape[-1] - 1))


def jump_table_sd(device, own, g, up, mean):
    """By Simpson's rule a gap, which is exact for a parabola."""
    row = quantiles(device, own, g, up) - mean[..., None]
    middle = 0.5 * (row[..., 1:] + row[..., :-1])
    squares = row[..., 1:] ** 2 + 4.0 * middle**2 + row[..., :-1] ** 2
    return np.sqrt(squares.mean(-1) / 6.0)


MEANS = {
    "ConstantStep": constant_step,
    "LinearStep": linear_step,
    "SoftBounds": soft_bounds,
    "SoftBoundsReference": soft_bounds,
    "ExponentialStep": exponential_step,
    "PowerStep": power_step,
    "PiecewiseStep": piecewise_step,
    "SaturatingExponential": saturating_exponential,
    "SymmetricStep": symmetric_step,
    "AsymmetricStep": asymmetric_step,
    "Ernoult": ernoult,
    "PhaseChange": phase_change,
    "OnsetStep": onset_step,
    "JumpTable": jump_table,
}
"""The mean of a pulse, by model."""

PULSES_OVER_RANGE = ("SaturatingExponential", "SymmetricStep", "AsymmetricStep", "Ernoult")
"""The models whose ``levels`` is the number of pulses, of the others that of values."""

SDS = {
    "ExponentialStep": exponential_step_sd,
    "PhaseChange": phase_change_sd,
    "JumpTable": jump_table_sd,
}
"""The sd of a pulse where it is not the mean's size, in units of ``sigma_c2c``."""


def sd(device, own, g, up, mean):
    """The sd of a pulse in units of ``sigma_c2c``, by its convention (n = 1)."""
    size, seen = np.sqrt(abs(mean)), g + 1.0 / (value(device, "on_off") - 1.0)
    if device.c2c == "step":
        of_step = SDS.get(type(device).__name__, lambda *args: abs(args[-1]))
        return of_step(device, own, g, up, mean)
    if device.c2c == "additive":
        if type(device).__name__ == "OnsetStep":  # of a whole step
            return nominal(device) * (own.up if up else own.down)
        at_zero = np.full_like(g, value(device, "g_ref")) - own.reference
        return abs(MEANS[type(device).__name__](device, own, at_zero, up))
    known = {"pulse": 1.0, "write": 1.0, "change": size, "change_g": size * seen}
    return known[device.c2c] if device.c2c in known else size / np.maximum(seen, 1e-6)


def changed(device, own, g, sign, noise):
    """The change of one pulse, bounds aside."""
    name, up = type(device).__name__, sign > 0
    mean = MEANS[name](device, own, g, up)
    sigma, sigma_g = value(device, "sigma_c2c"), value(device, "sigma_g")
    if name == "JumpTable" and device.c2c == "step" and not sigma_g:
        row, place = quantiles(device, own, g, up), special.ndtr(noise)
        at = np.linspace(0.0, 1.0, row.shape[-1])
        drawn = np.array([np.interp(u, at, q) for u, q in zip(place, row, strict=True)])
        return mean + sigma * (drawn - mean)
    to_g = sigma_g * (g + 1.0 / (value(device, "on_off") - 1.0))
    return mean + np.hypot(sigma * sd(device, own, g, up, mean), to_g) * noise


def remember(device, own, sign):
    """What a pulse leaves behind."""
    name = type(device).__name__
    if name == "PhaseChange":
        faded = own.memory * np.exp(-1.0 / value(device, "memory_pulses"))
        own.memory = faded if sign > 0 else np.ones_like(faded)
    if name == "OnsetStep":
        pulses = value(device, "memory_up" if sign > 0 else "memory_down")
        own.memory = sign + (own.memory - sign) * np.exp(-1.0 / pulses)


def pulse(device, own, g, sign, noise, gain=1.0):
    """One pulse up (sign 1) or down (-1) with noise of the step and of G; ``own`` remembers it."""
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = MEANS[type(device).__name__](device, own, g, sign > 0)
        change = changed(device, own, g, sign, noise) + (gain - 1.0) * mean
    remember(device, own, sign)
    return np.clip(g + np.where(own.stuck, 0.0, change), own.g_min, own.g_max)


def keep(device, own, stream, g):
    """Adds what the device's parts remember: the hidden conductance, the own lifetime, the ramp."""
    own.hidden, own.loss, own.last, own.gain = g, np.zeros_like(g), 0.0, np.ones_like(g)
    if device.lifetime is not None:
        spread_of = 1.0 + value(device, "sigma_lifetime") * normal(stream, 6, g.shape)
        own.loss = 1.0 / np.maximum(value(device, "lifetime") * spread_of, 1.0)


def advance(device, own, g, n, noises):
    """One update of n = 1, 0, -1 pulses for all: pulses, diffusion, decay, what a write shows."""
    ref, before, after = value(device, "g_ref"), own.hidden, own.hidden
    if n:
        if n != own.last:  # a reversal
            own.last, own.gain = n, abs(1.0 + value(device, "sigma_ramp") * noises[3])
        after = pulse(device, own, before, n, noises[0], own.gain)
    after = np.clip(after + value(device, "diffusion") * noises[1], own.g_min, own.g_max)
    after = np.clip(ref + (after - ref) * (1.0 - own.loss), own.g_min, own.g_max)
    own.hidden = after
    whole = type(device).__name__ in PULSES_OVER_RANGE
    step = 1.0 / value(device, "levels") if whole else nominal(device)
    shown = after + value(device, "sigma_write") * step * noises[2]
    return np.where(own.stuck, g, shown if n else g + after - before)
