"""What does a response model cost? Its time for an epoch over that of the constant step.

    python tests/benchmarks/model_cost.py [NAME ...]

Digits network 64-32-10, batch 1, cycle-to-cycle noise on, 128 levels, 64 lanes, models in turn,
medians of three rounds; compiled beforehand. Models whose trains have no closed form go pulse by
pulse, as many rounds as the longest train of an update.
"""

import statistics
import sys

from memjax.bench import runner_of, seconds_of_lanes
from memjax.cells import ReferenceCell
from memjax.devices import MODELS, Device
from memjax.experiments import Classifier, Training
from memjax.sweep.engine.runner import replicated, use_all_cores

ROUNDS = 3


def main() -> None:
    """Measures and prints a table."""
    use_all_cores()
    data = replicated(Classifier().load())

    def seconds(device: Device) -> float:
        classifier = Classifier(
            device=device,
            cell=ReferenceCell(weight_range=1.0),
            train=Training(epochs=1, learning_rate=0.05),
        )
        return seconds_of_lanes(classifier, data, runner_of(classifier, data).chunk)

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
