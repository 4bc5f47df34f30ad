"""Fits on a terminal."""

import copy
import io

import numpy as np
import pytest
from rich.console import Console

from memjax.fitting import fit, summary

from .ramps_twin import WINDOW, linear_ramps, ramps_of


@pytest.fixture(scope="module")
def fitted():
    y, sign = linear_ramps(np.random.default_rng(0), 6, 20, c2c=0.4, read=0.005)
    return fit(ramps_of(y, sign), model="ConstantStep", window=WINDOW, c2c="additive")


def text(renderable):
    console = Console(width=120, file=io.StringIO())
    console.print(renderable)
    return console.file.getvalue()


def test_what_was_left_out_has_one_order(fitted):
    """That of the intervals, whatever Python's hashes are."""
    best = copy.copy(fitted.best)
    names = [f"node{k}" for k in range(30)]
    best.__dict__["intervals"] = best.intervals | dict.fromkeys(names, (0.0, 0.1))
    rows = text(summary.parameters(best)).splitlines()
    assert [row.split()[0] for row in rows if row.strip().startswith("node")] == names


def test_tables_and_sentences(fitted):
    models = text(summary.models(fitted))
    assert "ConstantStep" in models and "ΔBIC" in models
    parameters = text(summary.parameters(fitted.best))
    assert "levels" in parameters and "± " in parameters and "mean steps" in parameters
    said = summary.sentences(fitted)
    assert said[0] == "ConstantStep is fitted"
    assert any("window 4e-06 S to 1e-05 S" in line for line in said)
    assert any("set sigma_d2d yourself" in line for line in said)
