"""What does training a spiking network cost an image and variant? Prints CPU microseconds.

    python tests/benchmarks/spiking_cost.py [--data-dir DIR] [--images 500] [--rounds 5]

The experiment "spiking", dt 0.5 ms, on the first images of MNIST, or on random strokes that make
about as many hidden neurons fire: the hidden layer once; then one variant alone, and 64 side by
side, in floating point and on devices (stochastic rounding to pulses, cycle-to-cycle noise),
through the very chunks that a sweep trains, compiled beforehand, medians of rounds in turn. CPU
time of the process, since a machine may be shared; beside it a product of two matrices in the same
rounds. A sweep runs a lane a core at least, so that one variant is a chunk of two: what that costs
is told.
"""

import argparse
import statistics
import time
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from memjax.cells import ReferenceCell
from memjax.data import Dataset, load
from memjax.devices import ConstantStep
from memjax.experiments.spiking import Spiking
from memjax.pytree import as_arrays, batched
from memjax.spiking import edge_kernels, encode, lif_trains
from memjax.sweep.engine.runner import Runner, replicated, use_all_cores


def random_images(images: int) -> Dataset:
    """Strokes of a random walk."""
    rng = np.random.default_rng(0)
    x = np.zeros((images, 28, 28), np.float32)
    for image in x:
        place = rng.integers(8, 20, 2)
        for _ in range(200):
            place = np.clip(place + rng.integers(-1, 2, 2), 3, 23)
            row, column = place
            image[row : row + 2, column : column + 2] = rng.uniform(0.6, 1.0)
    y = rng.integers(0, 10, images).astype(np.int32)
    return Dataset("strokes", x, y, x[:50], y[:50], 10)


def seconds_of(function: Any) -> float:
    """CPU time of a call."""
    started = time.process_time()
    jax.block_until_ready(function())
    return time.process_time() - started


class Epochs:
    """Epochs of so many lanes."""

    def __init__(self, network: Spiking, data: Any, lanes: int):
        devices = len(jax.local_devices())
        width = -(-lanes // devices)
        runner = Runner(network.stages(), network.columns(data), width)
        self.lanes = as_arrays(batched(network, runner.chunk))
        words = np.random.default_rng(0).integers(0, 2**32, (runner.chunk, 2), np.uint32)
        self.words, self.data, self.advance = jnp.asarray(words), data, runner.advance
        self.state = runner.init(self.lanes, self.words, data)

    def __call__(self) -> Any:
        """One epoch more."""
        stage = np.int32(0)
        self.state, _ = self.advance(self.lanes, self.state, self.words, stage, self.data)
        return self.state


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data-dir", default="")
    parser.add_argument("--images", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    use_all_cores()
    strokes = random_images(given.images)
    if given.data_dir:
        strokes = load("mnist", data_dir=given.data_dir).take(given.images, 50)
    layer = lambda x: encode(x, lif_trains(0.5), edge_kernels(), 0.5)  # noqa: E731
    spikes = layer(strokes.x_train[:64])
    hidden = [seconds_of(lambda: layer(strokes.x_train).bits) for _ in range(3)]
    print(
        f"hidden layer: {1e3 * statistics.median(hidden) / given.images:.2f} CPU ms an image, ",
        end="",
    )
    print(f"{spikes.offsets[-1] / 64:.0f} neurons fire")
    on_devices = Spiking(
        device=ConstantStep(levels=128.0, sigma_c2c=1.0), cell=ReferenceCell(weight_range=10.0)
    )
    data = replicated(on_devices.load(strokes))
    matrix = jnp.ones((1024, 1024))
    product = jax.jit(lambda a: a @ a)
    runs: dict[Any, Any] = {"product": lambda: product(matrix)}
    for name, network in (("float", on_devices.reference()), ("devices", on_devices)):
        for lanes in (1, 64):
            runs[name, lanes] = Epochs(network, data, lanes)
    for run in runs.values():
        seconds_of(run)
    found: dict[Any, list[float]] = {key: [] for key in runs}
    for _ in range(given.rounds):
        for key, run in runs.items():
            found[key].append(seconds_of(run))
    medians = {key: statistics.median(seconds) for key, seconds in found.items()}
    print(f"product of 1,024 x 1,024 matrices: {1e3 * medians['product']:.1f} CPU ms")
    for name in ("float", "devices"):
        one, many = (1e6 * medians[name, lanes] / given.images for lanes in (1, 64))
        print(
            f"{name}: one variant {one:.0f} us an image (a chunk of {len(jax.local_devices())}), "
            f"64 variants {many / 64:.0f} us an image and variant: {many / one:.1f} x one"
        )


if __name__ == "__main__":
    main()
