"""Correlation detection: ``python tests/benchmarks/correlation_detection.py``.

A 5 x 5 tile sees inputs x and errors -d, both normal, with ``d = 0.4 x + 0.6 noise``: the diagonal
of the wanted change ``0.1 x d^T`` is drawn upwards, all else has mean 0. Devices are soft bounds
with a reference, a step of 0.1 in weights of -1 to 1, and spread and noise of 30 %; the reference
is each device's symmetry point but for an error, whose sd is a fraction of the range. Transfers
take 0.02 of what they read. Printed, after 5,000 updates, an algorithm a row:
the separation ``(mean of the diagonal - mean of the rest) / sd of the rest``, its mean and standard
deviation over seeds, and how often the least of the diagonal exceeds the largest of the rest.
"""

import argparse
import sys
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

from memjax.cells import ReferenceCell
from memjax.devices import Device, SoftBoundsReference
from memjax.updates import ALGORITHMS, Algorithm, Transfer, in_situ

SIDE, RATE, TRANSFER = 5, 0.1, 0.02


def device(error: Any) -> Device:
    """Soft bounds of 21 levels whose references miss the symmetry points by an sd of the range."""
    return SoftBoundsReference(
        levels=21,
        sigma_c2c=0.3,
        sigma_d2d=0.3,
        sigma_up_down=0.01,
        sigma_bounds=0.3,
        at_symmetry_point="yes",
        sigma_reference=error,
    )


def train(algorithm: Algorithm, errors: list[float], *, seeds: int, updates: int) -> np.ndarray:
    """The weights at the end, ``[errors, seeds, 5, 5]``."""

    def run(error: Any, seed: Any) -> Any:
        ours, draws = jax.random.split(jax.random.key(seed))
        cell = ReferenceCell(weight_range=1.0)
        tx = in_situ(algorithm, RATE, device(error), key=ours, cell=cell)

        def update(carry: Any, number: Any) -> tuple[Any, None]:
            w, state = carry
            x, noise = jax.random.normal(jax.random.fold_in(draws, number), (2, SIDE))
            gradient = -x[:, None] * (0.4 * x + 0.6 * noise)[None]
            change, state = tx.update(gradient, state, w)
            return (optax.apply_updates(w, change), state), None

        w = jnp.zeros((SIDE, SIDE))
        return jax.lax.scan(update, (w, tx.init(w)), jnp.arange(updates))[0][0]

    of_seeds = jax.vmap(run, (None, 0))
    lanes = jax.jit(jax.vmap(of_seeds, (0, None)))
    return np.asarray(lanes(jnp.asarray(errors, jnp.float32), jnp.arange(seeds)))


def algorithm_of(name: str) -> Algorithm:
    """With its default parameters, but for the rate of transfers."""
    algorithm = ALGORITHMS[name]
    return algorithm(transfer_rate=TRANSFER) if issubclass(algorithm, Transfer) else algorithm()


def separation(w: np.ndarray) -> np.ndarray:
    """``(mean of the diagonal - mean of the rest) / sd of the rest`` of each tile."""
    diagonal = np.eye(SIDE, dtype=bool)
    return (w[:, diagonal].mean(1) - w[:, ~diagonal].mean(1)) / w[:, ~diagonal].std(1)


def apart(w: np.ndarray) -> float:
    """The share of tiles of which the least of the diagonal exceeds the largest of the rest."""
    diagonal = np.eye(SIDE, dtype=bool)
    return float(np.mean(w[:, diagonal].min(1) > w[:, ~diagonal].max(1)))


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seeds", type=int, default=50)
    parser.add_argument("--updates", type=int, default=5000)
    parser.add_argument("--errors", type=float, nargs="*", default=[0.0, 0.05, 0.1])
    args = parser.parse_args()
    print("| algorithm |" + "".join(f" error {e:g}: separation | apart |" for e in args.errors))
    print("|---|" + "---:|---:|" * len(args.errors))
    rows = []
    for name in ALGORITHMS:
        weights = train(algorithm_of(name), args.errors, seeds=args.seeds, updates=args.updates)
        row = f"| `{name}` |"
        for w in weights:
            found = separation(w)
            row += f" {found.mean():.1f} ± {found.std(ddof=1):.1f} | {100 * apart(w):.0f} % |"
        rows.append((separation(weights[0]).mean(), row))
        print(f"{name} done", file=sys.stderr, flush=True)
    for _, row in sorted(rows, reverse=True):
        print(row)


if __name__ == "__main__":
    main()
