"""What do diagnostics cost? Seconds of a training with them over seconds without.

    python tests/benchmarks/diagnostics_cost.py [NAME ...]

Digits network 64-32-10, 64 lanes, two epochs of batch 1, 1,200 levels, cycle-to-cycle noise on;
compiled beforehand, with and without in turn, the median of the rounds' ratios.
"""

import argparse
import statistics

import numpy as np

from memjax.bench import seconds_of_lanes
from memjax.cells import CELLS
from memjax.devices import ConstantStep
from memjax.experiments import Classifier, Evaluation, Training
from memjax.pulses import Bernoulli, Coincidence
from memjax.sweep.engine.runner import replicated, use_all_cores
from memjax.updates import ALGORITHMS

LANES, EPOCHS, ROUNDS = 64, 2, 7
CASES = {
    "coincidence": ("sgd", "reference", Coincidence()),
    "bernoulli": ("sgd", "reference", Bernoulli()),
    "pairs": ("sgd", "differential", Coincidence()),
    "mixed_precision": ("mixed_precision", "reference", Coincidence()),
    "tiki_taka_v2": ("tiki_taka_v2", "reference", Coincidence()),
}


def main() -> None:
    """Measures and prints a table."""
    parser = argparse.ArgumentParser(description="cost of diagnostics")
    parser.add_argument("names", nargs="*", help=f"of {', '.join(CASES)}")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    args = parser.parse_args()
    use_all_cores()
    print("| what | seconds without | with | ratio |\n|---|---:|---:|---:|")
    for name in args.names or CASES:
        off, on, ratio = _seconds(name, args.rounds)
        print(f"| {name} | {off:.3f} | {on:.3f} | {ratio:.2f} |", flush=True)


def _seconds(name: str, rounds: int) -> tuple[float, float, float]:
    algorithm, cell, pulses = CASES[name]
    data = replicated(Classifier().load())
    rng = np.random.default_rng(0)
    levels = rng.uniform(1100, 1300, LANES)
    both = [
        Classifier(
            device=ConstantStep(levels=levels, sigma_c2c=0.3),
            cell=CELLS[cell](weight_range=1.0),
            pulses=pulses,
            algorithm=ALGORITHMS[algorithm](),
            train=Training(epochs=EPOCHS, learning_rate=0.01),
            evaluation=Evaluation(diagnostics=on),
        )
        for on in (False, True)
    ]
    for classifier in both:
        seconds_of_lanes(classifier, data, LANES)
    times = np.array([[seconds_of_lanes(c, data, LANES) for c in both] for _ in range(rounds)])
    off, on = np.median(times, axis=0)
    return off, on, statistics.median(times[:, 1] / times[:, 0])


if __name__ == "__main__":
    main()
