"""What range should an array have? Accuracy of a CNN with batch norm over the room of ``"fit"``.

    python tests/benchmarks/weight_range.py [--data-dir DIR]

600 updates of 64 images (MNIST from IDX files, or the embedded digits), pulsed SGD at 0.1 on soft
bounds; mean and range of three seeds, chance 10 %. ``room`` is the least range in largest initial
weights; R = 0.5 and 1 are the same for all arrays.
"""

import argparse
import warnings

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx

import memjax
from memjax.data import load
from memjax.updates import digital_scale

UPDATES, BATCH, SEEDS = 600, 64, 3


class CNN(nnx.Module):
    """Two strided convolutions with batch norm, and a classifier."""

    def __init__(self, side: int, rngs: nnx.Rngs):
        self.first = nnx.Conv(1, 8, (3, 3), strides=2, rngs=rngs)
        self.norm = nnx.BatchNorm(8, rngs=rngs)
        self.second = nnx.Conv(8, 16, (3, 3), strides=2, rngs=rngs)
        self.other_norm = nnx.BatchNorm(16, rngs=rngs)
        self.out = nnx.Linear(16 * (-(-side // 4)) ** 2, 10, rngs=rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        """Scores of images."""
        x = nnx.relu(self.norm(self.first(x)))
        x = nnx.relu(self.other_norm(self.second(x)))
        return self.out(x.reshape(len(x), -1))


@nnx.jit
def step(model, optimizer, x, y):
    """One update."""

    def loss(model):
        return optax.softmax_cross_entropy_with_integer_labels(model(x), y).mean()

    optimizer.update(model, nnx.grad(loss)(model))


@nnx.jit
def answers(model, x):
    """The classes of images."""
    return model(x).argmax(1)


def accuracy(tx, seed, data):
    """Of the test set, in percent, after all updates."""
    model = CNN(data.x_train.shape[1], nnx.Rngs(seed))
    model.train()
    optimizer = nnx.Optimizer(model, tx, wrt=nnx.Param)
    rng = np.random.default_rng(seed)
    for _ in range(UPDATES):
        chosen = rng.integers(0, len(data.x_train), BATCH)
        x, y = data.x_train[chosen, ..., None], data.y_train[chosen]
        step(model, optimizer, jnp.asarray(x), jnp.asarray(y))
    model.eval()
    pieces = np.array_split(data.x_test[..., None], max(1, len(data.x_test) // 1000))
    found = np.concatenate([np.asarray(answers(model, jnp.asarray(x))) for x in pieces])
    return 100 * np.mean(found == data.y_test)


def main() -> None:
    """Trains all and prints a table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--data-dir")
    folder = parser.parse_args().data_dir
    data = load("mnist", data_dir=folder) if folder else load()
    warnings.simplefilter("ignore", memjax.DevicesWarning)
    devices = {
        "200 levels, sigma_c2c 0.3": memjax.devices.SoftBounds(
            levels=200, sigma_c2c=0.3, sigma_d2d=0.1
        ),
        "40 levels, sigma_c2c 0.5": memjax.devices.SoftBounds(
            levels=40, sigma_c2c=0.5, sigma_d2d=0.1
        ),
    }
    print("| range | " + " | ".join(devices) + " |")
    print("|---|" + "---:|" * len(devices))
    rows = {f"fit, room {room:g}": (room, "fit") for room in (1.25, 2, 4, 8)}
    rows |= {f"R = {r:g}": (digital_scale.ROOM, r) for r in (0.5, 1.0)}
    for name, (room, weight_range) in rows.items():
        digital_scale.ROOM = room
        cells = []
        for device in devices.values():
            found = []
            for seed in range(SEEDS):
                tx = memjax.memristive_sgd(
                    0.1, device, key=jax.random.key(seed), weight_range=weight_range
                )
                found.append(accuracy(tx, seed, data))
            cells.append(f"{np.mean(found):.1f} ({min(found):.1f} to {max(found):.1f})")
        print(f"| {name} | " + " | ".join(cells) + " |", flush=True)
    found = [accuracy(optax.sgd(0.1), seed, data) for seed in range(SEEDS)]
    print(f"floating point: {np.mean(found):.1f} ({min(found):.1f} to {max(found):.1f})")


if __name__ == "__main__":
    main()
