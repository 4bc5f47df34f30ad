"""How often 95 % intervals of a fit hold the truth: ``python tests/benchmarks/fit_coverage.py``.

For every model that a fit can estimate, synthetic ramps are drawn from a known device with noise of
pulses, of ramps and of readings, some of them with gaps, and fitted in a window that is given. The
ramps are simulated pulse by pulse, without the fit's filter. Printed is a Markdown table: a model
(or, with ``--parameters``, a parameter) a row; the share of the data sets of which the fit
converged, the share of 95 % intervals that hold the truth, the median error over the median
standard error (bias), and half the distance of the errors' 16th and 84th per cent over the median
standard error (1: honest). With ``--devices`` the ramps, eight each, are of several devices, whose
steps differ by ``--d2d``; ``sigma_ramp`` is left out there, for a fit parts it by moments.
"""

import argparse
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from memjax.devices import MODELS
from memjax.fitting.estimate import Estimate, estimate
from memjax.fitting.intervals import intervals
from memjax.fitting.likelihood import LONG
from memjax.fitting.problem import NODES, device_of, pose
from memjax.fitting.ramps import Ramps

N_RAMPS, N_PULSES, N_EACH = 20, 30, 8
_BENT = {f"up_nodes[{k}]": 1.5 - 0.8 * k / (NODES - 1) for k in range(NODES)}
_BENT |= {f"down_nodes[{k}]": 0.9 + 0.3 * k / (NODES - 1) for k in range(NODES)}
# Ramps stay within the bounds: a device stops there, which the filter knows only within a gap.
_BENT |= {"sigma_c2c": 0.15, "sigma_ramp": 0.06}
_NOISE = {"sigma_c2c": 0.35, "sigma_ramp": 0.15, "read": 0.008}
_BOUNDS = {"low": -0.1, "high": 1.15}

TRUTHS: dict[str, tuple[dict[str, Any], dict[str, float]]] = {
    "ConstantStep": ({"c2c": "step"}, {"levels": 45, "up_down": 0.1}),
    "LinearStep": (
        {"c2c": "additive"},
        {"levels": 40, "up_down": -0.1, "gamma_up": 0.5, "gamma_down": 0.4},
    ),
    "SoftBounds": ({"c2c": "step"}, {"levels": 26, "up_down": 0.1, **_BOUNDS}),
    "SoftBoundsReference": ({"c2c": "additive"}, {"levels": 26, "up_down": 0.1, **_BOUNDS}),
    "ExponentialStep": (
        {"c2c": "step"},
        {
            "levels": 33,
            "up_down": 0.1,
            "amplitude_up": 0.02,
            "amplitude_down": 0.6,
            "gamma_up": 7.5,
            "gamma_down": 6.0,
        },
    ),
    "PowerStep": ({"c2c": "step"}, {"levels": 14, "up_down": 0.1, "gamma": 1.4, **_BOUNDS}),
    "PiecewiseStep": ({"c2c": "additive", "levels": 38.0}, _BENT),
    "SaturatingExponential": (
        {"c2c": "step"},
        {"levels": 40, "levels_down": 36, "nl_up": 2.4, "nl_down": -3.0},
    ),
    "SymmetricStep": ({"c2c": "step"}, {"levels": 40, "up_down": 0.1, "alpha": 3.0}),
    "AsymmetricStep": (
        {"c2c": "additive"},
        {"levels": 40, "up_down": 0.1, "alpha_up": 2.0, "alpha_down": 1.5},
    ),
    "Ernoult": ({"c2c": "step"}, {"levels": 60, "up_down": 0.1, "beta": 2.5}),
    "PhaseChange": (
        {"c2c": "step"},
        {
            "mean_slope": -0.084,
            "mean_offset": 0.88,
            "mean_memory": 1.4,
            "memory_pulses": 2.6,
            "sigma_c2c": 0.15,
            "sigma_ramp": 0.25,
            "read": 0.02,
        },
    ),
    "OnsetStep": (
        {"c2c": "additive"},
        {
            "levels": 36,
            "up_down": 0.1,
            "slope_up": -0.6,
            "slope_down": -0.4,
            "onset_up": 0.6,
            "onset_down": 0.5,
            "memory_up": 4.0,
            "memory_down": 3.0,
            "sigma_c2c": 0.15,
            "read": 0.003,
        },
    ),
}
"""Of each model, what is given to the fit and what it is to find; the noises are alike."""


