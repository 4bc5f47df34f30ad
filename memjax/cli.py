"""The command line: parse, call, print."""

import contextlib
import json
import os
import shlex
import sys
import time
import warnings
from pathlib import Path
from typing import Annotated, Any

import typer

from memjax.errors import UserError
from memjax.limits import check_address_space
from memjax.outputs import check_output, save_picture, whole

app = typer.Typer(
    help="Train neural networks in situ on memristive devices, thousands of variants at once.",
    add_completion=False,
    pretty_exceptions_enable=False,
)
_STARTED = time.perf_counter() - time.process_time()  # importing has taken a second


def _directory(text: str) -> Path:
    """An empty word, of a variable that is not set say, is not this directory."""
    if not text.strip():
        raise typer.BadParameter("is empty; give the path of a directory, . for this one")
    if os.path.isfile(text):  # False where it cannot be looked at
        raise typer.BadParameter(f"{text} is a file; give the path of a directory")
    return Path(text)


_Out = Annotated[
    Path | None,
    typer.Option(
        help="result directory (default: results/NAME)", parser=_directory, metavar="PATH"
    ),
]
_Results = Annotated[Path, typer.Argument(help="a sweep's result directory", parser=_directory)]
_Set = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="KEY=VALUE", help="replace a value: train.epochs=3 (may be repeated)"
    ),
]
_DataDir = Annotated[Path | None, typer.Option(help="directory of IDX files or prepared TFDS data")]
_Progress = Annotated[bool, typer.Option(help="show progress on stderr")]
_Csv = Annotated[str | None, typer.Option(help="write the table to a file, or - to stdout")]
_Plot = Annotated[Path | None, typer.Option(help="write the picture to a PNG file")]
_UsageError: Any = typer.BadParameter.__bases__[0]  # click's, of which Typer has a copy


def _tell_version(is_wanted: bool) -> bool:
    if is_wanted:
        from memjax import __version__

        typer.echo(f"memjax {__version__}")
        raise typer.Exit
    return is_wanted


@app.callback()
def _every_command(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_tell_version, is_eager=True, help="tell the version"),
    ] = False,
) -> None:
    check_address_space(*sys.argv[1:2])


def _specification(path: Path, settings: list[str] | None, data_dir: Path | None) -> Any:
    """The sweep of a file, with what the command line says instead."""
    from memjax.sweep import Spec

    folder = [] if data_dir is None else [f"data.dir={json.dumps(str(data_dir))}"]
    return Spec.from_toml(path, [*(settings or []), *folder])


@app.command()
def sweep(
    spec: Annotated[Path, typer.Argument(help="the sweep's TOML file")],
    out: _Out = None,
    set_: _Set = None,
    data_dir: _DataDir = None,
    scheduler: Annotated[
        str | None, typer.Option(help="a Dask scheduler's address: tcp://host:8786")
    ] = None,
    local_cluster: Annotated[
        int | None, typer.Option(help="so many Dask workers on this machine", min=1)
    ] = None,
    progress: _Progress = True,
) -> None:
    """Run every lane of a specification; write results and plots.

    Lanes are kept as they are done: the same command again goes on where it was, and with more
    points, seeds or epochs only what is new is trained.
    """
    from memjax.sweep import run
    from memjax.sweep.analysis.results import strings
    from memjax.sweep.engine.cluster import connect
    from memjax.sweep.engine.progress import progress as progress_of
    from memjax.sweep.show.plots import are_drawn, draw
    from memjax.sweep.store import directory as store

    checked = _specification(spec, set_, data_dir)
    directory = out or Path("results") / checked.name
    if scheduler is not None and local_cluster is not None:
        raise UserError("--scheduler and --local-cluster: give one of them")
    told: list[float] = []
    with contextlib.ExitStack() as stack:
        report = stack.enter_context(progress_of(checked.name, _STARTED)) if progress else None

        def tell(done: float, total: int) -> None:
            told.append(done)
            if report is not None:
                report(done, total)

        client = None
        if scheduler is not None or local_cluster is not None:
            client = stack.enter_context(connect(scheduler, local_cluster))
        results = run(
            checked,
            directory,
            client=client,
            progress=tell if progress else None,
            command=shlex.join(["memjax", *sys.argv[1:]]),
        )
        if told or not are_drawn(results, directory, store.written(directory)):
            if report is not None:
                report.now("drawing")
            draw(results, directory)
    for error in strings(results.attrs.get("errors")):
        typer.echo(f"{directory}: lanes could not be run: {error}", err=True)
    if progress and not told:
        typer.echo(f"{directory}: already holds the results of this specification", err=True)
    _print_summary(results, directory)


