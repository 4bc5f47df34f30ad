"""The weakest device, against oracles whose level set is known."""

import dataclasses
import io

import numpy as np
import pytest
import xarray as xr
from matplotlib.colors import to_rgb
from rich.console import Console
from scipy.special import expit, logit

from memjax.errors import UserError
from memjax.sweep import Spec, run
from memjax.sweep.analysis.objective import Objective
from memjax.sweep.engine.trainer import Trainer
from memjax.sweep.search.search import RESULTS, search
from memjax.sweep.show.search_plot import draw, figure
from memjax.sweep.show.search_table import table
from memjax.sweep.spec import grid as lane_table

AXES = {
    "levels": {"powers_of_two": [3, 8]},
    "on_off": [2, 5, 10, 20, 50],
    "sigma_c2c": {"linspace": [0, 3.5, 8]},
}
STEP = 0.5  # of sigma_c2c
NOISE = 0.15  # of the log-odds, from seed to seed


class Oracle:
    """log-odds 2.5 - (sigma_c2c / limit)^2 + seed's, limit = 0.4 log2(levels) on_off^0.1."""

    def __init__(self, spec, key=0):
        values = lane_table.parameter_values(spec, np.arange(lane_table.count(spec)))
        columns = {name: np.array(column, float) for name, column in values.items()}
        self.limit = 0.4 * np.log2(columns["levels"]) * columns["on_off"] ** 0.1
        exact = 2.5 - (columns["sigma_c2c"] / self.limit) ** 2
        noise = NOISE * np.random.default_rng(key).standard_normal(len(exact))
        self.accuracy = expit(exact + noise)
        self.asked = []
        self.shape = lane_table.shape(spec)

    def __call__(self, lanes):
        self.asked += lanes.tolist()
        return self.accuracy[lanes]

    def crossing(self, target):
        """In closed form, with the last axis the one to go along."""
        limit = self.limit.reshape(self.shape)[..., 0, 0]
        return limit * np.sqrt(2.5 - logit(target))

    def grid(self, target, values):
        """What the whole grid says: the weakest value, and the crossing interpolated."""
        margin = logit(self.accuracy.reshape(self.shape).mean(-1)) - logit(target)
        passed, values = margin >= 0, np.asarray(values)
        last = passed.shape[-1] - 1
        place = np.where(passed.any(-1), last - passed[..., ::-1].argmax(-1), -1)
        here, after = (
            np.take_along_axis(margin, np.clip(p, 0, last)[..., None], -1)[..., 0]
            for p in (place, place + 1)
        )
        part = np.where(place < last, here / np.where(place < last, here - after, 1), 0)
        weakest = np.where(place < 0, np.nan, values[place])
        return weakest, weakest + STEP * part


@pytest.fixture(scope="module")
def spec():
    return Spec.from_dict({"seeds": 5, "axes": AXES})


@pytest.fixture(scope="module")
def found(spec):
    oracle = Oracle(spec)
    return search(spec, 0.8, evaluate=oracle, lanes=80), oracle


def test_the_known_line_is_found_within_a_step_from_a_fifteenth_of_the_lanes(found):
    ds, oracle = found
    truth = oracle.crossing(0.8)
    inside = truth < 3.5
    assert ds.weakest.dims == ("levels", "on_off")
    assert abs(ds.crossing.values - truth)[inside].max() < STEP
    assert abs(ds.crossing.values - truth)[inside].mean() < 0.1
    assert np.all(ds.weakest.values[truth > 4] == 3.5)
    assert ds.attrs["weaker"] == "larger"
    assert lane_table.count(Spec.from_dict({"seeds": 5, "axes": AXES})) == 15 * 80


def test_no_lane_is_trained_twice_and_the_budget_is_kept(found):
    ds, oracle = found
    assert len(set(oracle.asked)) == len(oracle.asked) <= 80
    assert ds.lane.values.tolist() == oracle.asked
    assert int(ds.trained.sum()) == len(oracle.asked) == ds.attrs["lanes"]
    np.testing.assert_array_equal(ds.lane_value, oracle.accuracy[oracle.asked])


def test_the_same_search_gives_the_same_result(spec, found):
    xr.testing.assert_identical(search(spec, 0.8, evaluate=Oracle(spec), lanes=80), found[0])


