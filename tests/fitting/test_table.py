"""Tables of measured pulses: round trips, gaps, both forms, and every way to be wrong."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from memjax.errors import DataError
from memjax.fitting.table import Ramps, from_table, read

MEASURED = Path(
    os.environ.get("MEMJAX_TEST_MEASURED", Path(__file__).parents[3] / "shared" / "measured")
)
needs_measured = pytest.mark.skipif(
    not MEASURED.is_dir(),
    reason=f"no data in {MEASURED}: set MEMJAX_TEST_MEASURED to its directory",
)
HEADER = "direction,pulse,conductance_S\n"
TIDY = "one table with the columns cycle, direction, pulse and conductance_S"


def rows(*values, direction="up", start=0):
    return "".join(f"{direction},{start + i},{value}\n" for i, value in enumerate(values))


NOT_A_NUMBER = "is not a number: give one such as 1.6e-06, with a decimal point and no unit"
TOO_MUCH = (
    ": no memristive device conducts more than 0.1 S: in µS or ohm? name the unit in the header "
    "(G (µS), R (ohm)), or of normalised weights say so (--normalised)"
)
TOO_SHORT = (
    "t.csv: no ramp has 3 readings: give one before the first pulse and one after each of at least "
    "two pulses"
)
GOOD = HEADER + rows(1e-6, 2e-6, 3e-6)


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Writes a file into the current directory and returns its name: what messages show."""
    monkeypatch.chdir(tmp_path)

    def write(text, name="t.csv"):
        Path(name).write_bytes(text if isinstance(text, bytes) else text.encode())
        return name

    return write


def noisy_frame(seed=0):
    """Two devices, three cycles, ramps of different lengths."""
    rng = np.random.default_rng(seed)
    records = []
    for device in ("d2", "d10"):
        for cycle in (1, 2, 3):
            for direction, sign in (("up", 1), ("down", -1)):
                n = int(rng.integers(20, 30))
                ramp = 5e-6 + sign * np.linspace(-4e-6, 4e-6, n) + 1e-7 * rng.normal(size=n)
                records += [(device, cycle, direction, i, g) for i, g in enumerate(ramp)]
    return pd.DataFrame(records, columns=["device", "cycle", "direction", "pulse", "conductance_S"])


def assert_equal(one: Ramps, other: Ramps, rtol=0.0):
    np.testing.assert_allclose(one.conductance, other.conductance, rtol=rtol)
    for field in ("pulses", "sign", "cycle", "device"):
        np.testing.assert_array_equal(getattr(one, field), getattr(other, field))
    assert one.device_names == other.device_names


def message(*args, **kwargs) -> str:
    with pytest.raises(DataError) as error:
        read(*args, **kwargs)
    assert "\n" not in str(error.value)
    return str(error.value)


# What is read


def test_a_small_table(write):
    text = HEADER + rows(1e-6, 2e-6, 4e-6) + rows(4e-6, 1e-6, direction="down")
    ramps = read(write(text))
    np.testing.assert_array_equal(ramps.conductance, [[1e-6, 2e-6, 4e-6], [4e-6, 1e-6, np.nan]])
    np.testing.assert_array_equal(ramps.pulses, [[0, 1, 1], [0, 1, 0]])
    assert (ramps.sign.tolist(), ramps.cycle.tolist()) == ([1, -1], [1, 1])
    assert (ramps.device.tolist(), ramps.device_names) == ([0, 0], ("device",))
    assert (ramps.n_ramps, ramps.n_steps, ramps.window) == (2, 3, (1e-6, 4e-6))
    assert (ramps.conductance.dtype, ramps.pulses.dtype) == (np.float64, np.int64)


def test_file_frame_and_dict_agree_in_any_order_of_rows_and_columns(write):
    frame = noisy_frame()
    shuffled = frame.sample(frac=1, random_state=0)[list(frame.columns[::-1])]
    ramps = from_table(frame)
    assert (ramps.n_ramps, ramps.device_names) == (12, ("d2", "d10"))
    assert ramps.sign.tolist() == [1, -1] * 6
    assert_equal(ramps, from_table(frame.to_dict("list")))
    assert_equal(ramps, from_table(shuffled))
    assert_equal(ramps, read(write(shuffled.to_csv())))  # with pandas' index: an extra column
    cells = frame.conductance_S.to_numpy()
    np.testing.assert_array_equal(ramps.conductance[~np.isnan(ramps.conductance)], cells)


