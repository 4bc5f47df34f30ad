"""What products through the array cost a training: python tests/benchmarks/in_situ.py

Steps of sweeps/neurosim_mlp.toml (400-100-10, batch 1) on images made up, one lane, one thread;
CPU time, the least of five epochs.
"""

import dataclasses
import os
import time
from pathlib import Path

os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false")

import jax
import jax.numpy as jnp
import numpy as np

from memjax.crossbar import InSituArray
from memjax.experiments import Labelled, Samples
from memjax.pytree import as_arrays
from memjax.sweep import Spec

STEPS = 4000


def microseconds(lane, data) -> float:
    """Of a step."""
    words = jnp.array([1, 2], jnp.uint32)
    state = jax.jit(lane.init)(words, data)
    epoch = jax.jit(lambda lane, state, data: lane.advance(state, words, jnp.int32(0), data))
    epoch = epoch.lower(lane, state, data).compile()
    best = np.inf
    for _ in range(5):
        begun = time.process_time()
        jax.block_until_ready(epoch(lane, state, data))
        best = min(best, time.process_time() - begun)
    return best / STEPS * 1e6


def main() -> None:
    """Prints a line an array."""
    spec = Spec.from_toml(Path(__file__).parents[2] / "sweeps/neurosim_mlp.toml")
    lane, rng = spec.first(), np.random.default_rng(0)
    x = (rng.random((STEPS, 400)) < 0.2).astype(np.float32)
    samples = Samples(jnp.asarray(x), jnp.asarray(rng.integers(0, 10, STEPS), jnp.int32))
    data = Labelled(samples, samples, None, "made up", 10)
    lane = dataclasses.replace(lane, train=dataclasses.replace(lane.train, epoch_samples=STEPS))
    arrays = {
        "without [array]": InSituArray(),
        "I - I_ref, converted": InSituArray(adc_bits=8),
        "as the study": lane.array,
        "as the study, 15 kOhm": dataclasses.replace(lane.array, r_access=15e3),
    }
    for name, array in arrays.items():
        took = microseconds(as_arrays(dataclasses.replace(lane, array=array)), data)
        print(f"{name:24} {took:6.1f} us a step", flush=True)


if __name__ == "__main__":
    main()
