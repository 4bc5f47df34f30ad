"""Feeds the raw words of `memjax.random.bits` to dieharder, in the orders that matter.

    apt-get install -y dieharder
    python tests/benchmarks/random_battery.py                     # every order, every test listed
    python tests/benchmarks/random_battery.py --orders key --tests 2 15 202:3 --seed 1

Orders:
    index  elements of a draw one after the other, a block of 784*256 a step, as pulses use them
    step   four fixed elements, steps advancing: bits(fold_in(s, t), (4,)) for t = 0, 1, 2, ...
    key    one fixed element, keys advancing: bits(stream(jax.random.key(k)), (1,)), k = 0, 1, ...
    dither the second word, which makes the fast normal continuous, in the order of `index`

A test is a dieharder number, or number:ntuple. One process of dieharder at a time, one stream that
goes on from test to test. p-values outside [0.005, 0.995] print as WEAK (1 % of those of a perfect
generator), outside [1e-6, 1 - 1e-6] as FAILED; run WEAK ones again with another seed.
"""

import argparse
import collections
import re
import subprocess
import time
from collections.abc import Callable, Iterator

import jax
import jax.numpy as jnp
import numpy as np

from memjax import random

NTUPLES = {200: (1, 2, 4, 8), 201: (2, 3, 4), 202: (2, 3, 4, 5), 203: (0, 1, 7, 31)}
TESTS = [
    *map(str, (0, 1, 2, 3, 4, 8, 9, 10, 11, 12, 13, 15, 16, 100, 101, 102, 204, 207)),
    "209:12",
    *(f"{test}:{n}" for test, ns in NTUPLES.items() for n in ns),
]
LINE = re.compile(r"^\s*(\w+)\|\s*(\d+)\|\s*(\d+)\|\s*(\d+)\|\s*([\d.]+)\|\s*(PASSED|WEAK|FAILED)")


def words(order: str, seed: int) -> Iterator[np.ndarray]:
    """Blocks of words without end; `seed` is the key, or the first of the keys in their order."""
    stream = random.stream(jax.random.key(seed))

    def index_block(t):
        return random.bits(random.fold_in(stream, t), (784, 256))

    def dither_block(t):
        return random._hash(random._index((784, 256)), random.fold_in(stream, t))[1]

    def step_block(t):
        return random.bits(random.fold_in(stream, t), (4,))

    def key_block(k):
        return random.bits(random.stream(jax.random.key(k)), (1,))

    block: Callable[[jax.Array], jax.Array]
    block, count = {
        "index": (index_block, 8),
        "dither": (dither_block, 8),
        "step": (step_block, 1 << 19),
        "key": (key_block, 1 << 21),
    }[order]
    draw = jax.jit(lambda t: jax.vmap(block)(t + jnp.arange(count, dtype=jnp.uint32)))
    start = seed << 28 if order == "key" else 0
    last = {"step": 1 << 31}.get(order, 1 << 32)  # steps are below 2**31, keys below 2**32
    for number in range(last // count):
        yield np.asarray(draw(np.uint32((start + number * count) & 0xFFFFFFFF)))


def battery(order: str, tests: list[str], seed: int) -> collections.Counter[str]:
    """Runs the tests one by one on one order; prints a line a p-value, returns the verdicts."""
    verdicts: collections.Counter[str] = collections.Counter()
    blocks = words(order, seed)
    for test in tests:
        number, _, ntuple = test.partition(":")
        command = ["dieharder", "-g", "200", "-d", number, *(["-n", ntuple] if ntuple else [])]
        begin = time.perf_counter()
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            assert process.stdin is not None and process.stdout is not None
            try:
                for block in blocks:
                    process.stdin.write(memoryview(block).cast("B"))
                process.kill()
                raise RuntimeError(f"the words of order {order} ran out; take fewer tests")
            except BrokenPipeError:
                pass
            output = process.stdout.read().decode()
        found = [match.groups() for match in map(LINE.match, output.splitlines()) if match]
        if not found:
            raise RuntimeError(f"no p-value from {' '.join(command)}: {output}")
        for name, tuples, _, _, p, verdict in found:
            verdicts[verdict] += 1
            print(f"{order:6} {test:6} {name:22} {tuples:>3} p={p} {verdict}", flush=True)
        print(f"{order:6} {test:6} {time.perf_counter() - begin:.1f} s", flush=True)
    return verdicts


def main() -> None:
    """Parses the command line and prints the verdicts of each order."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--orders", nargs="+", default=["index", "step", "key"])
    parser.add_argument("--tests", nargs="+", default=TESTS)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    for order in arguments.orders:
        verdicts = battery(order, arguments.tests, arguments.seed)
        print(f"{order}: {dict(verdicts)}", flush=True)


if __name__ == "__main__":
    main()