@pytest.mark.parametrize(
    ("up", "down"),
    [
        ("up", "down"),
        ("Potentiation", "DEPRESSION"),
        ("LTP", "ltd"),
        ("SET", "Reset"),
        ("+1", "-1"),
        (1, -1),
        (1.0, -1.0),
    ],
)
def test_names_of_the_directions(up, down):
    frame = noisy_frame()
    named = frame.assign(direction=frame.direction.map({"up": up, "down": down}))
    assert_equal(from_table(frame), from_table(named))


def test_missing_rows_are_gaps():
    frame = noisy_frame()
    thin = frame[frame.pulse.isin([0, 1, 2, 5, 9])]
    ramps = from_table(thin)
    np.testing.assert_array_equal(ramps.pulses, [[0, 1, 1, 3, 4]] * 12)
    emptied = frame.assign(conductance_S=frame.conductance_S.astype(object))
    for nothing in (None, np.nan, pd.NA, pd.NaT):
        emptied.loc[~frame.index.isin(thin.index), "conductance_S"] = nothing
        assert_equal(ramps, from_table(emptied))


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_spellings_of_a_file(write, separator, newline):
    frame = noisy_frame()
    text = frame.to_csv(
        index=False, sep=separator, lineterminator=newline, decimal="." if separator == "," else ","
    )
    assert_equal(from_table(frame), read(write(b"\xef\xbb\xbf" + text.encode())))


def test_blank_lines_quotes_and_trailing_separators_do_no_harm(write):
    text = '\n "Direction" , Pulse ,CONDUCTANCE_S,\n\nup,0,1e-6,,\nup,1,"2e-6"\n,,,\nup,2,3e-6\n\n'
    assert_equal(read(write(text)), read(write(GOOD)))


def test_table_of_memjax_pulse_goes_on_counting(write):
    lines = ["pulse,direction,weight,conductance_S"]
    lines += [f"{i},up,0.1,{1 + i}e-6" for i in range(4)]
    lines += [f"{4 + i},down,0.1,{3 - i}e-6" for i in range(3)]
    ramps = read(write("\n".join(lines)))
    expected = [[1e-6, 2e-6, 3e-6, 4e-6], [4e-6, 3e-6, 2e-6, 1e-6]]
    np.testing.assert_array_equal(ramps.conductance, expected)
    np.testing.assert_array_equal(ramps.pulses, [[0, 1, 1, 1]] * 2)


def test_a_ramp_without_start_starts_where_the_opposite_one_ended():
    frame = noisy_frame()
    whole, ends = from_table(frame), from_table(frame[frame.pulse > 0])
    assert np.isnan(ends.conductance[0, -1]) or whole.n_steps > ends.n_steps
    for ramp in range(1, 6):
        last = whole.conductance[ramp - 1][np.isfinite(whole.conductance[ramp - 1])][-1]
        assert ends.conductance[ramp, 0] == last
        np.testing.assert_array_equal(ends.pulses[ramp], whole.pulses[ramp])
    for ramp in (0, 6):  # nothing before: another device does not count
        assert ends.conductance[ramp, 0] == whole.conductance[ramp, 1]
    # Nor does a ramp of the same direction, or a cycle further back.
    only_up = frame[(frame.direction == "up") & (frame.pulse > 0)]
    assert from_table(only_up).conductance[1, 0] == whole.conductance[2, 1]
    odd = frame[(frame.cycle != 2) & (frame.pulse > 0)]
    assert from_table(odd).conductance[2, 0] == whole.conductance[4, 1]


def test_direction_that_counts_from_lower_comes_first(write):
    text = HEADER + rows(3e-6, 2e-6, 1e-6, direction="down") + rows(2e-6, 3e-6, start=3)
    ramps = read(write(text))
    assert ramps.sign.tolist() == [-1, 1]
    np.testing.assert_array_equal(ramps.conductance[1], [1e-6, 2e-6, 3e-6])
    np.testing.assert_array_equal(ramps.pulses[1], [0, 1, 1])


