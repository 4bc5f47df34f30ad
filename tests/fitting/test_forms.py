"""The forms in which people bring measured pulses: read as what they are, and said how."""

import numpy as np
import pandas as pd
import pytest

from memjax.errors import DataError
from memjax.fitting.table import from_table, read

UP = np.array([1.0, 2.1, 2.9, 3.6, 4.2, 4.7, 5.1, 5.4])
DOWN = np.array([5.5, 4.2, 3.3, 2.6, 2.0, 1.6, 1.3, 1.1])


def tidy(scale=1e-6, name="conductance_S", up=UP, down=DOWN):
    return pd.DataFrame(
        {
            "direction": ["LTP"] * len(up) + ["LTD"] * len(down),
            "pulse": [*range(len(up)), *range(len(down))],
            name: scale * np.concatenate([up, down]),
        }
    )


def wide(header="Pulse,LTP,LTD", scale=1e-6, start=0):
    pairs = enumerate(zip(scale * UP, scale * DOWN, strict=True), start)
    return "\n".join([header, *(f"{pulse},{up},{down}" for pulse, (up, down) in pairs)])


def counted():
    rows = (f"{k},{u},{k},{d}" for k, (u, d) in enumerate(zip(UP, DOWN, strict=True)))
    return "\n".join(["LTP pulse,LTP (uS),LTD pulse,LTD (uS)", *rows])


def spaced():
    return tidy().to_csv(index=False, sep=" ").replace(" ", "   ")


PLAIN = from_table(tidy())


@pytest.fixture
def given(tmp_path):
    def given(text, **more):
        path = tmp_path / "t.csv"
        path.write_text(text)
        return read(path, **more)

    return given


@pytest.mark.parametrize(
    "text",
    [
        "# device A, 1 V\n% 100 ns\n" + tidy().to_csv(index=False),
        "# A\n#direction pulse conductance_S\n" + tidy().to_csv(index=False, header=False, sep=" "),
        "Model,2450\nSerial,123,x,y\n\n" + tidy().to_csv(index=False),
        tidy().to_csv(index=False, sep=" "),
        spaced(),
        tidy().to_csv(index=False, sep=";", decimal=","),
        tidy(1.0, "conductance_uS").to_csv(index=False),
        tidy(1.0, "Conductance (µS)").to_csv(index=False),
        tidy(1.0, "G / uS").to_csv(index=False),
        tidy(1e3, "G [nS]").to_csv(index=False, sep=";"),
        tidy(1.0, "conductance").to_csv(index=False).replace("ance\n", "ance\n,#,(µS)\n"),
        tidy(1.0, "Resistance (kΩ)", 1e3 / UP, 1e3 / DOWN).to_csv(index=False),
        tidy().to_csv(index=False).replace("LTD,", ",").replace("\n,0", "\nLTD,0"),  # merged cells
        wide(),
        wide("#;LTP;LTD").replace(",", ";"),
        wide("Pulse,Potentiation (µS),Depression (µS)", 1.0),
        wide("n,SET 1,RESET 1"),
        tidy().replace({"LTP": 1.2, "LTD": -0.8}).to_csv(index=False).replace("direction", "V (V)"),
        counted(),
        tidy().replace({"LTP": "P", "LTD": "D"}).to_csv(index=False).replace("direction", "Type"),
    ],
    ids=range(20),
)  # fmt: skip
def test_is_read_as_the_plain_table(given, text):
    ramps = given(text)
    np.testing.assert_allclose(ramps.conductance, PLAIN.conductance, rtol=1e-12)
    np.testing.assert_array_equal(ramps.pulses, PLAIN.pulses)
    np.testing.assert_array_equal(ramps.sign, PLAIN.sign)


@pytest.mark.parametrize(
    ("header", "scale"),
    [
        ("pulse,LTP_mS,LTD_mS", 1e-3),
        ("pulse,LTP_uS,LTD_uS", 1.0),
        ("pulse,LTP nS,LTD nS", 1e3),
        ("pulse,G_LTP_µS,G_LTD_µS", 1.0),
    ],
)
def test_the_unit_of_a_ramp_is_read_however_it_is_written(given, header, scale):
    ramps = given(wide(header, scale))
    np.testing.assert_allclose(ramps.conductance, PLAIN.conductance, rtol=1e-12)
    assert ramps.notes == ()


def test_ramps_without_a_unit_are_told_and_letters_are_none(given):
    for header in ("pulse,LTP,LTD", "pulse,LTP A,LTD A"):
        ramps = given(wide(header))
        np.testing.assert_allclose(ramps.conductance, PLAIN.conductance, rtol=1e-12)
        (said,) = ramps.notes
        assert said.endswith(
            "t.csv: ramps that name no unit are taken for siemens (LTP (µS) names one)"
        )
    (said,) = given(wide("pulse,LTP,LTD", 1e-7), read_voltage=0.1).notes
    assert "are taken for ampere" in said


def test_volts_are_no_ramp(given):
    text = (
        wide("pulse,LTP (µS),LTD (µS)", 1.0).replace("\n", ",1.2\n").replace("D (µS),1.2", "D (µS)")
    )
    text = text.replace("LTD (µS)", "LTD (µS),SET (V)") + ",1.2"
    ramps = given(text)
    np.testing.assert_allclose(ramps.conductance, PLAIN.conductance, rtol=1e-12)
    assert ramps.notes[0].endswith("the column 'SET (V)' is passed over")


