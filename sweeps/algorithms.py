"""Tables of the study `algorithms`: the best rates for each device, judged on other seeds.

    python sweeps/algorithms.py RESULT_DIRECTORY

Rates (learning rate, and what a read of A moves to C) are those with the best mean accuracy over
the first two seeds; the table gives mean and standard deviation over the seeds left.
"""

import sys

import numpy as np
import xarray as xr

from memjax.sweep.store import directory as store

SEARCHED = 2


def judged(results: xr.Dataset) -> dict[str, dict[str, tuple[float, float, float, float]]]:
    """Mean and sd of the accuracy in %, and the rates chosen, by device and algorithm."""
    last = 100.0 * results.test_accuracy.isel(epoch=-1).fillna(0.0)
    others = [d for d in last.dims if d not in ("method", "learning_rate", "seed")]
    rows = last.stack(row=others) if len(others) > 1 else last.rename({others[0]: "row"})
    found: dict = {}
    for number, row in enumerate(rows.row.values):
        name = ", ".join(f"{x:g}" for x in row) if isinstance(row, tuple) else str(row)
        here = rows.isel(row=number)
        for algorithm in dict.fromkeys(results.algorithm.values):
            mine = np.flatnonzero(results.algorithm.values == algorithm)
            grid = here.isel(method=mine, seed=slice(SEARCHED)).mean("seed")
            best = {k: int(v) for k, v in grid.argmax(["method", "learning_rate"]).items()}
            at = {"method": mine[best["method"]], "learning_rate": best["learning_rate"]}
            chosen = here.isel(seed=slice(SEARCHED, None)).isel(at)
            found.setdefault(name, {})[str(algorithm)] = (
                float(chosen.mean()),
                float(chosen.std(ddof=1)),
                float(results.learning_rate[at["learning_rate"]]),
                float(results.transfer_rate[at["method"]]),
            )
    return found


def main() -> None:
    """Prints both tables."""
    results = store.load(sys.argv[1])
    table = judged(results)
    names = list(next(iter(table.values())))
    print("| device | " + " | ".join(names) + " |")
    print("|---|" + "---:|" * len(names))
    for device, row in table.items():
        best = max(value[0] for value in row.values())
        cells = []
        for mean, sd, _, _ in row.values():
            text = f"{mean:.1f} ± {sd:.1f}"
            cells.append(f"**{text}**" if mean >= best - 0.5 else text)
        print(f"| {device} | " + " | ".join(cells) + " |")
    print("\nRates chosen (learning rate; transfer rate, where it matters):\n")
    print("| device | " + " | ".join(names) + " |")
    print("|---|" + "---:|" * len(names))
    for device, row in table.items():
        cells = [f"{lr:g}" + (f"; {tr:g}" if tr else "") for _, _, lr, tr in row.values()]
        print(f"| {device} | " + " | ".join(cells) + " |")
    baseline = 100 * results.baseline_accuracy.isel(epoch=-1)
    print(f"\nfloating point: {float(baseline.mean()):.1f} ± {float(baseline.std()):.1f}")


if __name__ == "__main__":
    main()
