"""Whatever a table holds: ramps, or one line; and however it says it, the same ramps or a line."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memjax.errors import DataError
from memjax.fitting.steps import jump_table_of_steps
from memjax.fitting.table import from_table, read

# fmt: off
WORDS = [
    "direction", "pulse", "conductance_S", "cycle", "device", "G (µS)", "weight", "LTP", "LTD 1",
    "dG", "Pulse", "mean_S", "sd_S", "5 %", "95 %", "V (V)", "up", "down", "SET", "x", "#", "%",
    "//", "(S)", "0", "1", "2", "3", "1e-6", "2e-6", "3e-6", "-1e-6", "9.9E37", "nan", "inf",
    "1e400", "1_0", "²", "٣", "\ufeff", "\x1c", " ", "(A)", '"', "'", "\\", "\u2028",
]
# fmt: on
CELL = st.sampled_from(WORDS) | st.text(max_size=6)
ROW = st.lists(CELL, max_size=5)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("fuzz")


@settings(max_examples=200, deadline=None, derandomize=True, database=None)
@given(
    rows=st.lists(ROW, max_size=9),
    separator=st.sampled_from([",", ";", "\t", " "]),
    header=st.sampled_from(
        ["", "direction,pulse,conductance_S\n", "Pulse,LTP,LTD\n", "direction,conductance_S,dG_S\n"]
    ),
    normalised=st.booleans(),
)
def test_any_table_is_read_or_refused_in_one_line(folder, rows, separator, header, normalised):
    path = folder / "fuzz.csv"
    text = header.replace(",", separator) + "\n".join(separator.join(row) for row in rows)
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    for function in (
        lambda: read(path, normalised=normalised),
        lambda: read(path, path, read_voltage=0.1),
        lambda: jump_table_of_steps(path),
    ):
        try:
            function()
        except DataError as error:
            assert str(error) and len(str(error).splitlines()) == 1, repr(str(error))


@st.composite
def measured(draw):
    """A clear tidy table: ramps up and down, of one or two devices and cycles."""
    columns = {name: [] for name in ("direction", "pulse", "conductance_S", "cycle", "device")}
    for device in ("a", "b")[: draw(st.integers(1, 2))]:
        for cycle in range(draw(st.integers(1, 2))):
            steps = draw(st.lists(st.floats(0.2, 1.0), min_size=5, max_size=9))
            curve = 1e-6 * (1.0 + np.cumsum(steps))
            for direction, values in (("up", curve), ("down", curve[::-1])):
                rows = zip(range(len(values)), values.tolist(), strict=True)
                for pulse, value in rows:
                    for name, cell in zip(
                        columns, (direction, pulse, value, cycle, device), strict=True
                    ):
                        columns[name].append(cell)
    return columns


def outcome(table, **more):
    """What a table gives: numbers to compare, or the line that refuses it."""
    try:
        ramps = from_table(table, **more)
    except DataError as error:
        return str(error)
    signs = ramps.sign.tolist(), ramps.cycle.tolist(), ramps.device.tolist(), ramps.device_names
    return *signs, ramps.pulses.tolist(), (ramps.conductance * 1e6).round(9).astype(str).tolist()


SCALES = {"S": 1.0, "mS": 1e3, "µS": 1e6, "uS": 1e6, "nS": 1e9}


@settings(max_examples=30, deadline=None, derandomize=True, database=None)
@given(
    table=measured(),
    unit=st.sampled_from(sorted(SCALES)),
    name=st.sampled_from(["G ({})", "G_{}", "conductance {}", "Conductance [{}]", "g / {}"]),
)
def test_a_unit_changes_no_number(table, unit, name):
    scaled = {key: cells for key, cells in table.items() if key != "conductance_S"}
    scaled[name.format(unit)] = (SCALES[unit] * np.array(table["conductance_S"])).tolist()
    assert outcome(scaled) == outcome(table)


@settings(max_examples=30, deadline=None, derandomize=True, database=None)
@given(
    steps=st.lists(st.floats(0.1, 1.0), min_size=5, max_size=9),
    unit=st.sampled_from(sorted(SCALES)),
    name=st.sampled_from(
        ["{w}_{u}", "{w} {u}", "{w} ({u})", "{w} 1 [{u}]", "G_{w}_{u}", "{w}/{u}"]
    ),
    down=st.booleans(),
)
def test_the_unit_of_a_ramp_changes_no_number_that_is_not_told(steps, unit, name, down):
    """Joined by a space, an underscore or in brackets; S alone may be a letter, and is siemens."""
    curve = 1e-6 * (1.0 + np.cumsum(steps))
    plain = {"LTP_S": curve, "LTD_S": curve[::-1]} if down else {"LTP_S": curve}
    values = {"LTP": curve, "LTD": curve[::-1]} if down else {"LTP": curve}
    scaled = {name.format(w=way, u=unit): SCALES[unit] * g for way, g in values.items()}
    assert outcome(scaled) == outcome(plain)


@settings(max_examples=40, deadline=None, derandomize=True, database=None)
@given(
    table=measured(),
    empty=st.lists(st.tuples(st.integers(0, 4), st.integers(0, 99)), max_size=12),
    by_voltage=st.booleans(),
)
def test_a_cell_that_is_missing_is_an_empty_one(table, empty, by_voltage):
    """None, NaN, NaT, NA and no text are one: the same ramps, or the same line."""
    if by_voltage:
        table["direction"] = [{"up": 1.2, "down": -0.8}[way] for way in table["direction"]]
        table = {"V (V)" if name == "direction" else name: at for name, at in table.items()}
    said = []
    for nothing in ("", None, math.nan, np.float32("nan"), pd.NA, pd.NaT):
        emptied = {name: list(cells) for name, cells in table.items()}
        for column, row in empty:
            cells = emptied[list(emptied)[column]]
            cells[row % len(cells)] = nothing
        said.append(outcome(emptied))
    assert all(one == said[0] for one in said)


@settings(max_examples=40, deadline=None, derandomize=True, database=None)
@given(table=measured(), by_voltage=st.booleans())
def test_directions_that_are_swapped_are_refused(table, by_voltage):
    names = {"up": -1.2, "down": 0.8} if by_voltage else {"up": "down", "down": "up"}
    swapped = table | {"direction": [names[way] for way in table["direction"]]}
    refused = outcome(swapped)
    assert isinstance(refused, str) and ("swap up and down" in refused or "correct its" in refused)


@settings(max_examples=40, deadline=None, derandomize=True, database=None)
@given(
    size=st.lists(st.floats(0.1, 1.0), min_size=9, max_size=12),
    signed=st.booleans(),
    swapped=st.booleans(),
)
def test_steps_go_their_way_or_are_refused(folder, size, signed, swapped):
    """Steps down may be sizes; of which the swap is not to be told, for both rise."""
    up, down = size, [-s if signed else s for s in size]
    if swapped:
        up, down = down, up
    rows = [f"{way},{k + 1}e-6,{s}e-8" for way, steps in (("up", up), ("down", down))
            for k, s in enumerate(steps)]  # fmt: skip
    path = folder / "steps.csv"
    path.write_text("\n".join(["direction,conductance_S,dG_S", *rows]))
    if swapped and signed:
        with pytest.raises(DataError, match="the wrong way or none: swap up and down"):
            jump_table_of_steps(path)
        return
    device = jump_table_of_steps(path)
    assert np.mean(device.up_quantiles) > 0 > np.mean(device.down_quantiles)
