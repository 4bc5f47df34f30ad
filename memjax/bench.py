"""How fast is this machine? Variant-samples a second on the reference networks.

Measured through the very chunks that a sweep trains: random sparse images, cycle-to-cycle noise on,
trains of 10 slots, every device of the machine busy. Warm-up first, then the median of rounds.
"""

import os
import platform
import statistics
import time
from typing import Any

import jax
import jaxlib
import numpy as np
import optax
from rich.table import Table

from memjax.cells import ReferenceCell
from memjax.devices import ConstantStep
from memjax.experiments import Classifier, Experiment, Labelled, Perceptron, Samples, Training
from memjax.sweep.engine.runner import Runner, lane_width, replicated, use_all_cores

NETWORKS: dict[str, tuple[tuple[int, ...], int, int, float]] = {
    "digits_b1": ((64, 32, 10), 1, 1437, 0.51),
    "mnist_b1": ((784, 256, 128, 10), 1, 2000, 0.19),
    "mnist_b10": ((784, 256, 128, 10), 10, 5000, 0.19),
}
"""Name: units of every layer, batch size, samples an epoch, fraction of pixels that are not 0."""

VARIANTS = {"digits_b1": 256, "mnist_b1": 8, "mnist_b10": 8}
"""Device variants of each network, rounded up to whole chunks."""

_ROUNDS = 5


def measure(rounds: int = _ROUNDS) -> dict[str, Any]:
    """Rates of every reference network.

    Args:
      rounds: timed epochs, of which the median counts.

    Returns:
      ``device``, ``cores``, ``versions`` and ``rates`` in variant-samples per second.
    """
    use_all_cores()
    return {
        "device": f"{len(jax.local_devices())} x {jax.local_devices()[0].device_kind}",
        "cores": os.cpu_count() or 1,
        "versions": {
            "python": platform.python_version(),
            "jax": jax.__version__,
            "jaxlib": jaxlib.__version__,
            "optax": optax.__version__,
        },
        "rates": {name: _rate(name, rounds) for name in NETWORKS},
    }


def _rate(name: str, rounds: int) -> float:
    sizes, batch, samples, filled = NETWORKS[name]
    data = replicated(random_images(sizes[0], sizes[-1], samples, filled))
    classifier = Classifier(
        device=ConstantStep(levels=1200, sigma_c2c=0.3),
        cell=ReferenceCell(weight_range=1.0),
        train=Training(epochs=1, batch_size=batch, learning_rate=0.01),
        model=Perceptron(hidden=sizes[1:-1]),
    )
    chunk = runner_of(classifier, data).chunk
    lanes = -(-VARIANTS[name] // chunk) * chunk
    seconds_of_lanes(classifier, data, chunk)
    seconds = [seconds_of_lanes(classifier, data, lanes) for _ in range(rounds)]
    return lanes * samples / statistics.median(seconds)


def random_images(features: int, classes: int, samples: int, filled: float) -> Labelled:
    """Random flat images, a fraction of whose pixels are not 0; a fifth of them as a test set."""
    rng = np.random.default_rng(0)
    x = rng.random((samples, features), np.float32)
    x = (x * (rng.random((samples, features)) < filled)).astype(np.float32)
    y = rng.integers(0, classes, samples).astype(np.int32)
    test = Samples(x[: samples // 5], y[: samples // 5])
    return Labelled(Samples(x, y), test, None, "random", classes)


def runner_of(experiment: Experiment, data: Any) -> Runner:
    """What runs such lanes in a sweep."""
    width = lane_width(experiment.size(data))
    return Runner(experiment.stages(), experiment.columns(data), width)


def seconds_of_lanes(experiment: Experiment, data: Any, lanes: int) -> float:
    """How long so many lanes take, through the very chunks that a sweep runs.

    Args:
      experiment: its leaves are scalars, or one value a lane.
      data: on all devices (``memjax.sweep.engine.runner.replicated``).
      lanes: how many.
    """
    words = np.random.default_rng(lanes).integers(0, 2**32, (lanes, 2), np.uint32)
    runner, objective = runner_of(experiment, data), experiment.objective(data).column
    started = time.perf_counter()
    runner.run(experiment, words, data, objective)
    return time.perf_counter() - started


def table(report: dict[str, Any]) -> Table:
    """The report for people."""
    drawn = Table(title=f"memjax on {report['device']}")
    drawn.add_column("network")
    drawn.add_column("batch", justify="right")
    drawn.add_column("variant-samples/s", justify="right")
    for name, rate in report["rates"].items():
        sizes, batch, _, _ = NETWORKS[name]
        drawn.add_row("-".join(map(str, sizes)), str(batch), f"{rate:,.0f}")
    return drawn