def test_ramps_of_one_reading_are_dropped_and_one_direction_will_do(write):
    assert_equal(read(write(GOOD + "down,0,3e-6\n")), read(write(GOOD)))


def test_wide_tables_are_ragged_and_have_gaps(write):
    up = write("a,b\n.01,.02\n,.03\n.04,\n.05,\n", "up.csv")
    down = write("a\n.05\n\n.03\n", "down.csv")
    ramps = read(up, down)
    assert (ramps.sign.tolist(), ramps.cycle.tolist()) == ([1, -1, 1], [1, 1, 2])
    expected = [[0.01, 0.04, 0.05], [0.05, 0.03, np.nan], [0.02, 0.03, np.nan]]
    np.testing.assert_array_equal(ramps.conductance, expected)
    np.testing.assert_array_equal(ramps.pulses, [[0, 2, 1], [0, 2, 0], [0, 1, 0]])
    np.testing.assert_allclose(read(up, down, read_voltage=2.0).window, (0.0055, 0.025))


def test_select_and_split():
    ramps = from_table(noisy_frame())
    even, odd = ramps.split(ramps.cycle % 2 == 0)
    assert (even.n_ramps, odd.n_ramps) == (4, 8)
    assert even.n_steps + odd.n_steps == ramps.n_steps
    assert (
        np.isfinite(even.conductance[:, -1]).any() and even.conductance.shape == even.pulses.shape
    )
    np.testing.assert_array_equal(even.cycle, 2)
    mask = np.isin(np.arange(12), [0, 3])
    assert_equal(ramps.select(np.array([0, 3])), ramps.select(mask))
    assert ramps.select(np.zeros(12, bool)).n_ramps == 0


@needs_measured
def test_real_data_is_the_same_in_both_forms():
    tidy = read(MEASURED / "pulses.csv")
    up, down = MEASURED / "set_current_A.csv", MEASURED / "reset_current_A.csv"
    wide = read(up, down, read_voltage=0.1)
    assert_equal(tidy, wide, rtol=1e-5)
    assert_equal(tidy, from_table(pd.read_csv(MEASURED / "pulses.csv")))
    assert (tidy.n_ramps, tidy.n_steps, tidy.conductance.shape) == (52, 8842 - 52, (52, 192))
    np.testing.assert_allclose(tidy.window, (1.6103e-3, 2.472e-3), rtol=1e-4)
    assert message(down, up).endswith(
        "up ramps fall or down ramps rise: swap up and down (or the two files)"
    )


