"""Names of columns, dimensions and axes that results cannot have are refused before any work."""

import math

import jax.numpy as jnp
import numpy as np
import pytest

from memjax.errors import UserError
from memjax.experiments import Column, Experiment, Objective, Stages
from memjax.pytree import param, params
from memjax.sweep import Spec, run
from memjax.sweep.analysis.compare import compare
from memjax.sweep.search.search import search
from memjax.sweep.show.report import html
from memjax.sweep.store import directory as store
from memjax.sweep.store.journal import DiskJournal


def study(*columns: str, guess: float = 0.0) -> type[Experiment]:
    """An experiment of these columns, the first its objective."""

    @params
    class Study(Experiment):
        low: float = param(default=0.1, doc="a parameter")
        lane: float = param(default=0.0, doc="another")

        def stages(self):
            return Stages("time", (1.0,))

        def columns(self, data):
            return {name: Column(("time",)) for name in columns}

        def objective(self, data):
            return Objective(columns[0], "higher", None, guess=guess)

        def evaluate(self, state, key_data, stage, data, *, last):
            return {name: jnp.exp(-self.low) for name in columns}

    return Study


def spec_of(axes: dict, kind: type[Experiment], seeds: int = 1) -> Spec:
    return Spec.from_dict({"seeds": seeds, "axes": axes, "engine": {"width": 2}}, experiment=kind)


def test_columns_may_have_the_names_of_numpys_arguments(tmp_path, monkeypatch):
    monkeypatch.setattr(DiskJournal, "remove", lambda self: None)
    spec = spec_of({"low": [0.1, 0.2]}, study("file", "allow_pickle"))
    found = run(spec, tmp_path)
    assert store.load(tmp_path).identical(found)
    np.testing.assert_allclose(found["file"].values.ravel(), np.exp([-0.1, -0.2]), rtol=1e-6)
    with np.load(next((tmp_path / "unfinished").glob("*.npz"))) as kept:
        assert {"file", "allow_pickle"} <= set(kept.files)


@pytest.mark.parametrize("name", ["seeds", "interactions"])
def test_an_axis_has_no_name_that_the_table_of_effects_has(name):
    with pytest.raises(UserError, match="every result has something of that name"):
        spec_of({name: {"low": [0.1, 0.2]}}, study("charge"))


def test_whatever_else_axes_are_called_sweeps_are_compared_and_reported():
    found = run(
        spec_of({"first": {"low": [0.1, 0.2]}, "lane": [0.0, 1.0]}, study("charge"), seeds=2)
    )
    compared = compare(found, found)
    assert set(compared["difference"].dims) == {"first (axis)", "lane"}
    assert compared.attrs["undecided"] == compared.attrs["improved"] == 0
    assert '"name": "lane"' in html(found)


def test_a_search_has_names_of_its_own():
    with pytest.raises(UserError, match="a search has something named lane itself"):
        search(spec_of({"low": [0.1, 0.2], "lane": [0.0, 1.0]}, study("charge")), 0.5, "lane")


@pytest.mark.parametrize("name", ["a/b", "a" * 300])
def test_a_column_has_a_name_that_a_directory_can_have(name):
    with pytest.raises(UserError, match="a column or dimension names a directory"):
        run(spec_of({}, study(name)))


@pytest.mark.parametrize("guess", [math.inf, math.nan])
def test_a_guess_that_is_not_finite_is_refused(guess):
    with pytest.raises(UserError, match=r"guess is (inf|nan); give a finite number"):
        run(spec_of({}, study("charge", guess=guess)))
