"""What a terminal shows: a line a device, a row a parameter, a row a ramp."""

import io

import pytest
from rich.console import Console

from memjax.devices import MODELS, PRESETS, ConstantStep, get, listing, ltp_ltd


def shown(table, width=100):
    text = io.StringIO()
    Console(file=text, width=width, color_system=None).print(table)
    return text.getvalue()


def test_a_line_for_every_preset_and_model():
    lines = listing.everything().splitlines()
    names = ["preset", *PRESETS, "model", *MODELS]
    assert [line.split(" ")[0] for line in lines] == names
    row = next(line for line in lines if line.startswith("Ag:a-Si"))
    for word in ("97", "0.035 pulse", "nl 2.4/-4.88", "Jo et al."):
        assert word in row
    assert all(len(line) <= 80 for line in listing.everything(80).splitlines())


@pytest.mark.parametrize("name", ["JumpTable", "Ag:a-Si"])
def test_a_row_for_every_parameter(name):
    device = get(name)
    text = shown(listing.parameters(device))
    for name in ("levels", "sigma_write", "gmax", "weight_span"):
        assert f"\n {name} " in text
    assert "absent" in text and "of the" in text


def test_a_row_for_every_ramp():
    device = ConstantStep(levels=5, gmax=1e-3, on_off=5)
    text = shown(listing.response(ltp_ltd.respond(device, 2, 1, cycles=2, ideal=True)))
    _, *rows = [line.split() for line in text.splitlines() if line.strip(" ─━")]
    assert rows == [
        ["start", "0.000000", "-1.000000", "0.0002"],
        ["2", "up", "0.500000", "0.000000", "0.0006"],
        ["1", "down", "0.250000", "-0.500000", "0.0004"],
        ["2", "up", "0.750000", "0.500000", "0.0008"],
        ["1", "down", "0.500000", "0.000000", "0.0006"],
    ]
    text = shown(listing.response(ltp_ltd.respond(ConstantStep(), 0, 3, ideal=True)))
    assert "conductance (S)" not in text and "3 down" in text and " up" not in text