@app.command()
def search(
    spec: Annotated[Path, typer.Argument(help="the sweep's TOML file")],
    target: Annotated[
        float, typer.Option(help="what to reach, in the objective's units: 0.9 for 90 %")
    ],
    along: Annotated[
        str | None, typer.Option(help="the axis to search along (default: that of noise)")
    ] = None,
    lanes: Annotated[
        int | None, typer.Option(help="the most lanes to run (default: a tenth of the sweep's)")
    ] = None,
    out: _Out = None,
    set_: _Set = None,
    data_dir: _DataDir = None,
    progress: _Progress = True,
) -> None:
    """Find the weakest device that reaches a target, running few of a sweep's lanes."""
    from rich.console import Console

    from memjax.sweep.engine.progress import progress as progress_of
    from memjax.sweep.search import search as searching
    from memjax.sweep.show.search_plot import draw
    from memjax.sweep.show.search_table import table

    checked = _specification(spec, set_, data_dir)
    axis = searching.choose_axis(checked, along)
    if along is None:
        typer.echo(f"{checked.name}: along {axis}, the axis of noise", err=True)
    directory = out or Path("results") / checked.name
    with progress_of(checked.name, _STARTED) if progress else contextlib.nullcontext() as report:
        found = searching.search(checked, target, axis, lanes=lanes, out=directory, progress=report)
        if report is not None:
            report.now("drawing")
        picture = draw(found, directory)
    Console().print(table(found))
    typer.echo(f"results: {directory / searching.RESULTS}")
    typer.echo(f"picture: {picture}")


@app.command()
def status(directory: _Results) -> None:
    """Say what of a sweep is done, what failed, and how long is left."""
    from memjax.sweep.status import status as sentences

    for sentence in sentences(directory):
        typer.echo(sentence)


@app.command()
def plot(
    directory: _Results,
    lane: Annotated[
        str | None,
        typer.Option(
            help="of diagnostics.png: its number, or levels=8,seed=0 (default: the best cell)"
        ),
    ] = None,
) -> None:
    """Redraw the plots of a finished sweep."""
    from memjax.sweep.analysis.explain import find
    from memjax.sweep.show.plots import draw
    from memjax.sweep.store import directory as store

    results = store.load(directory)
    draw(results, directory, None if lane is None else find(results, lane))
    _print_summary(results, directory)


@app.command()
def report(
    directory: _Results,
    out: Annotated[
        Path | None, typer.Option(help="the HTML file (default: DIRECTORY/report.html)")
    ] = None,
) -> None:
    """Write one HTML file to explore a finished sweep in, offline."""
    from memjax.sweep.show.report import write
    from memjax.sweep.store import directory as store

    typer.echo(f"report: {write(store.load(directory), out or directory / 'report.html')}")


@app.command()
def explain(
    directory: _Results,
    lane: Annotated[
        str | None,
        typer.Argument(help="its number, or levels=8,seed=0 (default: the worst)"),
    ] = None,
) -> None:
    """Say in words how well a lane does, and what stands in its way."""
    from memjax.sweep.analysis.explain import explain as sentences
    from memjax.sweep.store import directory as store

    for sentence in sentences(store.load(directory), lane):
        typer.echo(sentence)


@app.command()
def sensitivity(
    directory: _Results,
    csv: _Csv = None,
    plot: _Plot = None,
) -> None:
    """Share out the variance of the objective among parameters and their interactions."""
    from rich.console import Console

    from memjax.sweep.analysis.sensitivity import sobol_indices
    from memjax.sweep.show.sensitivity_table import summary
    from memjax.sweep.store import directory as store

    _check_outputs(plot, csv)
    results = store.load(directory)
    indices = sobol_indices(results)
    if csv == "-":
        typer.echo(indices.to_csv(index=False), nl=False)
    else:
        Console().print(summary(results, indices))
    if csv is not None and csv != "-":
        _write(csv, indices.to_csv(index=False))
        typer.echo(f"table: {csv}")
    if plot is not None:
        from memjax.sweep.show.sensitivity_plot import sensitivity_figure  # matplotlib: only then

        save_picture(sensitivity_figure(results, indices), plot)
        if csv != "-":
            typer.echo(f"picture: {plot}")


@app.command()
def compare(
    first: _Results,
    second: Annotated[
        Path, typer.Argument(help="another's, over the same axes", parser=_directory)
    ],
    plot: _Plot = None,
) -> None:
    """Say what differs between two sweeps: specifications, and results beyond noise."""
    from rich.console import Console

    from memjax.sweep.analysis.compare import compare as compared
    from memjax.sweep.show.compare_table import summary
    from memjax.sweep.store import directory as store

    _check_outputs(plot)
    result = compared(store.load(first), store.load(second))
    names = (first.name, second.name)
    if names[0] == names[1] or "" in names:
        names = (str(first), str(second))
    Console().print(summary(result, names))
    if plot is not None:
        from memjax.sweep.show.compare_plot import compare_figure  # matplotlib: only then

        save_picture(compare_figure(result, names), plot)
        typer.echo(f"picture: {plot}")


