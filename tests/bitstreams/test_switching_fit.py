"""A curve of switching is found again from counts, and told with honest intervals."""

import numpy as np
import pytest

from memjax.bitstreams import SwitchingCounts, SwitchingDevice, fit_switching, read_counts
from memjax.bitstreams.pictures import switching_curve
from memjax.errors import DataError

VOLTS = np.tile(np.linspace(2.4, 3.2, 9), 2)
WIDTH = np.repeat([1e-3, 1e-2], 9)
DEVICE = SwitchingDevice()


def measured(trials=100, seed=0, volts=VOLTS, width=WIDTH):
    p = np.asarray(DEVICE.probability(volts.astype(np.float32), width.astype(np.float32)), float)
    n = np.full(len(volts), trials)
    return SwitchingCounts(volts, width, np.random.default_rng(seed).binomial(n, p), n)


def test_intervals_hold_the_truth_as_often_as_they_say():
    """95 % of 40 tables: fewer than 33 have a chance of 0.3 %."""
    fits = [fit_switching(measured(50, seed)) for seed in range(40)]
    for name, truth in (("v0", 0.155), ("tau0", 2.85e5)):
        held = [fit.intervals[name][0] < truth < fit.intervals[name][1] for fit in fits]
        assert sum(held) >= 33, name
    p_values = [fit.p_value for fit in fits]
    assert 0.2 < np.mean(p_values) < 0.8


def test_more_trials_tell_more():
    few, many = (fit_switching(measured(n)) for n in (50, 5000))
    assert float(many.device.v0) == pytest.approx(0.155, rel=0.02)
    spans = [np.ptp(fit.intervals["v0"]) for fit in (few, many)]
    assert spans[0] / spans[1] == pytest.approx(10, rel=0.3)
    low, high = many.band(VOLTS[:9], 1e-3)
    assert np.all(low < high) and np.ptp(low) > 0.5
    assert not any("scatter" in sentence for sentence in many.sentences())


def test_trials_that_are_not_independent_are_told():
    counts = measured(1000)
    rng = np.random.default_rng(1)
    shifted = np.clip(counts.switched + rng.choice([-100, 100], 18), 0, 1000)
    assert "scatter more" in fit_switching(counts._replace(switched=shifted)).sentences()[-1]


def test_a_table_is_read_and_drawn(tmp_path):
    file = tmp_path / "counts.csv"
    rows = ["voltage_V,width_s,switched,trials", "2.5,1e-3,2,50", "2.5,1e-3,1,50"]
    file.write_text("\n".join([*rows, "2.8,1e-3,20,100", "3.0,1e-3,60,100", ""]))
    counts = read_counts(file)
    assert counts.trials.tolist() == [100, 100, 100] and counts.switched[0] == 3
    fit = fit_switching(counts)
    figure = switching_curve(fit)
    assert "V0 =" in figure.axes[0].get_title()
    fit.save(tmp_path / "device.toml")
    assert "v0 =" in (tmp_path / "device.toml").read_text()


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (["V,n", "1,2"], "no column voltage_V, width_s, switched, trials"),
        (["voltage_V,width_s,switched,trials", "2,1e-3,5,3"], "2: switched: 5 of 3 trials"),
        (["voltage_V,width_s,switched,trials", "2,0,1,3"], "width_s: 0 is not above 0"),
        (["voltage_V,width_s,switched,trials", "x,1,1,3"], "'x' is not a number"),
        (["voltage_V,width_s,switched,trials", "2,1,1.5,3"], "is not a whole number"),
        (["voltage_V,width_s,switched,trials"], "no rows"),
        (["voltage_V,width_s,switched,trials", "2,1,1,3"], "one voltage tells no slope"),
        (["voltage_V,width_s,switched,trials", "2,1,0,9", "3,1,9,9"], "some trials switch"),
        (
            ["voltage_V,width_s,switched,trials", "2,1,0,9", "2.5,1,4,9", "3,1,9,9"],
            "the slope may be anything",
        ),
        (["voltage_V,width_s,switched,trials", "2,1,8,9", "3,1,1,9"], "not become likelier"),
    ],
)
def test_a_table_that_tells_nothing_is_a_line(tmp_path, rows, message):
    file = tmp_path / "counts.csv"
    file.write_text("\n".join(rows))
    with pytest.raises(DataError, match=message) as caught:
        fit_switching(read_counts(file))
    assert "\n" not in str(caught.value)
