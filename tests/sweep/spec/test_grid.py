"""A lane's random words depend on its own coordinates and seed, on nothing else."""

import numpy as np
import pytest

from memjax.experiments import Classifier
from memjax.sweep import Spec
from memjax.sweep.spec import grid as lanes
from memjax.sweep.spec import identity
from memjax.sweep.spec.schema import Schema

CHOICES = Schema(Classifier()).choosers


def words(axes: dict, seeds: int = 2, **top) -> dict:
    """Each lane's words by its parameters and seed."""
    spec = Spec.from_dict({"axes": axes, "seeds": seeds, **top})
    numbers = np.arange(np.prod(lanes.shape(spec)))
    values = lanes.parameter_values(spec, numbers)
    for axis in spec.axes:
        if axis.names is not None:  # of devices: known by their names
            which = np.unravel_index(numbers, lanes.shape(spec))[spec.axes.index(axis)]
            values = {k: v for k, v in values.items() if k not in axis.columns}
            values[axis.name] = [axis.names[i] for i in which]
    found = identity.lane_key_data(spec, numbers)
    assert found.dtype == np.uint32
    return {
        (frozenset((name, column[i]) for name, column in values.items()), i % seeds): tuple(row)
        for i, row in enumerate(found.tolist())
    }


GRID = {"levels": [8, 16], "on_off": [2, 5], "activation": ["relu", "tanh"]}


def test_all_lanes_are_distinct():
    found = words({"levels": {"linspace": [2, 50, 40]}, "on_off": {"linspace": [2, 50, 25]}}, 3)
    assert len(set(found.values())) == len(found) == 3000


@pytest.mark.parametrize(
    ("axes", "seeds"),
    [
        (GRID, 5),
        (GRID | {"levels": [4, 8, 12, 16]}, 2),
        (dict(reversed(GRID.items())), 2),
        (GRID | {"on_off": [5, 2]}, 2),
        (GRID | {"activation": ["tanh"]}, 2),
        ({"pair": {"levels": [16, 8], "on_off": [2, 5]}, "activation": ["relu"]}, 1),
        ({"all": {"levels": [16], "on_off": [2], "activation": ["relu"]}}, 1),
    ],
)
def test_other_lanes_change_nothing(axes, seeds):
    base, other = words(GRID), words(axes, seeds)
    shared = base.keys() & other.keys()
    assert shared
    assert all(base[lane] == other[lane] for lane in shared)


def test_a_lane_alone_is_the_same_whether_its_values_are_swept_or_fixed():
    swept = words({"levels": [8, 32], "sigma_c2c": [0, 2.0], "scheme": ["coincidence", "binomial"]})
    lane = frozenset({("levels", 8.0), ("sigma_c2c", 2.0), ("scheme", "binomial")})
    fixed = {"device": {"levels": 8, "sigma_c2c": 2}, "pulses": {"scheme": "binomial"}}
    alone = words({}, **fixed)
    mixed = words({"levels": [8]}, device={"sigma_c2c": 2}, pulses={"scheme": "binomial"})
    default = frozenset({("levels", 32.0), ("sigma_c2c", 0.0), ("scheme", "coincidence")})
    for seed in (0, 1):
        assert swept[lane, seed] == alone[frozenset(), seed]
        assert swept[lane, seed] == mixed[frozenset({("levels", 8.0)}), seed]
        assert swept[default, seed] == words({})[frozenset(), seed]


def test_what_a_lanes_own_choice_lacks_is_none_of_its_identity():
    """A label of NeuroSim's beside a device that has none, fixed or swept with another's."""
    models = ["SaturatingExponential", "ConstantStep"]
    device = {"model": "SaturatingExponential", "nl_up": 2}
    mixed = words({"model": models}, device=device)
    plain = words({"model": models})
    for seed in (0, 1):
        alone = words({}, device={"model": "ConstantStep"})[frozenset(), seed]
        curved = words({}, device=device)[frozenset(), seed]
        constant, saturating = (frozenset({("model", model)}) for model in reversed(models))
        assert mixed[constant, seed] == plain[constant, seed] == alone
        assert mixed[saturating, seed] == curved != plain[saturating, seed]


