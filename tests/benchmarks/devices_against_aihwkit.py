"""memjax's behavioural devices against aihwkit's, model by model and preset by preset.

    python tests/benchmarks/devices_against_aihwkit.py --aihwkit-python V/bin/python [--markdown]

`V` is an environment with aihwkit alone: `python3.11 -m venv V`, `V/bin/pip install torch==2.10.0`
and then `V/bin/pip install --only-binary=:all: aihwkit==1.1.0`. `aihwkit_devices.py` runs there and
says how aihwkit's figures and their standard errors come about. The exit status is 1 if a row
fails, 2 if aihwkit cannot be run. From w = 0, in weights of the model, within 7 minutes:
- noise off: the largest difference in weight after any of 1000 pulses up and 1000 down, at most
  1e-5 with memjax's conductances summed in float64 (aihwkit sums in float32, which makes most of
  it). Summed in float32, each of 1000 pulses may add 2^-25 of the range, a rounding near g = 1.
- spread and noise on: the largest difference in the mean over devices and in the sd, in standard
  errors of both sides together, over the seven checkpoints of `aihwkit_devices.SCHEDULES`, at most
  4: of about 340 comparisons chance alone fails one in 40 runs or so.
"""

import argparse
import dataclasses
import json
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from aihwkit_devices import SCHEDULES, moments

from memjax import __version__, devices, random
from memjax.devices import PRESETS, Device, without_noise

PULSES, MOST_WEIGHT, MOST_ERRORS = 1000, 1e-5, 4.0
SPREAD = {"sigma_c2c": 0.3, "sigma_d2d": 0.3, "sigma_up_down": 0.01, "sigma_bounds": 0.3}


class Row(NamedTuple):
    """A device of both: aihwkit's class and parameters, memjax's device."""

    model: str
    parameters: dict
    device: Device
    known: bool = False  # a difference that is known: it is shown and fails nothing
    programmed: bool = False  # start where `init` does, not at w = 0 as `set_weights` does


def ours(model: type[Device], dw: float = 0.001, low: float = -0.6, high: float = 0.6, **more):
    """memjax's device by aihwkit's defaults: a step at w = 0, bounds, spreads and noise."""
    span = high - low
    scale = {"levels": span / dw + 1.0, "g_ref": -low / span, "weight_span": span, "on_off": 2.0}
    return model(**(scale | SPREAD | more))


def rows() -> dict[str, Row]:
    """Every row of the table by name."""
    table = {}

    def add(name: str, model: str, device: Device, known=False, programmed=False, **parameters):
        table[name] = Row(f"{model}Device", parameters, device, known, programmed)

    add("ConstantStep", "ConstantStep", ours(devices.ConstantStep))
    for gamma, dw in ((0.0, 0.001), (0.1, 0.001), (1.0, 0.02)):  # the last one fills its range
        name, slopes = f"LinearStep, γ = {gamma:g}", {"gamma_up": gamma, "gamma_down": gamma}
        device = ours(devices.LinearStep, dw, sigma_gamma=0.05, **slopes)
        add(f"{name}, multiplicative", "LinearStep", device, **slopes, dw_min=dw)
        device = dataclasses.replace(device, c2c="additive")
        add(f"{name}, additive", "LinearStep", device, **slopes, dw_min=dw, mult_noise=False)
    add("SoftBounds", "SoftBounds", ours(devices.SoftBounds))
    device = ours(devices.SoftBoundsReference, c2c="additive")
    add("SoftBoundsReference", "SoftBoundsReference", device)
    own = {"reference": 0.1 / 1.2, "sigma_reference": 0.05 / 1.2, "at_symmetry_point": "yes"}
    theirs = {"reference_mean": 0.1, "reference_std": 0.05, "subtract_symmetry_point": True}
    theirs |= {"w_max_dtod": 0.1, "w_min_dtod": 0.1}  # so that no reference is beyond the bounds
    device = dataclasses.replace(device, **own, sigma_bounds=0.1)
    add("SoftBoundsReference, own references", "SoftBoundsReference", device, **theirs)
    add("ExponentialStep", "ExpStep", ours(devices.ExponentialStep))
    add("PowerStep", "PowStep", ours(devices.PowerStep, sigma_gamma=0.1))
    up, down = [1.4, 0.9, 1.1, 0.4, 0.2], [0.3, 0.5, 0.8, 0.7, 1.2]
    device = ours(devices.PiecewiseStep, up_nodes=up, down_nodes=down)
    add("PiecewiseStep, 5 nodes", "PiecewiseStep", device, piecewise_up=up, piecewise_down=down)
    device = devices.SoftBounds.by_pulses(1000, 0.0005, **SPREAD)
    add("SoftBounds.by_pulses, as documented", "SoftBoundsPmax", device, known=True)
    span = float(device.weight_span)
    device = ours(devices.SoftBounds, 0.0005 * span, -1.0, span - 1.0, up_down=1.0 - 2.0 / span)
    add("SoftBounds, as SoftBoundsPmax is built", "SoftBoundsPmax", device)
    names = "GokmenVlasov Idealized ReRamES ReRamSB ReRamArrayOM ReRamArrayHfO2 Capacitor EcRam"
    for name in (*names.split(), "EcRamMO", "PCM"):
        add(f"{name} (preset)", f"{name}Preset", PRESETS[name].device)
        if "Array" in name:
            add(f"{name} (preset), programmed", f"{name}Preset", PRESETS[name].device, True, True)
    return table


def fire(device: Device, state: tuple, sign: jax.Array, noise) -> tuple:
    """The devices and their conductances after one pulse."""
    array, change = device.advance(*state, sign, noise)
    return array, jnp.clip(state[1] + change, array.g_min, array.g_max)


