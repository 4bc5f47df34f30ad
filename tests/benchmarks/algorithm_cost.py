"""What does an algorithm or a cell cost? Its rate over that of pulsed SGD on a reference cell.

    python tests/benchmarks/algorithm_cost.py [NAME ...]

The reference networks at batch 1, as `memjax bench` runs them (random sparse images, coincidence
trains of 10 slots, 1,200 levels, cycle-to-cycle noise on), in turn, medians of five epochs;
compiled beforehand.
"""

import argparse
import statistics
import time

import numpy as np

from memjax.bench import NETWORKS
from memjax.cells import CELLS
from memjax.devices import ConstantStep
from memjax.experiments import Program, Variant
from memjax.sweep.engine.trainer import Runner, lane_width, on_all_devices, use_all_cores
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
    program = Program(sizes=sizes, batch_size=batch)
    runner = Runner(program, lane_width(program))
    rng = np.random.default_rng(0)
    samples = SAMPLES[network]
    x = rng.random((samples, sizes[0]), np.float32)
    x = (x * (rng.random(x.shape) < filled)).astype(np.float32)
    y = rng.integers(0, sizes[-1], samples).astype(np.int32)
    data = on_all_devices(x, y), on_all_devices(x[:100], y[:100])
    words = rng.integers(0, 2**32, (runner.chunk, 2), np.uint32)

    def seconds(name: str) -> float:
        algorithm, cell = CASES[name]
        device = ConstantStep(levels=1200, sigma_c2c=0.3)
        variant = Variant(
            device=device,
            cell=CELLS[cell](weight_range=1.0),
            algorithm=ALGORITHMS[algorithm](),
            learning_rate=0.01,
        )
        started = time.perf_counter()
        runner.run(variant, words, data, 1, [], lambda _: None)
        return time.perf_counter() - started

    able = [n for n in names if CASES[n][0] != "rprop" or not ConstantStep.integer_pulses_only]
    for name in able:
        seconds(name)
    times: dict[str, list[float]] = {name: [] for name in able}
    for _ in range(rounds):
        for name in able:
            times[name].append(seconds(name))
    return {name: runner.chunk * samples / statistics.median(times[name]) for name in able}


if __name__ == "__main__":
    main()
