"""What does a response model cost? Its time for an epoch over that of the constant step.

    python tests/benchmarks/model_cost.py [NAME ...]

Digits network 64-32-10, batch 1, cycle-to-cycle noise on, 128 levels, 64 lanes, models in turn,
medians of three rounds; compiled beforehand. Models whose trains have no closed form go pulse by
pulse, as many rounds as the longest train of an update.
"""

import statistics
import sys
import time

import numpy as np

from memjax.cells import ReferenceCell
from memjax.data import load
from memjax.devices import MODELS, Device
from memjax.experiments import Program, Variant
from memjax.sweep.engine.trainer import Runner, lane_width, on_all_devices, use_all_cores

ROUNDS = 3


def main() -> None:
    """Measures and prints a table."""
    use_all_cores()
    digits = load("digits").flat()
    samples = (
        on_all_devices(digits.x_train, digits.y_train),
        on_all_devices(digits.x_test, digits.y_test),
    )
    program = Program(sizes=(64, 32, 10))
    runner = Runner(program, lane_width(program))
    words = np.random.default_rng(0).integers(0, 2**32, (runner.chunk, 2), np.uint32)

    def seconds(device: Device) -> float:
        variant = Variant(device=device, cell=ReferenceCell(weight_range=1.0), learning_rate=0.05)
        started = time.perf_counter()
        runner.run(variant, words, samples, 1, [], lambda _: None)
        return time.perf_counter() - started

    devices = {
        name: MODELS[name](levels=128, sigma_c2c=0.3)
        for name in ("ConstantStep", *(sys.argv[1:] or MODELS))
    }
    for device in devices.values():
        seconds(device)
    times: dict[str, list[float]] = {name: [] for name in devices}
    for _ in range(ROUNDS):
        for name, device in devices.items():
            times[name].append(seconds(device))
    unit = statistics.median(times["ConstantStep"])
    print("| model | seconds an epoch, 64 lanes | over the constant step |")
    print("|---|---:|---:|")
    for name in devices:
        median = statistics.median(times[name])
        print(f"| {name} | {median:.2f} | {median / unit:.2f} |")


if __name__ == "__main__":
    main()
