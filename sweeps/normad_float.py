"""NormAD in floating point, epoch by epoch: the network that device variants are compared with.

    python sweeps/normad_float.py --data-dir DIR [--images 60000] [--epochs 20] [--weights F.npy]

One lane on one core: the accuracy on all test images, and the CPU time of each epoch.
"""

import argparse
import time

import jax
import numpy as np

from memjax.experiments import Images
from memjax.experiments.spiking import Spiking
from memjax.experiments.spiking_sections import NormADTraining


def main() -> None:
    """Trains and prints."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data-dir", default="")
    parser.add_argument("--images", type=int, default=60_000)
    parser.add_argument("--tests", type=int, default=10_000)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--rate", type=float, default=0.2)
    parser.add_argument("--weights", default="", help="an .npy file to keep them in, in nA")
    given = parser.parse_args()
    network = Spiking(
        train=NormADTraining(epochs=given.epochs, learning_rate=np.float32(given.rate)),
        data=Images(
            name="mnist", dir=given.data_dir, train_size=given.images, test_size=given.tests
        ),
    ).reference()
    data = jax.device_put(network.load())
    print(f"hidden spikes: {time.process_time():.0f} CPU s", flush=True)
    advance, evaluate = (
        jax.jit(network.advance, donate_argnums=0),
        jax.jit(network.evaluate, static_argnames="last"),
    )
    words = np.zeros(2, np.uint32)
    state = jax.jit(network.init)(words, data)
    for epoch in range(given.epochs):
        started = time.process_time()
        state, learnt = advance(state, words, np.int32(epoch), data)
        jax.block_until_ready(state)
        trained = time.process_time()
        found = evaluate(state, words, np.int32(epoch), data, last=False)
        weights = np.asarray(state.weights)
        if given.weights:
            np.save(given.weights, weights)
        print(
            f"epoch {epoch + 1:2d}: test {100 * float(found['test_accuracy']):.2f} %, "
            f"ties {100 * float(found['test_ties']):.2f} %, "
            f"train {100 * float(learnt['train_accuracy']):.2f} %, "
            f"errors {float(learnt['spike_errors']):.1f} spikes/image, "
            f"weights sd {weights.std():.2f}, {weights.min():.2f} .. {weights.max():.2f} nA, "
            f"{(took := trained - started):.0f} CPU s, {1e6 * took / given.images:.0f} us/image",
            flush=True,
        )


if __name__ == "__main__":
    main()