def test_probabilities_and_intervals_are_calibrated(spec):
    """Of 180 answers as many are right as they say, give or take 5 % (intervals: 7 %)."""
    right, said, near, said_near, covered = [], [], [], [], []
    for key in range(6):
        oracle, target = Oracle(spec, key), (0.7, 0.75, 0.8, 0.85)[key % 4]
        ds = search(spec, target, evaluate=oracle, lanes=50)
        weakest, crossing = oracle.grid(target, ds.sigma_c2c)
        steps = abs(ds.weakest.values - weakest) / STEP
        right.append(steps == 0)
        near.append(steps <= 1)
        said.append(ds.probability.values)
        said_near.append(ds.within_one.values)
        inside = (ds.low.values <= crossing) & (crossing <= ds.high.values)
        covered.append(inside[crossing < 3.5])
    assert np.mean(right) == pytest.approx(np.mean(said), abs=0.05)
    assert np.mean(near) == pytest.approx(np.mean(said_near), abs=0.02)
    assert np.mean(np.concatenate(covered)) == pytest.approx(0.9, abs=0.07)


def test_the_whole_grid_leaves_no_doubt():
    spec = Spec.from_dict({"seeds": 2, "axes": {"levels": [8, 64], "sigma_c2c": [0, 1, 2, 3]}})
    values = lane_table.parameter_values(spec, np.arange(16))
    accuracy = 0.9 - 0.2 * np.array(values["sigma_c2c"]) + 0.1 * (np.array(values["levels"]) > 8)
    accuracy += np.tile([-0.05, 0.05], 8)
    ds = search(spec, 0.75, evaluate=lambda lanes: accuracy[lanes], lanes=16)
    assert ds.weakest.values.tolist() == [0, 1]
    assert ds.probability.min() > 0.95
    for row, inside in zip(ds.crossing.values, [(0, 1), (1, 2)], strict=True):
        assert inside[0] < row < inside[1]


def test_the_weak_end_may_be_the_small_one(spec):
    oracle = Oracle(spec)
    ds = search(spec, 0.8, "levels", evaluate=oracle, lanes=120)
    passed = oracle.accuracy.reshape(oracle.shape).mean(-1) >= 0.8
    first = np.where(passed.any(0), ds.levels.values[passed.argmax(0)], np.nan)
    assert ds.attrs["weaker"] == "smaller"
    assert ds.weakest.dims == ("on_off", "sigma_c2c")
    np.testing.assert_array_equal(np.isnan(ds.weakest), np.isnan(first))
    assert np.nanmax(abs(np.log2(ds.weakest / first))) <= 1
    assert np.all((ds.low <= ds.crossing) | ds.crossing.isnull())


def test_names_and_zipped_groups_may_be_other_axes():
    axes = {
        "sigma_c2c": [0, 1, 2, 3, 4],
        "algorithm": ["sgd", "mixed_precision"],
        "material": {"levels": [8, 32, 128], "on_off": [2, 10, 50]},
    }
    spec = Spec.from_dict({"seeds": 3, "axes": axes})
    values = lane_table.parameter_values(spec, np.arange(lane_table.count(spec)))
    better = np.array([name == "mixed_precision" for name in values["algorithm"]])
    limit = np.log2(values["levels"]) / 4 + better
    accuracy = expit(2 - 1.5 * (np.array(values["sigma_c2c"]) - limit))
    batches = []

    def evaluate(lanes):
        batches.append({values["algorithm"][lane] for lane in lanes})
        return accuracy[lanes]

    ds = search(spec, 0.85, evaluate=evaluate, lanes=48, batch=6)
    assert ds.weakest.dims == ("algorithm", "material")
    assert ds.levels.dims == ("material",)
    np.testing.assert_array_equal(ds.weakest, [[0, 1, 1], [1, 2, 2]])
    assert all(len(names) == 1 for names in batches[1:])  # a batch is a chunk of one compilation
    text = shown(ds)
    assert "mixed_precision" in text
    assert "8, 2" in text
    figure(ds).savefig(io.BytesIO())


def shown(ds):
    console = Console(width=80)
    with console.capture() as capture:
        console.print(table(ds))
    return capture.get()


def test_table_has_twenty_rows_in_eighty_columns_the_most_tolerant_first(found):
    lines = shown(found[0]).splitlines()
    assert max(map(len, lines)) <= 80
    rows = [line for line in lines if line.startswith("│")]
    assert len(rows) == 20
    assert "always" in rows[0]
    assert "... and 10 more" in "\n".join(lines)
    assert "lanes: 80 of 1200; weaker is larger sigma_c2c" in "\n".join(lines)


