"""What could mislead is said in a line."""

import pytest

from memjax.sweep import Spec
from memjax.sweep.run import notes


@pytest.mark.parametrize(
    ("raw", "noted"),
    [
        ({"axes": {"on_off": [2, 50]}}, True),
        ({"axes": {"pair": {"on_off": [2, 50], "levels": [8, 32]}}}, True),
        ({"axes": {"levels": [8, 32]}, "device": {"on_off": 2}}, False),
        ({"axes": {"on_off": [2, 50]}, "device": {"sigma_g": 0.01}}, False),
        ({"axes": {"on_off": [2, 50]}, "device": {"sigma_read": 0.01}}, False),
        ({"axes": {"on_off": [2, 50]}, "device": {"sigma_bounds": 0.3}}, False),
        ({"axes": {"on_off": [2, 50], "sigma_g": [0, 0.01]}}, False),
        ({"axes": {"pair": {"on_off": [2, 50], "sigma_read": [0.1, 0.2]}}}, False),
    ],
)
def test_a_swept_on_off_that_nothing_sees_is_noted(raw, noted):
    found = notes(Spec.from_dict(raw))
    assert [note.partition(":")[0] for note in found] == ["on_off has no effect here"] * noted
    assert all("set device.sigma_g or device.sigma_read" in note for note in found)


@pytest.mark.parametrize(
    ("raw", "noted"),
    [
        ({"device": {"programming": "noisy"}}, True),
        ({"axes": {"programming": ["exact", "noisy"]}}, True),
        ({"device": {"programming": "noisy", "sigma_write": 0.5}}, False),
        ({"axes": {"sigma_write": [0, 1]}, "device": {"programming": "noisy"}}, False),
        ({}, False),
    ],
)
def test_a_noisy_programming_without_a_noise_is_noted(raw, noted):
    found = notes(Spec.from_dict({"axes": {"levels": [8, 32]}} | raw))
    assert [note.partition(" has")[0] for note in found] == ['programming = "noisy"'] * noted


@pytest.mark.parametrize(
    ("raw", "wanted"),
    [
        # learning_rate (levels - 1) / (2 weight_range) pulses, against 1.5 trains of 10
        ({"device": {"levels": 200}, "train": {"learning_rate": 0.2}}, 40),
        ({"axes": {"levels": [8, 200], "learning_rate": [0.01, 0.2]}}, 40),
        ({"axes": {"weight_range": [0.25, 2.0]}, "device": {"levels": 101}}, 20),
        ({"axes": {"length": [10, 32]}, "device": {"levels": 201}}, 20),
        ({"device": {"levels": 128}}, None),
        ({"device": {"levels": 200}, "pulses": {"length": 32}}, None),
        ({"device": {"levels": 200}, "pulses": {"scheme": "bernoulli"}}, None),
        ({"device": {"levels": 200}, "train": {"algorithm": "mixed_precision"}}, None),
    ],
)
def test_trains_too_short_for_the_largest_update_are_noted(raw, wanted):
    found = [note for note in notes(Spec.from_dict(raw)) if "pulses of trains" in note]
    assert [note.split()[4] for note in found] == ([] if wanted is None else [str(wanted)])


def test_an_element_wise_scheme_that_clips_is_noted():
    pulses = {"scheme": "bernoulli", "max_pulses": 8}
    found = notes(Spec.from_dict({"device": {"levels": 201}, "pulses": pulses}))
    (note,) = [note for note in found if "want" in note]
    assert note.startswith("the largest updates want 20 pulses, and Bernoulli fires 8 at most")
    assert "raise pulses.max_pulses" in note


def test_a_baseline_that_does_not_follow_an_axis_is_noted():
    raw = {"axes": {"learning_rate": [0.01, 0.02], "batch_size": [1, 2]}}
    (note,) = notes(Spec.from_dict(raw))
    assert note.endswith("it is trained at learning_rate = 0.1, batch_size = 1")


def test_one_seed_is_noted():
    (note,) = notes(Spec.from_dict({"seeds": 1, "axes": {"levels": [8, 16]}}))
    assert note.startswith("with one seed")


def test_weights_of_one_sign_are_told():
    spec = Spec.from_dict({"axes": {"device": ["EpiRAM", "PCM"]}})
    assert any("weights of one sign only" in note for note in notes(spec))
    pair = Spec.from_dict({"axes": {"device": ["PCM"]}, "cell": {"kind": "differential"}})
    assert not any("one sign" in note for note in notes(pair))


def test_levels_that_move_potentiation_alone_are_told():
    raw = {"axes": {"levels": [16, 32]}, "device": {"model": "ag:a-si"}}
    assert any("potentiation only" in note for note in notes(Spec.from_dict(raw)))
    even = {"axes": {"levels": [16, 32]}, "device": {"model": "SaturatingExponential"}}
    assert not any("potentiation only" in note for note in notes(Spec.from_dict(even)))
