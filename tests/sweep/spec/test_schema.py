"""Sections are the package's own parameter classes, seen as tables."""

import jax
import numpy as np
import pytest

from memjax.cells import CELLS
from memjax.devices import MODELS, ConstantStep
from memjax.experiments import Classifier
from memjax.pulses import Bernoulli
from memjax.sweep.spec.schema import Schema, SectionError

SCHEMA = Schema(Classifier())
EVERY = [(section, c) for section, part in SCHEMA.choosers.items() for c in part.choices]
validate, is_static, with_value = SCHEMA.validate, SCHEMA.is_static, SCHEMA.with_value
build = SCHEMA.build_part


@pytest.mark.parametrize(("section", "choice"), EVERY)
def test_every_choice_is_a_table_of_its_defaults(section, choice):
    selector, known = SCHEMA.choosers[section].selector, SCHEMA.choosers[section].choices
    table = validate(section, {selector: choice})
    built, default = build(section, table), known[choice]()
    assert type(built) is type(default)
    assert jax.tree.all(jax.tree.map(np.array_equal, built, default))
    assert validate(section, table) == table
    assert is_static(section, table, selector)


def test_registries_are_whole():
    assert SCHEMA.choosers["device"].choices is MODELS
    assert SCHEMA.choosers["cell"].choices is CELLS


def test_swept_parameters_are_leaves_and_the_rest_is_static():
    assert not is_static("device", validate("device", {}), "levels")
    assert is_static("pulses", validate("pulses", {}), "length")
    assert not is_static("train", {}, "learning_rate")
    assert is_static("train", {}, "batch_size")
    assert is_static("model", {}, "activation")


def test_another_choice_leaves_behind_what_it_has_no_use_for():
    table = validate("pulses", {"length": 20})
    changed = with_value("pulses", table, "scheme", "bernoulli")
    assert changed == {"scheme": "bernoulli"}
    assert build("pulses", table | {"scheme": "bernoulli"}) == Bernoulli()
    with pytest.raises(SectionError, match="scheme: 'x' is not known"):
        with_value("pulses", table, "scheme", "x")


def test_object_is_what_the_table_says():
    assert build("device", validate("device", {"levels": 8})) == ConstantStep(levels=8.0)


def test_error_tells_key_and_what():
    with pytest.raises(SectionError) as caught:
        validate("device", {"levels": 1})
    assert (caught.value.key, caught.value.what) == ("levels", "1 must be at least 2")