def test_picture_has_a_line_a_value_and_names_the_axes(found):
    picture = figure(found[0])
    (ax,) = picture.axes
    assert ax.get_xlabel() == "number of conductance levels L"
    assert ax.get_ylabel() == "cycle-to-cycle sd of one step (mean steps)"
    assert "where the test accuracy crosses 80 %" in picture.get_suptitle()
    assert len(ax.get_lines()) == 5
    assert [t.get_text() for t in ax.get_yticklabels()] == [f"{v:g}" for v in np.arange(0, 4, 0.5)]


def test_lines_of_numbers_are_coloured_in_their_order_and_those_left_out_are_told(found):
    ds = found[0]
    (ax,) = figure(ds.isel(on_off=[4, 0, 2, 1, 3])).axes
    greens = [to_rgb(line.get_color())[1] for line in ax.get_lines()]
    assert [line.get_label() for line in ax.get_lines()] == ["2", "5", "10", "20", "50"]
    assert greens == sorted(greens)
    (alone,) = figure(ds.isel(on_off=[2])).axes
    assert len(alone.get_lines()) == 1, "an axis of one value is no axis"
    many = xr.concat([ds] * 2, "on_off", data_vars="minimal").assign_coords(on_off=np.arange(10))
    assert "6 of 10 values" in figure(many).legends[0].get_title().get_text()


def test_no_line_goes_to_what_never_reaches_the_target(found):
    ds = found[0].copy(deep=True)
    for name in ("low", "crossing", "high"):
        ds[name].loc[{"levels": 8}] = np.nan
    (ax,) = figure(ds).axes
    first = int(np.flatnonzero(np.sort(ds["levels"].values) == 8)[0])
    for line in ax.get_lines():
        assert np.isnan(line.get_ydata()[first]) and np.isfinite(line.get_ydata()).sum() == 5
    assert ax.get_yticklabels()[-1].get_text() == "never"
    marks = [m for m in ax.collections if len(m.get_offsets()) and m.get_offsets()[0][0] == 8]
    assert len(marks) == 5 and all(mark.get_offsets()[0][1] == -1 for mark in marks)


def test_one_axis_alone_has_a_curve():
    spec = Spec.from_dict({"seeds": 2, "axes": {"sigma_c2c": {"linspace": [0, 4, 9]}}})
    accuracy = np.repeat(expit(3 - np.linspace(0, 4, 9)), 2)
    ds = search(spec, 0.8, evaluate=lambda lanes: accuracy[lanes], lanes=12)
    assert ds.weakest.dims == ()
    assert float(ds.crossing) == pytest.approx(3 - logit(0.8), abs=0.1)
    assert "│ 1.5     │ 1.6" in shown(ds)
    figure(ds).savefig(io.BytesIO())


ERROR = Objective("rms_error", "lower", None, 1.0, "rms error", "V")


def test_an_error_in_volts_is_searched_for_the_most_that_will_do(spec):
    """error = 0.02 + (sigma_c2c / limit)^2 / 10: at most 0.1 where sigma_c2c <= 0.894 limit."""
    oracle = Oracle(spec)
    noise = 0.003 * np.random.default_rng(3).standard_normal(oracle.limit.shape)
    sigma = np.array(lane_table.parameter_values(spec, np.arange(len(noise)))["sigma_c2c"])
    error = 0.02 + 0.1 * (sigma / oracle.limit) ** 2 + noise
    ds = search(spec, 0.1, objective=ERROR, evaluate=error.__getitem__, lanes=80)
    truth = oracle.limit.reshape(oracle.shape)[..., 0, 0] * np.sqrt(0.8)
    inside = truth < 3.5
    assert ds.attrs["weaker"] == "larger"
    assert abs(ds.crossing.values - truth)[inside].max() < STEP
    assert np.all(ds.weakest.values[truth > 4] == 3.5)
    grid = error.reshape(oracle.shape).mean(-1)
    assert abs(ds.expected.values - grid).mean() < 0.03
    np.testing.assert_array_equal(ds.lane_value, error[ds.lane])
    assert "sigma_c2c that reaches 0.1 V or less" in shown(ds)
    assert "the rms error crosses 0.1 V" in figure(ds).get_suptitle()


def test_an_objective_and_its_mirror_image_have_the_same_answer(spec):
    """Of 1 - y lower is better where of y higher is: the log-odds change sign, nothing else."""
    oracle = Oracle(spec)
    mirrored = Objective("error", "lower", (0.0, 1.0), 1.0, "error")
    one = search(spec, 0.8, evaluate=oracle.accuracy.__getitem__, lanes=60)
    two = search(
        spec, 0.2, objective=mirrored, evaluate=(1 - oracle.accuracy).__getitem__, lanes=60
    )
    np.testing.assert_array_equal(one.weakest, two.weakest)
    np.testing.assert_allclose(one.crossing, two.crossing, atol=0.02)
    np.testing.assert_allclose(one.expected, 1 - two.expected, atol=0.02)


