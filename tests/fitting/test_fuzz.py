"""Whatever a table holds: ramps, or one line."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memjax.errors import DataError
from memjax.fitting.steps import jump_table_of_steps
from memjax.fitting.table import read

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