def ideal(device: Device, dtype: str) -> np.ndarray:
    """The weights after each pulse up, then down, with neither spread nor noise."""

    def pulse(state, sign):
        state = fire(device, state, sign, lambda purpose: jnp.zeros((), dtype))
        return state, device.weights(state[1])

    with jax.enable_x64(dtype == "float64"):
        device = without_noise(device)
        state = device.init(random.stream(jax.random.key(0)), jnp.asarray(device.g_ref, dtype))
        signs = jnp.repeat(jnp.asarray([1.0, -1.0], dtype), PULSES)
        return np.asarray(jax.lax.scan(pulse, state, signs)[1], np.float64)


def population(row: Row, count: int) -> dict[str, dict]:
    """Mean and sd of the weights of many devices at each checkpoint, with standard errors."""
    device, stream, found = row.device, random.stream(jax.random.key(0)), {}
    start = jnp.full((count,), device.g_ref, jnp.float32)
    array, g = jax.jit(device.init)(random.fold_in(stream, 0), start)
    if not row.programmed:
        array, g = array if device.sigma_write is None else array._replace(hidden=start), start

    @jax.jit
    def pulse(state, sign, noises):
        def noise(purpose: int) -> jax.Array:
            return random.normal(random.fold_in(noises, purpose), start.shape, exact=True)

        return fire(device, state, jnp.full_like(start, sign), noise)

    for which, (name, (ups, downs, at)) in enumerate(SCHEDULES.items(), 1):
        state, own = (array, g), random.fold_in(stream, which)
        for k, sign in enumerate([1.0] * ups + [-1.0] * downs, 1):
            state = pulse(state, sign, random.fold_in(own, k))
            if k in at:
                found[name.format(k)] = moments(np.asarray(device.weights(state[1]), float)[None])
    return found


def largest(us: dict, them: dict, moment: str) -> tuple[float, str, float]:
    """The largest difference of a moment in standard errors, where, and that in sds there."""
    apart = np.array([us[k][moment] - them[k][moment] for k in us])
    z = np.abs(apart) / [np.hypot(us[k][f"se_{moment}"], them[k][f"se_{moment}"]) for k in us]
    at = int(np.argmax(z))  # a NaN, if there is one
    k = list(us)[at]
    return z[at], k, apart[at] / them[k]["sd"]


def compare(row: Row, them: dict, options: argparse.Namespace) -> list[str]:
    """The cells of a row, of which the last is the verdict."""
    curves = (ideal(row.device, dtype) for dtype in ("float64", "float32"))
    apart, apart32 = (np.abs(curve - them["curve"]).max() for curve in curves)
    us = population(row, options.tiles * options.devices)
    errors = [largest(us, them["moments"], moment) for moment in ("mean", "sd")]
    rounding = PULSES * 2.0**-25 * float(row.device.weight_span)
    good = np.max([apart, apart32 - rounding]) <= MOST_WEIGHT
    good = good and np.max([z for z, _, _ in errors]) <= MOST_ERRORS
    verdict = "known difference" if row.known else "agrees" if good else "**FAILS**"
    moved = [f"{z:.1f} ({k}: {100 * share:+.2f} %)" for z, k, share in errors]
    return [row.model, f"{apart:.1e}", f"{apart32:.1e}", *moved, verdict]


def ask_aihwkit(table: dict[str, Row], options: argparse.Namespace) -> dict:
    """Run `aihwkit_devices.py` on all rows; return what it printed."""
    command = [options.aihwkit_python, str(Path(__file__).with_name("aihwkit_devices.py"))]
    command += [f"--tiles={options.tiles}", f"--devices={options.devices}", f"--pulses={PULSES}"]
    asked = json.dumps({name: row[:2] for name, row in table.items()})
    done = subprocess.run(command, input=asked, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout)


def main() -> int:
    """Measure both and print the comparison."""
    parser = argparse.ArgumentParser(description="Compare memjax's devices with aihwkit's.")
    parser.add_argument("--aihwkit-python", required=True, help="the Python that has aihwkit")
    parser.add_argument("--markdown", action="store_true", help="print the table in Markdown")
    parser.add_argument("--only", default="", help="only rows whose name contains this")
    parser.add_argument("--tiles", type=int, default=40, help="aihwkit's tiles of each row")
    parser.add_argument(
        "--devices", type=int, default=10_000, help="devices a tile (memjax: as many)"
    )
    options = parser.parse_args()
    table = {name: row for name, row in rows().items() if options.only in name}
    try:
        report = ask_aihwkit(table or parser.error("no row has such a name"), options)
    except (OSError, subprocess.CalledProcessError, ValueError) as error:
        parser.exit(2, f"devices_against_aihwkit: aihwkit_devices.py: {error}\n")
    lines = {n: compare(row, report["devices"][n], options) for n, row in table.items()}
    if options.markdown:
        print("| memjax | aihwkit | noise off: largest \\|Δw\\| | the same in float32 "
              "| mean: largest \\|z\\| | sd: largest \\|z\\| | verdict |\n"
              "|---|---|---:|---:|---|---|---|")  # fmt: skip
    for name, cells in lines.items():
        print((" | " if options.markdown else "  ").join(["", name, *cells, ""]).strip())
    numbers = report["versions"] | {"memjax": __version__, "jax": jax.__version__}
    print("\n" + ", ".join(f"{name} {number}" for name, number in numbers.items()))
    return int(any("FAILS" in cells[-1] for cells in lines.values()))


if __name__ == "__main__":
    sys.exit(main())
