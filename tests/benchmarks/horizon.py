"""What programming for a horizon gains on a trained CNN of phase-change memory.

    python tests/benchmarks/horizon.py --net NET.npz --data-dir DIR [--draws 8]

NET.npz as of ``arrays_on_mnist.py``, whose network, converters and cells these are; a pair a
weight, and two whose significances begin alike. Accuracies of 10,000 test images, programmed as
before and for the horizon, of the same draws of devices.
"""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
from arrays_on_mnist import AIHWKIT, PCM_CELLS, given, network

from memjax.crossbar import convert, program_for
from memjax.experiments.pieces import in_pieces


def main() -> None:
    """Prints the table."""
    params, x, y, some, draws = given("Programming for a horizon.", 8)

    @jax.jit
    def accuracy(analog, key):
        def scores(number, images):
            return analog(images, key=jax.random.fold_in(key, number))

        return 100.0 * jnp.mean(jnp.argmax(in_pieces(scores, x, 50), axis=1) == y)

    print("| horizon | pairs | as before, % | for the horizon, % | omega, ratio of significances |")
    print("|---|---|---:|---:|---|")
    for time in ("1 s", "1 day", "1 year"):
        for pairs in (1, 2):
            array = dataclasses.replace(AIHWKIT, significance=jnp.ones(2) if pairs == 2 else None)
            found: dict = {"before": [], "after": []}
            search = None
            for draw in range(draws):
                key = jax.random.key(100 + draw)
                analog = convert((network, params), array, PCM_CELLS, key=key, inputs=some[:1])
                if search is None:
                    search = program_for(analog, some, time=time, key=jax.random.key(5)).arrays
                after = analog.replace(arrays=search).program(some[:1])
                for name, one in (("before", analog), ("after", after)):
                    found[name].append(float(accuracy(one.at(time), jax.random.key(draw))))
            means = [f"{np.mean(each):.2f} ± {np.std(each, ddof=1):.2f}" for each in found.values()]
            numbers = "; ".join(
                " ".join(f"{float(n):.2f}" for n in (one.omega, *_ratio(one.significance)))
                for one in search.values()
            )
            print(f"| {time} | {pairs} | {' | '.join(means)} | {numbers} |", flush=True)


def _ratio(significance):
    """Of two pairs."""
    return () if significance is None else (significance[1] / significance[0],)


if __name__ == "__main__":
    main()
