"""Lanes on disk are whole or absent, whatever stops the process that writes them."""

import contextlib
import errno
import json
import os

import numpy as np
import pytest

from memjax.errors import UserError
from memjax.sweep.status import status
from memjax.sweep.store.journal import DiskJournal, read_lines

HEADER = {"data": "0" * 16, "frame": "f" * 16, "stages": [1, 2], "width": 2, "spec": ""}


def keys(task: int, lanes: int = 4) -> np.ndarray:
    return np.arange(4 * task, 4 * task + lanes, dtype=np.uint64) + np.uint64(2**63)


def columns(task: int, lanes: int = 4) -> dict:
    rng = np.random.default_rng(task)
    return {
        "test_accuracy": rng.random((lanes, 2), np.float32),
        "status": np.zeros(lanes, np.int8),
    }


def record(journal, task: int, lanes: int = 4) -> None:
    journal.record("lanes", keys(task, lanes), columns(task, lanes), 1.0)


@pytest.fixture
def begin(tmp_path):
    opened = []

    def begin(**changes):
        opened.append(DiskJournal(tmp_path / "unfinished", HEADER | changes))
        return opened[-1]

    yield begin
    for journal in opened:
        journal.close()


def tasks(journal) -> set:
    """The first keys of what is there."""
    return {int(entry.keys[0] - np.uint64(2**63)) // 4 for entry in journal.entries()}


def assert_same(a, b):
    assert a.keys() == b.keys()
    for name in a:
        np.testing.assert_array_equal(a[name], b[name])


def test_what_was_recorded_is_read_by_the_next_process(begin):
    journal = begin()
    record(journal, 0)
    record(journal, 2, 2)
    journal.record("baseline", keys(7, 3), columns(7, 3), 1.0)
    journal.record_error("lanes", keys(1), "no luck")
    journal.close()
    again = begin()
    assert again.header == {"format": 2, **HEADER}
    first, second, baseline = again.entries()
    assert (first.kind, second.kind, baseline.kind) == ("lanes", "lanes", "baseline")
    np.testing.assert_array_equal(second.keys, keys(2, 2))
    for entry, task, lanes in ((first, 0, 4), (second, 2, 2), (baseline, 7, 3)):
        assert_same(entry.columns, columns(task, lanes))
    np.testing.assert_array_equal(again.keys("lanes"), np.concatenate([keys(0), keys(2, 2)]))
    assert again.errors == {}  # another run tries them again


def test_an_error_goes_when_the_lanes_are_run(begin):
    journal = begin()
    journal.record_error("lanes", keys(1), "no luck")
    assert set(journal.errors) == set(keys(1).tolist())
    record(journal, 1)
    assert journal.errors == {}


def test_the_width_that_it_began_with_stays(begin):
    begin().close()
    assert begin(width=8).header["width"] == 2


@pytest.mark.parametrize("cut", [1, 20, 60])
def test_a_line_that_was_torn_is_no_task(begin, cut):
    journal = begin()
    record(journal, 0)
    record(journal, 1)
    journal.close()
    path = journal.where / "journal.jsonl"
    path.write_bytes(path.read_bytes()[:-cut])
    again = begin()
    assert tasks(again) == {0} if cut > 1 else {0, 1}
    record(again, 1)
    again.close()
    assert tasks(begin()) == {0, 1}


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize(
    "spoil",
    [
        lambda p: p.unlink(),
        lambda p: p.write_bytes(p.read_bytes()[:9]),
        lambda p: p.write_bytes((b := p.read_bytes())[:200] + bytes([b[200] ^ 1]) + b[201:]),
    ],
)
def test_columns_that_are_not_what_was_written_are_run_again(begin, spoil, late):
    """Also when they change while the process is at work."""
    journal = begin()
    record(journal, 0)
    record(journal, 1)
    if not late:
        journal.close()
    (path,) = journal.where.glob(f"{keys(1)[0]:016x}-*.npz")
    spoil(path)
    assert tasks(journal if late else begin()) == {0}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"frame": "0" * 16}, "unfinished sweep of another specification; give another"),
        ({"stages": [1, 2, 3]}, "unfinished sweep of another specification; give another"),
        ({"data": "1" * 16}, "unfinished sweep on other data; give another"),
    ],
)
def test_another_frame_is_refused_and_loses_nothing(begin, change, message):
    journal = begin()
    record(journal, 0)
    journal.close()
    with pytest.raises(UserError, match=message):
        begin(**change)
    assert tasks(begin()) == {0}


