"""How far a sweep is, told from its directory alone."""

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
