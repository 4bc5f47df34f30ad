"""What does an update of a large model cost? Its time over that of pulsed SGD's, and its state.

    python tests/benchmarks/update_cost.py [--side 5000]

One kernel of side x side weights (25 million) on soft bounds with cycle-to-cycle and device-to-
device spread; jitted updates whose state is donated, algorithms in turn, medians of five rounds.
"""

import argparse
import statistics
import time
import warnings

import jax
import jax.numpy as jnp

import memjax

NAMES = (
    "memristive_sgd",
    "mixed_precision",
    "tiki_taka",
    "tiki_taka_v2",
    "chopped_tiki_taka",
    "agad",
)
ROUNDS = 5


def seconds(make):
    """The time that something takes, and what it gives."""
    start = time.perf_counter()
    made = jax.block_until_ready(make())
    return time.perf_counter() - start, made


def main() -> None:
    """Measures and prints a table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--side", type=int, default=5000)
    side = parser.parse_args().side
    warnings.simplefilter("ignore", memjax.DevicesWarning)
    device = memjax.devices.SoftBounds(levels=200, sigma_c2c=0.3, sigma_d2d=0.1)
    params = {"kernel": jnp.zeros((side, side))}
    grads = {"kernel": jnp.full((side, side), 1e-3)}
    init, update, arrays = {}, {}, {}
    for name in NAMES:
        tx = getattr(memjax, name)(0.1, device, key=jax.random.key(0), watch=True)
        begin, step = jax.jit(tx.init), jax.jit(tx.update, donate_argnums=1)
        jax.block_until_ready(begin(params))
        init[name] = statistics.median(seconds(lambda b=begin: b(params))[0] for _ in range(3))
        state = begin(params)
        arrays[name] = sum(leaf.nbytes for leaf in jax.tree.leaves(state)) / (4 * side * side)
        times = []
        for _ in range(ROUNDS + 1):
            taken, (_, state) = seconds(lambda s=step, t=state: s(grads, t, params))
            times.append(taken)
        update[name] = statistics.median(times[1:])
        del state
    print("| algorithm | update, of sgd's | init, of sgd's | state, arrays a weight |")
    print("|---|---:|---:|---:|")
    for name in NAMES:
        of = [times[name] / times["memristive_sgd"] for times in (update, init)]
        print(f"| {name} | {of[0]:.1f} | {of[1]:.1f} | {arrays[name]:.1f} |")
    print(f"memristive_sgd: {update['memristive_sgd']:.2f} s an update")


if __name__ == "__main__":
    main()
