"""One answer to "is this the same lane?", whatever the axes are called."""

import tomllib

import numpy as np
import pytest

from memjax.errors import SpecError
from memjax.sweep import Spec
from memjax.sweep.spec import grid, identity

POWER = {"device": {"model": "PowerStep"}, "seeds": 1}


def lanes(raw: dict) -> tuple[Spec, np.ndarray]:
    spec = Spec.from_dict(raw)
    return spec, np.arange(grid.count(spec))


def test_a_name_of_two_sections_is_refused_with_both():
    raw = POWER | {"axes": {"algorithm": ["tiki_taka", "agad"], "gamma": [0.5, 1]}}
    with pytest.raises(
        SpecError, match=r"\[axes\] gamma: may be device\.gamma or train\.gamma; write which"
    ):
        Spec.from_dict(raw)


@pytest.mark.parametrize("name", ["device.gamma", "train.gamma"])
@pytest.mark.parametrize("is_table", [False, True])
def test_a_canonical_name_varies_what_it_names(name, is_table):
    section, key = name.split(".")
    axes = {section: {key: [0.5, 1.0]}} if is_table else {name: [0.5, 1.0]}
    spec, numbers = lanes(POWER | {"train": {"algorithm": "tiki_taka"}, "axes": axes})
    (axis,) = spec.axes
    assert axis.name == name
    built = spec.built(grid.parameter_values(spec, numbers))
    varied, other = built.device.gamma, built.algorithm.gamma
    if section == "train":
        varied, other = other, varied
    np.testing.assert_array_equal(varied, np.float32([0.5, 1.0]))
    assert np.ndim(other) == 0
    assert Spec.from_dict(tomllib.loads(spec.to_toml())) == spec


def test_a_canonical_name_that_is_unique_is_the_bare_one():
    short, long = (Spec.from_dict({"axes": {n: [8, 16]}}) for n in ("levels", "device.levels"))
    assert short == long and short.axes[0].name == "levels"


def test_equal_names_of_two_sections_are_two_facts_of_a_lane():
    """They were one: device gammas 1.5 and 3 then drew the same random numbers."""
    found = set()
    for gamma in (1.5, 3.0):
        raw = {"device": {"model": "PowerStep", "gamma": gamma}, "seeds": 1}
        raw |= {"train": {"algorithm": "tiki_taka", "gamma": 0.5}}
        spec, numbers = lanes(raw)
        found.add(identity.lane_key_data(spec, numbers).tobytes())
    assert len(found) == 2


def test_one_of_them_at_its_default_is_not_the_other_at_its_default():
    tables = [({"gamma": 0.5}, {}), ({}, {"gamma": 0.5})]
    words, keys = set(), set()
    for device, train in tables:
        raw = {"device": {"model": "PowerStep", **device}, "seeds": 1}
        raw |= {"train": {"algorithm": "tiki_taka", **train}}
        spec, numbers = lanes(raw)
        words.add(identity.lane_key_data(spec, numbers).tobytes())
        keys |= set(identity.lane_keys(spec, numbers).tolist())
    assert len(words) == len(keys) == 2


def test_keys_are_of_the_configuration_whatever_the_number():
    few, many = {"levels": [8, 16]}, {"sigma_c2c": [0, 1], "levels": [4, 16, 8]}
    a, b = (
        set(identity.lane_keys(*lanes({"axes": axes, "seeds": 2})).tolist()) for axes in (few, many)
    )
    assert len(a) == 4 and len(b) == 12 and a < b


@pytest.mark.parametrize(
    "other",
    [
        {"model": {"hidden": [8]}},
        {"train": {"batch_size": 2}},
        {"train": {"baseline_learning_rate": 0.2}},
        {"evaluate": {"gaussian": [0.1]}},
        {"device": {"model": "PiecewiseStep"}},
        {"common_random_numbers": ["levels"]},
    ],
)
def test_whatever_a_lane_depends_on_is_in_its_key(other):
    axes = {"axes": {"levels": [8, 16]}, "seeds": 1}
    plain, changed = (identity.lane_keys(*lanes(axes | more)) for more in ({}, other))
    assert not np.isin(plain, changed).any()


@pytest.mark.parametrize(
    "other", [{"train": {"epochs": 3}}, {"engine": {"checkpoint_minutes": 1}}, {"name": "x"}]
)
def test_how_long_and_how_it_is_run_is_not(other):
    axes = {"axes": {"levels": [8, 16]}, "seeds": 1}
    plain, changed = (identity.lane_keys(*lanes(axes | more)) for more in ({}, other))
    np.testing.assert_array_equal(plain, changed)


def test_algorithms_that_cannot_run_are_refused_before_any_work():
    """A rule that is swept is read as well as one that is fixed."""
    raw = {"train": {"algorithm": "tiki_taka"}, "cell": {"kind": "vector", "devices": 2}}
    with pytest.raises(SpecError, match="take rule"):
        Spec.from_dict(raw | {"axes": {"rule": ["at_random", "in_turn"]}})
    Spec.from_dict(raw | {"axes": {"rule": ["at_random", "all"]}})


def test_a_scheme_that_is_registered_later_counts(monkeypatch):
    from memjax.pulses import SCHEMES, Bernoulli

    monkeypatch.setitem(SCHEMES, "mine", Bernoulli)
    spec = Spec.from_dict({"axes": {"scheme": ["mine", "binomial"]}, "pulses": {"max_pulses": 3}})
    assert spec.sections["pulses"]["max_pulses"] == 3
