"""Fit half of measured ramps, predict the other half: how well, by model and by split.

    python tests/benchmarks/measured_ramps.py DATA.csv [--models OnsetStep PiecewiseStep ...]

DATA.csv is a tidy table of one device (cycle, direction, pulse, conductance_S). For each split of
its cycles: the rms error of the mean curve on the ramps not fitted, over the window of those
fitted, and the share of their readings within the 90 % band.
"""

import argparse

import numpy as np

from memjax.fitting import Ramps, fit, read


def splits(ramps: Ramps) -> dict[str, np.ndarray]:
    """Which ramps are fitted."""
    middle = np.median(np.unique(ramps.cycle))
    return {
        "odd → even": ramps.cycle % 2 == 1,
        "even → odd": ramps.cycle % 2 == 0,
        "first half → second": ramps.cycle <= middle,
        "second half → first": ramps.cycle > middle,
    }


def shown(found: dict[str, float]) -> str:
    """Up and down, in per cent."""
    return " / ".join(f"{100 * value:.2f}" for value in found.values())


def main() -> None:
    """Prints a table for each model."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data")
    parser.add_argument("--models", nargs="+", default=["OnsetStep"])
    arguments = parser.parse_args()
    ramps = read(arguments.data)
    print(
        "| model | fitted → predicted | rms of the mean, % (up / down) | within the 90 % band, % |"
    )
    print("|---|---|---:|---:|")
    for model in arguments.models:
        for name, mask in splits(ramps).items():
            fitted, others = ramps.split(mask)
            best = fit(fitted, model=model, c2c="additive").best
            errors, inside = best.errors(others), best.coverage(others)
            print(f"| {model} | {name} | {shown(errors)} | {shown(inside)} |", flush=True)
        whole = fit(ramps, model=model, c2c="additive").best
        inside = shown(whole.coverage(ramps))
        print(f"| {model} | all → the same | {shown(whole.rms)} | {inside} |", flush=True)


if __name__ == "__main__":
    main()
