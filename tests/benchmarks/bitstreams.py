"""CPU time of bitstreams beside a NumPy loop and UnarySim.

``python tests/benchmarks/bitstreams.py [--unarysim PYTHON SOURCE]``: 10,000 pairs of streams of 256
(and 4,096) bits, p = 0.6 and 0.3, their AND, and its count, in nanoseconds of CPU time a bit or a
pair of bits: the median of seven runs after one. ``PYTHON`` is an interpreter with PyTorch, and
``SOURCE`` a folder that holds UnarySim's repository as ``UnarySim``.

NumPy draws a uniform number a bit, a bit of all streams at a time. UnarySim compares all streams
with one number a bit, of a Sobol sequence of 256 that it has drawn beforehand: its streams of one
input are therefore nested, those of the two inputs are not.
"""

import argparse
import subprocess
import sys
import time
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np

from memjax import bitstreams
from memjax.bitstreams import Bitstream, SwitchingDevice

PAIRS, LENGTHS, RUNS = 10_000, (256, 4096), 7
P, Q = 0.6, 0.3

UNARYSIM = """
import statistics, sys, time, types
sys.path.insert(0, sys.argv[1])
sys.modules["pylfsr"] = types.SimpleNamespace(LFSR=None)  # of another source of numbers
import torch
from UnarySim.stream.gen import RNG, BinGen, BSGen
pairs, n, runs, p, q = int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]), 0.6, 0.3
width = n.bit_length() - 1
gens = []
for dim, value in ((1, p), (2, q)):
    rng = RNG(dict(width=width, dimr=dim, rng="Sobol"))()
    source = torch.full((pairs,), value)
    gens.append(BSGen(BinGen(source, dict(width=width, mode="unipolar"))(), rng))
cycles = [torch.tensor([c]) for c in range(n)]
def generate():
    for c in cycles:
        gens[0](c)
def gate():
    total = torch.zeros(pairs)
    for c in cycles:
        total += gens[0](c) * gens[1](c)
    return total
with torch.no_grad():
    for work in (generate, gate):
        work()
        found = []
        for _ in range(runs):
            start = time.process_time()
            total = work()
            found.append(time.process_time() - start)
        print(1e9 * statistics.median(found) / pairs / n)
"""


def cpu_ns(work: Callable[[], object], bits: int) -> float:
    """The median CPU time of a run after one, a bit."""
    jax.block_until_ready(work())
    found = []
    for _ in range(RUNS):
        start = time.process_time()
        jax.block_until_ready(work())
        found.append(time.process_time() - start)
    return 1e9 * float(np.median(found)) / bits


def numpy_generate(n: int) -> None:
    rng = np.random.default_rng(0)
    for _ in range(n):
        np.less(rng.random(PAIRS, np.float32), P)


def numpy_gate(n: int) -> np.ndarray:
    rng, total = np.random.default_rng(0), np.zeros(PAIRS, np.int32)
    for _ in range(n):
        total += (rng.random(PAIRS, np.float32) < P) & (rng.random(PAIRS, np.float32) < Q)
    return total


def memjax_times(n: int) -> dict[str, float]:
    key, device = jax.random.key(0), SwitchingDevice()
    p, q = jnp.full(PAIRS, P), jnp.full(PAIRS, Q)
    x, y = bitstreams.encode(device, p, q, n, key)
    gate = jax.jit(lambda x, y: (x & y).count)
    lasting = SwitchingDevice(sigma_v0_c2c=0.02, rho=0.9)

    @jax.jit
    def whole(p: jax.Array, q: jax.Array, key: jax.Array) -> jax.Array:
        a, b = bitstreams.encode(device, p, q, n, key)
        return (a & b).count

    draw = jax.jit(lambda key: bitstreams.counts(P * Q, n, key, (PAIRS,)))
    bits = PAIRS * n
    return {
        "generate, ns a bit": cpu_ns(lambda: bitstreams.generate(device, p, n, key), bits),
        "generate, rho = 0.9": cpu_ns(lambda: bitstreams.generate(lasting, p, n, key), bits),
        "AND and count of packed words, ns a pair": cpu_ns(lambda: gate(x, y), bits),
        "generate two, AND, count, ns a pair": cpu_ns(lambda: whole(p, q, key), bits),
        "the count alone, binomial, ns a pair": cpu_ns(lambda: draw(key), bits),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--unarysim", nargs=2, metavar=("PYTHON", "SOURCE"))
    unarysim = parser.parse_args().unarysim
    assert isinstance(bitstreams.generate(SwitchingDevice(), 0.5, 8, jax.random.key(0)), Bitstream)
    print("| | " + " | ".join(f"{n} bits" for n in LENGTHS) + " |")
    print("|---|" + "---:|" * len(LENGTHS))
    rows: dict[str, list[float]] = {}
    for n in LENGTHS:
        found = {f"memjax: {name}": ns for name, ns in memjax_times(n).items()}
        found["NumPy: generate"] = cpu_ns(lambda n=n: numpy_generate(n), PAIRS * n)
        found["NumPy: generate two, AND, count"] = cpu_ns(lambda n=n: numpy_gate(n), PAIRS * n)
        if unarysim:
            python, source = unarysim
            told = subprocess.run(
                [python, "-c", UNARYSIM, source, str(PAIRS), str(n), str(RUNS)],
                stdout=subprocess.PIPE,
                stderr=sys.stderr,
                check=True,
                text=True,
            ).stdout.split()
            found["UnarySim: generate"], found["UnarySim: generate two, AND, count"] = map(
                float, told
            )
        for name, ns in found.items():
            rows.setdefault(name, []).append(ns)
    for name, values in rows.items():
        print(f"| {name} | " + " | ".join(f"{ns:.3f}" for ns in values) + " |")


if __name__ == "__main__":
    main()
