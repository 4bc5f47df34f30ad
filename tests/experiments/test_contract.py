"""Whatever somebody measures is swept, kept, gone on with, and read, by the same engine."""

import io

import jax.numpy as jnp
import numpy as np
import pytest
import xarray as xr
from rich.console import Console

from memjax.errors import UserError
from memjax.experiments import Column, Experiment, Objective, Stages
from memjax.pytree import Leaf, param, params, static
from memjax.sweep import Spec, run
from memjax.sweep.analysis.explain import explain
from memjax.sweep.analysis.sensitivity import sobol_indices
from memjax.sweep.search.search import search
from memjax.sweep.show.plots import draw
from memjax.sweep.show.report import write
from memjax.sweep.show.tables import summary
from memjax.sweep.spec import identity
from memjax.sweep.store import directory as store
from reference.sweeps import run_interrupted

from .studies import STUDIES, Regression, Retention


def spec_of(name: str, seeds: int = 3, **raw) -> Spec:
    kind, axes = STUDIES[name]
    tables = {"seeds": seeds, "axes": axes, "engine": {"width": 2, "checkpoint_minutes": 0}}
    return Spec.from_dict(tables | raw, name, experiment=kind)


@pytest.fixture(scope="module", params=STUDIES)
def name(request):
    return request.param


@pytest.fixture(scope="module")
def ds(name):
    return run(spec_of(name))


def test_results_say_what_they_are(name, ds):
    experiment = spec_of(name).first()
    data = experiment.load()
    stages, objective = experiment.stages(), experiment.objective(data)
    assert ds.attrs["objective"] == objective.column and ds.attrs["better"] == objective.better
    assert ds.attrs["stage"] == stages.dim
    assert ds[stages.dim].values.tolist() == list(stages.values)
    for column, (dims, units, _) in experiment.columns(data).items():
        assert ds[column].dims[-len(dims) :] == dims and ds[column].attrs["units"] == units
    assert (ds.status == 0).all()
    for axis in spec_of(name).axes:
        assert ds[axis.name].attrs.get("long_name") or axis.name == "repeats"


def test_lanes_differ_by_their_parameters_and_seeds(ds):
    last = ds[ds.attrs["objective"]].isel({ds.attrs["stage"]: -1})
    assert len(set(last.values.ravel().tolist())) > last.size // 2


def test_a_lane_alone_is_the_lane_in_the_sweep(name, ds):
    one = {axis: values[1:2] for axis, values in STUDIES[name][1].items() if axis != "options"}
    axes = one | {k: v for k, v in STUDIES[name][1].items() if k == "options"}
    alone = run(spec_of(name, seeds=1, axes=axes))
    same = ds.sel({axis: values for axis, values in one.items()}).isel(seed=[0])
    for column in alone.data_vars:
        if "reference_of" not in alone[column].attrs:
            np.testing.assert_array_equal(alone[column], same[column])


def test_interrupted_anywhere_it_goes_on_to_the_same_bits(name, ds, tmp_path, monkeypatch):
    found, calls = run_interrupted(monkeypatch, lambda: run(spec_of(name), tmp_path), every=4)
    assert calls > 3
    xr.testing.assert_identical(found.drop_attrs(), ds.drop_attrs())
    assert store.load(tmp_path).drop_attrs().identical(ds.drop_attrs())


def test_every_command_reads_it(name, ds, tmp_path):
    """The table, the pictures, the report, the indices, a search, a lane explained."""
    objective = ds.attrs["objective"]
    Console(file=(said := io.StringIO()), width=200).print(summary(ds))
    assert "best cell" in said.getvalue()
    pictures = draw(ds, tmp_path)
    assert pictures and all((tmp_path / path).exists() for path in pictures)
    page = write(ds, tmp_path / "report.html").read_text()
    assert ds[objective].attrs["long_name"] in page
    indices = sobol_indices(ds)
    assert set(indices.parameter) >= {axis.name for axis in spec_of(name).axes}
    assert explain(ds, "0")[0].startswith("Lane 0: ")
    last = ds[objective].isel({ds.attrs["stage"]: -1})
    along = next(iter(STUDIES[name][1]))
    found = search(spec_of(name), float(last.median()), along, lanes=int(last.size))
    assert found.attrs["along"] == along and found.sizes["lane"] <= last.size


def test_a_sweep_grows_by_points_and_seeds(name, tmp_path, monkeypatch):
    few = spec_of(name, seeds=1)
    run(few, tmp_path)
    grown = run(spec_of(name, seeds=2), tmp_path)
    assert grown.drop_attrs().identical(run(spec_of(name, seeds=2)).drop_attrs())