def test_the_log_odds_are_those_between_the_bounds(spec):
    oracle = Oracle(spec)
    scaled = Objective("gain", "higher", (-5.0, 15.0), 0.0, "gain", "dB")
    one = search(spec, 0.8, evaluate=oracle.accuracy.__getitem__, lanes=60)
    values = 20 * oracle.accuracy - 5
    two = search(spec, 11.0, objective=scaled, evaluate=values.__getitem__, lanes=60)
    np.testing.assert_array_equal(one.weakest, two.weakest)
    np.testing.assert_allclose(20 * one.expected - 5, two.expected, atol=0.1)


def test_lanes_that_failed_count_at_the_guess():
    spec = Spec.from_dict({"seeds": 2, "axes": {"sigma_c2c": {"linspace": [0, 4, 9]}}})
    error = np.repeat(np.linspace(0, 0.8, 9), 2)
    error[-6:] = np.nan
    ds = search(spec, 0.35, objective=ERROR, evaluate=error.__getitem__, lanes=18)
    assert float(ds.weakest) == 1.5
    failed = np.isnan(error[ds.lane])
    assert np.all(ds.lane_value[failed] == 1.0) and failed.any()
    (ax,) = figure(ds).axes
    assert ax.get_ylabel() == "rms error (V)"


@pytest.mark.parametrize(
    ("objective", "target", "said"),
    [
        (ERROR, np.inf, "must be a finite number"),
        (ERROR, 1e-3, "none of .* lanes reaches it.* the best has 0.8.* raise it"),
        (ERROR._replace(bounds=(0.0, 5.0)), 7.0, "rms error is between 0 and 5"),
    ],
)
def test_targets_that_cannot_be(objective, target, said):
    spec = Spec.from_dict({"seeds": 4, "axes": {"sigma_c2c": [0, 1, 2, 4]}})
    with pytest.raises(UserError, match=said):
        search(spec, target, objective=objective, evaluate=lambda lanes: 0.8 + 1e-3 * lanes)


def test_end_to_end_lanes_are_the_sweeps_own(small, tiny, tmp_path):
    spec = small({"levels": [4, 16, 64], "length": [5, 10], "sigma_c2c": [0, 1, 4]})
    told = []
    ds = search(spec, 0.4, dataset=tiny, lanes=20, out=tmp_path, progress=lambda *a: told.append(a))
    sweep = run(spec, dataset=tiny).test_accuracy.isel(epoch=-1).values.ravel()
    np.testing.assert_array_equal(ds.lane_value, sweep[ds.lane])
    assert told[-1][0] == pytest.approx(ds.sizes["lane"])
    assert told[-1][1] == 20
    kept = xr.open_zarr(tmp_path / RESULTS).load()
    xr.testing.assert_equal(kept, ds)
    assert draw(ds, tmp_path).stat().st_size > 10_000
    with pytest.raises(UserError, match=r"search\.png: cannot be written: No such file"):
        draw(ds, tmp_path / "no")


@pytest.fixture
def trained(monkeypatch):
    """The lanes that a search trains, and how many calls it may make before it is interrupted."""
    train, numbers, calls = Trainer.lanes, [], [10**6]

    def lanes(self, here, *rest):
        calls[0] -= 1
        if calls[0] < 0:
            raise KeyboardInterrupt
        numbers.extend(here.tolist())
        return train(self, here, *rest)

    monkeypatch.setattr(Trainer, "lanes", lanes)
    return numbers, calls


def test_a_search_goes_on_where_it_was(small, tiny, tmp_path, trained):
    numbers, calls = trained
    spec = small({"levels": [4, 16, 64], "sigma_c2c": [0, 1, 2, 4]}, seeds=3)
    plain = search(spec, 0.4, dataset=tiny, lanes=20)
    asked, numbers[:], calls[0] = sorted(numbers), [], 1
    with pytest.raises(KeyboardInterrupt):
        search(spec, 0.4, dataset=tiny, lanes=20, out=tmp_path)
    (kept,) = tmp_path.glob(".search/*/journal.jsonl")
    kept.write_bytes(kept.read_bytes() + b'{"kind": "la')  # a kill in the middle of a line
    calls[0] = 10**6
    xr.testing.assert_equal(search(spec, 0.4, dataset=tiny, lanes=20, out=tmp_path), plain)
    assert sorted(numbers) == asked
    numbers.clear()
    search(spec, 0.4, dataset=tiny, lanes=20, out=tmp_path)
    assert numbers == []


