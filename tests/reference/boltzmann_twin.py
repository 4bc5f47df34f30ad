"""Boltzmann machines by enumeration of all their states, in NumPy and float64."""

import itertools
from typing import Any

import jax.numpy as jnp
import numpy as np


def binary(units: int) -> np.ndarray:
    """All states of some units, a row each, counting up."""
    return np.array(list(itertools.product([0.0, 1.0], repeat=units)))


def states(machine: Any) -> list[np.ndarray]:
    """All visible states, an array a group; those of the last group vary first."""
    of_groups = [np.eye(g.units) if g.one_hot else binary(g.units) for g in machine.groups]
    rows = list(itertools.product(*(range(len(of)) for of in of_groups)))
    return [of[[row[k] for row in rows]] for k, of in enumerate(of_groups)]


def visible_states(machine: Any) -> Any:
    """The same as the machine takes them."""
    return machine.rows(tuple(jnp.asarray(of.T, jnp.float32) for of in states(machine)))


def energies(machine: Any, weights: dict) -> np.ndarray:
    """``E`` of every visible and every hidden state, ``[visible, hidden]``."""
    h = binary(machine.hidden)
    found = -(h @ weights["hidden_bias"])[None, :]
    for group, v in zip(machine.groups, states(machine), strict=True):
        kernel, bias = (np.asarray(weights[n], float) for n in (group.kernel, group.bias))
        found = found - v @ kernel @ h.T - (v @ bias)[:, None]
    return found


def expected_cd(machine: Any, weights: dict, data: np.ndarray) -> dict:
    """The mean of ``cd_gradient`` of one step, of data with these probabilities."""
    h, boltzmann = binary(machine.hidden), np.exp(-energies(machine, weights))
    hidden_given = boltzmann / boltzmann.sum(axis=1, keepdims=True)
    visible_given = boltzmann / boltzmann.sum(axis=0, keepdims=True)
    model = visible_given @ (hidden_given.T @ data)
    mean_hidden = hidden_given @ h
    change = model - data
    found = {"hidden_bias": change @ mean_hidden}
    for group, v in zip(machine.groups, states(machine), strict=True):
        found[group.kernel] = v.T @ (change[:, None] * mean_hidden)
        found[group.bias] = v.T @ change
    return found
