"""The forms in which people bring measured pulses: read as what they are, and said how."""

import numpy as np
import pandas as pd
import pytest

from memjax.errors import DataError, UserError
from memjax.fitting.columns import column
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


def stacked(header, label):
    """Three cycles below each other, of which a label says which."""
    cycles = (zip(range(8), (1 + k / 90) * UP, DOWN, strict=True) for k in range(3))
    rows = (f"{label(k)},{p},{u},{d}" for k, cycle in enumerate(cycles) for p, u, d in cycle)
    return "\n".join([header, *rows])


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("LTP (mA/V)", "conductance"),
        ("G (uS) LTP", "conductance"),
        ("Potentiation current", "current"),
        ("LTP R", "resistance"),
        ("LTP R1", ""),
        ("LTP V", "voltage"),
        ("LTP pulse", "pulse"),
        ("LTP error (uS)", "other"),
        ("std LTP", "other"),
        ("LTP fit (uS)", "other"),
        ("LTP ± (uS)", "other"),
        ("LTP pulse width (ns)", "other"),
        ("LTP energy (pJ)", "other"),
        ("Set voltage", "voltage"),
    ],
)
def test_what_the_name_of_a_ramp_says(name, kind):
    found = column(name)
    assert (
        found.kind == kind
        and found.unknown == ""
        and found.may_be_ramp == (kind in ("conductance", "current", "resistance", ""))
    )


@pytest.mark.parametrize(
    "unit",
    ["(a.u.)", "(x10^-6 S)", "[millisiemens]", "(G0)", "/ G0", "(normalized)", "(%)", "(US)"],
)
def test_a_unit_that_is_none_is_refused_and_weights_may_have_it(given, unit):
    text = wide(f"pulse,LTP {unit},LTD {unit}", 1e-3)
    with pytest.raises(DataError, match=r"t\.csv:1: LTP .*is no unit that is known: give one of S"):
        given(text)
    np.testing.assert_allclose(given(text, normalised=True).conductance, 1e3 * PLAIN.conductance)
    for label in ("(cycle 1)", "(1)", "(2nd run)"):
        assert column(f"LTP {label}").unknown == ""


@pytest.mark.parametrize(
    ("more", "by"),
    [
        ("LTP error (uS),LTD error (uS)", 0.1),
        ("LTP fit (uS),LTD fit (uS)", 1.01),
        ("LTP I (nA),LTD I (nA)", 100.0),
        ("LTP energy (pJ),LTD energy (pJ)", 1.0),
    ],
)
def test_what_goes_with_a_ramp_is_no_ramp(given, more, by):
    rows = wide("pulse,LTP (uS),LTD (uS)", 1.0).splitlines()
    extra = [f"{by * u},{by * d}" for u, d in zip(UP, DOWN, strict=True)]
    ramps = given("\n".join(f"{a},{b}" for a, b in zip(rows, [more, *extra], strict=True)))
    np.testing.assert_allclose(ramps.conductance, PLAIN.conductance, rtol=1e-12)
    assert [said.split("'")[1] for said in ramps.notes] == more.split(",")


def test_a_ramp_is_read_once_and_a_current_needs_its_voltage(given):
    both = "\n".join(
        ["LTP G (uS),LTP R (kohm)", *(f"{u},{1e3 / u}" for u in UP)],
    )
    assert given(both).n_ramps == 1
    text = wide("pulse,Potentiation current,Depression current", 1e-7)
    with pytest.raises(DataError, match="currents: give the voltage"):
        given(text)
    ramps = given(text, read_voltage=0.1)
    np.testing.assert_allclose(ramps.conductance, PLAIN.conductance, rtol=1e-12)
    with pytest.raises(DataError, match="LTD: names no unit beside ramps that name theirs"):
        given(wide("pulse,LTP (uS),LTD", 1.0))