# What is refused


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", f"t.csv: an empty file: give {TIDY}"),
        (" \n\n", f"t.csv: an empty file: give {TIDY}"),
        (HEADER, f"t.csv: no readings below the header: give {TIDY}"),
        ("a,b".encode("utf-16-le"), "t.csv: not a text file in UTF-8: save it as 'CSV UTF-8'"),
        (b"PK\x03\x04\xff\xfe", "t.csv: not a text file in UTF-8: save it as 'CSV UTF-8'"),
        (
            "pulse,conductance,directon\n0,1,2\n",
            "t.csv:1: no column direction, conductance_S (found pulse, conductance, directon): "
            "rename 'directon' to 'direction'",
        ),
        (
            "\ndirection,pulse,conductances\nup,0,1\n",
            "t.csv:2: no column conductance_S (found direction, pulse, conductances): "
            "rename 'conductances' to 'conductance_S', in siemens",
        ),
        (
            "direction,pulse,current_A\nup,0,1e-6\n",
            "t.csv:1: current_A: currents: give the voltage that they were read at "
            "(--read-voltage 0.1)",
        ),
        (
            "direction,pulse,current at 1V\nup,0,1e-6\n",
            "t.csv:1: no column conductance_S (found direction, pulse, current at 1V): rename "
            "'current at 1V' to 'current_A' and give the read voltage (--read-voltage 0.1)",
        ),
        (
            "pulse,C1,C2\n0,1e-6,2e-6\n",
            "t.csv: a column a ramp, and only one such table: name the columns for their direction "
            "(LTP 1, LTD 1, ...), or give the table of up ramps and the table of down ramps, or "
            f"{TIDY}",
        ),
        (
            "a,b\nx,1\n",
            f"t.csv:1: no column direction, pulse, conductance_S (found a, b): give {TIDY}",
        ),
        (
            "direction,pulse,pulse,conductance_S\n",
            "t.csv:1: pulse: two columns of this name: keep one",
        ),
        (
            GOOD + "up,3,4u\n",
            f"t.csv:5: conductance_S: '4u' {NOT_A_NUMBER}",
        ),
        (
            GOOD + 'up,3,"4,0"\n',
            f"t.csv:5: conductance_S: '4,0' {NOT_A_NUMBER}",
        ),
        (
            GOOD + "up,,4e-6\n",
            "t.csv:5: pulse: '' is not a whole number: count 0, 1, 2 and so on",
        ),
        (
            GOOD + "up,1_0,4e-6\n",
            "t.csv:5: pulse: '1_0' is not a whole number: count 0, 1, 2 and so on",
        ),
        (
            GOOD + "up,2.5,4e-6\n",
            "t.csv:5: pulse: '2.5' is not a whole number: count 0, 1, 2 and so on",
        ),
        (
            GOOD + "up,-1,4e-6\n",
            "t.csv:5: pulse: '-1' is not a whole number: count 0, 1, 2 and so on",
        ),
        (
            GOOD + "up,1e300,4e-6\n",
            "t.csv:5: pulse: '1e300' is not a whole number: count 0, 1, 2 and so on",
        ),
        (
            "cycle," + HEADER + "1.5,up,0,1e-6\n",
            "t.csv:2: cycle: '1.5' is not a whole number: number them 1, 2, 3",
        ),
        (GOOD + "\nup,3,nan\n", "t.csv:6: conductance_S: nan is no reading: leave it out"),
        (GOOD + "up,3,inf\n", "t.csv:5: conductance_S: inf is no reading: leave it out"),
        (
            GOOD + "up,3,0\n",
            "t.csv:5: conductance_S: 0 is not above 0: correct its sign or the meter's offset, or "
            "leave it out; of weights normalised to 0..1 or -1..1, say so (--normalised)",
        ),
        (
            GOOD + "sideways,3,4e-6\n",
            "t.csv:5: direction: 'sideways' is no direction: write up or down",
        ),
        ("device," + HEADER + ",up,0,1e-6\n", "t.csv:2: device: an empty cell: name the device"),
        ("device," + HEADER + "nan,up,0,1e-6\n", "t.csv:2: device: nan: name the device"),
        (
            GOOD + "nan,3,4e-6\n",
            "t.csv:5: direction: 'nan' is no direction: write up or down",
        ),
        (
            GOOD + "up,1,4e-6\n",
            "t.csv:5: conductance_S: cycle 1, up, pulse 1 again (first in t.csv:3): keep one, or "
            "tell them apart by a cycle or device column",
        ),
        (
            GOOD + "up,3,0,0004\n",
            "t.csv:5: 4 cells under a header of 3: take the extra separators out; with decimal "
            "commas, separate columns by semicolons",
        ),
        (
            GOOD + 'up,3,"' + "4" * 200_000,
            "t.csv:5: field larger than field limit (131072): mend the line or its quotes",
        ),
        (
            HEADER + rows(1e-6, 2e-6),
            TOO_SHORT,
        ),
        (
            HEADER + rows(1e-6),
            TOO_SHORT,
        ),
        (
            GOOD + rows(3e-6, 3e-6, 3e-6, direction="down"),
            "t.csv:5: conductance_S: cycle 1, down: no change in 3 readings: leave the ramp out",
        ),
        (
            GOOD + "up,3,4\n",
            "t.csv:5: conductance_S: 4 S is about 1e+6 times the usual: mixed units? give all in "
            "siemens (currents in ampere)",
        ),
        (
            HEADER + rows(1600, 1700, 1800),
            f"t.csv:4: conductance_S: 1800 S{TOO_MUCH}",
        ),
        (
            HEADER + rows(1.5, 4.0, 8.5),  # microsiemens
            f"t.csv:4: conductance_S: 8.5 S{TOO_MUCH}",
        ),
        (
            "a,b\n1e-6,2e-6\n2e-6,3e-6\n",
            "t.csv: a column a ramp, and only one such table: name the columns for their direction "
            "(LTP 1, LTD 1, ...), or give the table of up ramps and the table of down ramps, or "
            f"{TIDY}",
        ),
    ],
)
def test_bad_table(write, text, said):
    assert message(write(text)) == said


