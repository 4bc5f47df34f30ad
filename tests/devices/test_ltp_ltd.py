"""LTP and LTD: the table's rows, starts in weights and in siemens, the picture's labels."""

import csv
import dataclasses
import io

import numpy as np
import pytest

from memjax.devices import ConstantStep, get, ltp_ltd, pulse_response
from memjax.errors import UserError

DEVICE = ConstantStep(levels=5, gmax=1e-3, on_off=5)  # 0.2 to 1 mS, weights -1 to 1


def rows(response):
    text = ltp_ltd.to_csv(response)
    assert text.endswith("\n") and "\r" not in text
    return list(csv.reader(io.StringIO(text)))


def test_the_table():
    """Row 0 is the start, of the first ramp; every cycle goes up and down again."""
    header, *table = rows(ltp_ltd.respond(DEVICE, 2, 1, start=0.25, cycles=2, ideal=True))
    assert header == ["pulse", "direction", "weight", "conductance_S"]
    assert [row[0] for row in table] == [str(k) for k in range(7)]
    assert [row[1] for row in table] == ["up", "up", "up", "down", "up", "up", "down"]
    g = np.array([1, 2, 3, 2, 3, 4, 3]) / 4
    np.testing.assert_allclose([float(row[2]) for row in table], 2 * g - 1, atol=1e-7)
    np.testing.assert_allclose([float(row[3]) for row in table], 2e-4 + 8e-4 * g, rtol=1e-6)


def test_without_gmax_there_are_no_siemens():
    _, *table = rows(ltp_ltd.respond(ConstantStep(levels=5), 0, 2, start=1.0, ideal=True))
    assert [row[1] for row in table] == ["down"] * 3
    assert {row[3] for row in table} == {""}


def test_a_seed_draws_the_device_and_ideal_does_not():
    device = get("GokmenVlasov")
    curves = [ltp_ltd.respond(device, 20, 20, seed=seed).g for seed in (1, 1, 2)]
    np.testing.assert_array_equal(curves[0], curves[1])
    assert np.mean(curves[0][1:] == curves[2][1:]) < 0.2
    ideal = ltp_ltd.respond(device, 20, 20, ideal=True, seed=2).g
    np.testing.assert_array_equal(ideal, pulse_response(device, 20, 20))


@pytest.mark.parametrize(
    ("text", "g"),
    [
        ("0", 0.5),
        ("-0.3", 0.35),
        ("+1", 1.0),
        ("-1e0", 0.0),
        (" .5 ", 0.75),
        ("0.5mS", 0.375),
        ("500 uS", 0.375),
        ("500µS", 0.375),
        ("500μS", 0.375),
        ("2e5nS", 0.0),
        ("1.6e-4S", None),
        ("3.6e-4 S", 0.2),
        ("0.001S", 1.0),
    ],
)
def test_a_start_is_a_weight_or_a_conductance(text, g):
    if g is None:
        with pytest.raises(UserError, match=r"reaches from 0\.0002 to 0\.001 S$"):
            ltp_ltd.parse_start(DEVICE, text)
    else:
        assert ltp_ltd.parse_start(DEVICE, text) == pytest.approx(g, abs=1e-6)


@pytest.mark.parametrize(
    "text", ["", "x", "nan", "inf", "1..2", ".", "1V", "1 kS", "0.5ms", "1e", "1e-4 S S", "--1"]
)
def test_a_start_that_is_neither(text):
    with pytest.raises(UserError) as error:
        ltp_ltd.parse_start(DEVICE, text)
    assert str(error.value) == (
        f"--start {text}: must be a weight, such as 0.1, or a conductance in one of "
        "S, mS, uS, nS, pS"
    )


@pytest.mark.parametrize("text", ["1.01", "-2", "1e999"])
def test_a_weight_out_of_range(text):
    with pytest.raises(UserError) as error:
        ltp_ltd.parse_start(DEVICE, text)
    assert str(error.value) == (
        f"--start {text}: the device reaches from -1 to 1 in the model's weights"
    )


def test_siemens_of_a_device_that_has_none():
    with pytest.raises(UserError, match="gmax is not known"):
        ltp_ltd.parse_start(ConstantStep(), "0.5mS")


def test_no_pulse_at_all():
    with pytest.raises(UserError, match="there are no pulses"):
        ltp_ltd.respond(DEVICE, 0, 0)


@pytest.mark.parametrize(
    ("name", "ideal", "label", "top", "lines"),
    [
        ("ag:a-si", False, "conductance (nS)", 38.5, 4),
        ("GokmenVlasov", True, "weight (model units)", None, 2),
    ],
)
def test_the_picture_has_labelled_axes(name, ideal, label, top, lines):
    device = get(name)
    figure = ltp_ltd.draw(ltp_ltd.respond(device, 6, 6, cycles=1, ideal=ideal), "T", ideal=ideal)
    (axes,) = figure.axes
    assert (axes.get_title(), axes.get_ylabel()) == ("T", label)
    assert axes.get_xlabel() == "pulse number (potentiation, then depression)"
    assert len(axes.lines) == lines  # the last: where the ramp turns
    ideal_device = axes.lines[-2].get_ydata()
    assert len(ideal_device) == 13
    if top is not None:
        g = np.asarray(device.siemens(pulse_response(device, 6, 6)), float)
        np.testing.assert_allclose(ideal_device, g * 1e9, rtol=1e-5)
    named = {text.get_text() for text in figure.legends[0].get_texts()}
    population = {"90 % of 200 devices", "their median", "one of them"}
    assert named == {"ideal device"} | (set() if ideal else population)


def test_the_picture_says_why_depression_is_flat():
    device = dataclasses.replace(DEVICE, polarity="up")
    (axes,) = ltp_ltd.draw(ltp_ltd.respond(device, 6, 6, ideal=True), "T", ideal=True).axes
    assert "then depression, to which it does not answer" in axes.get_xlabel()


def test_a_title_with_dollars_is_no_formula():
    response = ltp_ltd.respond(DEVICE, 2, 2, ideal=True)
    ltp_ltd.draw(response, "$\\bad{$", ideal=True).canvas.draw()
