"""The catalogue says of every registered model what it is, where it is from and what it takes."""

import pytest

from memjax.devices import MODELS, catalogue
from memjax.errors import UserError


@pytest.mark.parametrize("name", list(MODELS))
def test_every_model_is_described(name):
    model = catalogue.find(name.upper())
    assert model is MODELS[name]
    assert catalogue.summary(model).endswith(".")
    assert "(20" in catalogue.source(model)  # a year of publication
    described = catalogue.parameters(model)
    assert [row[0] for row in described] == list(model.__dataclass_fields__)
    assert all(meaning for *_, meaning in described)


def test_own_parameters_come_with_defaults_and_units():
    rows = {row[0]: row[1:] for row in catalogue.parameters(MODELS["SaturatingExponential"])}
    assert rows["nl_up"][0] == 1.0
    assert rows["sigma_c2c"][:2] == (0.0, "mean steps")
    assert rows["stuck"][0] is None


def test_an_unknown_name_is_told_with_the_nearest():
    with pytest.raises(UserError, match="no device is called 'SoftBound'; did you mean SoftBounds"):
        catalogue.find("SoftBound")
    with pytest.raises(UserError, match="there are ConstantStep, SoftBounds"):
        catalogue.find("zzz")
