"""The picture of a fit, and its tables on a terminal."""

import dataclasses

import numpy as np
import pytest

from memjax.fitting import Fits, fit

from .ramps_twin import WINDOW, linear_ramps, ramps_of


def constant(y, sign, **options):
    return fit(ramps_of(y, sign, **options), model="ConstantStep", window=WINDOW, c2c="additive")


@pytest.fixture(scope="module")
def fitted():
    y, sign = linear_ramps(np.random.default_rng(0), 6, 20, c2c=0.4, read=0.005)
    y[1, 12:] = np.nan
    return constant(y, sign)


def test_axes_are_labelled(fitted):
    figure = fitted.plot()
    up, down, up_rest, down_rest = figure.axes
    assert (up.get_title(), down.get_title()) == ("potentiation", "depression")
    assert up.get_ylabel() == "conductance (µS)"
    assert up_rest.get_ylabel() == "mean residual\n(% of the window)"
    assert up_rest.get_xlabel() == down_rest.get_xlabel() == "pulse number"
    assert "rms of the mean curve" in figure.get_suptitle()
    labels = up.get_legend_handles_labels()[1]
    assert labels == ["90 % band of readings", "ConstantStep, mean", "measured: 3 ramps"]
    figure.canvas.draw()


def test_picture_of_one_direction(fitted):
    y, _ = linear_ramps(np.random.default_rng(0), 6, 20, c2c=0.4)
    ramps = ramps_of(y[::2], [1, 1, 1])
    best = dataclasses.replace(fitted.best, rms={"up": 0.01})
    figure = Fits(ramps, [best]).plot()
    assert [axes.get_title() for axes in figure.axes] == ["potentiation", ""]


@pytest.mark.parametrize("unit", [0.01, 0.01234])
def test_the_title_of_one_direction_is_inside(fitted, unit):
    y, _ = linear_ramps(np.random.default_rng(0), 6, 20, c2c=0.4)
    best = dataclasses.replace(fitted.best, model="SaturatingExponential", rms={"up": unit})
    figure = Fits(ramps_of(y[::2], [1, 1, 1]), [best]).plot()
    figure.canvas.draw()
    title = figure._suptitle.get_window_extent()
    assert figure.bbox.x0 <= title.x0 and title.x1 <= figure.bbox.x1
