"""What a running sweep tells: lines or a bar, with a rate that compiling does not spoil."""

import pytest

from memjax.sweep.engine import progress


@pytest.fixture
def clock(monkeypatch):
    """A clock that the test sets, and a sweep's sense of time that goes by it."""
    now = [0.0]
    monkeypatch.setattr(progress.time, "perf_counter", lambda: now[0])
    sense = progress._Clock()

    def tell(seconds: float, done: float, total: int, asleep: bool = False) -> str:
        while not asleep and now[0] < seconds:
            now[0] = min(now[0] + progress._BEAT, seconds)
            sense.look()
        now[0] = seconds
        return sense.tell(done, total)

    return tell


def test_compiling_does_not_count(clock):
    assert clock(100.0, 100.0, 10_000) == "  100/10000 lanes"
    assert clock(110.0, 200.0, 10_000) == "  200/10000 lanes, 10.0 lanes/s, 16:20 left"
    assert clock(120.0, 1000.0, 10_000) == " 1000/10000 lanes, 45.0 lanes/s, 3:20 left"
    assert clock(3820.0, 10_000.0, 10_000).endswith(" lanes/s, finishing")


def test_a_pause_is_forgotten(clock):
    clock(100.0, 100.0, 10_000)
    assert clock(110.0, 200.0, 10_000).endswith(" 10.0 lanes/s, 16:20 left")
    assert clock(7320.0, 300.0, 10_000, asleep=True).endswith(" 20.0 lanes/s, 8:05 left")
    assert clock(7340.0, 400.0, 10_000).endswith(" 10.0 lanes/s, 16:00 left")


def test_the_reference_does_not_slow_the_rate(clock):
    clock(0.0, 0.0, 100)
    done = clock(10.0, 100.0, 100)
    assert clock(60.0, 100.0, 100) == done == "100/100 lanes, 10.0 lanes/s, finishing"


def test_a_slow_rate_is_told_by_the_minute(clock):
    clock(60.0, 0.0, 10)
    assert clock(120.0, 0.5, 10) == " 0/10 lanes, 0.5 lanes/min, 19:00 left"


def test_lanes_of_an_earlier_run_do_not_count(clock):
    assert clock(5.0, 400.0, 1000) == " 400/1000 lanes"
    assert clock(15.0, 500.0, 1000) == " 500/1000 lanes, 10.0 lanes/s, 0:50 left"


def test_lines_come_one_a_tenth(capsys):
    with progress.progress("x") as report:
        for lane in range(1, 101):
            report(float(lane), 100)
        report(100.0, 100)
        report.now("drawing")
    *lines, drawing, last = capsys.readouterr().err.splitlines()
    assert [line.partition("/")[0] for line in lines] == [f"x: {n:3}" for n in range(10, 101, 10)]
    assert lines[-1].endswith(", finishing") and drawing.endswith(", drawing")
    assert last.startswith("x: 100/100 lanes, ") and last.endswith(", 0:00 in all")


def test_the_time_in_all_is_that_since_the_beginning(capsys):
    with progress.progress("x", progress.time.perf_counter() - 61.0) as report:
        report(1.0, 1)
    assert capsys.readouterr().err.endswith("1/1 lanes, 1:01 in all\n")


def test_where_nothing_was_run_nothing_is_said(capsys):
    with progress.progress("x") as report:
        report.now("drawing")
    assert capsys.readouterr().err == ""


def test_a_terminal_gets_a_bar_that_fits(monkeypatch, capsys):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "80")
    with progress.progress("x") as report:
        report(1.5, 4)
        report(4.0, 4)
        report.now("drawing")
    told = capsys.readouterr().err
    assert "compiling" in told
    assert "4/4 lanes" in told and " in all" in told
    assert "\x1b[" in told


def test_trouble_while_it_runs_goes_on_upwards(capsys):
    with pytest.raises(KeyError), progress.progress("x"):
        raise KeyError
    assert capsys.readouterr().err == ""
