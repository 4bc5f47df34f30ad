"""A trained CNN on arrays, beside published accuracies of CrossSim and aihwkit on the same network.

    python tests/benchmarks/arrays_on_mnist.py --net NET.npz --data-dir DIR [--draws 10]

NET.npz holds a network in PyTorch's layouts: two 3 x 3 convolutions of stride 2 and 8 and 16
channels, and a classifier, ``0_weight 0_bias 2_weight 2_bias 5_weight 5_bias``. Each draw programs
devices of its own and looks at all 10,000 test images, 8 draws side by side and 20 images at a
time; times are CPU seconds of a draw, compiled, of all threads. The peers' figures are of CrossSim
3.2.0 and aihwkit 1.1.0, run on one thread. Last, a perceptron 784-256-128-10 of random weights on
tiles of 128 x 128 with exact wires and reads of PCM, programmed once: CPU seconds for 1,000 inputs.
"""

import argparse
import dataclasses
import time
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from memjax.crossbar import (
    PCM,
    Array,
    Cells,
    Independent,
    PCMDrift,
    Proportional,
    Wires,
    convert,
)
from memjax.experiments import Images
from memjax.experiments.pieces import in_pieces

LANES, AT_ONCE = 8, 20

CROSSSIM = Array(on_off=10.0, levels=2**7, scale="layer")
AIHWKIT = Array(
    dac_bits=8,
    adc_bits=8,
    adc_range="fixed",
    adc_high=10.0,
    input_scale="abs_max",
    out_noise=0.04,
    w_noise=0.0175,
    w_noise_kind="pcm_read",
)
PCM_CELLS = Cells(programming=PCM(), drift=PCMDrift(), compensation=True)
# What: array, cells, seconds since programming, the peer's accuracy.
CASES = {
    "proportional 0.3, 7-bit cells, on/off 10": (
        CROSSSIM, Cells(programming=Proportional(sigma=0.3)), None, "CrossSim 87.0 ± 3.6",
    ),
    "independent 0.3, the same": (
        CROSSSIM, Cells(programming=Independent(sigma=0.3)), None, "CrossSim 17.2 ± 3.4",
    ),
    "PCM, 8-bit converters, compensated, 1 s": (AIHWKIT, PCM_CELLS, 1.0, "aihwkit 97.0 ± 0.2"),
    "1 hour": (AIHWKIT, PCM_CELLS, 3600.0, "aihwkit 96.9 ± 0.2"),
    "1 day": (AIHWKIT, PCM_CELLS, 86_400.0, "aihwkit 96.0 ± 0.6"),
    "1 year": (AIHWKIT, PCM_CELLS, 31_536_000.0, "aihwkit 94.4 ± 1.0"),
}  # fmt: skip


def network(params: dict, x: jax.Array) -> jax.Array:
    """Scores of images ``[n, 28, 28, 1]``."""
    for layer in ("0", "2"):
        kernel = jnp.transpose(params[f"{layer}_weight"], (2, 3, 1, 0))
        numbers = ("NHWC", "HWIO", "NHWC")
        x = jax.lax.conv_general_dilated(x, kernel, (2, 2), "VALID", dimension_numbers=numbers)
        x = jax.nn.relu(x + params[f"{layer}_bias"])
    x = jnp.transpose(x, (0, 3, 1, 2)).reshape(len(x), -1)  # channel, row, column
    return x @ params["5_weight"].T + params["5_bias"]


class Given(NamedTuple):
    """What the command line names."""

    params: dict
    x: jax.Array
    y: jax.Array
    some: jax.Array
    draws: int


def given(description: str, draws: int) -> Given:
    """The network, the test set, some training images, and how many draws of each case."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--net", required=True, help="the .npz file")
    parser.add_argument("--data-dir", required=True, help="MNIST's IDX files")
    parser.add_argument("--draws", type=int, default=draws, help="programmings of each case")
    options = parser.parse_args()
    with np.load(options.net) as arrays:
        params = {name: jnp.asarray(arrays[name]) for name in arrays.files}
    data = Images(name="mnist", dir=options.data_dir).load(None)
    x, some = (
        jnp.asarray(images, jnp.float32).reshape(-1, 28, 28, 1)
        for images in (data.x_test, data.x_train[:100])
    )
    return Given(params, x, jnp.asarray(data.y_test), some, options.draws)


def main() -> None:
    """Prints the table."""
    params, x, y, _, draws = given("A trained CNN on arrays.", 10)
    digital = jnp.argmax(jax.jit(network)(params, x), axis=1)
    print(f"digital: {100 * float((digital == y).mean()):.2f} %\n")
    print("| devices | memjax, % | published, % | CPU s a draw |\n|---|---:|---:|---:|")
    for name, (array, cells, seconds, published) in CASES.items():

        def accuracy(key, x, y, array=array, cells=cells, seconds=seconds):
            analog = convert((network, params), array, cells, key=key, inputs=x[:1])
            analog = analog if seconds is None else analog.at(seconds)

            def scores(number, images):
                return analog(images, key=jax.random.fold_in(key, number))

            answers = jnp.argmax(in_pieces(scores, x, AT_ONCE), axis=1)
            return 100.0 * jnp.mean((answers == y).astype(jnp.float32))

        lanes = jax.jit(jax.vmap(accuracy, (0, None, None)))
        keys = jax.random.split(jax.random.key(1), (-(-draws // LANES), LANES))
        lanes(keys[0], x, y).block_until_ready()
        start = time.process_time()
        found = np.concatenate([lanes(some, x, y) for some in keys])[:draws]
        each = (time.process_time() - start) / keys.size
        sd = np.std(found, ddof=1)
        print(f"| {name} | {np.mean(found):.1f} ± {sd:.1f} | {published} | {each:.2f} |")
    print(f"\nperceptron with wires, 1,000 inputs: {wired_seconds():.3f} CPU s")


def wired_seconds() -> float:
    """CPU seconds of 1,000 inputs to a perceptron with wires."""
    sizes = (784, 256, 128, 10)
    keys = jax.random.split(jax.random.key(0), len(sizes))
    layers = zip(keys[:-1], sizes[:-1], sizes[1:], strict=True)
    weights = {f"w{n}": jax.random.normal(k, (a, b)) / a**0.5 for n, (k, a, b) in enumerate(layers)}

    def perceptron(params: dict, x: jax.Array) -> jax.Array:
        for n in range(2):
            x = jax.nn.relu(x @ params[f"w{n}"])
        return x @ params["w2"]

    array = dataclasses.replace(AIHWKIT, tile_rows=128, tile_columns=128)
    x = jax.random.uniform(keys[-1], (1000, 784))
    model, wires = (perceptron, weights), Wires(r_row=0.35, r_column=0.35)
    analog = convert(model, array, PCM_CELLS, key=keys[-1], wires=wires, inputs=x[:1]).at("1 day")
    call = jax.jit(lambda analog, x, key: analog(x, key=key))
    call(analog, x, keys[0]).block_until_ready()
    start = time.process_time()
    for n in range(10):
        call(analog, x, jax.random.key(n)).block_until_ready()
    return (time.process_time() - start) / 10


if __name__ == "__main__":
    main()
