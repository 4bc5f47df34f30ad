"""The catalogue says of every registered model what it is, where it is from and what it takes."""

import dataclasses

import pytest

from memjax.devices import MODELS, catalogue
from memjax.errors import UserError


@pytest.mark.parametrize("name", list(MODELS))
def test_every_model_is_described(name):
    assert catalogue.find(name.upper()) == name
    assert catalogue.summary(name)
    assert "(20" in catalogue.source(name)  # a year of publication
    device = catalogue.get(name.lower())
    assert type(device) is MODELS[name]
    described = catalogue.parameters(device)
    assert [row[0] for row in described] == [f.name for f in dataclasses.fields(device)]
    assert all(meaning for *_, meaning in described)


def test_own_parameters_come_with_defaults_and_units():
    rows = {row[0]: row[1:] for row in catalogue.parameters(MODELS["SaturatingExponential"]())}
    assert rows["nl_up"][0] == 1.0
    assert rows["sigma_c2c"][:2] == (0.0, "mean steps")
    assert rows["stuck"][0] is None


def test_an_unknown_name_is_told_with_the_nearest():
    with pytest.raises(UserError, match="no device is called 'ErnoulX'; did you mean Ernoult"):
        catalogue.find("ErnoulX")
    with pytest.raises(UserError, match="no device is called 'zzz'; see `memjax devices`"):
        catalogue.find("zzz")
