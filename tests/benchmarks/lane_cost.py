"""Does a lane cost the same in a sweep of 64 and of 8,192? Prints microseconds a lane-sample.

    python tests/benchmarks/lane_cost.py

Digits network 64-32-10, batch 1, one epoch, cycle-to-cycle noise on; compiled beforehand, the two
sizes in turn, medians. The aim is a ratio within 10 % of 1.
"""

import statistics

import numpy as np

from memjax.bench import seconds_of_lanes
from memjax.cells import ReferenceCell
from memjax.devices import ConstantStep
from memjax.experiments import Classifier, Training
from memjax.sweep.engine.runner import replicated, use_all_cores

SIZES = (64, 8192)
ROUNDS = 3


def main() -> None:
    """Measures and prints."""
    use_all_cores()
    data = replicated(Classifier().load())

    def seconds(lanes: int) -> float:
        rng = np.random.default_rng(lanes)
        classifier = Classifier(
            device=ConstantStep(levels=rng.uniform(8, 128, lanes), sigma_c2c=0.3),
            cell=ReferenceCell(weight_range=1.0),
            train=Training(epochs=1),
        )
        return seconds_of_lanes(classifier, data, lanes)

    seconds(SIZES[0])
    cost: dict[int, list[float]] = {lanes: [] for lanes in SIZES}
    for _ in range(ROUNDS):
        for lanes in SIZES:  # the small one several times, so that both are timed as long
            repeats = max(1, 1024 // lanes)
            total = statistics.median(seconds(lanes) for _ in range(repeats))
            cost[lanes].append(total / lanes / len(data.train.x) * 1e6)
    small, large = (statistics.median(cost[lanes]) for lanes in SIZES)
    print(f"{SIZES[0]} lanes: {small:.3f} us a lane-sample")
    print(f"{SIZES[1]} lanes: {large:.3f} us a lane-sample")
    print(f"ratio {small / large:.3f}")


if __name__ == "__main__":
    main()