def test_lanes_that_a_sweep_has_not_are_not_lost_to_it(tmp_path):
    def begin(lanes):
        return contextlib.closing(DiskJournal(tmp_path / "unfinished", HEADER, lanes))

    with begin(keys(0)) as journal:
        record(journal, 0)
        journal.record("baseline", keys(7), columns(7), 1.0)  # may be trained again: it is small
        journal.record_error("lanes", keys(8), "no luck")
    with pytest.raises(UserError, match="unfinished sweep of another specification; give another"):
        begin(keys(0)[1:])
    with begin(np.concatenate([keys(1), keys(0)])) as journal:
        assert tasks(journal) == {0, 7}


@pytest.mark.parametrize(
    "junk",
    [b"\xff", b"\xff\n", b"[]\n", b"{}\n", b"null\n", b'{"keys": 3}\n', b'{"keys": [3]}\n'],
)
def test_junk_at_the_end_of_the_journal_costs_nothing(begin, junk):
    journal = begin()
    record(journal, 0)
    journal.close()
    path = journal.where / "journal.jsonl"
    path.write_bytes(path.read_bytes() + junk)
    assert tasks(begin()) == {0}


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "other"},
        {"keys": [-1]},
        {"keys": [2**64]},
        {"keys": [True]},
        {"at": "now"},
        {"at": float("nan")},
        {"file": 3},
        {"keys": None, "begun": 1.0, "lanes": 0, "known": 0},
    ],
)
def test_a_line_that_says_something_else_is_passed_over(begin, tmp_path, change):
    journal = begin()
    journal.begin(4, 0)
    record(journal, 0)
    record(journal, 1)
    journal.close()
    path = tmp_path / "unfinished" / "journal.jsonl"
    *lines, last = path.read_text().splitlines()
    line = {key: value for key, value in (json.loads(last) | change).items() if value is not None}
    path.write_text("\n".join([*lines, json.dumps(line), "[" * 100_000]) + "\n")
    assert tasks(begin()) == {0}
    assert status(tmp_path)[0] == "It is unfinished: 4 of 4 lanes done (100 %)."


@pytest.mark.parametrize("first", [b"[]", b"{}", b'{"format": 2}', b"\xff"])
def test_a_journal_without_its_header_is_told_and_kept(begin, tmp_path, first):
    begin().begin(lanes=3, known=0)
    path = tmp_path / "unfinished" / "journal.jsonl"
    path.write_bytes(b"\n".join([first, *path.read_bytes().splitlines()[1:]]) + b"\n")
    with pytest.raises(UserError, match=r"is no journal of a sweep; remove .*unfinished"):
        begin()
    assert path.exists()


def test_another_format_is_refused(begin, tmp_path):
    begin().close()
    path = tmp_path / "unfinished" / "journal.jsonl"
    first, *rest = path.read_text().splitlines()
    path.write_text("\n".join([json.dumps(json.loads(first) | {"format": 9}), *rest]) + "\n")
    with pytest.raises(UserError, match=r"is of format 9, this memjax reads 2; finish the"):
        begin()
    with pytest.raises(UserError, match="format 9"):
        read_lines(tmp_path / "unfinished")


@pytest.mark.parametrize(
    ("number", "remedy"), [(errno.ENOSPC, "free some space"), (errno.ESTALE, "mount it again")]
)
def test_a_disk_that_fails_keeps_what_was_done(begin, monkeypatch, number, remedy):
    def full(descriptor):
        raise OSError(number, os.strerror(number))

    journal = begin()
    record(journal, 0)
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(UserError, match=rf"{os.strerror(number)}.* is kept: {remedy} and run"):
            record(journal, 1)
    journal.close()
    assert tasks(begin()) == {0}


def test_no_permission(begin, tmp_path):
    (tmp_path / "unfinished").write_text("a file in the way")
    with pytest.raises(UserError, match="cannot be written: File exists; give another --out"):
        begin()


def test_it_goes_when_the_results_are_there(begin, tmp_path):
    begin().remove()
    assert list(tmp_path.iterdir()) == []
