"""One process at a time, and a clear line for the others."""

import errno
import os

import pytest
from filelock import FileLock

from memjax.errors import UserError
from memjax.sweep import run
from memjax.sweep.store.lock import exclusive, is_running


def test_one_at_a_time(tmp_path):
    with exclusive(tmp_path):
        assert is_running(tmp_path)
        with (
            pytest.raises(UserError, match=r"another process is at work there; wait .* --out"),
            exclusive(tmp_path),
        ):
            pass
    assert not is_running(tmp_path)
    with exclusive(tmp_path):
        pass


def test_a_lock_goes_with_an_error(tmp_path):
    with pytest.raises(KeyboardInterrupt), exclusive(tmp_path):
        raise KeyboardInterrupt
    assert not is_running(tmp_path)


def test_what_another_has_finished_meanwhile_is_not_trained_again(small, tmp_path, monkeypatch):
    """Whoever waits for the lock looks at the results only once it has it."""
    spec, counted = small({"levels": [8]}), []
    acquire = FileLock.acquire

    def late(self, *args, **kwargs):
        monkeypatch.setattr(FileLock, "acquire", acquire)
        run(spec, tmp_path)
        return acquire(self, *args, **kwargs)

    monkeypatch.setattr(FileLock, "acquire", late)
    run(spec, tmp_path, progress=lambda done, total: counted.append(done))
    assert counted == []


def test_nowhere_to_write(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with (
        pytest.raises(UserError, match=r"cannot be written: .*; give another --out"),
        exclusive(tmp_path / "file"),
    ):
        pass


def test_a_file_system_without_locks_has_a_marker(tmp_path, monkeypatch):
    def none(*args):
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))

    monkeypatch.setattr("fcntl.flock", none)
    with pytest.warns(UserWarning), exclusive(tmp_path):
        assert is_running(tmp_path)
    with pytest.warns(UserWarning), exclusive(tmp_path):
        pass