def test_more_stages_go_on_where_states_were_kept(tmp_path):
    engine = {"engine": {"width": 2, "keep_states": True}}
    run(spec_of("regression", study={"epochs": 2}, **engine), tmp_path)
    longer = spec_of("regression", study={"epochs": 4}, **engine)
    grown = run(longer, tmp_path)
    assert grown.drop_attrs().identical(run(longer).drop_attrs())


def test_an_instance_gives_the_defaults_of_the_sections():
    spec = Spec.from_dict({"axes": {"noise": [0.1]}}, experiment=Regression(rate=0.25, epochs=2))
    assert spec.sections["study"] == {"rate": 0.25, "noise": 0.0, "epochs": 2}
    plain = Spec.from_dict(
        {"axes": {"noise": [0.1]}, "study": {"rate": 0.25, "epochs": 2}}, experiment=Regression
    )
    assert spec.sections == plain.sections


def shifted(by: float) -> Experiment:
    """Equal text, and an array that its text does not show."""
    shift = np.full(3, by, np.float32)

    @params
    class Shifted(Regression):
        def init(self, key_data, data):
            return jnp.zeros(3) + shift

    return Shifted()


def test_an_array_that_code_closes_over_counts_as_code():
    data = Regression().load()
    one, same, other = (identity.program_digest(shifted(x), data) for x in (1.0, 1.0, 2.0))
    assert one == same != other


@params
class Growing(Retention):
    """A number that changes the shape of a report."""

    rows: int = static(default=4, doc="rows")

    def coords(self, data):
        return {}

    def evaluate(self, state, key_data, stage, data, *, last):
        found = super().evaluate(state, key_data, stage, data, last=last)
        return found | ({"programmed": state["g"][: self.rows]} if last else {})


@params
class Careless(Regression):
    """Host code that raises."""

    def columns(self, data):
        return {"loss": Column(("epoch",), undefined)}


@pytest.mark.parametrize(
    ("kind", "axes", "message"),
    [
        (Growing, {"rows": [2, 3]}, "differ between points of an axis; declare what changes them"),
        (Careless, {"noise": [0.1]}, r"test_contract\.py:\d+: NameError: name 'undefined'"),
    ],
)
def test_what_goes_wrong_on_the_host_is_a_line_before_any_work(kind, axes, message):
    with pytest.raises(UserError, match=message) as caught:
        run({"seeds": 1, "axes": axes}, experiment=kind)
    assert "\n" not in str(caught.value)


def test_diagnostics_do_not_stop_more_epochs(tmp_path):
    """Columns without stages are told anew at the end."""
    raw = {"seeds": 1, "data": {"train_size": 60, "test_size": 30}, "model": {"hidden": [4]}}
    raw |= {"axes": {"levels": [8, 16]}, "evaluate": {"diagnostics": True}}
    raw |= {"engine": {"width": 1, "keep_states": True}}
    run({**raw, "train": {"epochs": 1}}, tmp_path)
    grown = run({**raw, "train": {"epochs": 2}}, tmp_path)
    whole = run({**raw, "train": {"epochs": 2}})
    assert (grown.status == 0).all()
    np.testing.assert_array_equal(grown.test_accuracy, whole.test_accuracy)


def test_run_takes_tables_or_a_file_with_an_experiment(tmp_path):
    raw = {"seeds": 1, "axes": {"noise": [0.1, 0.2]}}
    whole = run(Spec.from_dict(raw, experiment=Regression))
    assert run(raw, experiment=Regression()).drop_attrs().identical(whole.drop_attrs())
    (tmp_path / "s.toml").write_text("seeds = 1\n[axes]\nnoise = [0.1, 0.2]\n")
    found = run(tmp_path / "s.toml", experiment=Regression)
    assert found.drop_attrs().identical(whole.drop_attrs())
    with pytest.raises(UserError, match="a Spec has its experiment"):
        run(Spec.from_dict(raw, experiment=Regression), experiment=Regression)


def test_a_lane_that_goes_bad_is_flagged_where_nothing_says_so():
    """By its objective, where the experiment reports no ``finite``."""
    spec = spec_of("regression", axes={"noise": [0.0, 3e38], "rate": [0.1]})
    ds = run(spec)
    assert (ds.status.sel(noise=0) == 0).all() and (ds.status.isel(noise=1) == 1).all()


