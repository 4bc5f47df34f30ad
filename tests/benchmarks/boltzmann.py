"""CPU milliseconds of an update: an RBM on devices beside scikit-learn's in floating point.

    python tests/benchmarks/boltzmann.py

One thread, a batch of 100 random images of 784 pixels, 300 hidden units; CPU time of the process,
medians of turns that alternate. scikit-learn's ``BernoulliRBM`` learns by persistent chains, one a
sample, in floating point; so does the first of ours. The others are the experiment's: a
discriminative 784-300-10, pairs of ``Ernoult`` devices, one chain or 20 of them.
"""

import os

os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false"
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import statistics
import time
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
import optax
from sklearn.neural_network import BernoulliRBM

from memjax.boltzmann import DRBM, RBM
from memjax.cells import DifferentialPair
from memjax.devices import Ernoult
from memjax.updates import Manhattan, RProp

BATCH, UPDATES, TURNS = 100, 20, 7
KEY = jax.random.key(0)
X = np.random.default_rng(0).random((UPDATES, BATCH, 784), np.float32)
X *= np.random.default_rng(1).random(X.shape) < 0.2
Y = np.arange(BATCH, dtype=np.int32) % 10


def scikit_learn(dtype: type) -> Callable[[], None]:
    machine, x = BernoulliRBM(300, learning_rate=0.1, random_state=0), X.astype(dtype)
    machine.partial_fit(x[0])

    def updates() -> None:
        for batch in x:
            machine.partial_fit(batch)

    return updates


def many(update: Callable, state: tuple) -> Callable[[], None]:
    """Updates of a scan, which is compiled beforehand."""
    program = jax.jit(lambda state, x: jax.lax.scan(update, state, x)[0], donate_argnums=0)
    box = [jax.block_until_ready(program(state, X))]

    def updates() -> None:
        box[0] = jax.block_until_ready(program(box[0], X))

    return updates


def persistent() -> Callable[[], None]:
    rbm = RBM(visible=784, hidden=300, expected=True)
    params = rbm.init(KEY)

    def update(state: tuple, x: jax.Array) -> tuple[tuple, None]:
        params, chains, count = state
        key = jax.random.fold_in(KEY, count)
        gradient, chains = rbm.pcd_gradient(params, x, chains, key)
        params = jax.tree.map(lambda w, g: w - 0.1 * g, params, gradient)
        return (params, chains, count + 1), None

    return many(update, (params, rbm.init_chains(KEY, BATCH), jnp.int32(0)))


def on_devices(
    algorithm: Manhattan | RProp, held: str, chains: int = 1, products: str = "halves"
) -> Callable[[], None]:
    drbm = DRBM(visible=784, classes=10, hidden=300, products=products)
    device, cell = Ernoult(levels=1000, beta=0.005), DifferentialPair(weight_range=0.92, held=held)
    tx = algorithm.bare(device, key=KEY, cell=cell)
    params = drbm.init(KEY, sd=0.0762)

    def update(state: tuple, x: jax.Array) -> tuple[tuple, None]:
        params, opt_state, count = state
        key = jax.random.fold_in(KEY, count)
        gradient = drbm.cd_gradient(params, (x, jnp.asarray(Y)), key, 1, chains)
        wanted = jax.tree.map(jnp.negative, gradient)
        change, opt_state = tx.update(wanted, opt_state, params)
        return (optax.apply_updates(params, change), opt_state, count + 1), None

    return many(update, (params, tx.init(params), jnp.int32(0)))


def main() -> None:
    """Prints a table."""
    rows = {
        "scikit-learn, float64": scikit_learn(np.float64),
        "scikit-learn, float32": scikit_learn(np.float32),
        "RBM in floating point, persistent chains": persistent(),
        "DRBM on devices, Cst": on_devices(Manhattan(), "translated"),
        "  products in float32": on_devices(Manhattan(), "translated", products="float32"),
        "  conductances held": on_devices(Manhattan(), "conductance"),
        "DRBM on devices, RProp": on_devices(RProp(), "translated"),
        "DRBM on devices, Cst, 20 chains": on_devices(Manhattan(), "translated", chains=20),
    }
    spent: dict[str, list[float]] = {name: [] for name in rows}
    for _ in range(TURNS):
        for name, updates in rows.items():
            start = time.process_time()
            updates()
            spent[name].append((time.process_time() - start) / UPDATES * 1e3)
    own = statistics.median(spent["DRBM on devices, Cst"])
    print(f"{'':42} {'ms':>6} {'of Cst':>7}")
    for name, times in spent.items():
        median = statistics.median(times)
        print(f"{name:42} {median:6.2f} {median / own:7.2f}")


if __name__ == "__main__":
    main()
