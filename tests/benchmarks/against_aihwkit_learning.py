"""What devices learn by each algorithm, in memjax and in aihwkit, under matched settings.

    python tests/benchmarks/against_aihwkit_learning.py --aihwkit-python V/bin/python [--seeds 10]

`V` is an environment with aihwkit; `aihwkit_learning.py` says how to make one, what is trained, and
which setting of aihwkit stands for which of memjax's. Five devices by six algorithms, at the rates
that `sweeps/algorithms.py` chose for memjax; both draw their own initial weights, devices, orders
and pulses, so that only distributions can agree. Prints mean and sd over seeds of both, and the
difference in standard errors; the exit status is 2 if aihwkit cannot be run.
"""

import argparse
import json
import subprocess
import tempfile
from pathlib import Path

import numpy as np

from memjax.experiments import Images
from memjax.sweep import run

ALGORITHMS = (
    "sgd", "mixed_precision", "tiki_taka", "tiki_taka_v2", "chopped_tiki_taka", "agad"
)  # fmt: skip
# Device: learning rate, transfer rate, flip_probability or chop_every of each algorithm.
POINTS = {
    "GokmenVlasov": (
        (0.1, 0.1, 0), (0.3, 0.1, 0), (0.01, 0.5, 0), (0.01, 0.5, 0), (0.1, 0.02, 0.01),
        (0.03, 0.5, 10),
    ),
    "ReRamSB": (
        (0.3, 0.1, 0), (0.03, 0.1, 0), (0.1, 0.5, 0), (0.1, 0.1, 0), (0.1, 0.5, 0.01),
        (3, 0.1, 50),
    ),
    "ReRamArrayOM": (
        (0.3, 0.1, 0), (0.1, 0.1, 0), (1, 0.1, 0), (3, 0.1, 0), (1, 0.1, 0.01), (3, 0.1, 10),
    ),
    "Capacitor": (
        (0.1, 0.1, 0), (0.1, 0.1, 0), (0.1, 0.1, 0), (0.03, 0.5, 0), (0.1, 0.02, 0.01),
        (0.1, 0.5, 10),
    ),
    "EcRam": (
        (0.1, 0.1, 0), (0.1, 0.1, 0), (0.03, 0.1, 0), (0.01, 0.5, 0), (0.03, 0.1, 0.01),
        (0.03, 0.5, 10),
    ),
}  # fmt: skip


def jobs() -> list[dict]:
    """A device, an algorithm and its rates each."""
    found = []
    for device, points in POINTS.items():
        for algorithm, (rate, share, chops) in zip(ALGORITHMS, points, strict=True):
            found.append(
                {
                    "device": device,
                    "algorithm": algorithm,
                    "learning_rate": rate,
                    "transfer_rate": share,
                    "flip_probability": chops if algorithm == "chopped_tiki_taka" else 0.0,
                    "chop_every": chops if algorithm == "agad" else 1.0,
                }
            )
    return found


def ours(points: list[dict], seeds: int) -> np.ndarray:
    """memjax's accuracies in %, [point, seed]."""
    columns = {name: [point[name] for point in points] for name in points[0]}
    spec = {
        "seeds": seeds,
        "root_seed": 2,
        "axes": {"point": columns},
        "cell": {"kind": "reference", "weight_range": 1.0},
        "pulses": {"scheme": "coincidence", "length": 10},
        "model": {"hidden": [32]},
        "train": {"epochs": 6, "learning_rate_decay": 0.8},
    }
    return 100.0 * run(spec).test_accuracy.isel(epoch=-1).fillna(0.0).values


def theirs(points: list[dict], seeds: int, python: str) -> np.ndarray:
    """aihwkit's, likewise."""
    data = Images().load(None).flat()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "digits.npz"
        np.savez(
            file,
            x_train=np.asarray(data.x_train, np.float32),
            y_train=np.asarray(data.y_train, np.int64),
            x_test=np.asarray(data.x_test, np.float32),
            y_test=np.asarray(data.y_test, np.int64),
        )
        each = [point | {"seed": seed} for point in points for seed in range(seeds)]
        done = subprocess.run(
            [python, str(Path(__file__).with_name("aihwkit_learning.py"))],
            input=json.dumps({"data": str(file), "jobs": each}),
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
    return np.reshape(json.loads(done.stdout)["accuracies"], (len(points), seeds))


def main() -> None:
    """Trains on both sides and prints the table."""
    parser = argparse.ArgumentParser(description="Compare what memjax and aihwkit learn.")
    parser.add_argument("--aihwkit-python", required=True, help="the Python that has aihwkit")
    parser.add_argument("--seeds", type=int, default=10, help="networks of each side")
    options = parser.parse_args()
    points = jobs()
    try:
        them = theirs(points, options.seeds, options.aihwkit_python)
    except (OSError, subprocess.CalledProcessError, ValueError) as error:
        parser.exit(2, f"against_aihwkit_learning: aihwkit_learning.py: {error}\n")
    us = ours(points, options.seeds)
    print("| device | algorithm | rates | memjax | aihwkit | difference | standard errors |")
    print("|---|---|---|---:|---:|---:|---:|")
    for point, a, b in zip(points, us, them, strict=True):
        apart = a.mean() - b.mean()
        error = np.sqrt((a.var(ddof=1) + b.var(ddof=1)) / options.seeds)
        rates = [point["learning_rate"], point["transfer_rate"]]
        rates += [point["flip_probability"], point["chop_every"]]
        told = "; ".join(
            f"{r:g}" for r, unset in zip(rates, (-1, 0, 0, 1), strict=True) if r != unset
        )
        print(
            f"| {point['device']} | `{point['algorithm']}` | {told} "
            f"| {a.mean():.1f} ± {a.std(ddof=1):.1f} | {b.mean():.1f} ± {b.std(ddof=1):.1f} "
            f"| {apart:+.1f} | {apart / error:+.1f} |"
        )


if __name__ == "__main__":
    main()
