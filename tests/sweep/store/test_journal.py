"""Tasks on disk are whole or absent, whatever stops the process that writes them."""

import errno
import json
import os

import numpy as np
import pytest

from memjax.errors import UserError
from memjax.sweep.store.journal import BASELINE, DiskJournal, read_lines

PLAN = {"width": 2, "size": 4, "tasks": 3, "lanes": 10, "known": 0, "which": ""}


def columns(task: int, lanes: int = 4) -> dict:
    rng = np.random.default_rng(task)
    return {
        "test_accuracy": rng.random((lanes, 2), np.float32),
        "status": np.zeros(lanes, np.int8),
    }


@pytest.fixture
def begin(small, tmp_path):
    opened = []

    def begin(levels=(8, 32), data="0" * 16, plan=PLAN):
        opened.append(DiskJournal(tmp_path, small({"levels": list(levels)}), data, plan))
        return opened[-1]

    yield begin
    for journal in opened:
        journal.close()


def assert_same(a, b):
    assert a.keys() == b.keys()
    for name in a:
        np.testing.assert_array_equal(a[name], b[name])


def test_what_was_recorded_is_read_by_the_next_process(begin):
    journal = begin()
    journal.record(0, columns(0), 1.0)
    journal.record(2, columns(2, 2), 1.0)
    journal.record(BASELINE, columns(7, 3), 1.0)
    journal.record_error(1, 4, "no luck")
    journal.close()
    again = begin()
    assert again.done == {0, 2, BASELINE}
    assert again.plan == {"format": 1, "data": "0" * 16, **PLAN}
    assert_same(again.read(0), columns(0))
    assert_same(again.read(2), columns(2, 2))
    assert_same(again.read(BASELINE), columns(7, 3))


def test_the_plan_that_it_began_with_stays(begin):
    begin().close()
    assert begin(plan=PLAN | {"size": 8}).plan["size"] == 4


@pytest.mark.parametrize("cut", [1, 20, 60])
def test_a_line_that_was_torn_is_no_task(begin, cut):
    journal = begin()
    journal.record(0, columns(0), 1.0)
    journal.record(1, columns(1), 1.0)
    journal.close()
    path = journal.where / "journal.jsonl"
    path.write_bytes(path.read_bytes()[:-cut])
    again = begin()
    assert again.done == {0} if cut > 1 else {0, 1}
    again.record(1, columns(1), 1.0)
    again.close()
    assert_same(begin().read(1), columns(1))


@pytest.mark.parametrize(
    "spoil", [lambda p: p.unlink(), lambda p: p.write_bytes(p.read_bytes()[:9])]
)
def test_rows_that_lost_their_end_are_run_again(begin, spoil):
    journal = begin()
    journal.record(0, columns(0), 1.0)
    journal.record(1, columns(1), 1.0)
    journal.close()
    spoil(journal.where / "lanes.zarr" / "test_accuracy" / "c" / "1" / "0")
    assert begin().done == {0}


def test_another_specification_or_other_data_are_refused_and_lose_nothing(begin):
    journal = begin()
    journal.record(0, columns(0), 1.0)
    journal.close()
    with pytest.raises(UserError, match="unfinished sweep of another specification; give another"):
        begin(levels=(8, 16))
    with pytest.raises(UserError, match="unfinished sweep on other data; give another"):
        begin(data="1" * 16)
    assert begin().done == {0}


@pytest.mark.parametrize("junk", [b"\xff", b"\xff\n", b"[]\n", b"{}\n", b"null\n"])
def test_junk_at_the_end_of_the_journal_costs_nothing(begin, junk):
    journal = begin()
    journal.record(0, columns(0), 1.0)
    journal.close()
    path = journal.where / "journal.jsonl"
    path.write_bytes(path.read_bytes() + junk)
    assert begin().done == {0}


@pytest.mark.parametrize("first", [b"[]", b"{}", b'{"format": 1}', b"\xff"])
def test_a_journal_without_its_plan_is_told_and_kept(begin, tmp_path, first):
    begin().close()
    path = tmp_path / "unfinished" / "journal.jsonl"
    path.write_bytes(b"\n".join([first, *path.read_bytes().splitlines()[1:]]) + b"\n")
    with pytest.raises(UserError, match=r"is no journal of a sweep; remove .*unfinished"):
        begin()
    assert path.exists()


@pytest.mark.parametrize("place", ["zarr.json", "test_accuracy/zarr.json", "status/zarr.json"])
def test_torn_metadata_begin_the_lanes_anew(begin, place):
    journal = begin()
    journal.record(0, columns(0), 1.0)
    journal.record(BASELINE, columns(7, 3), 1.0)
    journal.close()
    (journal.where / "lanes.zarr" / place).write_bytes(b"")
    again = begin()
    assert again.done == {BASELINE}
    again.record(0, columns(0), 1.0)
    again.close()
    assert_same(begin().read(0), columns(0))


def test_how_lanes_are_run_may_change(begin, small, tmp_path):
    begin().close()
    engine = {"width": 2, "checkpoint_minutes": 0}
    DiskJournal(tmp_path, small({"levels": [8, 32]}, engine=engine), "0" * 16, PLAN).close()


def test_another_format_is_refused(begin, tmp_path):
    begin().close()
    path = tmp_path / "unfinished" / "journal.jsonl"
    first, *rest = path.read_text().splitlines()
    path.write_text("\n".join([json.dumps(json.loads(first) | {"format": 9}), *rest]) + "\n")
    with pytest.raises(UserError, match=r"is of format 9, this memjax reads 1; finish the"):
        begin()
    with pytest.raises(UserError, match="format 9"):
        read_lines(tmp_path)


def test_a_full_disk_keeps_what_was_done(begin, monkeypatch):
    def full(descriptor):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    journal = begin()
    journal.record(0, columns(0), 1.0)
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(UserError, match=r"No space left .* is kept: free some space and run"):
            journal.record(1, columns(1), 1.0)
    journal.close()
    assert 0 in begin().done


def test_no_permission(begin, tmp_path):
    (tmp_path / "unfinished").write_text("a file in the way")
    with pytest.raises(UserError, match="cannot be written: File exists; give another --out"):
        begin()


def test_it_goes_when_the_results_are_there(begin, tmp_path):
    begin().remove()
    assert list(tmp_path.iterdir()) == []
