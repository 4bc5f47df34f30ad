"""Old names work for one version, and warn."""

import jax
import jax.numpy as jnp
import pytest

from memjax import random
from memjax.cells import ReferenceCell
from memjax.devices import ConstantStep, Ernoult, PhaseChange
from memjax.pytree import params

STREAM = random.stream(jax.random.key(0))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("remembers", "has_memory"),
        ("ages", "changes_with_time"),
        ("pulses_to_bound", "levels_are_pulses"),
        ("whole_pulses", "integer_pulses_only"),
        ("vanishes", "step_vanishes_at_bounds"),
    ],
)
def test_what_a_device_is_by_its_old_name(old, new):
    for device in (PhaseChange(), Ernoult(lifetime=9.0)):
        with pytest.warns(DeprecationWarning, match=rf"\.{old} is called {new} now$"):
            assert getattr(device, old) == getattr(device, new)
    with pytest.warns(DeprecationWarning, match="^Ernoult.pulses_to_bound is called"):
        assert Ernoult.pulses_to_bound is True


def test_methods_by_their_old_names():
    device, n = PhaseChange(), jnp.ones(3)
    array = device.fabricate(STREAM, (3,))
    with pytest.warns(DeprecationWarning, match="^PhaseChange.remember is called update_memory"):
        assert device.remember(array, n, n).memory[0] < 1.0
    with pytest.warns(DeprecationWarning, match="^ConstantStep.pulses_up is called"):
        array = ConstantStep(levels=11).fabricate(STREAM, (3,))
        assert ConstantStep(levels=11).pulses_up(array, 0 * n, 0.5 * n).tolist() == [5.0] * 3
    with pytest.warns(DeprecationWarning, match="^ReferenceCell.idles is called is_static now$"):
        assert ReferenceCell().idles(ConstantStep())
    with pytest.warns(DeprecationWarning, match="^ConstantStep.step is deprecated: use advance"):
        assert ConstantStep(levels=11).step(array, 0.95 * n, n, 0 * n).tolist() == [1.0] * 3


def test_a_subclass_that_defines_an_old_name_is_taken_at_its_word():
    with pytest.warns(DeprecationWarning) as told:

        @params
        class Mine(ConstantStep):
            whole_pulses = True

            def remember(self, array, g, n):
                return array._replace(up=array.up + n)

    said = {str(warning.message) for warning in told}
    assert said == {
        "Mine.remember is called update_memory now",
        "Mine.whole_pulses is called integer_pulses_only now",
    }
    device = Mine()
    array, g = device.init(STREAM, jnp.zeros(2))
    array, _ = device.advance(array, g, jnp.ones(2), lambda purpose: jnp.zeros(2))
    assert Mine.integer_pulses_only and device.has_memory
    assert array.up.tolist() == pytest.approx([1 + 1 / 31] * 2)
