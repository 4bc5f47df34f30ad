"""The command line: results and plots on success; one line and status 2 on a mistake."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import xarray

from memjax import __version__ as version
from memjax import cli
from memjax.sweep.store import directory as store

ROOT = Path(__file__).parents[1]
SPEC = """
seeds = 1
[axes]
levels = [8, 32]
sigma_c2c = [0, 1]
[model]
hidden = [4]
[data]
train_size = 50
[engine]
width = 2
"""


@pytest.fixture(scope="module")
def spec(tmp_path_factory) -> str:
    path = tmp_path_factory.mktemp("spec") / "small.toml"
    path.write_text(SPEC)
    return str(path)


def shell(*args: str, cwd: Path) -> subprocess.CompletedProcess:
    code = f"import sys; sys.path.insert(0, {str(ROOT)!r}); from memjax.cli import main; main()"
    command = [sys.executable, "-c", code, *args]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=300)


@pytest.fixture(scope="module")
def finished(spec, tmp_path_factory) -> tuple[Path, subprocess.CompletedProcess]:
    """A sweep run from the shell, its directory and what it printed."""
    place = tmp_path_factory.mktemp("work")
    done = shell("sweep", spec, "--set", "train.epochs=2", cwd=place)
    return place / "results" / "small", done


@pytest.fixture
def memjax(monkeypatch, capsys):
    """The command in this process: exit status, stdout and stderr."""

    def memjax(*args: str) -> tuple[int | None, str, str]:
        monkeypatch.setattr(sys, "argv", ["memjax", *args])
        with pytest.raises(SystemExit) as stopped:
            cli.main()
        out, err = capsys.readouterr()
        return stopped.value.code, out, err

    return memjax


def test_sweep_writes_results_and_prints_the_table(finished):
    directory, done = finished
    assert done.returncode == 0
    pictures = ["heatmap.png", "learning_curves.png", "main_effects.png"]
    names = {path.name for path in directory.iterdir()}
    assert names == {".lock", "results.zarr", "spec.toml", *pictures}
    *_, results, drawn = done.stdout.splitlines()
    assert results == "results: results/small/results.zarr"
    assert drawn == f"pictures: {', '.join(pictures)}"
    assert "share of variance" in done.stdout
    assert "lanes: 4 (4 cells x 1 seed), none failed" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert store.load(directory).sizes["epoch"] == 2


def test_progress_elsewhere_than_on_a_terminal_is_plain_lines(finished):
    lines = finished[1].stderr.splitlines()
    assert 2 <= len(lines) <= 10
    assert all(line.startswith("small: ") and "/4 lanes" in line for line in lines)
    *_, finishing, drawing, last = lines
    assert finishing.endswith(", finishing") and drawing.endswith(", drawing")
    assert last.startswith("small: 4/4 lanes") and last.endswith(" in all")
    assert "\x1b" not in finished[1].stderr


def test_second_sweep_says_that_the_results_are_there(finished, spec, memjax, monkeypatch):
    monkeypatch.setattr(sys.modules["memjax.sweep.run"], "LocalWorkers", None)
    out = str(finished[0])
    status, printed, told = memjax("sweep", spec, "--set", "train.epochs=2", "--out", out)
    assert (status, told) == (None, f"{out}: already holds the results of this specification\n")
    assert "share of variance" in printed


def test_pictures_that_a_kill_left_undrawn_are_drawn_by_the_second_sweep(
    finished, spec, memjax, monkeypatch, tmp_path
):
    monkeypatch.setattr(sys.modules["memjax.sweep.run"], "LocalWorkers", None)
    out = tmp_path / "out"
    shutil.copytree(finished[0], out)
    (out / "heatmap.png").unlink()  # of several: the others are there
    command = ["sweep", spec, "--set", "train.epochs=2", "--out", str(out)]
    status, printed, _ = memjax(*command)
    assert status is None and "heatmap.png" in printed
    monkeypatch.setattr("memjax.sweep.show.plots.draw", None)  # all are there
    assert memjax(*command)[0] is None


def test_other_settings_do_not_overwrite(finished, spec, memjax):
    other = ["--set", "train.batch_size=2"]
    status, printed, told = memjax("sweep", spec, *other, "--out", str(finished[0]))
    assert (status, printed) == (2, "")
    assert told.count("\n") == 1
    assert "holds the results of another specification; give another --out" in told


def test_plot_draws_again(finished, memjax):
    picture = finished[0] / "heatmap.png"
    before = picture.read_bytes()
    picture.unlink()
    status, printed, told = memjax("plot", str(finished[0]))
    assert (status, told) == (None, "")
    assert picture.read_bytes() == before
    assert "heatmap.png" in printed and "share of variance" in printed


def test_notes_follow_the_table(finished, memjax, tmp_path):
    assert "note: with one seed" in finished[1].stdout
    ds = store.load(finished[0])
    store.save(tmp_path, ds.assign_attrs(notes=["one thing", "another"]))
    status, printed, _ = memjax("plot", str(tmp_path))
    *table, one, another, _, _ = printed.splitlines()
    assert (status, one, another) == (None, "note: one thing", "note: another")
    assert any("lanes: 4" in line for line in table)


def test_the_version(memjax):
    assert memjax("--version") == (0, f"memjax {version}\n", "")


def test_no_progress_is_silent(spec, memjax, tmp_path, monkeypatch, finished):
    ds = store.load(finished[0])
    seen = []

    def ran(spec, out, **options):
        seen.append((spec, out, options))
        return ds

    monkeypatch.setattr("memjax.sweep.run", ran)
    out = str(tmp_path / "out")
    status, _, told = memjax("sweep", spec, "--no-progress", "--out", out, "--data-dir", 'a "b')
    assert (status, told) == (None, "")
    ((checked, directory, options),) = seen
    command = options.pop("command")
    assert (directory, options) == (tmp_path / "out", {"client": None, "progress": None})
    assert command == f"memjax sweep {spec} --no-progress --out {out} --data-dir 'a \"b'"
    assert checked.sections["data"]["dir"] == 'a "b'
    assert checked.sections["train"]["epochs"] == 10


MISTAKES = [
    (["nonsense"], "No such command 'nonsense'; see `memjax --help`"),
    (["sweep"], "; see `memjax sweep --help`"),
    (["sweep", "SPEC", "more"], "; see `memjax sweep --help`"),
    (["sweep", "SPEC", "--nonsense"], "--nonsense"),
    (["sweep", "SPEC", "--out"], "--out"),
    (["plot"], "; see `memjax plot --help`"),
    (["sweep", "none.toml"], "none.toml: no such file; give the path of a sweep's TOML file"),
    (["sweep", "/"], "/: cannot be read: Is a directory"),
    (["sweep", sys.executable], "not a text file in UTF-8"),
    (["sweep", "SPEC", "--set", "train.epochs"], "must be section.key=value"),
    (["sweep", "SPEC", "--set", "train.epochs=0"], "[train] epochs: 0 must be at least 1"),
    (["sweep", "SPEC", "--set", "device.levels=[red]"], "--set device.levels=[red]: '[red]' is no"),
    (["sweep", "SPEC", "--set", "train.epochs='''\n'''"], "must be a whole number"),
    (["sweep", "SPEC", "--set", "data.train_size=5000"], "choose between 1 and 1437"),
    (["sweep", "SPEC", "--set", "train.batch_size=51"], "lower train.batch_size"),
    (["sweep", "SPEC", "--set", "data.name=mnist", "--data-dir", "none"], "none: no such"),
    (["sweep", "SPEC", "--out", sys.executable], "is a file; give the path of a directory"),
    (["status", sys.executable], "is a file; give the path of a directory"),
    (["compare", "none", sys.executable], "is a file; give the path of a directory"),
    (["sweep", "SPEC", "--out", ""], "'--out': is empty; give the path of a directory"),
    (["plot", "none"], "none/results.zarr: no results there; run `memjax sweep SPEC.toml"),
]


@pytest.mark.parametrize(("args", "message"), MISTAKES)
def test_a_mistake_is_one_line_and_status_2(args, message, spec, memjax, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    status, printed, told = memjax(*(spec if arg == "SPEC" else arg for arg in args))
    assert (status, printed) == (2, "")
    assert told.startswith("memjax: ")
    assert message in told
    assert told.count("\n") == 1


def test_a_mistake_in_the_shell(tmp_path):
    (tmp_path / "x.toml").write_text("seeds = 2\n[device]\nlevels = 1\n")
    done = shell("sweep", "x.toml", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "memjax: x.toml:3: [device] levels: 1 must be at least 2\n"
    assert [path.name for path in tmp_path.iterdir()] == ["x.toml"]


def test_broken_results_are_one_line(memjax, tmp_path):
    (tmp_path / "results.zarr").mkdir()
    status, printed, told = memjax("plot", str(tmp_path))
    assert (status, printed, told.count("\n")) == (2, "", 1)
    assert "broken results" in told


OPENS = ("plot", "report", "explain", "sensitivity", "compare", "status")


@pytest.mark.parametrize("command", OPENS)
def test_a_flipped_bit_is_one_line_whatever_opens_the_results(command, finished, memjax, tmp_path):
    shutil.copytree(finished[0], tmp_path / "copy")
    chunk = next((tmp_path / "copy" / "results.zarr" / "test_accuracy" / "c").rglob("0/0"))
    chunk = next(path for path in [chunk, *chunk.rglob("*")] if path.is_file())
    chunk.write_bytes(bytes([(held := chunk.read_bytes())[0] ^ 1]) + held[1:])
    other = [str(tmp_path / "copy")] if command == "compare" else []
    status, printed, told = memjax(command, str(tmp_path / "copy"), *other)
    assert (status, printed, told.count("\n")) == (2, "", 1)
    assert "of the array test_accuracy has changed since it was written" in told


@pytest.mark.filterwarnings("default::memjax.sweep.store.directory.Unchecked")
def test_results_without_checksums_are_told_of_once(finished, memjax, tmp_path):
    shutil.copytree(finished[0], tmp_path / "old")
    (tmp_path / "old" / "results.zarr" / ".checksums.json").unlink()
    status, _, told = memjax("compare", str(tmp_path / "old"), str(tmp_path / "old"))
    assert status is None
    path = tmp_path / "old" / "results.zarr"
    told_once = "has no checksums, as earlier versions wrote none: it is read unchecked"
    assert told == f"memjax: note: {path}: {told_once}\n"


def test_interruption_says_so(spec, memjax, tmp_path, monkeypatch):
    def interrupted(*args, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr("memjax.sweep.run", interrupted)
    status, _, told = memjax("sweep", spec, "--out", str(tmp_path))
    assert status == 130
    assert told == "memjax: interrupted; the same command goes on where it was\n"
    monkeypatch.setattr("memjax.bench.measure", interrupted)
    assert memjax("bench")[::2] == (130, "memjax: interrupted\n")


def test_status_tells_what_is_done(finished, memjax, tmp_path):
    status, printed, told = memjax("status", str(finished[0]))
    assert (status, printed, told) == (None, "It is finished: 4 lanes, none failed.\n", "")
    status, printed, told = memjax("status", str(tmp_path))
    assert (status, printed) == (2, "")
    assert told == f"memjax: {tmp_path}: no sweep was begun there; run `memjax sweep SPEC.toml`\n"


def test_a_cluster_that_does_not_answer(spec, memjax, tmp_path, monkeypatch):
    monkeypatch.setattr("memjax.sweep.engine.cluster._SECONDS", 0.5)
    out = tmp_path / "out"
    status, printed, told = memjax(
        "sweep", spec, "--out", str(out), "--scheduler", "tcp://127.0.0.1:1"
    )
    assert (status, printed, told.count("\n")) == (2, "", 1)
    assert "no Dask scheduler answers there" in told
    assert not out.exists()


@pytest.mark.parametrize("args", [(), ("--help",)])
def test_help_names_the_commands(memjax, args):
    status, printed, told = memjax(*args)
    assert (status, told) == (0, "")
    commands = "sweep search status plot report explain sensitivity compare devices pulse fit bench"
    for word in commands.split():
        assert word in printed


def test_help_of_sweep_names_options_and_defaults(memjax):
    status, printed, _ = memjax("sweep", "--help")
    assert status == 0
    for word in ("--set", "KEY=VALUE", "train.epochs=3", "--out", "results/NAME"):
        assert word in printed
    for word in ("--data-dir", "--no-progress"):
        assert word in printed


def test_a_path_that_cannot_be_looked_at_is_one_line(spec, memjax):
    status, _, told = memjax("sweep", spec, "--out", "x" * 300)
    assert status == 2
    assert (
        told == f"memjax: {'x' * 300}: cannot be written: File name too long; give another --out\n"
    )


def test_a_user_opens_the_results_without_a_warning(finished):
    assert xarray.open_zarr(finished[0] / "results.zarr").sizes["epoch"] == 2


def test_devices_lists_models_and_one_models_parameters(memjax):
    _, listed, _ = memjax("devices")
    assert all(name in listed for name in ("ConstantStep", "SoftBounds", "SaturatingExponential"))
    _, shown, _ = memjax("devices", "saturatingexponential")
    assert "nl_down" in shown and "mean steps" in shown and "2018" in shown
    status, _, told = memjax("devices", "SoftBound")
    assert status == 2
    assert told == (
        "memjax: no device is called 'SoftBound'; did you mean SoftBounds or SoftBoundsReference?\n"
    )


def test_devices_shows_a_preset_with_its_source_and_a_file_without(memjax, tmp_path):
    _, listed, _ = memjax("devices")
    assert "Ag:a-Si" in listed and "nl 2.4/-4.88" in listed
    status, shown, told = memjax("devices", "AGASI")
    first, second, third, *_ = shown.splitlines()
    assert (status, told, first) == (None, "", "Ag:a-Si: silver in amorphous silicon")
    assert "Jo et al., Nano Lett. 10:1297 (2010)" in second
    assert third == "model: SaturatingExponential"
    path = tmp_path / "mine.toml"
    path.write_text('[device]\nmodel = "EpiRAM"\n')
    _, shown, _ = memjax("devices", str(path))
    assert shown.startswith("model: SaturatingExponential\n") and "0.02" in shown


def test_pulse_prints_the_ends_of_ramps(memjax):
    args = ("--up", "4", "--down", "1", "--cycles", "2", "--start", "-0.3", "--ideal")
    status, printed, told = memjax("pulse", "RPUBaseline", *args)
    rows = [line.split() for line in printed.splitlines() if line.strip(" ─")]
    assert (status, told) == (None, "")
    assert [row[0] for row in rows] == ["after", "start", "4", "1", "4", "1"]
    assert [row[-1] for row in rows[1:3]] == ["-0.300000", "-0.296000"]


def test_pulse_writes_a_table_and_a_picture(memjax, tmp_path):
    common = ("pulse", "ag:a-si", "--up", "3", "--down", "2", "--start", "20nS", "--ideal")
    status, printed, told = memjax(*common, "--csv", "-")
    header, start, *rows = printed.splitlines()
    assert (status, told, len(rows)) == (None, "", 5)
    assert header == "pulse,direction,weight,conductance_S"
    assert start.split(",")[:2] == ["0", "up"]
    assert float(start.split(",")[3]) == pytest.approx(20e-9, rel=1e-6)
    table, picture = tmp_path / "a.csv", tmp_path / "a.png"
    status, nothing, told = memjax(*common, "--csv", str(table), "--plot", str(picture))
    assert (status, nothing, told) == (None, "", "")
    assert table.read_text() == printed
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_pulse_draws_by_its_seed(memjax):
    args = ("pulse", "GokmenVlasov", "--up", "3", "--down", "0", "--csv", "-", "--seed")
    one, again, other = (memjax(*args, seed)[1] for seed in ("1", "1", "2"))
    assert one == again != other


DEVICE_MISTAKES = [
    (["devices", "zzz"], "no device is called 'zzz'; see `memjax devices`"),
    (["devices", "pcmo"], "did you mean PCMO-Park2013 or PCMO-Babu2018?"),
    (["devices", "none.toml"], "none.toml: no such file; give the path of a device's TOML file"),
    (["devices", "BAD"], ":3: [device] level: SoftBounds has no parameter 'level'; did you mean"),
    (["pulse"], "; see `memjax pulse --help`"),
    (["pulse", "BAD"], ":3: [device] level: SoftBounds has no parameter 'level'; did you mean"),
    (["pulse", "EpiRAM", "--up", "0", "--down", "0"], "there are no pulses; give at least one"),
    (["pulse", "EpiRAM", "--up", "-1"], "'--up': Input should be greater than or equal to 0"),
    (["pulse", "EpiRAM", "--cycles", "0"], "'--cycles': Input should be greater than or equal"),
    (["pulse", "EpiRAM", "--start", "nan"], "--start nan: must be a weight, such as 0.1, or"),
    (["pulse", "EpiRAM", "--start", "1.1"], "--start 1.1: the device reaches from -1 to 1 in"),
    (["pulse", "EpiRAM", "--start", "1S"], "--start 1S: the device reaches from 2.4593e-07 to"),
    (["pulse", "ReRamES", "--start", "0.5mS"], "gmax is not known; give a weight"),
    (["pulse", "EpiRAM", "--up", "1", "--csv", "/"], "--csv /: a directory is there; give"),
    (
        ["pulse", "EpiRAM", "--up", "1", "--csv", "no/a.csv"],
        "--csv no/a.csv: there is no directory no; give",
    ),
    (["pulse", "EpiRAM", "--up", "1", "--plot", "x.pdf", "--ideal"], "pictures are PNG files"),
]


@pytest.mark.parametrize(("args", "message"), DEVICE_MISTAKES)
def test_a_mistake_about_a_device_is_one_line_too(args, message, memjax, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    bad = tmp_path / "bad.toml"
    bad.write_text('[device]\nmodel = "SoftBounds"\nlevel = 3\n')
    status, printed, told = memjax(*(str(bad) if arg == "BAD" else arg for arg in args))
    assert (status, printed) == (2, "")
    assert told.startswith("memjax: ") and message in told
    assert told.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["bad.toml"]


def test_a_word_for_a_number_in_the_shell(tmp_path):
    (tmp_path / "x.toml").write_text('[device]\nmodel = "SoftBounds"\nlevels = "9"\n')
    done = shell("devices", "x.toml", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    told = "memjax: x.toml:3: [device] levels: SoftBounds: levels = '9' must be a number\n"
    assert done.stderr == told