def test_ramps_below_each_other_are_numbered_by_their_columns(given):
    def counted(said):
        return (said.n_ramps, said.cycle.tolist(), len(said.device_names))

    cycles = stacked("Cycle,Pulse,LTP (uS),LTD (uS)", lambda k: k + 1)
    assert counted(given(cycles)) == (6, [1, 1, 2, 2, 3, 3], 1)
    bare = given(cycles.replace("Pulse", "remark"))
    np.testing.assert_allclose(bare.conductance, given(cycles).conductance)
    devices = given(stacked("Device,Pulse,LTP (uS),LTD (uS)", "D{}".format))
    assert devices.device_names == ("D0", "D1", "D2")
    header = "D1 LTP (uS),D2 LTP (uS),D1 LTD (uS),D2 LTD (uS)"
    named = given("\n".join([header, *(f"{u},{u},{d},{d}" for u, d in zip(UP, DOWN, strict=True))]))
    assert named.device_names == ("D1", "D2") and named.cycle.tolist() == [1] * 4
    assert named.notes[0].endswith("devices are those in the names of columns: D1, D2")
    with pytest.raises(DataError, match="a second ramp of its direction beside a column of cycles"):
        given("Cycle,Pulse,LTP 1 (uS),LTP 2 (uS)\n1,0,1,1\n1,1,2,2\n1,2,3,3")
    rows = (f"{u},{d}" for u, d in zip(UP, DOWN, strict=True))
    paired = given("\n".join(["P1 (uS),D1 (uS)", *rows]))
    np.testing.assert_allclose(paired.conductance, PLAIN.conductance, rtol=1e-12)


@pytest.mark.parametrize("numbers", [True, False])
def test_a_ramp_that_begins_again_is_refused(given, numbers):
    lines = stacked("x,Pulse,LTP (uS),LTD (uS)", str).splitlines()
    rows = [line.split(",", 2)[2] for line in lines]
    rows = [f"{k - 1 if k else 'n'},{row}" for k, row in enumerate(rows)] if numbers else rows
    with pytest.raises(DataError, match=r"LTP \(uS\): cycle 1, up: goes back from .* at pulse 8"):
        given("\n".join(rows))


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ("V (V)", "V (V): numbers of one sign tell no directions"),
        ("direction", "direction: numbers of one sign tell no directions"),
    ],
)
@pytest.mark.parametrize("codes", [(0.1, 0.1), (1, 2)])
def test_numbers_of_one_sign_are_no_directions(header, said, codes):
    table = tidy().replace(dict(zip(("LTP", "LTD"), codes, strict=True)))
    with pytest.raises(DataError) as error:
        from_table(table.rename(columns={"direction": header}))
    assert said in str(error.value)


def test_commas_that_may_be_of_thousands_are_refused(given):
    def table(cells):
        rows = (f"up\t{pulse}\t{cell}" for pulse, cell in enumerate(cells))
        return "\n".join(["direction\tpulse\tG (nS)", *rows])

    for cells in (("990,440", "991,000", "992,100"), ("211", "1,344", "2,050")):
        with pytest.raises(DataError, match="a decimal comma, or one of thousands"):
            given(table(cells))
    for cells in (("1,500", "2,25", "3,125"), ("0,125", "1,250", "2,500")):
        ramps = given(table(cells))
        assert ramps.window[1] < 4e-9
        assert ramps.notes[-1].endswith("commas are taken for decimal points")


def test_readings_far_above_all_others_are_named():
    wild = UP.copy()
    wild[0] = 90.0
    (said,) = (
        n for n in from_table(tidy(up=np.r_[wild, 5.5 + 0.1 * np.arange(8)])).notes if "far" in n
    )
    assert "cycle 1, up, pulse 0: 9e-05 is far above all others, 1.1e-06 to " in said


def test_one_table_is_no_pair(tmp_path):
    path = tmp_path / "up.csv"
    pd.DataFrame({"C1": 1e-6 * UP}).to_csv(path, index=False)
    with pytest.raises(DataError, match="the same table twice: give the one of down ramps"):
        read(path, path)


def test_weights_keep_their_units_and_are_no_resistances(given):
    rows = (f"{u},{1e3 * d}" for u, d in zip(UP, DOWN, strict=True))
    ramps = given("\n".join(["LTP (uS),LTD (nS)", *rows]), normalised=True)
    np.testing.assert_allclose(ramps.conductance, PLAIN.conductance, rtol=1e-12)
    with pytest.raises(DataError, match="resistances are no weights"):
        given(tidy(1.0, "R (kohm)", 1e3 / UP, 1e3 / DOWN).to_csv(index=False), normalised=True)
    for on_off in (np.inf, 1e300, 1.0):
        with pytest.raises(UserError, match=r"on_off = .*: must be above 1, and 1e\+09 at most"):
            ramps.as_conductances(on_off)
