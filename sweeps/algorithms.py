"""Which learning algorithm for which device: the best rates are searched, then judged.

    memjax sweep sweeps/algorithms.toml --out R/one_array
    memjax sweep sweeps/algorithms_transfers.toml --out R/two_arrays
    python sweeps/algorithms.py R --pulses

The best rates of a device and an algorithm have the highest mean accuracy over the seeds of these
two. Where they stand on the edge of what was tried, and beat all within by ``MARGIN``, those around
them are tried too (``R/wider``), until none does. Then the best are judged (``R/judged``): with
another root seed, so that no seed that chose the rates judges them, and five seeds. Prints a table
of the accuracies and one of the rates; with ``--pulses`` those of all arrays are counted, too.

Devices that are files lie in ``R/devices`` (``sweeps/algorithms_noise.py``).
"""

import argparse
import dataclasses
import itertools
import tomllib
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import xarray as xr

from memjax.sweep import run
from memjax.sweep.store import directory as store
from memjax.updates import ALGORITHMS

RATES = (1e-5, 3e-5, 1e-4, 3e-4, 1e-3, 3e-3, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100)
SHARES = (4e-5, 2e-4, 1e-3, 5e-3, 0.02, 0.1, 0.5, 2, 10, 50)
"""The lattice of learning rates and of transfer rates."""
NO_RATE = ("manhattan", "rprop")
"""Algorithms to which learning rates are nothing."""
MARGIN = 1.0
"""In points of accuracy: about the standard error of the mean of two seeds."""


class Point(NamedTuple):
    """A lane's axes; what an algorithm lacks is ``None``."""

    device: str
    algorithm: str
    learning_rate: float
    transfer_rate: float | None
    flip_probability: float | None
    chop_every: float | None


Found = dict[tuple[str, str], dict["Point", float]]
"""The mean accuracy in % of all points tried, by device and algorithm."""


def tried(results: xr.Dataset, found: Found) -> list[Point]:
    """Adds every point of a result, and returns them."""
    points = []
    last = 100.0 * results.test_accuracy.isel(epoch=-1).fillna(0.0).mean("seed")
    names = [name for name in Point._fields if name in results.coords]
    flat = last.stack(lane=last.dims).reset_index("lane")
    columns = {name: flat[name].values for name in names}
    for lane, accuracy in enumerate(flat.values):
        point = _point(**{name: column[lane].item() for name, column in columns.items()})
        found.setdefault(point[:2], {})[point] = float(accuracy)
        points.append(point)
    return points


def _point(device: str, algorithm: str, learning_rate: float, **more: float) -> Point:
    """A lane's point: only what its algorithm has."""
    fields = {field.name for field in dataclasses.fields(ALGORITHMS[algorithm])}
    own = [more.get(name) if name in fields else None for name in Point._fields[3:]]
    return Point(device, algorithm, learning_rate, *own)


def around(point: Point) -> list[Point]:
    """The points of the lattice beside one, itself among them."""
    if point.algorithm in NO_RATE:
        return [point]
    rates = _beside(RATES, point.learning_rate)
    shares = [None] if point.transfer_rate is None else _beside(SHARES, point.transfer_rate)
    return [
        point._replace(learning_rate=rate, transfer_rate=share)
        for rate, share in itertools.product(rates, shares)
    ]


def _beside(lattice: tuple[float, ...], value: float) -> list[float]:
    at = int(np.argmin(np.abs(np.log(lattice) - np.log(value))))
    return list(lattice[max(at - 1, 0) : at + 2])


def best(points: dict[Point, float]) -> tuple[Point, list[Point]]:
    """The best point, and what is to be tried around it where it stands on the edge."""
    top = max(points, key=lambda point: points[point])
    within = [point for point in points if all(other in points for other in around(point))]
    inner = max(within, key=lambda point: points[point], default=None)
    if inner is not None and points[inner] >= points[top] - MARGIN:
        return inner, []
    return top, [point for point in around(top) if point not in points]


