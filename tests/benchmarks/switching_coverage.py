"""How often 95 % intervals of a switching curve hold the truth.

``python tests/benchmarks/switching_coverage.py``: for each number of voltages and of trials a
Markdown row: the share of ``--tables`` synthetic tables whose interval of V0, and of tau0, holds
the truth, the share of tables of which no slope can be told, and the share whose deviance is called
too large (p < 0.01).
"""

import argparse

import numpy as np

from memjax.bitstreams import SwitchingCounts, SwitchingDevice, fit_switching
from memjax.errors import DataError

TRUTH = {"v0": 0.155, "tau0": 2.85e5}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tables", type=int, default=500)
    tables = parser.parse_args().tables
    print("| voltages | trials of each | V0 held | tau0 held | no slope | deviance flagged |")
    print("|---:|---:|---:|---:|---:|---:|")
    rng = np.random.default_rng(0)
    for n_volts, trials in ((5, 20), (5, 100), (9, 20), (9, 100), (9, 1000)):
        volts = np.linspace(2.5, 3.2, n_volts)
        width, n = np.full(n_volts, 1e-3), np.full(n_volts, trials)
        p = np.asarray(SwitchingDevice().probability(volts.astype(np.float32), 1e-3), float)
        held, none, flagged = {name: 0 for name in TRUTH}, 0, 0
        for _ in range(tables):
            try:
                fit = fit_switching(SwitchingCounts(volts, width, rng.binomial(n, p), n))
            except DataError:
                none += 1
                continue
            flagged += fit.p_value < 0.01
            for name, truth in TRUTH.items():
                held[name] += fit.intervals[name][0] < truth < fit.intervals[name][1]
        found = tables - none
        shares = [f"{100 * held[name] / found:.1f} %" for name in TRUTH]
        rest = [f"{100 * k / tables:.1f} %" for k in (none, flagged)]
        print(f"| {n_volts} | {trials} | {' | '.join([*shares, *rest])} |", flush=True)


if __name__ == "__main__":
    main()