@pytest.mark.parametrize("junk", ["5", "null", "[1, 0.5]", "{}", '{"kind": "lanes"}', "{"])
def test_a_line_that_is_none_is_not_believed(small, tiny, tmp_path, trained, junk):
    numbers, _ = trained
    spec = small({"levels": [4, 16, 64], "sigma_c2c": [0, 1, 2, 4]}, seeds=3)
    found = search(spec, 0.4, dataset=tiny, lanes=12, out=tmp_path)
    (kept,) = tmp_path.glob(".search/*/journal.jsonl")
    kept.write_text(f"{kept.read_text()}{junk}\n")
    numbers.clear()
    xr.testing.assert_equal(search(spec, 0.4, dataset=tiny, lanes=12, out=tmp_path), found)
    assert numbers == []


def test_lanes_of_other_data_are_not_taken(small, tiny, tmp_path, trained):
    numbers, _ = trained
    spec = small({"levels": [4, 16, 64], "sigma_c2c": [0, 1, 2, 4]}, seeds=3)
    search(spec, 0.4, dataset=tiny, lanes=12, out=tmp_path)
    first, numbers[:] = sorted(numbers), []
    other = dataclasses.replace(tiny, x_train=tiny.x_train[::-1].copy())
    search(spec, 0.4, dataset=other, lanes=12, out=tmp_path)
    assert len(numbers) == len(first) == 12


def test_results_that_cannot_be_read_are_no_hindrance(small, tiny, tmp_path):
    spec = small({"levels": [4, 16, 64], "sigma_c2c": [0, 1, 2, 4]}, seeds=3)
    xr.Dataset(attrs={"spec": "["}).to_zarr(tmp_path / "results.zarr", consolidated=False)
    found = search(spec, 0.4, dataset=tiny, lanes=12, out=tmp_path)
    xr.testing.assert_equal(search(spec, 0.4, dataset=tiny, lanes=12), found)


def test_lanes_of_a_finished_sweep_need_no_training(small, tiny, tmp_path, trained):
    numbers, _ = trained
    spec = small({"levels": [4, 16, 64], "sigma_c2c": [0, 1, 2, 4]}, seeds=3)
    results = run(spec, tmp_path, dataset=tiny)
    numbers.clear()
    found = search(spec, 0.4, dataset=tiny, lanes=20, out=tmp_path)
    assert numbers == []
    final = results.test_accuracy.isel(epoch=-1).values.ravel()
    np.testing.assert_array_equal(found.lane_value, final[found.lane])


@pytest.mark.parametrize(
    ("raw", "options", "said"),
    [
        ({}, {"target": 1.5}, "give 0.9 for 90 %"),
        ({}, {"target": 0.0}, "between 0 and 1"),
        ({}, {"along": "sigma_c2"}, "did you mean 'sigma_c2c'"),
        ({}, {"along": "device"}, "--along device: is an axis of names, of no order"),
        ({}, {"along": "pair"}, "several parameters that move together"),
        ({}, {"along": "length"}, "has one value only"),
        ({}, {"lanes": 5000}, "--lanes 5000: too many for the model"),
        ({}, {"lanes": 3}, "--lanes 3: too few to learn from; give at least 14"),
        ({"axes": {"levels": [8, 16]}}, {}, "no axis of noise .* --along: levels"),
        ({"axes": {"sigma_c2c": [0, 1], "sigma_d2d": [0, 1]}}, {}, "several axes of noise"),
        ({"axes": {"algorithm": ["sgd", "agad"]}}, {}, "no axis to go along"),
        ({}, {"target": 0.99}, "none of .* lanes reaches it.* the best has 0.8"),
        ({}, {"out": "/dev/null/there"}, "cannot be written"),
    ],
)
def test_bad_input_is_one_line(raw, options, said):
    axes = {
        "sigma_c2c": [0, 1, 2, 4],
        "length": [10],
        "device": ["EpiRAM", "Ag:a-Si"],
        "pair": {"weight_range": [1, 2], "learning_rate": [0.1, 0.2]},
    }
    spec = Spec.from_dict({"seeds": 4, "axes": axes} | raw)

    def evaluate(lanes):
        return 0.8 + 1e-3 * np.sin(lanes)

    with pytest.raises(UserError, match=said) as error:
        search(spec, **{"target": 0.9, "evaluate": evaluate} | options)
    assert len(str(error.value).splitlines()) == 1
