"""What does an algorithm or a cell cost? Its rate over that of pulsed SGD on a reference cell.

    python tests/benchmarks/algorithm_cost.py [NAME ...]

The reference networks at batch 1, as `memjax bench` runs them (random sparse images, coincidence
trains of 10 slots, 1,200 levels, cycle-to-cycle noise on), in turn, medians of five epochs;
compiled beforehand.
"""

import argparse
import statistics

from memjax.bench import NETWORKS, random_images, runner_of, seconds_of_lanes
from memjax.cells import CELLS
from memjax.devices import ConstantStep
from memjax.experiments import Classifier, Perceptron, Training
from memjax.sweep.engine.runner import replicated, use_all_cores
from memjax.updates import ALGORITHMS

ROUNDS = 5
SAMPLES = {"digits_b1": 1437, "mnist_b1": 2000}
CASES = {name: (name, "reference") for name in ALGORITHMS}
CASES |= {f"sgd, {kind}": ("sgd", kind) for kind in CELLS if kind != "reference"}


def main() -> None:
    """Measures and prints a table."""
    parser = argparse.ArgumentParser(description="rates of algorithms and cells")
    parser.add_argument("names", nargs="*", help=f"of {', '.join(CASES)}")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    args = parser.parse_args()
    use_all_cores()
    names = ["sgd", *(n for n in (args.names or CASES) if n != "sgd")]
    rates = {network: _rates(network, names, args.rounds) for network in SAMPLES}
    print("| algorithm, cell | " + " | ".join(f"{n}, of sgd" for n in SAMPLES) + " |")
    print("|---|" + "---:|" * len(SAMPLES))
    for name in names:
        shares = (f"{r[name]:,.0f} /s, {r[name] / r['sgd']:.2f}" for r in rates.values())
        print(f"| {name} | " + " | ".join(shares) + " |")


def _rates(network: str, names: list[str], rounds: int) -> dict[str, float]:
    """Variant-samples a second."""
    sizes, batch, _, filled = NETWORKS[network]
    samples = SAMPLES[network]
    data = replicated(random_images(sizes[0], sizes[-1], samples, filled))
    model = Perceptron(hidden=sizes[1:-1])
    chunk = runner_of(Classifier(model=model), data).chunk

    def seconds(name: str) -> float:
        algorithm, cell = CASES[name]
        device = ConstantStep(levels=1200, sigma_c2c=0.3)
        classifier = Classifier(
            device=device,
            cell=CELLS[cell](weight_range=1.0),
            algorithm=ALGORITHMS[algorithm](),
            train=Training(epochs=1, batch_size=batch, learning_rate=0.01),
            model=model,
        )
        return seconds_of_lanes(classifier, data, chunk)

    able = [n for n in names if CASES[n][0] != "rprop" or not ConstantStep.integer_pulses_only]
    for name in able:
        seconds(name)
    times: dict[str, list[float]] = {name: [] for name in able}
    for _ in range(rounds):
        for name in able:
            times[name].append(seconds(name))
    return {name: chunk * samples / statistics.median(times[name]) for name in able}


if __name__ == "__main__":
    main()
