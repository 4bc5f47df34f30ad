"""Every preset against the published tables, transcribed here once more, and by what it does."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from memjax.devices import MODELS, PRESETS, catalogue, get, pulse_response
from memjax.errors import UserError

# model, dw_min, up_down (its d2d), w_min, w_max (d2d of max, of min), c2c, d2d, write noise
RPU = {
    "RPUBaseline": ("ConstantStep", 0.001, 0, 0.01, -0.6, 0.6, 0.3, None, 0.3, 0.3, None),
    "GokmenVlasov": ("ConstantStep", 0.0016, 0, 0.01, -1, 1, 0.3, None, 0.3, 0.3, None),
    "Idealized": ("ConstantStep", 0.0002, 0, None, -1, 1, 0.3, None, 0.3, 0.3, None),
    "ReRamES": ("ExponentialStep", 0.00135, 0.259359, 0.05, -1, 1, 0.3, None, 5.0, 0.2, 75.0),
    "ReRamSB": ("SoftBoundsReference", 0.002, 0, 0.01, -0.75, 1.25, 0.24, 0.4, 3.75, 0.3, 56.0),
    "ReRamArrayOM": (
        *("SoftBoundsReference", 0.0949, 0, 0.01, -1, 1),
        *(0.3499, 0.5695, 0.4158, 0.7829, 1.4113),
    ),
    "ReRamArrayHfO2": (
        *("SoftBoundsReference", 0.4622, 0, 0.01, -1, 1),
        *(0.4295, 0.5990, 0.2174, 0.7125, 0.5841),
    ),
    "Capacitor": ("LinearStep", 0.005, 0, 0.06, -1, 1, 0.07, None, 0.3, 0.1, None),
    "EcRam": ("LinearStep", 0.002, 0, 0.01, -0.8276, 1.1724, 0.05, None, 0.3, 0.1, None),
    "EcRamMO": ("LinearStep", 2.8214e-4, 0, 0.01, -0.8286, 1.1714, 0.05, None, 2.0, 0.1, None),
    "PCM": ("ExponentialStep", 0.01, 0, 0.05, 0, 2, 0.1, 0.0, 0.6, 0.2, None),
}
SYMMETRY_POINT = {"d2d": "lognormal", "at_symmetry_point": "yes", "sigma_reference": 0.025}
EXTRAS = {
    "ReRamES": {
        "amplitude_up": -1.18445,
        "amplitude_down": -0.081404,
        "gamma_up": 5,
        "gamma_down": 5,
        "slope": -0.5,
        "offset": -0.5,
    },
    "ReRamSB": {"c2c": "additive", "sigma_reference": None, "at_symmetry_point": "no"},
    "ReRamArrayOM": {"c2c": "additive", **SYMMETRY_POINT},
    "ReRamArrayHfO2": {"c2c": "additive", **SYMMETRY_POINT},
    "Capacitor": {
        "c2c": "additive",
        "gamma_up": 0.05,
        "gamma_down": 0.05,
        "sigma_gamma": 0.01,
        "lifetime": 1e6,
        "sigma_lifetime": 0.3,
    },
    "EcRam": {"c2c": "step", "gamma_up": 0.1153, "gamma_down": 0.5085, "sigma_gamma": 0.05},
    "EcRamMO": {"c2c": "step", "gamma_up": 0.4152, "gamma_down": 0.7342, "sigma_gamma": 0.05},
    "PCM": {
        "amplitude_up": -27.235,
        "amplitude_down": -2.235,
        "gamma_up": 2.5,
        "gamma_down": 2.5,
        "slope": -1,
        "offset": 0,
        "noise_offset": 0.021,  # 0.042 of a weight, of a range of 2
        "noise_slope": 0.108,
    },
}
# pulses up, down, NL of LTP, of LTD, Ron, on/off, c2c of the range
NEUROSIM = {
    "Ag:a-Si": (97, 100, 2.4, -4.88, 26e6, 12.5, 0.035),
    "TaOx/TiO2": (102, 102, 1.85, -1.79, 5e6, 2, 0.01),
    "TaOx/HfOx": (128, 128, 0.04, -0.63, 100e3, 10, 0.037),
    "PCMO-Park2013": (50, 50, 3.68, -6.76, 23e6, 6.84, 0.01),
    "AlOx/HfO2": (40, 40, 1.94, -0.61, 16.9e3, 4.43, 0.05),
    "GST-PCM": (100, 120, 0.105, 2.4, 4.71e3, 19.8, 0.015),
    "EpiRAM": (64, 64, 0.5, -0.5, 81e3, 50.2, 0.02),
    "HZO-FeFET": (32, 32, 1.75, 1.46, 559e3, 45, 0.005),
}


def test_these_are_all():
    assert {*RPU, *NEUROSIM, "PCMO-Babu2018"} == PRESETS.keys()
    assert not PRESETS.keys() & MODELS.keys()


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_is_fabricated_and_says_where_it_is_from(name):
    device = get(name)
    array, g = device.init(jnp.zeros(2, jnp.uint32), jnp.full((3,), 0.4))
    assert g.shape == (3,) and bool(jnp.all(jnp.isfinite(g)))
    assert bool(jnp.all(array.g_min <= array.g_max))
    assert catalogue.summary(name) and "(20" in catalogue.source(name)


@pytest.mark.parametrize("name", RPU)
def test_resistive_processing_units(name):
    model, dw, tilt, s_tilt, low, high, s_high, s_low, c2c, d2d, write = RPU[name]
    device = get(name)
    assert type(device) is MODELS[model]
    assert device.nominal_step * device.weight_span == pytest.approx(dw, rel=1e-6)
    assert [device.weights(g) for g in (0.0, 1.0)] == pytest.approx([low, high], abs=1e-6)
    assert device.up_down == tilt
    found = (device.sigma_up_down, device.sigma_bounds, device.sigma_lower_bound)
    assert found == (s_tilt, s_high, s_low)
    assert (device.sigma_c2c, device.sigma_d2d, device.sigma_write) == (c2c, d2d, write)
    for key, value in EXTRAS.get(name, {}).items():
        assert getattr(device, key) == value, key


@pytest.mark.parametrize("name", NEUROSIM)
def test_rows_of_neurosims_table(name):
    up, down, nl_up, nl_down, r_on, on_off, c2c = NEUROSIM[name]
    device = get(name)
    assert (device.levels, device.levels_down or device.levels) == (up, down)
    assert (device.nl_up, device.nl_down) == (nl_up, nl_down)
    assert (device.sigma_c2c, device.c2c) == (c2c, "pulse")
    assert 1 / device.gmax == pytest.approx(r_on, rel=1e-4)
    assert device.on_off == pytest.approx(on_off, rel=1e-3)


def test_babu_2018_is_a_straight_line_of_26_levels():
    device = get("PCMO-Babu2018")
    assert (type(device), device.levels, device.on_off) == (MODELS["ConstantStep"], 26, 1.8)


# --- what they do, by the published check values ---------------------------------------------

AT = jnp.array([1, 100, 500, 1000])


@pytest.mark.parametrize(
    ("name", "changes", "up", "down"),
    [
        ("RPUBaseline", {}, [0.001, 0.1, 0.5, 0.6], [-0.001, -0.1, -0.5, -0.6]),
        (
            "ReRamES",
            {},
            [0.00148125, 0.146008, 0.705555, 1],
            [-0.00199144, -0.179472, -0.714264, -1],
        ),
    ],
)
def test_published_weights_from_zero(name, changes, up, down):
    device = get(name, **changes)
    for pulses, expected in (((1000, 0), up), ((0, 1000), down)):
        g = pulse_response(device, *pulses, start=float(device.g_ref))
        np.testing.assert_allclose(device.weights(g)[AT], expected, atol=2e-5)


@pytest.mark.parametrize(
    ("name", "first", "quarters"),
    [
        ("Ag:a-Si", (0.023628, 0.049032), None),
        ("EpiRAM", (0.018871, 0.018871), [0.288338, 0.549443, 0.785888]),
    ],
)
def test_published_curves_of_neurosims_devices(name, first, quarters):
    device = get(name)
    ups, downs = int(device.levels), int(device.levels_down or device.levels)
    g = np.asarray(pulse_response(device, ups, downs), float)
    assert (g[1], g[ups] - g[ups + 1]) == pytest.approx(first, abs=2e-6)
    assert (g[ups], g[-1]) == pytest.approx((1, 0), abs=2e-6)
    if quarters:
        np.testing.assert_allclose(g[[16, 32, 48]], quarters, atol=2e-6)
        np.testing.assert_allclose(g[64:][[16, 32, 48]], 1 - np.array(quarters), atol=2e-6)


def test_published_siemens():
    device = get("ag:a-si")
    g = pulse_response(device, 97, 0)[jnp.array([0, 1, 10, 50, 97])]
    expected = [3.0769e-9, 3.912971e-9, 1.070903e-8, 2.941513e-8, 3.8462e-8]
    np.testing.assert_allclose(device.siemens(g), expected, rtol=3e-6)


def test_alternating_pulses_of_reram_settle():
    """At -0.218362 after the down pulse."""
    device = get("ReRamES")
    g = jax.jit(lambda: pulse_response(device, 1, 1, start=0.5, cycles=8000))()
    assert float(device.weights(g[-1])) == pytest.approx(-0.218362, abs=2e-5)


# --- names -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("ag:a-si", "Ag:a-Si"),
        ("AGASI", "Ag:a-Si"),
        ("GST PCM", "GST-PCM"),
        ("gst_pcm", "GST-PCM"),
        ("hzo fefet", "HZO-FeFET"),
        ("TAOX TIO2", "TaOx/TiO2"),
        ("pcm", "PCM"),
        ("reram-es", "ReRamES"),
        ("soft bounds", "SoftBounds"),
    ],
)
def test_a_name_may_be_written_otherwise(said, name):
    assert catalogue.find(said) == name
    assert get(said) == (PRESETS[name].device if name in PRESETS else MODELS[name]())


def test_plain_names_do_not_collide():
    plain = ["".join(filter(str.isalnum, name.lower())) for name in (*PRESETS, *MODELS)]
    assert len(set(plain)) == len(plain)


@pytest.mark.parametrize(
    ("said", "hint"),
    [
        ("ReRam", "did you mean ReRamES or ReRamSB or ReRamArrayOM or ReRamArrayHfO2?"),
        ("pcmo", "did you mean PCMO-Park2013 or PCMO-Babu2018?"),
        ("EpiRAN", "did you mean EpiRAM?"),
        ("zzz", "see `memjax devices`"),
        ("", "see `memjax devices`"),
    ],
)
def test_an_unknown_name_is_told_what_was_meant(said, hint):
    with pytest.raises(UserError) as error:
        get(said)
    assert str(error.value) == f"no device is called {said!r}; {hint}"


def test_changes_of_a_preset():
    assert get("ag:a-si", sigma_c2c=0).sigma_c2c == 0
    for changes, message in (
        ({"sigma_c2": 1}, "SaturatingExponential has no parameter 'sigma_c2'; did you mean"),
        ({"zzz": 1}, "SaturatingExponential has no parameter 'zzz'; there are levels, on_off"),
        ({"levels": 1}, "SaturatingExponential: levels = 1 must be at least 2"),
        ({"levels": True}, "SaturatingExponential: levels = True must be a number"),
    ):
        with pytest.raises(UserError, match=f"^{message}"):
            get("ag:a-si", **changes)
