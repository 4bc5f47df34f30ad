"""Does a search find the iso-accuracy line of the quickstart's whole grid, and know how well?

    python tests/benchmarks/search_quickstart.py [DIR]

Trains the 1,080 lanes of sweeps/quickstart.toml (or takes them from DIR, where `memjax sweep` left
them), then searches along sigma_c2c with at most 108 lanes for every target. Prints for how many of
the 36 combinations the search names the grid's own weakest value, within one step and exactly,
beside the mean of the probabilities that it gave for that, and how often the grid's own crossing is
inside the 90 % interval. Then the same over 20 replays, which look lanes up in the grid, begin at
other lanes and have the seeds of every cell in another order.

A combination's answer is clear if the grid's mean accuracy is two standard errors of its five seeds
(at least 0.6 %) off the target at the weakest value that passes and at every weaker one. The aim:
within one step in every clear combination.
"""

import dataclasses
import sys
import time
from pathlib import Path

import numpy as np
import xarray as xr
from scipy.special import logit

from memjax.sweep import Spec, run
from memjax.sweep.analysis.results import final as final_values
from memjax.sweep.search.search import search

SPEC = Path(__file__).parents[2] / "sweeps" / "quickstart.toml"
TARGETS = (0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.93)
REPLAYS = 20
HEAD = "target  lanes  seconds  clear, within  within one step  exactly          in interval"


def truth(final: np.ndarray, target: float) -> tuple[np.ndarray, np.ndarray]:
    """Where on the axis each combination crosses, in steps (-1: never), and if that is clear."""
    mean = final.mean(-1)
    error = np.maximum(final.std(-1, ddof=1) / np.sqrt(final.shape[-1]), 0.003)
    margin, last = logit(mean) - logit(target), final.shape[-2] - 1
    place = np.full(mean.shape[:-1], -1.0)
    for index in np.ndindex(place.shape):
        passed = np.flatnonzero(margin[index] >= 0)
        if len(passed):
            k = passed[-1]
            above, below = margin[index][k], margin[index][min(k + 1, last)]
            place[index] = k + (above / (above - below) if k < last else 0)
    decided = np.arange(last + 1) < np.floor(place)[..., None]
    return place, np.all(decided | (abs(mean - target) >= 2 * error), -1)


def compare(found: xr.Dataset, final: np.ndarray) -> np.ndarray:
    """Clear ones within a step, clear ones, and the shares: found and said, twice; covered."""
    place, clear = truth(final, found.attrs["target"])
    sigma = found["sigma_c2c"].values

    def steps(name: str) -> np.ndarray:
        values = found[name].values
        return np.where(np.isnan(values), -1, np.interp(values, sigma, np.arange(len(sigma))))

    off = abs(steps("weakest") - np.floor(place))
    covered = (steps("low") - 1e-6 <= place) & (place <= steps("high") + 1e-6)
    said = found["within_one"].mean(), found["probability"].mean()
    within = np.mean(off <= 1), said[0], np.mean(off == 0), said[1]
    return np.array([np.sum(off[clear] <= 1), clear.sum(), *within, np.mean(covered)], float)


def row(found: xr.Dataset, seconds: float, numbers: np.ndarray) -> str:
    """One line of the table."""
    near, clear, *shares = numbers
    within, said_within, exact, said_exact, covered = (f"{100 * share:5.1f}" for share in shares)
    return (
        f"{found.attrs['target']:6.2f}  {found.attrs['lanes']:5}  {seconds:7.1f}  "
        f"{near:5.5g} of {clear:4.4g}  {within} (said {said_within})  "
        f"{exact} (said {said_exact})  {covered} %"
    )


def main() -> None:
    """Trains, searches and prints."""
    spec = Spec.from_toml(SPEC)
    started = time.perf_counter()
    final = final_values(run(spec, sys.argv[1] if len(sys.argv) > 1 else None)).values
    print(f"the whole grid: {final.size} lanes, {time.perf_counter() - started:.0f} s\n\n{HEAD}")
    for target in TARGETS:
        started = time.perf_counter()
        found = search(spec, target, "sigma_c2c")
        print(row(found, time.perf_counter() - started, compare(found, final)), flush=True)
        np.testing.assert_array_equal(found["lane_value"], final.ravel()[found["lane"]])
    print(f"\nthe mean of {REPLAYS} replays\n{HEAD}")
    for target in TARGETS:
        started, numbers = time.perf_counter(), []
        for key in range(REPLAYS):
            shuffled = np.random.default_rng(key).permuted(final, axis=-1)
            other = dataclasses.replace(spec, root_seed=key)
            found = search(other, target, "sigma_c2c", evaluate=shuffled.ravel().__getitem__)
            numbers.append(compare(found, final))
        seconds = (time.perf_counter() - started) / REPLAYS
        print(row(found, seconds, np.mean(numbers, axis=0)), flush=True)


if __name__ == "__main__":
    main()