@app.command()
def devices(
    name: Annotated[str | None, typer.Argument(help="one device, to see its parameters")] = None,
) -> None:
    """List the device models and presets, or the parameters of one with their units."""
    from rich.console import Console

    from memjax.devices import catalogue, listing

    if name is None:
        console = Console()
        typer.echo(listing.everything(console.width if console.is_terminal else None))
    else:
        device = catalogue.get(name)
        if not catalogue.is_file(name):
            known = catalogue.find(name)
            typer.echo(f"{known}: {catalogue.summary(known)}\n{catalogue.source(known)}")
        typer.echo(f"model: {type(device).__name__}")
        Console().print(listing.parameters(device))


@app.command()
def pulse(
    name: Annotated[str, typer.Argument(help="a preset, a model, or a device's TOML file")],
    up: Annotated[int, typer.Option(help="pulses of potentiation", min=0)] = 100,
    down: Annotated[int, typer.Option(help="pulses of depression, after them", min=0)] = 100,
    start: Annotated[
        str | None, typer.Option(help="a weight, or a conductance such as 0.5mS (default: Gmin)")
    ] = None,
    cycles: Annotated[int, typer.Option(help="how often, on the same device", min=1)] = 1,
    ideal: Annotated[bool, typer.Option("--ideal", help="no spread and no noise")] = False,
    seed: Annotated[
        int, typer.Option(help="draws the device and its noise", min=0, max=2**32 - 1)
    ] = 0,
    csv: _Csv = None,
    plot: _Plot = None,
) -> None:
    """The pulse response of a device: LTP and LTD, as a table and as a picture."""
    from rich.console import Console

    from memjax.devices import catalogue, listing, ltp_ltd

    _check_outputs(plot, csv)
    device = catalogue.get(name)
    place = 0.0 if start is None else ltp_ltd.parse_start(device, start)
    response = ltp_ltd.respond(device, up, down, start=place, cycles=cycles, ideal=ideal, seed=seed)
    if csv == "-":
        typer.echo(ltp_ltd.to_csv(response), nl=False)
    elif csv is not None:
        _write(csv, ltp_ltd.to_csv(response))
    if plot is not None:
        title = Path(name).stem if catalogue.is_file(name) else catalogue.find(name)
        save_picture(ltp_ltd.draw(response, title, ideal=ideal), plot)
    if csv is None and plot is None:
        Console().print(listing.response(response))


@app.command()
def fit(
    data: Annotated[Path, typer.Argument(help="a tidy table, or the wide table of up ramps")],
    down: Annotated[Path | None, typer.Argument(help="the wide table of down ramps")] = None,
    model: Annotated[str, typer.Option(help="a response model, or auto")] = "auto",
    read_voltage: Annotated[
        float | None, typer.Option(help="in volts, where tables hold currents")
    ] = None,
    normalised: Annotated[
        bool, typer.Option("--normalised", help="readings are weights, such as 0..1 or -1..1")
    ] = False,
    on_off: Annotated[
        float | None, typer.Option(help="on/off ratio of the device whose weights are given")
    ] = None,
    jumps: Annotated[
        bool, typer.Option("--jumps", help="a table of steps against conductance: a jump table")
    ] = False,
    switching: Annotated[
        bool, typer.Option("--switching", help="a table of switching counts against voltage")
    ] = False,
    out: Annotated[Path | None, typer.Option(help="write the device to a TOML file")] = None,
    plot: _Plot = None,
) -> None:
    """Fit response models to measured pulses; write the best as a device."""
    from rich.console import Console

    from memjax.fitting import fit as fit_ramps
    from memjax.fitting import summary
    from memjax.fitting.progress import progress as progress_of

    _check_outputs(plot, device=out)
    if jumps or switching:
        what = "--switching" if switching else "--jumps"
        given = {"--model": model != "auto", "--read-voltage": read_voltage is not None}
        given |= {"--on-off": on_off is not None, "--normalised": normalised}
        given |= {str(down): down is not None, "--jumps": jumps and switching}
        for option in (name for name, is_given in given.items() if is_given):
            raise UserError(f"{what}: {option} has no effect on it; leave it out")
        (_switching if switching else _jumps)(data, out, plot)
        return
    with progress_of() as progress:
        fits = fit_ramps(
            data,
            down,
            model=model,
            read_voltage=read_voltage,
            normalised=normalised,
            on_off=on_off,
            progress=progress,
        )
    if len(fits.fits) > 1:
        Console().print(summary.models(fits))
    Console().print(summary.parameters(fits.best))
    for sentence in summary.sentences(fits):
        typer.echo(sentence)
    if out is not None:
        fits.save(out)
        typer.echo(f"device: {out}")
    if plot is not None:
        save_picture(fits.plot(), plot)
        typer.echo(f"picture: {plot}")


