"""What hardware-aware training costs: CPU seconds of an epoch, and over those of a digital one.

    OMP_NUM_THREADS=1 taskset -c 0 python tests/benchmarks/hardware_aware_training.py [--rounds 3]

A CNN of 7,018 parameters (two strided 3 x 3 convolutions and a classifier) on random images of
MNIST's size, Adam, batches of 64, one thread; the least of some rounds, in turn, compiled
beforehand. Convolutions are products with patches, with which a digital epoch is fastest on a CPU.
``published``: CrossSim 3.2.0, which programs its arrays anew after each update.
"""

import argparse
import time
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import optax

from memjax.crossbar import (
    Array,
    Cells,
    Proportional,
    WeightNoise,
    clip_weights,
    convert,
    programmed_weights,
)
from memjax.experiments.convolutions import as_products

STEPS, BATCH = 750, 64
CELLS = Cells(programming=Proportional(sigma=0.3))
FAST = Cells(programming=Proportional(sigma=0.3, law="fast_normal"))
HELD = Array(on_off=10.0, levels=128, scale="layer")
CONVERTED = Array(on_off=10.0, levels=128, dac_bits=8, adc_bits=8, input_scale="abs_max")
ANEW = "programmed anew each update"
PUBLISHED = {ANEW: "2.8"}


def network(params: Any, x: Any) -> Any:
    """Scores of images."""
    for name in ("first", "second"):
        numbers = ("NHWC", "HWIO", "NHWC")
        x = jax.lax.conv_general_dilated(
            x, params[name]["kernel"], (2, 2), "VALID", dimension_numbers=numbers
        )
        x = jax.nn.relu(x + params[name]["bias"])
    return x.reshape(len(x), -1) @ params["out"]["kernel"] + params["out"]["bias"]


def initial(key: Any) -> Any:
    """Weights of the network."""
    shapes = {"first": (3, 3, 1, 8), "second": (3, 3, 8, 16), "out": (576, 10)}
    of = jax.nn.initializers.lecun_normal()
    return {
        name: {"kernel": of(jax.random.fold_in(key, i), shape), "bias": jnp.zeros(shape[-1])}
        for i, (name, shape) in enumerate(shapes.items())
    }


def epoch(forward: Callable[..., Any], tx: optax.GradientTransformation) -> Callable[..., Any]:
    """A compiled epoch; ``forward`` takes weights, inputs and a key."""

    def step(carry: Any, now: Any) -> tuple[Any, Any]:
        params, state = carry
        x, y, key = now

        def loss(params: Any) -> Any:
            scores = forward(params, x, key)
            return optax.softmax_cross_entropy_with_integer_labels(scores, y).mean()

        value, grads = jax.value_and_grad(loss)(params)
        updates, state = tx.update(grads, state, params)
        return (optax.apply_updates(params, updates), state), value

    @jax.jit
    def run(params: Any, x: Any, y: Any, key: Any) -> Any:
        keys = jax.random.split(key, len(x))
        return jax.lax.scan(step, (params, tx.init(params)), (x, y, keys))

    return run


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description="the cost of hardware-aware training")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=STEPS, help="updates an epoch")
    options = parser.parse_args()
    x = jax.random.uniform(jax.random.key(0), (options.steps, BATCH, 28, 28, 1))
    y = jax.random.randint(jax.random.key(1), (options.steps, BATCH), 0, 10)
    params, adam = initial(jax.random.key(2)), optax.adam(1e-3)
    fast = as_products(network)
    noisy, clipped = WeightNoise(sigma=0.1), optax.chain(adam, clip_weights(2.5))
    seen, cheap = (
        programmed_weights((network, params), HELD, cells, inputs=x[0]) for cells in (CELLS, FAST)
    )

    def through(params: Any, x: Any, key: Any) -> Any:
        return convert((network, params), CONVERTED, FAST, key=key)(x)

    cases = {
        "digital": epoch(lambda params, x, key: fast(params, x), adam),
        "noise on weights": epoch(lambda params, x, key: fast(noisy(params, key), x), adam),
        "noise, clipped weights": epoch(
            lambda params, x, key: fast(noisy(params, key), x), clipped
        ),
        ANEW: epoch(lambda params, x, key: fast(seen(params, key), x), adam),
        f"{ANEW}, law = fast_normal": epoch(
            lambda params, x, key: fast(cheap(params, key), x), adam
        ),
        f"{ANEW}, 8-bit converters": epoch(through, adam),
    }
    spent: dict[str, list[float]] = {name: [] for name in cases}
    for round_number in range(options.rounds + 1):
        for name, run in cases.items():
            start = time.process_time()
            jax.block_until_ready(run(params, x, y, jax.random.key(round_number)))
            if round_number:
                spent[name].append(time.process_time() - start)
    digital = min(spent["digital"])
    print("| training | CPU s an epoch | of digital | published |\n|---|---:|---:|---:|")
    for name, seconds in spent.items():
        least = min(seconds)
        share = f"{least / digital:.2f}"
        print(f"| {name} | {least:.2f} | {share} | {PUBLISHED.get(name, '')} |")


if __name__ == "__main__":
    main()
