"""Columns of lanes are what lanes reported, or are not there."""

import numpy as np
import pytest

from memjax.errors import UserError
from memjax.sweep.store.columns import NOT_RUN, Columns, fill

LANE = {"accuracy": np.ones((1, 2), np.float32), "pulses": np.ones((1, 2), np.int32)}


def test_lanes_that_were_not_run_are_told_by_their_status():
    columns: Columns = {}
    fill(columns, LANE | {"status": np.zeros(1, np.int8)}, np.array([1]), 2)
    assert columns["status"].tolist() == [NOT_RUN, 0]
    assert np.isnan(columns["accuracy"][0]).all()


@pytest.mark.parametrize(
    "other", [{"accuracy": LANE["accuracy"]}, LANE | {"pulses": np.ones((1, 3), np.int32)}]
)
@pytest.mark.parametrize("late", [False, True])
def test_columns_that_some_lanes_lack_are_not_filled_in(other, late):
    first, second = (LANE, other) if late else (other, LANE)
    columns: Columns = {}
    fill(columns, first, np.array([0]), 2)
    with pytest.raises(UserError, match=r"differ from these in their column 'pulses'.*--out"):
        fill(columns, second, np.array([1]), 2)
