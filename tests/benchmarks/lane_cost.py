"""Does a lane cost the same in a sweep of 64 and of 8,192? Prints microseconds a lane-sample.

    python tests/benchmarks/lane_cost.py

Digits network 64-32-10, batch 1, one epoch, cycle-to-cycle noise on; compiled beforehand, the two
sizes in turn, medians. The aim is a ratio within 10 % of 1.
"""

import statistics
import time

import numpy as np

from memjax.cells import ReferenceCell
from memjax.data import load
from memjax.devices import ConstantStep
from memjax.experiments import Program, Variant
from memjax.sweep.engine.trainer import Runner, lane_width, on_all_devices, use_all_cores

SIZES = (64, 8192)
ROUNDS = 3


def main() -> None:
    """Measures and prints."""
    use_all_cores()
    digits = load("digits").flat()
    samples = (
        on_all_devices(digits.x_train, digits.y_train),
        on_all_devices(digits.x_test, digits.y_test),
    )
    program = Program(sizes=(64, 32, 10))
    runner = Runner(program, lane_width(program))

    def seconds(lanes: int) -> float:
        rng = np.random.default_rng(lanes)
        variant = Variant(
            device=ConstantStep(levels=rng.uniform(8, 128, lanes), sigma_c2c=0.3),
            cell=ReferenceCell(weight_range=1.0),
        )
        words = rng.integers(0, 2**32, (lanes, 2), np.uint32)
        started = time.perf_counter()
        runner.run(variant, words, samples, 1, [], lambda _: None)
        return time.perf_counter() - started

    seconds(SIZES[0])
    cost: dict[int, list[float]] = {lanes: [] for lanes in SIZES}
    for _ in range(ROUNDS):
        for lanes in SIZES:  # the small one several times, so that both are timed as long
            repeats = max(1, 1024 // lanes)
            total = statistics.median(seconds(lanes) for _ in range(repeats))
            cost[lanes].append(total / lanes / len(digits.x_train) * 1e6)
    small, large = (statistics.median(cost[lanes]) for lanes in SIZES)
    print(f"{SIZES[0]} lanes: {small:.3f} us a lane-sample")
    print(f"{SIZES[1]} lanes: {large:.3f} us a lane-sample")
    print(f"ratio {small / large:.3f}")


if __name__ == "__main__":
    main()
