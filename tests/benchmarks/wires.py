"""What exact wires cost, beside SciPy's sparse LU of the nodes. Prints a Markdown table.

    OMP_NUM_THREADS=1 taskset -c 0 python tests/benchmarks/wires.py 32 64 128 256

CPU seconds of one thread, the least of three; float32 here, double there; compiled beforehand, the
nodes' matrix assembled beforehand. ``G_eff`` is the whole matrix (a factorisation and a solve a
row there), ``input`` one more input without it, ``gradient`` that of a sum over ``G_eff`` with
respect to all conductances and resistances, its value included. Conductances are uniform.
"""

import sys
import time
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from scipy import sparse
from scipy.sparse.linalg import splu

from memjax.crossbar import Wires, currents, effective

CASES = ((1.0, 1e-6, 100e-6), (5.0, 1e-6, 250e-6))
"""Ohm a segment, the conductances' range in siemens."""


def seconds(function: Callable[..., Any], *args: Any) -> tuple[Any, float]:
    """What it returns, and the CPU seconds of its fastest call."""
    out = jax.block_until_ready(function(*args))
    spent = []
    for _ in range(3):
        start = time.process_time()
        out = jax.block_until_ready(function(*args))
        spent.append(time.process_time() - start)
    return out, min(spent)


def nodes(G: np.ndarray, r: float) -> sparse.csc_matrix:
    """Kirchhoff's matrix of the word lines' nodes, then the bit lines'."""
    m, n = G.shape

    def line(cells: int) -> np.ndarray:
        """A line that is fed before its first cell."""
        path = 2 * np.eye(cells) - np.eye(cells, k=1) - np.eye(cells, k=-1)
        path[-1, -1] = 1
        return path / r

    word = sparse.kron(sparse.identity(m), line(n))
    bit = sparse.kron(line(m)[::-1, ::-1], sparse.identity(n))
    cells = sparse.diags(G.ravel())
    return sparse.bmat([[word + cells, -cells], [-cells, bit + cells]]).tocsc()


def factor(matrix: sparse.csc_matrix) -> Any:
    """SuperLU, told that the matrix is symmetric and positive definite."""
    options = {"SymmetricMode": True}
    return splu(matrix, permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options=options)


def main() -> None:
    """Measures and prints."""
    print(
        "| tile | ohm | uS | lost | G_eff | input | gradient | LU | its input | its G_eff | error |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|---|")
    whole, single = jax.jit(effective), jax.jit(currents)
    gradient = jax.jit(jax.value_and_grad(lambda G, w: jnp.sum(effective(G, w) ** 2), (0, 1)))
    for size in map(int, sys.argv[1:] or ("32", "64", "128")):
        for r, low, high in CASES:
            G = np.random.default_rng(0).uniform(low, high, (size, size)).astype(np.float32)
            V = np.random.default_rng(1).uniform(0.0, 1.0, size).astype(np.float32)
            wires = Wires(r_row=r, r_column=r)
            matrix, of_matrix = seconds(whole, G, wires)
            current, of_input = seconds(single, G, V, wires)
            _, of_gradient = seconds(gradient, G, wires)

            lu, of_factor = seconds(factor, nodes(G.astype(float), r))
            driven = np.zeros((2, size, size))
            driven[0, :, 0] = V / r
            volts, of_solve = seconds(lu.solve, driven.ravel())
            exact = volts.reshape(2, size, size)[1, -1] / r
            error = max(np.abs(current - exact).max(), np.abs(V @ matrix - exact).max())
            lost = 1 - exact.sum() / (V @ G).sum()
            print(
                f"| {size} x {size} | {r:g} | {1e6 * low:g}-{1e6 * high:g} | {lost:.0%} | "
                f"{of_matrix:.4f} | {of_input:.5f} | {of_gradient:.4f} | {of_factor:.4f} | "
                f"{of_solve:.5f} | {of_factor + size * of_solve:.4f} | {error / exact.max():.0e} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