def _jumps(data: Path, out: Path | None, plot: Path | None) -> None:
    """``memjax fit --jumps``: nothing is fitted."""
    from memjax.devices import catalogue, ltp_ltd
    from memjax.fitting.steps import jump_table_of_steps

    device = jump_table_of_steps(data)
    high, on_off, levels = (float(x) for x in (device.gmax, device.on_off, device.levels))  # type: ignore[arg-type]
    typer.echo(f"JumpTable: window {high / on_off:.4g} S to {high:.4g} S, on/off {on_off:.3g}")
    typer.echo(f"one pulse is 1/{levels - 1:.3g} of the window in the mean")
    if out is not None:
        catalogue.save(out, device)
        typer.echo(f"device: {out}")
    if plot is not None:
        response = ltp_ltd.respond(device, round(levels), round(levels))
        save_picture(ltp_ltd.draw(response, data.stem), plot)
        typer.echo(f"picture: {plot}")


def _switching(data: Path, out: Path | None, plot: Path | None) -> None:
    """``memjax fit --switching``."""
    from memjax.bitstreams import fit_switching, read_counts

    found = fit_switching(read_counts(data))
    for sentence in found.sentences():
        typer.echo(sentence)
    if out is not None:
        found.save(out)
        typer.echo(f"device: {out}")
    if plot is not None:
        from memjax.bitstreams.pictures import switching_curve  # matplotlib: only then

        save_picture(switching_curve(found), plot)
        typer.echo(f"picture: {plot}")


@app.command()
def bench(
    json_: Annotated[bool, typer.Option("--json", help="print one JSON object")] = False,
) -> None:
    """Measure this machine's variant-samples per second on the reference networks."""
    from rich.console import Console

    from memjax.bench import measure, table
    from memjax.sweep.engine.runner import use_all_cores

    use_all_cores()
    report = measure()
    if json_:
        typer.echo(json.dumps(report))
    else:
        Console().print(table(report))


def _check_outputs(
    plot: Path | None = None, csv: str | None = None, device: Path | None = None
) -> None:
    """Before anything is computed or written."""
    check_output("--plot", plot, ".png", "pictures are PNG files")
    check_output("--csv", csv)
    check_output("--out", device, ".toml", "devices are TOML files")


def _write(csv: str, table: str) -> None:
    with whole(csv) as partial:
        partial.write_text(table, encoding="utf-8")


def _print_summary(results: Any, directory: Path) -> None:
    from rich.console import Console

    from memjax.sweep.analysis.results import strings
    from memjax.sweep.show.tables import summary
    from memjax.sweep.store import directory as store

    Console().print(summary(results))
    for note in strings(results.attrs.get("notes")):
        Console().print(f"note: {note}", markup=False, highlight=False)
    pictures = sorted(path.name for path in directory.glob("*.png"))
    typer.echo(f"results: {directory / store.RESULTS}")
    typer.echo(f"pictures: {', '.join(pictures)}")


def main() -> None:
    """The ``memjax`` command: a user's mistake is one line on stderr and exit status 2."""
    warnings.showwarning = _show_warning  # type: ignore[assignment]  # it takes what it is given
    try:
        status = app(sys.argv[1:] or ["--help"], prog_name="memjax", standalone_mode=False)
        if status == 130:  # Typer's word for Ctrl-C
            _complain(_interrupted())
    except KeyboardInterrupt:
        status = 130
        _complain(_interrupted())
    except OSError as error:  # a path that cannot be looked at: too long, or not permitted
        where = f"{error.filename}: " if error.filename else ""
        status = _complain(f"{where}{error.strerror or error}; give another path")
    except UserError as error:
        status = _complain(str(error))
    except _UsageError as error:
        path = error.ctx.command_path if error.ctx else "memjax"
        status = _complain(f"{error.format_message().rstrip('.')}; see `{path} --help`")
    sys.exit(status)


def _interrupted() -> str:
    goes_on = sys.argv[1:2] in (["sweep"], ["search"])
    return "interrupted" + goes_on * "; the same command goes on where it was"


_show_any_warning = warnings.showwarning
_SHOWN: set[str] = set()


def _show_warning(message: Warning | str, category: type[Warning], *where: Any) -> None:
    """One of ours is a line as any other, once."""
    if not category.__module__.startswith("memjax."):
        _show_any_warning(message, category, *where)
    elif str(message) not in _SHOWN:
        _SHOWN.add(str(message))
        typer.echo(f"memjax: note: {message}", err=True)


def _complain(message: str) -> int:
    typer.echo(f"memjax: {' '.join(message.splitlines())}", err=True)
    return 2


if __name__ == "__main__":
    main()
