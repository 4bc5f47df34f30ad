"""What `[axes]` may hold."""

import numpy as np
import pytest

from memjax.errors import SpecError
from memjax.sweep.spec.axes import MOST_POINTS, Axis, parse_axis


@pytest.mark.parametrize(
    ("entry", "values"),
    [
        ([8, 16.5, "x", True], [8, 16.5, "x", True]),
        ({"linspace": [0, 1, 3]}, [0, 0.5, 1]),
        ({"linspace": [1, 0.8, 3]}, [1, 0.9, 0.8]),
        ({"logspace": [-2, 0, 3]}, [0.01, 0.1, 1]),
        ({"geomspace": [0.1, 10, 3]}, [0.1, 1, 10]),
        ({"geomspace": [-1, -4, 3]}, [-1, -2, -4]),
        ({"powers_of_two": [0, 3]}, [1, 2, 4, 8]),
        ({"linspace": [5, 9, 1]}, [5]),
    ],
)
def test_values(entry, values):
    assert parse_axis("a", entry) == Axis("a", {"a": values})


def test_whole_numbers_of_a_range_are_whole():
    values = parse_axis("length", {"linspace": [5, 20, 4]}).columns["length"]
    assert [type(value) for value in values] == [int] * 4


def test_the_longest_range_is_quick():
    axis = parse_axis("a", {"linspace": [0, 1, MOST_POINTS]})
    np.testing.assert_allclose(axis.columns["a"], np.linspace(0, 1, MOST_POINTS), rtol=1e-11)


def test_zipped_group_moves_together_and_is_numbered():
    axis = parse_axis("material", {"levels": [8, 8, 32], "on_off": {"linspace": [2, 4, 3]}})
    assert axis.columns == {"levels": [8, 8, 32], "on_off": [2, 3, 4]}
    assert (axis.zipped, axis.size, axis.labels()) == (True, 3, [0, 1, 2])
    plain = parse_axis("levels", [8, 32])
    assert (plain.zipped, plain.size, plain.labels()) == (False, 2, [8, 32])


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        (8, "8 must be a list such as"),
        ("8", "'8' must be a list"),
        ([], "axis is empty"),
        ([8, 8.0], "8.0 is there twice"),
        ([[8]], r"\[8\] must be a number or a string"),
        ([None], "None must be a number"),
        ([float("nan")], "nan must be a finite number"),
        ([1, float("inf")], "inf must be a finite number"),
        (list(range(MOST_POINTS + 1)), "100001 values are too many; at most 100000"),
        ({}, "zipped group is empty"),
        ({"x": []}, "axis is empty"),
        ({"x": 3}, "3 must be a list"),
        ({"x": [1, 2], "y": [1]}, "equally many values: x has 2, y has 1"),
        ({"x": [1, 1], "y": [2, 2]}, r"\(1, 2\) is there twice"),
        ({"linspace": [0, 1]}, r"must be \[first, last, count\]"),
        ({"linspace": 3}, r"must be \[first, last, count\]"),
        ({"linspace": [0, "1", 3]}, "all finite numbers"),
        ({"linspace": [0, True, 3]}, "all finite numbers"),
        ({"linspace": [0, float("inf"), 3]}, "all finite numbers"),
        ({"linspace": [0, 1, 0]}, "count must be a whole number"),
        ({"linspace": [0, 1, 2.5]}, "count must be a whole number"),
        ({"linspace": [0, 1, 10**9]}, "count must be a whole number, 1 .. 100000"),
        ({"linspace": [1, 1, 2]}, "1 is there twice"),
        ({"logspace": [0, 400, 3]}, "runs out of the range of numbers"),
        ({"geomspace": [0, 1, 3]}, "one sign, not 0"),
        ({"powers_of_two": [1, 2, 3]}, r"must be \[first, last\]"),
        ({"powers_of_two": [1, 2.5]}, "whole exponents"),
        ({"powers_of_two": [3, 2]}, "first <= last"),
        ({"powers_of_two": [0, 10**6]}, "<= 64"),
    ],
)
def test_wrong_entries(entry, message):
    with pytest.raises(SpecError, match=message):
        parse_axis("a", entry)


@pytest.mark.parametrize("name", ["seed", "status", "lane_key", "key_data"])
def test_names_of_the_results_own_are_taken(name):
    with pytest.raises(SpecError, match="every result has something of that name"):
        parse_axis(name, [1])


def test_name_of_a_group_is_a_dimension():
    with pytest.raises(SpecError, match="letters, digits and underscores"):
        parse_axis("a/b", {"levels": [8]})
