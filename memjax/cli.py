"""The command line: parse, call, print."""

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from memjax.errors import UserError

app = typer.Typer(
    help="Train neural networks in situ on memristive devices, thousands of variants at once.",
    add_completion=False,
    pretty_exceptions_enable=False,
)
_UsageError: Any = typer.BadParameter.__bases__[0]  # click's, of which Typer has a copy


@app.command()
def sweep(
    spec: Annotated[Path, typer.Argument(help="the sweep's TOML file")],
    out: Annotated[
        Path | None, typer.Option(help="result directory (default: results/NAME)")
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="KEY=VALUE", help="replace a value: train.epochs=3 (may be repeated)"
        ),
    ] = None,
    data_dir: Annotated[
        Path | None, typer.Option(help="directory of IDX files or prepared TFDS data")
    ] = None,
    progress: Annotated[bool, typer.Option(help="show progress on stderr")] = True,
) -> None:
    """Train every device variant of a specification; write results and plots."""
    from memjax.sweep import Spec, run, store
    from memjax.sweep.progress import progress as progress_of

    settings = list(set_ or [])
    if data_dir is not None:
        settings.append(f"data.dir={json.dumps(str(data_dir))}")
    checked = Spec.from_toml(spec, settings)
    directory = out or Path("results") / checked.name
    finished = store.has_results(directory)
    if progress and not finished:
        with progress_of(checked.name) as report:
            results = run(checked, directory, progress=report)
    else:
        results = run(checked, directory)
    if finished:
        typer.echo(f"{directory}: already holds the results of this specification", err=True)
    _print_summary(results, directory)


@app.command()
def plot(directory: Annotated[Path, typer.Argument(help="a sweep's result directory")]) -> None:
    """Redraw the plots of a finished sweep."""
    from memjax.sweep import store
    from memjax.sweep.plots import draw

    results = store.load(directory)
    draw(results, directory)
    _print_summary(results, directory)


@app.command()
def devices(
    name: Annotated[str | None, typer.Argument(help="one device, to see its parameters")] = None,
) -> None:
    """List the device models, or the parameters of one with their units."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    from memjax.devices import MODELS, catalogue

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    if name is None:
        for title in ("model", "response", "source"):
            table.add_column(title, overflow="fold")
        for known, model in MODELS.items():
            table.add_row(known, catalogue.summary(model), catalogue.source(model))
    else:
        model = catalogue.find(name)
        typer.echo(f"{model.__name__}: {catalogue.summary(model)}\n{catalogue.source(model)}")
        for title in ("parameter", "default", "unit", "meaning"):
            table.add_column(title, overflow="fold")
        for parameter, default, unit, meaning in catalogue.parameters(model):
            shown = "absent" if default is None else f"{default:g}"
            table.add_row(parameter, shown, unit, meaning)
    Console().print(table)


@app.command()
def bench(
    json_: Annotated[bool, typer.Option("--json", help="print one JSON object")] = False,
) -> None:
    """Measure this machine's variant-samples per second on the reference networks."""
    from rich.console import Console

    from memjax.sweep.bench import measure, table
    from memjax.sweep.engine import use_all_cores

    use_all_cores()
    report = measure()
    if json_:
        typer.echo(json.dumps(report))
    else:
        Console().print(table(report))


def _print_summary(results: Any, directory: Path) -> None:
    from rich.console import Console

    from memjax.sweep import store
    from memjax.sweep.table import summary

    Console().print(summary(results))
    for note in results.attrs.get("notes", []):
        Console().print(f"note: {note}", markup=False, highlight=False)
    pictures = sorted(path.name for path in directory.glob("*.png"))
    typer.echo(f"results: {directory / store.RESULTS}")
    typer.echo(f"pictures: {', '.join(pictures)}")


def main() -> None:
    """The ``memjax`` command: a user's mistake is one line on stderr and exit status 2."""
    try:
        status = app(sys.argv[1:] or ["--help"], prog_name="memjax", standalone_mode=False)
        if status == 130:  # Typer's word for Ctrl-C
            _complain("interrupted; no results were written")
    except KeyboardInterrupt:
        status = 130
        typer.echo("memjax: interrupted; no results were written", err=True)
    except OSError as error:  # a path that cannot be looked at: too long, or not permitted
        status = _complain(f"{error.filename}: {error.strerror}; give another path")
    except UserError as error:
        status = _complain(str(error))
    except _UsageError as error:
        path = error.ctx.command_path if error.ctx else "memjax"
        status = _complain(f"{error.format_message().rstrip('.')}; see `{path} --help`")
    sys.exit(status)


def _complain(message: str) -> int:
    typer.echo(f"memjax: {' '.join(message.splitlines())}", err=True)
    return 2


if __name__ == "__main__":
    main()