def specification(folder: Path, points: list[Point], **top: Any) -> dict[str, Any]:
    """That of ``algorithms.toml``, with a list of points for axes."""
    spec = tomllib.loads((Path(__file__).parent / "algorithms.toml").read_text())
    lacking = {"transfer_rate": 0.1, "flip_probability": 0.0, "chop_every": 1.0}
    columns: dict[str, list[Any]] = {
        name: [lacking[name] if value is None else value for value in values]
        for name, values in zip(Point._fields, zip(*points, strict=True), strict=True)
        if any(value is not None for value in values)
    }
    files = {device: folder / "devices" / f"{device}.toml" for device in columns["device"]}
    columns["device"] = [
        str(files[device]) if files[device].exists() else device for device in columns["device"]
    ]
    return spec | {"axes": {"point": columns}} | top


def widen(folder: Path, found: Found) -> None:
    """Tries rates around winners on the edge until there is none."""
    wider = folder / "wider"
    added = tried(store.load(wider), found) if wider.exists() else []
    while more := [point for points in found.values() for point in best(points)[1]]:
        added += more
        spec = specification(folder, added, name="algorithms_wider", seeds=2)
        tried(run(spec, wider), found)


def judge(folder: Path, found: Found, *, pulses: bool) -> xr.Dataset:
    """The results of the best points, with other seeds."""
    chosen = [best(points)[0] for points in found.values()]
    top = {"name": "algorithms_judged", "seeds": 5, "root_seed": 1}
    spec = specification(folder, chosen, **top, evaluate={"diagnostics": pulses})
    return run(spec, folder / "judged")


def report(judged: xr.Dataset) -> None:
    """Prints accuracies, pulses and rates of each device and algorithm."""
    accuracy = 100.0 * judged.test_accuracy.isel(epoch=-1).fillna(0.0)
    mean, sd = accuracy.mean("seed").values, accuracy.std("seed", ddof=1).values
    at = {
        (str(device), str(algorithm)): lane
        for lane, (device, algorithm) in enumerate(
            zip(judged.device.values, judged.algorithm.values, strict=True)
        )
    }
    devices, names = (list(dict.fromkeys(words)) for words in zip(*at, strict=True))
    best_of = {device: max(mean[at[device, name]] for name in names) for device in devices}

    def accuracies(device: str, lane: int) -> str:
        text = f"{mean[lane]:.1f} ± {sd[lane]:.1f}"
        return f"**{text}**" if mean[lane] >= best_of[device] - 0.5 else text

    def rates(device: str, lane: int) -> str:
        del device
        point = _point(**{name: judged[name].values[lane].item() for name in Point._fields})
        own = point[2:] if point.algorithm not in NO_RATE else ()
        return "; ".join(f"{rate:g}" for rate in own if rate is not None)

    texts = {
        "accuracy, %": accuracies,
        "learning rate; transfer rate; flip probability or chop_every": rates,
    }
    if "pulses" in judged:
        pulses = _pulses(judged).mean("seed").values
        texts["pulses a weight, of all arrays"] = lambda device, lane: f"{pulses[lane]:,.1f}"
    for title, text in texts.items():
        print(f"\n{title}:\n\n| device | " + " | ".join(names) + " |")
        print("|---|" + "---:|" * len(names))
        for device in devices:
            cells = [text(device, at[device, name]) for name in names]
            print(f"| {device} | " + " | ".join(cells) + " |")
    baseline = 100 * judged.baseline_accuracy.isel(epoch=-1)
    print(f"\nfloating point: {float(baseline.mean()):.1f} ± {float(baseline.std(ddof=1)):.1f}")


def _pulses(here: xr.Dataset) -> xr.DataArray:
    """Pulses a weight, of all arrays: the layers have 65 × 32 and 33 × 10 weights."""
    sizes = xr.DataArray([65 * 32, 33 * 10], coords={"layer": here.layer})
    each = here.pulses.fillna(0.0) + here.fast_pulses.fillna(0.0)
    return (each * sizes).sum("layer") / sizes.sum()


def main() -> None:
    """Searches, judges, reports."""
    parser = argparse.ArgumentParser(description="Search and judge rates of algorithms.")
    parser.add_argument("folder", type=Path, help="has the results one_array and two_arrays")
    parser.add_argument("--pulses", action="store_true", help="count pulses as well")
    options = parser.parse_args()
    folder, found = options.folder, Found()
    for name in ("one_array", "two_arrays"):
        tried(store.load(folder / name), found)
    widen(folder, found)
    report(judge(folder, found, pulses=options.pulses))


if __name__ == "__main__":
    main()