def test_merged_cells_of_a_frame_are_those_above():
    """Pandas has NaN where a spreadsheet has merged cells, also among signs of voltages."""
    frame = tidy().assign(device="a", cycle=1)
    for told in (
        frame,
        frame.replace({"LTP": 1.2, "LTD": -0.8}).rename(columns={"direction": "V"}),
    ):
        merged = told.astype(object)
        merged.loc[[1, 2, 3, 9, 10], [told.columns[0], "device", "cycle"]] = np.nan
        ramps = from_table(merged)
        np.testing.assert_array_equal(ramps.conductance, PLAIN.conductance)
        assert ramps.sign.tolist() == [1, -1] and ramps.device_names == ("a",)
        assert any("is that above it" in said for said in ramps.notes)


def test_currents_of_a_frame():
    ramps = from_table(tidy(0.1, "I (uA)"), read_voltage=0.1)
    np.testing.assert_allclose(ramps.conductance, PLAIN.conductance, rtol=1e-12)
    ramps = from_table({"LTP_uA": 0.1 * UP, "LTD_uA": 0.1 * DOWN}, read_voltage=0.1)
    np.testing.assert_allclose(ramps.conductance, PLAIN.conductance, rtol=1e-12)


def test_currents_of_a_tidy_table(given):
    ramps = given(tidy(0.1, "I (uA)").to_csv(index=False), read_voltage=0.1)
    np.testing.assert_allclose(ramps.conductance, PLAIN.conductance, rtol=1e-12)
    assert "'I (uA)'" in ramps.notes[0]


def test_what_was_taken_for_what_is_noted(given):
    assert PLAIN.notes == ()
    (merged,) = given(tidy().to_csv(index=False).replace("LTP,1", ",1")).notes
    assert "under 'direction' is that above it" in merged
    (unit,) = given(tidy(1.0, "G (µS)").to_csv(index=False)).notes
    assert unit.endswith("readings are those of the column 'G (µS)'")
    (above,) = given("Model,2450\n" + tidy().to_csv(index=False)).notes
    assert above.endswith("the header is taken to be line 2")


def test_a_wide_pair_may_count_its_pulses(tmp_path):
    up, down = tmp_path / "up.csv", tmp_path / "down.csv"
    for path, values in ((up, UP), (down, DOWN)):
        pd.DataFrame({"Pulse": range(8), "C1": 1e-6 * values}).to_csv(path, index=False)
    np.testing.assert_allclose(read(up, down).conductance, PLAIN.conductance)
    for path, values in ((up, UP), (down, DOWN)):
        pd.DataFrame({"die 7 (µS)": values}).to_csv(path, index=False)
    np.testing.assert_allclose(read(up, down).conductance, PLAIN.conductance)
    pd.DataFrame({"LTP 1": 1e-6 * DOWN}).to_csv(down, index=False)
    with pytest.raises(DataError, match=r"down\.csv:1: LTP 1: named for the other direction: swap"):
        read(up, down)


@pytest.mark.parametrize("in_time", [True, False])
def test_depression_numbered_from_its_end_is_turned(in_time):
    table = tidy()
    table.loc[table.direction == "LTD", "pulse"] = range(7, -1, -1)
    ramps = from_table(table if in_time else table.sort_values(["direction", "pulse"]))
    np.testing.assert_array_equal(ramps.conductance, PLAIN.conductance)
    assert ramps.notes == ("pulses down are numbered from their end: read backwards",)


def test_beyond_the_meters_range_is_no_reading(given):
    ramps = given(tidy().to_csv(index=False).replace("LTP,3,3.6e-06", "LTP,3,9.9E37"))
    assert ramps.n_steps == PLAIN.n_steps - 1 and ramps.pulses[0].tolist()[:5] == [0, 1, 1, 2, 1]
    assert ramps.notes[0].endswith(
        ":5: beyond the meter's range (9.9e37), 1 such readings are left out"
    )


def test_weights_are_read_as_such(given):
    ramps = given(tidy(1.0, "weight", UP / 3 - 1, DOWN / 3 - 1).to_csv(index=False))
    assert ramps.normalised and ramps.window[0] < 0
    again = given(tidy(1.0, "G", UP / 3 - 1, DOWN / 3 - 1).to_csv(index=False), normalised=True)
    np.testing.assert_array_equal(ramps.conductance, again.conductance)
    with pytest.raises(DataError, match=r"is not above 0: .*\(--normalised\)"):
        given(tidy(1.0, "conductance_S", UP / 3 - 1, DOWN / 3 - 1).to_csv(index=False))


def test_five_decades_are_no_mix_of_units():
    ramp = 10.0 ** np.linspace(-11, -5.5, 40)
    ramps = from_table(tidy(1.0, up=ramp, down=ramp[::-1]))
    assert ramps.n_steps == 78 and "cover 5.5 decades" in ramps.notes[0]


@pytest.mark.parametrize("start", [0, 1])
def test_a_gap_is_told_and_where_counting_begins_does_not_matter(start):
    table = tidy(up=UP + 10, down=DOWN)
    table["pulse"] += start
    ramps = from_table(table)
    np.testing.assert_allclose(ramps.conductance[1], 1e-6 * DOWN)
    (said,) = ramps.notes
    assert "ramps up go from 1.1e-05 to 1.54e-05 and ramps down go from 1.1e-06 to 5.5e-06" in said


def test_a_quote_that_does_not_close_is_named(given):
    text = tidy().to_csv(index=False).replace("LTP,3,", 'LTP,"3,')
    with pytest.raises(DataError, match=r"t\.csv:5: a quote opens here and does not close"):
        given(text)


def test_one_column_of_one_direction_is_a_ramp(given):
    ramps = given("\n".join(["Pulse,LTP", *(f"{k},{1e-6 * g}" for k, g in enumerate(UP))]))
    assert (ramps.n_ramps, ramps.sign.tolist()) == (1, [1])


def test_a_reading_without_a_unit_is_told(given):
    with pytest.raises(DataError, match=r"name the unit of 'R' in the header, as in G"):
        given(tidy(1.0, "R").to_csv(index=False))
