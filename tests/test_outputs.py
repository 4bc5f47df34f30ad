"""Files are asked for before the work, and appear whole or not at all."""

import os

import pytest

from memjax.errors import UserError
from memjax.outputs import check_output, whole


def test_an_error_leaves_the_older_file_and_nothing_else(tmp_path):
    path = tmp_path / "a.csv"
    with whole(path) as partial:
        partial.write_text("old")
    with pytest.raises(RuntimeError), whole(path) as partial:
        partial.write_text("half")
        raise RuntimeError
    assert path.read_text() == "old" and list(tmp_path.iterdir()) == [path]


def test_a_link_stays_one_and_leads_to_the_new_file(tmp_path):
    (tmp_path / "to").mkdir()
    link = tmp_path / "link.csv"
    link.symlink_to(tmp_path / "to" / "a.csv")
    with whole(link) as partial:
        partial.write_text("new")
    assert link.is_symlink() and (tmp_path / "to" / "a.csv").read_text() == "new"


@pytest.mark.skipif(os.name != "posix", reason="pipes are files there")
def test_what_is_no_file_is_written_and_not_replaced(tmp_path):
    os.mkfifo(pipe := tmp_path / "pipe")
    with whole(pipe) as partial:
        assert partial == pipe
    assert pipe.is_fifo()


def test_a_directory_that_takes_no_file_is_found_before_the_work(tmp_path, monkeypatch):
    (path := tmp_path / "a.png").write_text("")
    monkeypatch.setattr(os, "access", lambda place, how: place != tmp_path)
    with pytest.raises(UserError, match="it cannot be written; give another path"):
        check_output("--plot", path)