@pytest.mark.parametrize("section", CHOICES)
def test_a_choice_swept_beside_others_is_the_lane_of_that_choice_alone(section):
    selector, choices = CHOICES[section].selector, CHOICES[section].choices
    found = words({selector: list(choices)}, 1)
    for choice in choices:
        for given in ({"axes": {}, section: {selector: choice}}, {"axes": {selector: [choice]}}):
            (alone,) = words(seeds=1, **given).values()
            assert alone == found[frozenset({(selector, choice)}), 0]


def test_more_epochs_are_the_same_lane():
    assert words(GRID, train={"epochs": 3}) == words(GRID, train={"epochs": 5})


def test_root_seed_changes_every_lane():
    base, other = words(GRID), words(GRID, root_seed=1)
    assert not set(base.values()) & set(other.values())


def test_common_random_numbers_are_shared_over_their_axes_only():
    found = words(GRID, common_random_numbers=["levels", "on_off"])
    assert len(set(found.values())) == 2 * 2  # activations and seeds
    by_rest = {}
    for (point, seed), word in found.items():
        by_rest.setdefault((dict(point)["activation"], seed), set()).add(word)
    assert all(len(shared) == 1 for shared in by_rest.values())


def test_common_random_numbers_of_a_zipped_group():
    axes = {"pair": {"levels": [8, 16], "on_off": [2, 5]}, "sigma_c2c": [0, 1]}
    assert len(set(words(axes, common_random_numbers=["pair"]).values())) == 2 * 2


def test_words_do_not_depend_on_which_lanes_are_asked_for():
    spec = Spec.from_dict({"axes": GRID, "seeds": 2})
    every = identity.lane_key_data(spec, np.arange(16))
    np.testing.assert_array_equal(identity.lane_key_data(spec, np.array([11, 3])), every[[11, 3]])


def test_words_stay_the_same_from_version_to_version():
    spec = Spec.from_dict({"axes": {"levels": [8]}, "seeds": 1})
    assert identity.lane_key_data(spec, np.array([0])).tolist() == [[1734830005, 2041810288]]


def test_baseline_words_are_nobody_elses_and_grow_with_seeds():
    few, many = (Spec.from_dict({"axes": GRID, "seeds": seeds}) for seeds in (2, 5))
    np.testing.assert_array_equal(
        identity.baseline_key_data(few), identity.baseline_key_data(many)[:2]
    )
    own = {tuple(row) for row in identity.baseline_key_data(many).tolist()}
    assert len(own) == 5
    assert not own & set(words(GRID, 5).values())


def test_groups_are_the_combinations_of_static_values():
    spec = Spec.from_dict({"axes": GRID | {"length": [5, 10]}, "seeds": 2})
    groups = lanes.static_groups(spec)
    np.testing.assert_array_equal(np.sort(np.concatenate(groups)), np.arange(32))
    found = []
    for members in groups:
        values = lanes.parameter_values(spec, members)
        (kind,) = {*zip(values["activation"], values["length"], strict=True)}
        found.append(kind)
    assert sorted(found) == [(a, n) for a in ("relu", "tanh") for n in (5, 10)]


def test_tasks_are_what_is_missing_in_parts_of_one_group():
    spec = Spec.from_dict({"axes": {"levels": [8, 16, 32], "length": [5, 10]}, "seeds": 2})
    known = np.array([0, 5, 7])
    parts = lanes.tasks(spec, 3, known)
    assert [len(part) for part in parts] == [3, 1, 3, 2]
    np.testing.assert_array_equal(
        np.sort(np.concatenate(parts)), np.setdiff1d(np.arange(12), known)
    )
    for part in parts:
        assert len(set(lanes.parameter_values(spec, part)["length"])) == 1


def test_no_axes_is_one_lane_a_seed():
    spec = Spec.from_dict({"seeds": 3})
    assert lanes.shape(spec) == (3,)
    assert [len(members) for members in lanes.static_groups(spec)] == [3]
    assert len({tuple(row) for row in identity.lane_key_data(spec, np.arange(3)).tolist()}) == 3
