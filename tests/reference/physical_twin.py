"""memjax.devices.physical in NumPy, float64: the published laws, solved to a tight tolerance."""

from types import SimpleNamespace

import numpy as np
from scipy import constants, integrate

from memjax.devices.physical import LinearIonDrift

WINDOWS = {
    "none": lambda x, up, p, j: 1.0,
    "joglekar": lambda x, up, p, j: 1.0 - ((2.0 * x - 1.0) ** 2) ** p,
    "biolek": lambda x, up, p, j: 1.0 - ((x - (0.0 if up else 1.0)) ** 2) ** p,
    "prodromakis": lambda x, up, p, j: j * (1.0 - ((x - 0.5) ** 2 + 0.75) ** p),
}


def ion_drift(m, x, v):
    resistance = m.r_on * x + m.r_off * (1.0 - x)
    f = WINDOWS[m.window](x, v >= 0, m.p, m.j)
    return m.mobility * m.r_on / m.thickness**2 * (v / resistance) * f


def vteam(m, x, v):
    speed = 0.0
    if v >= m.v_off:
        speed = m.k_off * (v / m.v_off - 1.0) ** m.alpha_off
    elif v <= m.v_on:
        speed = m.k_on * (v / m.v_on - 1.0) ** m.alpha_on
    return speed / m.thickness * WINDOWS[m.window](x, speed >= 0, m.p, m.j)


def stanford_pku(m, gap, v):
    i = m.i0 * np.exp(-gap / m.g0) * np.sinh(v / m.v0)
    kt = constants.k * (m.t0 + abs(v * i * m.r_th))
    gamma = m.gamma0 - m.beta * gap**3
    if gamma * abs(v) / m.t_ox < m.field_min:
        gamma = 0.0
    hop = np.sinh(gamma * m.a0 / m.t_ox * constants.e * v / kt)
    return -1e9 * m.vel0 * np.exp(-constants.e * m.ea / kt) * hop


def data_driven(m, resistance, v):
    """dR/dt, with the step functions of eq. 4 for either sign of s."""
    a, t, r0, r1 = (m.a_p, m.t_p, m.r0_p, m.r1_p) if v > 0 else (m.a_n, m.t_n, m.r0_n, m.r1_n)
    s, r = a * (np.exp(abs(v) / t) - 1.0), r0 + r1 * v
    return s * (r - resistance) ** 2 if np.sign(s) == np.sign(r - resistance) else 0.0


def data_driven_2018(m, resistance, v):
    """dR/dt: above and below the boundary the window's exponent has either sign."""
    a, t, k = (m.a_p, m.t_p, m.k_p) if v > 0 else (m.a_n, m.t_n, m.k_n)
    r = m.r0_p + m.r1_p * v if v > 0 else m.r0_n + m.r1_n * v
    s = a * (np.exp(t * abs(v)) - 1.0)
    if s > 0 and resistance < r:
        return s * (np.exp(k * (r - resistance)) - 1.0)
    if s < 0 and resistance > r:
        return s * (np.exp(k * (resistance - r)) - 1.0)
    return 0.0


RATES = {
    "LinearIonDrift": ion_drift,
    "VTEAM": vteam,
    "StanfordPKU": stanford_pku,
    "DataDriven": data_driven,
    "DataDriven2018": data_driven_2018,
}


def numbers(model):
    """A model's fields as Python floats and strings."""
    fields = {name: getattr(model, name) for name in type(model).__dataclass_fields__}
    return SimpleNamespace(
        **{k: value if isinstance(value, str) else float(value) for k, value in fields.items()}
    )


def step(model, state, voltage, dt):
    """One state after dt, by LSODA at 1e-10, stopped where it reaches a bound."""
    m, rate = numbers(model), RATES[type(model).__name__]
    low, high = (float(bound) for bound in model.bounds)
    start = rate(m, state, voltage)
    target = high if start > 0 else low
    if start == 0.0 or state == target:
        return state

    def at_bound(_, y):
        return y[0] - target

    at_bound.terminal = True
    # In units of the range and of dt, so that one tolerance fits all.
    solution = integrate.solve_ivp(
        lambda _, y: [dt * rate(m, min(max(y[0], low), high), voltage)],
        (0.0, 1.0),
        [state],
        method="LSODA",
        rtol=1e-10,
        atol=1e-12 * (high - low),
        events=at_bound,
    )
    assert solution.success, solution.message
    return float(np.clip(solution.y[0, -1], low, high))


def ion_drift_by_flux(model: LinearIonDrift, x, voltage, dt):
    """The root of r_off x - (r_off - r_on) x^2 / 2 = C0 + u_v r_on V t / d^2, in the bounds."""
    m = numbers(model)
    half = 0.5 * (m.r_off - m.r_on)
    flux = m.r_off * x - half * x * x + m.mobility * m.r_on * voltage * dt / m.thickness**2
    discriminant = m.r_off**2 - 4.0 * half * flux
    root = (m.r_off - np.sqrt(np.maximum(discriminant, 0.0))) / (2.0 * half)
    return np.clip(root, 0.0, 1.0)
