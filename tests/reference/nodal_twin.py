"""A tile as an electrician draws it: every node and resistor, solved by SciPy."""

from itertools import pairwise
from typing import NamedTuple

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.linalg import spsolve


class Solution(NamedTuple):
    current: np.ndarray  # of the bit lines
    voltage: np.ndarray  # across the cells: polarity, row, column
    delivered: float
    dissipated: float


def solve(conductance, voltage, topology, r_row, r_column, r_source=0.0, r_terminal=0.0):
    """Every cell is a source of its row's voltage in series with its conductance."""
    G = np.asarray(conductance, float)
    G = G if G.ndim == 3 else G[None]
    p, m, n = G.shape
    emf = np.broadcast_to(
        np.array([1.0, -1.0])[:p, None, None] * np.asarray(voltage)[:, None], G.shape
    )
    feed = np.arange(p * m * n).reshape(p, m, n)
    bit = feed.size + np.arange(m * n).reshape(m, n)
    ground = feed.size + bit.size
    if topology.endswith("separate_source"):
        G = G * (emf != 0)
        lines = [feed[k, :, j] for k in range(p) for j in range(n)]
    else:
        lines = [feed[k, i] for k in range(p) for i in range(m)]
    resistors = []  # node, node, ohm
    for line in lines:
        resistors.append((ground, line[0], r_source + r_row))
        resistors += [(a, b, r_row) for a, b in pairwise(line)]
    for line in bit.T:
        resistors += [(a, b, r_column) for a, b in pairwise(line)]
        resistors.append((line[-1], ground, r_column + r_terminal))

    same = np.arange(ground + 1)  # nodes joined by no resistance are one
    for a, b, ohm in resistors:
        if ohm == 0:
            same[same == same[a]] = same[b]
    free, node = np.unique(same, return_inverse=True)
    zero = node[ground]
    left = np.array([(a, b, 1 / ohm) for a, b, ohm in resistors if ohm]).reshape(-1, 3)
    (a, b), siemens = left[:, :2].astype(int).T, left[:, 2]
    a = node[np.concatenate([a, feed.ravel()])]
    b = node[np.concatenate([b, np.tile(bit.ravel(), p)])]
    siemens = np.concatenate([siemens, G.ravel()])
    pushed = np.concatenate([np.zeros(len(siemens) - G.size), (G * emf).ravel()])  # from a to b
    laplacian = coo_matrix(
        (
            np.concatenate([siemens, siemens, -siemens, -siemens]),
            (np.concatenate([a, b, a, b]), np.concatenate([a, b, b, a])),
        ),
        (len(free), len(free)),
    ).tocsc()
    into = np.bincount(b, pushed, len(free)) - np.bincount(a, pushed, len(free))
    inner = np.arange(len(free)) != zero
    volts = np.zeros(len(free))
    if inner.any():
        volts[inner] = spsolve(laplacian[inner][:, inner], into[inner])
    d = emf + volts[node[feed]] - volts[node[bit]][None]
    current = G * d
    wires = siemens[: -G.size] * (volts[a] - volts[b])[: -G.size] ** 2
    return Solution(
        current.sum((0, 1)), d, float((emf * current).sum()), float((G * d**2).sum() + wires.sum())
    )