def test_bad_path(tmp_path):
    assert message(tmp_path / "no.csv") == f"{tmp_path}/no.csv: no such file: check the path"
    assert message(tmp_path) == f"{tmp_path}: Is a directory: give a file that can be read"


@pytest.mark.parametrize(
    ("up", "down", "said"),
    [
        ("a\n1e-6\n2e-6\n", GOOD, "down.csv: a row a reading, not a column a ramp: give it alone"),
        (GOOD, "a\n1e-6\n2e-6\n", "up.csv: a row a reading, not a column a ramp: give it alone"),
        ("a\n1e-6\n", "a\n", f"down.csv: no readings below the header: give {TIDY}"),
        (
            "1e-6\n2e-6\n3e-6\n",
            GOOD,
            "up.csv:1: 1e-6: a number for a name: put a header above the readings",
        ),
        (
            ",a\n0,1e-6\n1,2e-6\n",
            GOOD,
            "up.csv:2: column 1: readings under no name: name the ramp, or take the column out",
        ),
        (
            "a,b\n1e-6,2e-6\n2e-6,-3e-6\n",
            GOOD,
            "up.csv:3: b: -3e-6 is not above 0: correct its sign or the meter's offset, or leave "
            "it out; of weights normalised to 0..1 or -1..1, say so (--normalised)",
        ),
        (
            "a\n1e-6\n2e-6\n3e-6\n",
            "a\n2\n",
            "down.csv:2: a: 2 S is about 1e+6 times the usual: mixed units? give all in siemens "
            "(currents in ampere)",
        ),
        (
            "a\n1e-6\n2e-6\n3e-6\n",
            "b\n3e-6\n3e-6\n3e-6\n",
            "down.csv:2: b: cycle 1, down: no change in 3 readings: leave the ramp out",
        ),
    ],
)
def test_bad_pair(write, up, down, said):
    assert message(write(up, "up.csv"), write(down, "down.csv")) == said


@pytest.mark.parametrize("volts", [0.0, -0.1, float("nan"), float("inf")])
def test_bad_read_voltage(volts):
    said = (
        f"read_voltage = {volts}: must be above 0 V: give its magnitude, such as 0.1, and the "
        "currents' magnitudes with it"
    )
    assert message("up.csv", "down.csv", read_voltage=volts) == said
    with pytest.raises(DataError, match="must be above 0 V"):
        from_table({}, read_voltage=volts)


def test_read_voltage_with_conductances(write):
    assert message(write(GOOD), read_voltage=0.1) == (
        "t.csv: conductance_S is no current: leave read_voltage out, it is what currents are "
        "divided by"
    )


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ([1, 2], "a list is no table: give a DataFrame or a dict"),
        (
            {"pulse": [1], "direction": []},
            "table: columns of different lengths (pulse 1, direction 0): give every row a value",
        ),
        ({"pulse": [1]}, f"table: no column direction, conductance_S (found pulse): give {TIDY}"),
        (
            {"direction": ["up", np.inf], "pulse": [0, 1], "conductance_S": [1e-6, 2e-6]},
            "table row 1: direction: 'inf' is no direction: write up or down",
        ),
        (
            {"direction": ["up"] * 2, "pulse": [0, 0], "conductance_S": [1e-6, 2e-6]},
            "table row 1: conductance_S: cycle 1, up, pulse 0 again (first in table row 0): keep "
            "one, or tell them apart by a cycle or device column",
        ),
    ],
)
def test_bad_table_in_memory(table, said):
    with pytest.raises(DataError) as error:
        from_table(table)
    assert str(error.value) == said
