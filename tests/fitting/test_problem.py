"""Where a fit begins and searches: by the data, and by what the model says of itself."""

import numpy as np
import pytest

from memjax.devices import MODELS, ConstantStep
from memjax.devices.fit_hints import FitHints
from memjax.fitting.problem import pose
from memjax.pytree import Leaf, param, params

from .ramps_twin import WINDOW, linear_ramps, ramps_of


@pytest.fixture(scope="module")
def ramps():
    y, sign = linear_ramps(np.random.default_rng(0), 6, 20, step=0.04, c2c=0.4, read=0.005)
    y[sign < 0] = 1.0 - 0.5 * (1.0 - y[sign < 0])  # half the step down
    return ramps_of(y, sign)


def starts_of(model, ramps, **fixed):
    problem = pose(MODELS.get(model, model), fixed, ramps, WINDOW)
    return dict(zip(problem.names, problem.starts.tolist(), strict=True)), dict(problem.fixed)


def test_steps_start_at_the_mean_steps(ramps):
    """0.04 up, 0.02 down: 25 steps and half an imbalance; 25 pulses up and 50 down."""
    starts, _ = starts_of("ConstantStep", ramps)
    assert starts["levels"] == pytest.approx(26, rel=0.1)
    assert starts["up_down"] == pytest.approx(0.5, abs=0.1)
    starts, _ = starts_of("SaturatingExponential", ramps)
    assert starts["levels"] == pytest.approx(25, rel=0.1)
    assert starts["levels_down"] == pytest.approx(50, rel=0.1)
    assert starts_of("Ernoult", ramps)[0]["beta"] == 0.5


def test_a_start_may_have_a_unit(ramps):
    """Of phase change, microsiemens: 0.04 of the window."""
    starts, _ = starts_of("PhaseChange", ramps)
    step = 0.04e6 * (WINDOW[1] - WINDOW[0])
    assert starts["mean_offset"] == pytest.approx(0.7 * step, rel=0.1)
    assert starts["mean_memory"] == pytest.approx(step, rel=0.1)


def test_what_is_held_is_held_at_its_start(ramps):
    starts, fixed = starts_of("PiecewiseStep", ramps)
    assert "levels" not in starts
    assert fixed["levels"] == pytest.approx(26, rel=0.1)
    assert starts_of("PiecewiseStep", ramps, levels=9.0)[1]["levels"] == 9.0


@params
class Bent(ConstantStep):
    """A model of a user's own."""

    bend: Leaf = param(default=0.1, doc="how it bends", at_least=0)
    free: Leaf = param(default=2.0, doc="something else")

    @classmethod
    def fit_hints(cls):
        return FitHints(starts=lambda steps: {"bend": steps.extent}, ranges={"bend": (0.0, 3.0)})


def test_a_model_of_ones_own_says_where_to_begin_and_to_search(ramps):
    problem = pose(Bent, {}, ramps, WINDOW)
    bend, free = (problem.names.index(name) for name in ("bend", "free"))
    assert problem.starts[bend] == WINDOW[1] - WINDOW[0]
    assert (problem.lows[bend], problem.highs[bend]) == (0.0, 3.0)
    assert (problem.starts[free], problem.lows[free]) == (2.0, -np.inf)
