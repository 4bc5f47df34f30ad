"""Learning with an offset symmetry point: ``python tests/benchmarks/offset_symmetry_point.py``.

A 10 x 10 linear regression, one sample an update: ``y = W* x + 0.3 noise`` with normal x and W*
uniform within 0.35. Devices are soft bounds of 41 levels in weights of -1 to 1 with write noise of
30 %, and a reference that is off by a fraction of the range, so that the symmetry point is at a
weight of minus twice that. Every algorithm takes the rates that are best for it at that offset, of
a grid, on seeds of their own. Printed: the rms error of the weights over the rms of W* in the last
quarter of the training, its mean and standard deviation over seeds; weights of 0 have 1.
"""

import argparse
import dataclasses
import itertools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

from memjax.cells import ReferenceCell
from memjax.devices import SoftBoundsReference
from memjax.updates import ALGORITHMS, Transfer, in_situ

SIDE, NOISE, LARGEST = 10, 0.3, 0.35
RATES = (0.003, 0.01, 0.03, 0.1)
TRANSFERS = (0.03, 0.1, 0.3, 1.0)
ZERO_SHIFTED = ", A zero-shifted"
"""Of a name: the fast array's reference is at its symmetry point, the slow one's is off."""
NAMES = (
    "sgd",
    "mixed_precision",
    "tiki_taka",
    "tiki_taka_v2",
    "chopped_tiki_taka",
    "agad",
    "tiki_taka" + ZERO_SHIFTED,
    "tiki_taka_v2" + ZERO_SHIFTED,
)


def lanes(name: str, updates: int) -> Any:
    """A function ``(rate, transfer_rate, offset, seed) -> error`` of arrays of equal length."""
    kind = ALGORITHMS[name.removesuffix(ZERO_SHIFTED)]

    @jax.jit
    @jax.vmap
    def run(rate: Any, transfer: Any, offset: Any, seed: Any) -> Any:
        ours, truth, draws = jax.random.split(jax.random.key(seed), 3)
        algorithm = kind(transfer_rate=transfer) if issubclass(kind, Transfer) else kind()
        device = SoftBoundsReference(levels=41, sigma_c2c=0.3, reference=offset)
        more = {}
        if name.endswith(ZERO_SHIFTED):
            more, device = {"slow_device": device}, dataclasses.replace(device, reference=0.0)
        cell = ReferenceCell(weight_range=1.0)
        tx = in_situ(algorithm, rate, device, key=ours, cell=cell, **more)
        target = jax.random.uniform(truth, (SIDE, SIDE), minval=-LARGEST, maxval=LARGEST)

        def update(carry: Any, number: Any) -> tuple[Any, Any]:
            w, state = carry
            x, noise = jax.random.normal(jax.random.fold_in(draws, number), (2, SIDE))
            gradient = x[:, None] * (x @ (w - target) - NOISE * noise)[None]
            change, state = tx.update(gradient, state, w)
            w = optax.apply_updates(w, change)
            return (w, state), jnp.mean((w - target) ** 2)

        w = jnp.zeros((SIDE, SIDE))
        _, squares = jax.lax.scan(update, (w, tx.init(w)), jnp.arange(updates))
        return jnp.sqrt(jnp.mean(squares[-(updates // 4) :]) / jnp.mean(target**2))

    return run


def transfers(name: str) -> bool:
    """Whether an algorithm has a rate of transfers too."""
    return issubclass(ALGORITHMS[name.removesuffix(ZERO_SHIFTED)], Transfer)


def errors(
    name: str, offsets: list[float], *, seeds: int, tuning: int, updates: int
) -> tuple[np.ndarray, list[tuple[float, float]]]:
    """Errors ``[offsets, seeds]`` at the rates that are best on other seeds, and those rates."""
    run = lanes(name, updates)
    grid = list(itertools.product(RATES, TRANSFERS if transfers(name) else (1,)))

    def of(cases: list[tuple[float, float, float, int]]) -> np.ndarray:
        rate, transfer, offset, seed = (np.asarray(column) for column in zip(*cases, strict=True))
        floats = (jnp.asarray(column, jnp.float32) for column in (rate, transfer, offset))
        return np.asarray(run(*floats, jnp.asarray(seed)))

    tried = of([(*rates, o, 10_000 + s) for o in offsets for rates in grid for s in range(tuning)])
    tried = tried.reshape(len(offsets), len(grid), tuning).mean(2)
    best = [grid[i] for i in np.argmin(np.where(np.isfinite(tried), tried, np.inf), axis=1)]
    found = of(
        [(*rates, o, s) for o, rates in zip(offsets, best, strict=True) for s in range(seeds)]
    )
    return found.reshape(len(offsets), seeds), best


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seeds", type=int, default=6)
    parser.add_argument("--tuning", type=int, default=2, help="seeds that choose the rates")
    parser.add_argument("--updates", type=int, default=5000)
    parser.add_argument("--offsets", type=float, nargs="*", default=[0.0, 0.1, 0.2, 0.3])
    parser.add_argument("--names", nargs="*", default=list(NAMES))
    args = parser.parse_args()
    print("| algorithm |" + "".join(f" offset {o:g} |" for o in args.offsets) + " rates |")
    print("|---|" + "---:|" * len(args.offsets) + "---|")
    for name in args.names:
        found, best = errors(
            name, args.offsets, seeds=args.seeds, tuning=args.tuning, updates=args.updates
        )
        cells = "".join(f" {e.mean():.2f} ± {e.std(ddof=1):.2f} |" for e in found)
        rates = "; ".join(f"{r:g}, {t:g}" if transfers(name) else f"{r:g}" for r, t in best)
        print(f"| `{name}` |{cells} {rates} |", flush=True)


if __name__ == "__main__":
    main()
