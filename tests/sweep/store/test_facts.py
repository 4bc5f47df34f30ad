"""What results say of themselves is looked at before anybody reads it."""

import math

import numpy as np
import pytest

from memjax.sweep.store.facts import impossible, lacking
from reference.sweeps import as_older

AXES = {"levels": [4, 8]}


@pytest.fixture
def ds(make):
    return make(AXES, epochs=2)


def test_results_of_all_kinds_lack_nothing(ds, study, fail, corrupt):
    unbounded = study(AXES).assign_attrs(bounds=[0.0, math.inf])
    for found in (ds, as_older(ds), study(AXES), fail(ds, 1, levels=8), corrupt(ds), unbounded):
        assert lacking(found) == ""
    assert lacking(study({})) == ""


@pytest.mark.parametrize(
    ("attribute", "value", "what"),
    [
        ("objective", 3, "a string"),
        ("objective", "another", "no another"),
        ("stage", ["epoch"], "a string"),
        ("stage", "time", "not time less"),
        ("better", "more", "higher or lower"),
        ("guess", "0.1", "a finite number"),
        ("guess", 10**400, "a finite number"),
        ("guess", None, "a finite number"),
        ("guess", math.inf, "a finite number"),
        ("guess", math.nan, "a finite number"),
        ("seconds", -math.inf, "a finite number"),
        ("n_classes", 0, "a whole number of at least 1"),
        ("bounds", [0, 1, 2], "a list of two numbers"),
        ("bounds", 1.0, "a list of two numbers"),
        ("spec", "seeds = ", "a specification in TOML"),
        ("spec", 3, "a specification in TOML"),
        ("name", {}, "a string"),
        ("width", True, "a whole number"),
        ("seconds", "long", "a finite number"),
        ("notes", [[], 0], "a list of sentences"),
    ],
)
def test_an_attribute_of_another_kind_is_named(ds, attribute, value, what):
    said = lacking(ds.assign_attrs({attribute: value}))
    assert what in said and (
        "attribute " + attribute in said or attribute in ("objective", "stage")
    )


def test_an_attribute_that_is_missing_is_named(ds):
    for attribute, missing in [("guess", "guess"), ("objective", "objective")]:
        lost = ds.assign_attrs(frame="0")
        del lost.attrs[attribute]
        assert lacking(lost) == f"the attribute {missing} is missing"
    assert lacking(ds.drop_attrs()) == "the attribute n_classes is missing"


def test_columns_of_another_shape_or_kind_are_named(ds):
    status = ds["status"]
    assert "status" in lacking(ds.drop_vars("status"))
    assert "status is not of whole numbers" in lacking(ds.assign(status=status.astype(float)))
    assert "status is not of whole numbers" in lacking(ds.assign(status=status + 3))
    assert "test_accuracy is over" in lacking(ds.assign(status=status[0]))
    assert "is not of numbers" in lacking(ds.assign(test_accuracy=ds.test_accuracy.astype(str)))
    assert lacking(ds.isel(levels=slice(0))) == "no values of test_accuracy"
    lost = ds.assign(test_accuracy=ds.test_accuracy.where(ds.levels == 4))
    assert lacking(lost) == "values of test_accuracy are missing"
    assert "lane_key is over" in lacking(ds.assign_coords(lane_key=("seed", np.arange(5))))
    ds["baseline_accuracy"].attrs["reference_of"] = ["test_accuracy"]
    assert "baseline_accuracy is the reference of" in lacking(ds)


def test_what_cannot_be_is_named(ds, study, fail):
    ds = ds.assign_attrs(spec=f"seeds = {ds.sizes['seed']}\n[train]\nepochs = 2\n")
    for found in (ds, as_older(ds), study(AXES), study({}), fail(ds, 1, levels=8)):
        assert impossible(found) == ""
    high = ds.assign(test_accuracy=ds.test_accuracy + 1)
    said = "values of test_accuracy are not between 0 and 1"
    assert impossible(high) == impossible(as_older(high)) == said
    assert impossible(high.assign_attrs(bounds=[0.0, 2.0])) == ""
    assert impossible(ds.assign_coords(seed=ds.seed // 2)) == "two values of seed are equal"
    assert impossible(ds.isel(epoch=[1])) == "1 of 2 values of epoch"
