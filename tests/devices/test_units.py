"""Siemens and weights of normalised conductances."""

import pytest

from memjax.devices import ConstantStep
from memjax.devices.units import in_unit
from memjax.errors import UserError


def test_siemens_and_weights_at_both_ends():
    device = ConstantStep(gmax=1e-4, on_off=5.0, g_ref=0.25, weight_span=4.0)
    assert [device.siemens(g) for g in (0.0, 1.0)] == pytest.approx([2e-5, 1e-4])
    assert [device.weights(g) for g in (0.0, 0.25, 1.0)] == [-1.0, 0.0, 3.0]


def test_siemens_need_gmax():
    with pytest.raises(UserError, match=r"^ConstantStep: gmax is not known; set it, in siemens$"):
        ConstantStep().siemens(0.5)


@pytest.mark.parametrize(
    ("siemens", "unit", "scale"),
    [
        (2.0, "S", 1),
        (1e-3, "mS", 1e-3),
        (2e-5, "µS", 1e-6),
        (4e-8, "nS", 1e-9),
        (1e-13, "pS", 1e-12),
    ],
)
def test_a_conductance_has_a_unit_in_which_it_reads_well(siemens, unit, scale):
    assert in_unit(siemens) == (unit, scale)
