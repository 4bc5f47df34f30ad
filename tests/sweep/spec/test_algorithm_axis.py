"""Algorithms in a specification: their parameters in [train], the axis, and what is refused."""

import tomllib

import numpy as np
import pytest

from memjax.data import load
from memjax.errors import SpecError
from memjax.sweep import Spec, run
from memjax.sweep.spec import grid as lanes
from memjax.sweep.spec import identity
from memjax.updates import AGAD, ALGORITHMS, PulsedSGD


@pytest.fixture(scope="module")
def digits():
    return load("digits")


def spec(**raw):
    return Spec.from_dict({"seeds": 1, "train": {"epochs": 1}, **raw})


def test_the_default_is_pulsed_sgd_and_has_no_other_parameters():
    table = spec().sections["train"]
    assert table["algorithm"] == "sgd" and "transfer_rate" not in table


def test_a_table_gives_an_algorithm_its_parameters():
    made = spec(train={"algorithm": "agad", "transfer_rate": 0.3, "transfer_every": 2})
    table = made.sections["train"]
    assert table["transfer_rate"] == 0.3 and table["chop_every"] == 10 and table["epochs"] == 10
    assert Spec.from_dict(_raw(made)).sections == made.sections


def _raw(made: Spec) -> dict:
    return tomllib.loads(made.to_toml())


def test_an_axis_of_algorithms_takes_the_parameters_of_any_of_them():
    """And a lane of one that has no such parameter is the lane that it is without."""
    with_rate = spec(train={"transfer_rate": 0.3}, axes={"algorithm": ["sgd", "agad"]})
    without = spec(axes={"algorithm": ["sgd", "agad"]})
    assert _raw(with_rate)["train"]["transfer_rate"] == 0.3
    assert Spec.from_dict(_raw(with_rate)).sections == with_rate.sections
    words = [identity.lane_key_data(s, np.arange(2)) for s in (with_rate, without)]
    np.testing.assert_array_equal(words[0][0], words[1][0])
    assert np.any(words[0][1] != words[1][1])


def test_each_algorithm_is_a_group_and_its_rates_are_swept_in_it():
    group = {"algorithm": ["sgd", "agad", "agad"], "transfer_rate": [0, 0.1, 0.3]}
    made = spec(axes={"method": group, "sigma_c2c": [0, 1]})
    groups = lanes.static_groups(made)
    assert [len(members) for members in groups] == [2, 4]
    for members, kind in zip(groups, (PulsedSGD, AGAD), strict=True):
        values = lanes.parameter_values(made, members)
        algorithm = made.built(values).algorithm
        assert type(algorithm) is kind
    rates = np.sort(np.asarray(algorithm.transfer_rate))
    np.testing.assert_allclose(rates, [0.1, 0.1, 0.3, 0.3], rtol=1e-6)


@pytest.mark.parametrize(
    "raw,words",
    [
        ({"train": {"algorithm": "agda"}}, "did you mean 'agad'"),
        ({"train": {"transfer_rate": 0.1}}, "transfer_rate: unknown key"),
        ({"train": {"algorithm": "agad", "transfer_rate": -1}}, "at least 0"),
        ({"axes": {"algorithm": ["sgd", "agad"], "transfer_rate": [0.1]}}, "has no such parameter"),
        ({"axes": {"algorithm": ["sgd", "rprop"]}, "device": {"model": "Ernoult"}}, ""),
        (
            {"train": {"algorithm": "rprop"}, "device": {"model": "ExponentialStep"}},
            "knows whole pulses only; take one of",
        ),
        (
            {"axes": {"algorithm": ["sgd", "rprop"]}, "device": {"model": "PiecewiseStep"}},
            "knows whole pulses only",
        ),
        (
            {"train": {"algorithm": "tiki_taka"}, "device": {"g_ref": 0}},
            "needs weights of both signs",
        ),
        (
            {"train": {"algorithm": "agad"}, "cell": {"kind": "vector"}},
            "take rule",
        ),
        ({"cell": {"kind": "refresh_pair", "refresh_above": 1.0}}, "less than 1"),
        ({"cell": {"kind": "vector", "devices": 0}}, "at least 1"),
    ],
)
def test_what_cannot_run_is_refused_before_it_is_run(raw, words):
    if not words:  # this one can
        spec(**raw)
        return
    with pytest.raises(SpecError, match=words):
        spec(**raw)


def test_every_algorithm_trains_a_lane(digits):
    """Eight compilations; a soft bounds device, one epoch of 400 digits."""
    made = spec(
        axes={"algorithm": list(ALGORITHMS)},
        device={"model": "SoftBounds", "levels": 200},
        engine={"width": 1},
    )
    result = run(made, dataset=digits.take(400, 100))
    assert np.all(result.status == 0) and result.test_accuracy.shape == (8, 1, 1)