def test_an_experiment_of_a_file(tmp_path, monkeypatch):
    """By its path from the specification's folder, whatever the current one is."""
    (tmp_path / "my_study.py").write_text(MINE)
    (tmp_path / "mine.toml").write_text(
        'experiment = "my_study.py:Decay"\nseeds = 1\n[axes]\nrate = [0.1, 0.2]\n'
    )
    monkeypatch.chdir("/")
    found = run(Spec.from_toml(tmp_path / "mine.toml"), tmp_path / "out")
    np.testing.assert_allclose(found.charge.values[:, 0, 0], np.exp([-0.1, -0.2]), rtol=1e-6)
    (tmp_path / "my_study.py").write_text(MINE.replace("jnp.exp(-", "1.0 - (0.5 * "))
    with pytest.raises(UserError, match="other source code of the experiment or model; give"):
        run(Spec.from_toml(tmp_path / "mine.toml"), tmp_path / "out")


MINE = """
import jax.numpy as jnp
from memjax.experiments import Column, Experiment, Objective, Stages
from memjax.pytree import param, params

@params
class Decay(Experiment):
    rate: float = param(default=0.1, doc="loss of charge", unit="1/s")

    def stages(self):
        return Stages("time", (1.0, 10.0), "s")

    def columns(self, data):
        return {"charge": Column(("time",), "C", "charge left")}

    def objective(self, data):
        return Objective("charge", "higher", None, guess=0.0)

    def evaluate(self, state, key_data, stage, data, *, last):
        return {"charge": jnp.exp(-self.rate * jnp.array([1.0, 10.0])[stage])}
"""


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, r"my_study\.py: cannot be read: No such file or directory; give the path"),
        ("x = 1", r"my_study\.py: has no 'Decay'; there are x"),
        ("Decay = 3", "is no memjax.experiments.Experiment; derive it from that"),
        ("def f(:\n", r"my_study\.py:1: .*; mend the file"),
        ("\n\n1 / 0\n", r"my_study\.py:3: ZeroDivisionError: division by zero; mend the file"),
        (MINE.replace("jnp.exp(", "jnp.expo("), r"my_study\.py:20: AttributeError: .*expo"),
        (MINE.replace('{"charge": jnp', '{"charges": jnp'), "'charge', which nothing reports"),
        (MINE.replace('"charge": jnp', '"x": 1.0, "charge": jnp'), "reports 'x', which columns"),
        (MINE.replace("[stage]", ""), r"charge is reported in shape \(2,\)"),
        (MINE.replace('Objective("charge"', 'Objective("c"'), "the objective 'c' must be a column"),
        (MINE.replace("(1.0, 10.0)", "()"), "stages has no values; give it at least one"),
    ],
)
def test_mistakes_of_a_file_are_one_line(tmp_path, text, message):
    if text is not None:
        (tmp_path / "my_study.py").write_text(text)
    raw = {"experiment": "my_study.py:Decay", "seeds": 1, "axes": {"rate": [0.1]}}
    with pytest.raises(UserError, match=message) as caught:
        run(Spec.from_dict(raw, folder=tmp_path))
    assert "\n" not in str(caught.value)


def test_an_unknown_experiment_is_told():
    with pytest.raises(UserError, match=r"experiment: 'clasifier' is not known; did you mean"):
        Spec.from_dict({"experiment": "clasifier"})


def test_an_axis_of_a_results_name_is_told():
    group = {"snr": {"sigma_c2c": [0.1, 1.0], "drift": [0.1, 0.2]}}
    with pytest.raises(UserError, match="every result has something named snr; give the axis"):
        run(Spec.from_dict({"axes": group}, experiment=Retention))


@params
class Gamma(Experiment):
    """Two numbers of one name would be one axis."""

    gamma: Leaf = param(default=1.0, doc="a number")

    def columns(self, data):
        return {"x": Column(("stage",))}

    def objective(self, data):
        return Objective("x", "higher", None, 0.0)

    def stages(self):
        return Stages("stage", (1.0,))

    def evaluate(self, state, key_data, stage, data, *, last):
        return {"x": self.gamma * 1.0}


def test_a_reads_value_is_what_the_lane_reports():
    ds = run(Spec.from_dict({"seeds": 1, "axes": {"study.gamma": [1.0, 2.5]}}, experiment=Gamma))
    assert ds.x.dims == ("gamma", "seed", "stage")
    assert ds.x.values.ravel().tolist() == [1.0, 2.5]
