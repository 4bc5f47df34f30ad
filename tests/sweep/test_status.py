"""How far a sweep is, told from its directory alone."""

import contextlib

import numpy as np
import pytest

from memjax.errors import UserError
from memjax.sweep import run
from memjax.sweep.engine.trainer import Trainer
from memjax.sweep.status import status
from memjax.sweep.store.journal import UNFINISHED, DiskJournal
from memjax.sweep.store.lock import exclusive

COLUMNS = {"status": np.zeros(4, np.int8)}
HEADER = {"data": "", "frame": "", "stages": [1], "width": 2, "spec": ""}
LINES = f"{UNFINISHED}/journal.jsonl"
KEYS = np.arange(4, dtype=np.uint64)


def test_nothing_was_begun(tmp_path):
    with pytest.raises(UserError, match="no sweep was begun there; run"):
        status(tmp_path)
    with pytest.raises(UserError, match="no sweep was begun there; run"):
        status(tmp_path / "missing")


def test_a_sweep_that_is_under_way_and_one_that_stopped(tmp_path):
    journal = DiskJournal(tmp_path / UNFINISHED, HEADER)
    journal.begin(lanes=10, known=2)
    journal.record_error("lanes", KEYS, "RuntimeError: at first")
    journal.record("lanes", KEYS, COLUMNS, 1.0)
    journal.record("baseline", KEYS + np.uint64(10), COLUMNS, 1.0)
    journal.record_error("lanes", KEYS + np.uint64(4), "RuntimeError: no luck")
    with exclusive(tmp_path):
        first, second, third, left = status(tmp_path)
    assert first == "It is unfinished: 6 of 10 lanes done (60 %)."
    assert second == "4 lanes could not be run: RuntimeError: no luck."
    assert third == "A process is at it."
    assert " lanes/s, about 0:00 left." in left
    journal.close()
    assert status(tmp_path)[2].startswith("No process is at it; run the same `memjax sweep`")


@pytest.mark.parametrize("content", [None, b"xx"])
def test_lanes_that_are_lost_on_the_disk_are_not_done(tmp_path, content):
    with contextlib.closing(DiskJournal(tmp_path / UNFINISHED, HEADER)) as journal:
        journal.begin(lanes=10, known=0)
        journal.record("lanes", KEYS, COLUMNS, 1.0)
        journal.record("lanes", KEYS + np.uint64(4), COLUMNS, 1.0)
    first, *_ = (tmp_path / UNFINISHED).glob("*.npz")
    first.unlink() if content is None else first.write_bytes(content)
    done, lost, _ = status(tmp_path)
    assert done == "It is unfinished: 4 of 10 lanes done (40 %)."
    assert lost == "4 lanes that were done are lost on the disk."


def test_a_sweep_whose_beginning_was_not_written(tmp_path):
    DiskJournal(tmp_path / UNFINISHED, HEADER).close()
    told = status(tmp_path)
    assert told[0] == "It is unfinished: 0 lanes done, of how many is not written."
    assert told[1].startswith("No process is at it; run the same `memjax sweep`")


@pytest.mark.parametrize(("name", "what"), [("unfinished", "file"), (LINES, "directory")])
def test_what_is_in_the_way_of_the_journal_is_told(tmp_path, name, what):
    place = tmp_path / name
    place.write_text("") if what == "file" else place.mkdir(parents=True)
    with pytest.raises(UserError, match=f"cannot be read: .*; remove the {what} that is in the"):
        status(tmp_path)


def test_a_finished_sweep_with_lanes_that_could_not_be_run(small, tiny, tmp_path, monkeypatch):
    plain = Trainer.lanes

    def lanes(self, numbers, *rest):
        if 0 in numbers:
            raise RuntimeError("no luck")
        return plain(self, numbers, *rest)

    monkeypatch.setattr(Trainer, "lanes", lanes)
    run(small({"levels": [8, 16, 32]}), tmp_path, dataset=tiny)
    assert status(tmp_path) == [
        "It is finished: 6 lanes, none failed.",
        "4 lanes could not be run; run the same command to try again.",
    ]