def truth_of(name: str) -> tuple[dict[str, Any], dict[str, float], tuple[float, float]]:
    """What is given, the true values of all that is estimated, and the window in siemens."""
    fixed, values = TRUTHS[name]
    window = (1e-7, 1.2e-5) if name == "PhaseChange" else (4e-6, 1e-5)
    return fixed, {**_NOISE, **values}, window


def design(name: str, rng: np.random.Generator, devices: int = 1) -> tuple[np.ndarray, ...]:
    """Signs, the pulse numbers that are read, and true starts: every third ramp has gaps."""
    n_pulses = 14 if name == "PhaseChange" else N_PULSES
    n_ramps = N_RAMPS if devices == 1 else N_EACH * devices
    sign = np.ones(n_ramps, int) if name == "PhaseChange" else np.tile([1, -1], n_ramps // 2)
    at = np.full((n_ramps, n_pulses + 1), -1)
    for ramp in range(n_ramps):
        seen = [k for k in range(n_pulses + 1) if ramp % 3 or k < 6 or k % 3 == 0]
        at[ramp, : len(seen)] = seen
    start = np.where(sign > 0, 0.05, 0.95) + 0.02 * rng.normal(size=n_ramps)
    return sign, at, start


def simulate(
    name: str, sets: int, seed: int = 0, devices: int = 1, d2d: float = 0.0
) -> list[Ramps]:
    """Data sets of one design, pulse by pulse; of devices whose steps differ by ``d2d``."""
    fixed, truth, window = truth_of(name)
    rng = np.random.default_rng(seed)
    sign, at, start = design(name, rng, devices)
    owner = np.arange(len(sign)) * devices // len(sign)
    own = d2d * rng.normal(size=(sets, devices))[:, owner]
    pulses = np.where(at > 0, np.diff(at, axis=1, prepend=0), 0)
    extent, n_pulses = window[1] - window[0], int(at.max())
    empty = _ramps(np.full(pulses.shape, np.nan), pulses, sign)
    problem = pose(MODELS[name], fixed, _with_any(empty, window), window)
    with (
        jax.enable_x64(True),
        jax.numpy_dtype_promotion("standard"),
        jax.numpy_rank_promotion("allow"),
    ):
        device, noise, low, high = device_of(problem, [truth[n] for n in problem.names])
        first = (start - low) / (high - low)

        def ramp(x0: Any, sign: Any, own: Any, key: Any) -> Any:
            gain_key, pulse_key, read_key = jax.random.split(key, 3)
            gain = 1.0 + own + noise.ramp * jax.random.normal(gain_key)
            array = device.fabricate(jnp.zeros(2, jnp.uint32), ())
            array = device.update_memory(array, x0, -sign * LONG)
            array = jax.tree.map(lambda leaf: jnp.asarray(leaf, float), array)

            def pulse(carry: Any, xi: Any) -> Any:
                array, x = carry
                mean, sd = device.mean_and_sd(array, x, sign)
                new = x + gain * mean + sd * xi
                return (jax.tree.map(jnp.asarray, device.update_memory(array, x, sign)), new), new

            _, x = jax.lax.scan(pulse, (array, x0), jax.random.normal(pulse_key, n_pulses))
            y = low + (high - low) * jnp.concatenate([x0[None], x])
            return y + noise.read * jax.random.normal(read_key, n_pulses + 1)

        keys = jax.random.split(jax.random.key(seed), (sets, len(sign)))
        draw = jax.jit(jax.vmap(jax.vmap(ramp), (None, None, 0, 0)))
        arguments = map(jnp.asarray, (first, sign.astype(float), own, keys))
        readings = np.asarray(draw(*arguments))
    read = np.take_along_axis(readings, np.broadcast_to(at, (sets, *at.shape)), axis=2)
    read = np.where(at >= 0, window[0] + extent * read, np.nan)
    return [_ramps(one, pulses, sign, owner) for one in read]


def _ramps(
    conductance: np.ndarray, pulses: np.ndarray, sign: np.ndarray, device: np.ndarray | None = None
) -> Ramps:
    cycle = np.arange(len(sign)) // 2
    device = np.zeros_like(cycle) if device is None else device
    names = tuple(f"device {k}" for k in range(device.max() + 1))
    return Ramps(conductance, pulses, sign, cycle, device, names)


def _with_any(ramps: Ramps, window: tuple[float, float]) -> Ramps:
    """Some readings, where only the names of the parameters matter."""
    some = np.linspace(*window, ramps.pulses.shape[1])
    return _ramps(np.where(ramps.sign[:, None] > 0, some, some[::-1]), ramps.pulses, ramps.sign)


def examine(
    name: str, sets: int, devices: int = 1, d2d: float = 0.0
) -> tuple[list[Estimate], np.ndarray, np.ndarray, float]:
    """The estimates, the ends of their intervals, the truth in their order, and the seconds."""
    fixed, truth, window = truth_of(name)
    began, found, ends = time.perf_counter(), [], []
    for ramps in simulate(name, sets, devices=devices, d2d=d2d):
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found.append(estimate(MODELS[name], fixed, ramps, window))
            ends.append(intervals(pose(MODELS[name], fixed, ramps, window), found[-1]))
    truth = truth | ({"sigma_ramp": np.nan} if devices > 1 else {})
    expected = np.array([truth[n] for n in found[0].names])
    return found, np.array(ends), expected, time.perf_counter() - began


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", type=int, default=200)
    parser.add_argument("--models", nargs="*", default=list(TRUTHS))
    parser.add_argument("--parameters", action="store_true", help="a parameter a row")
    parser.add_argument("--devices", type=int, default=1)
    parser.add_argument("--d2d", type=float, default=0.0)
    parser.add_argument("--workers", type=int, default=1)
    options = parser.parse_args()
    print("| model | parameter | truth | converged | coverage | bias/se | sd/se | s |")
    print("|---|---|---|---|---|---|---|---|", flush=True)
    with ThreadPoolExecutor(options.workers) as pool:
        how = options.sets, options.devices, options.d2d
        examined = pool.map(lambda name: examine(name, *how), options.models)
        for name, result in zip(options.models, examined, strict=True):
            _print(name, *result, options.parameters)


def _print(
    name: str,
    found: list[Estimate],
    ends: np.ndarray,
    truth: np.ndarray,
    seconds: float,
    each: bool,
) -> None:
    asked = np.isfinite(truth)
    names, truth, ends = np.array(found[0].names)[asked], truth[asked], ends[:, :, asked]
    good = np.array([f.converged for f in found])
    values, errors = (
        np.array([getattr(f, a)[asked] for f in found])[good] for a in ("values", "errors")
    )
    inside = (ends[good, 0] <= truth) & (truth <= ends[good, 1])
    low, middle, high = np.percentile(values - truth, [16, 50, 84], axis=0)
    typical = np.nanmedian(errors, axis=0)
    bias, spread = middle / typical, 0.5 * (high - low) / typical
    cover, share = inside.mean(axis=0), good.mean()
    for row in range(len(truth) if each else 0):
        print(
            f"| {name} | {names[row]} | {truth[row]:g} | | {cover[row]:.1%} "
            f"| {bias[row]:+.2f} | {spread[row]:.2f} | |"
        )
    worst = int(np.argmin(cover))
    print(
        f"| {name} | all (least: {names[worst]} {cover[worst]:.1%}) | | {share:.1%} "
        f"| {cover.mean():.1%} | {bias[np.argmax(abs(bias))]:+.2f} | {spread.mean():.2f} "
        f"| {seconds:.0f} |",
        flush=True,
    )


if __name__ == "__main__":
    main()
