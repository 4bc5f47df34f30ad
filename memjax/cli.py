"""The command line: parse, call, print."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from memjax.errors import UserError

app = typer.Typer(
    help="Train neural networks in situ on memristive devices, thousands of variants at once.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.command()
def sweep(
    spec: Annotated[Path, typer.Argument(help="the sweep's TOML file")],
    out: Annotated[
        Path | None, typer.Option(help="result directory [default: results/NAME]")
    ] = None,
    set_: Annotated[
        list[str] | None, typer.Option("--set", help="section.key=value, e.g. train.epochs=3")
    ] = None,
    data_dir: Annotated[
        Path | None, typer.Option(help="directory of IDX files or prepared TFDS data")
    ] = None,
    progress: Annotated[bool, typer.Option(help="show a progress bar")] = True,
) -> None:
    """Train every device variant of a specification; write results and plots."""
    from memjax.sweep import Spec, run
    from memjax.sweep.table import summary

    settings = list(set_ or [])
    if data_dir is not None:
        settings.append(f"data.dir={json.dumps(str(data_dir))}")
    checked = Spec.from_toml(spec, settings)
    directory = out or Path("results") / checked.name
    with _progress(checked.name, enabled=progress) as report:
        results = run(checked, directory, progress=report)
    Console().print(summary(results))
    pictures = ", ".join(sorted(path.name for path in directory.glob("*.png")))
    typer.echo(f"{directory}/: results.zarr, spec.toml, {pictures}")


@app.command()
def plot(directory: Annotated[Path, typer.Argument(help="a sweep's result directory")]) -> None:
    """Redraw the plots of a finished sweep."""
    from memjax.sweep import store
    from memjax.sweep.plots import draw
    from memjax.sweep.table import summary

    results = store.load(directory)
    paths = draw(results, directory)
    Console().print(summary(results))
    typer.echo(f"{directory}/: {', '.join(path.name for path in paths)}")


@app.command()
def bench(
    json_: Annotated[bool, typer.Option("--json", help="print one JSON object")] = False,
) -> None:
    """Measure this machine's variant-samples per second on the reference networks."""
    from memjax.sweep.bench import measure, table

    report = measure()
    if json_:
        typer.echo(json.dumps(report))
    else:
        Console().print(table(report))


@contextmanager
def _progress(name: str, *, enabled: bool) -> Iterator:
    """A live bar on a terminal; plain lines, one a tenth of the work, elsewhere."""
    import time

    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    started = time.perf_counter()
    if not enabled:
        yield None
    elif not console.is_terminal:
        told = 0

        def report(done: float, total: int) -> None:
            nonlocal told
            if (tenth := int(10 * done / total + 1e-6)) > told:
                told = tenth
                seconds = time.perf_counter() - started
                left = seconds / done * (total - done)
                line = f"{name}: {done:.0f} of {total} lanes, {done / seconds:.1f} lanes/s"
                print(f"{line}, {left:.0f} s left", file=sys.stderr, flush=True)

        yield report
    else:
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.completed:.0f}/{task.total:.0f} lanes"),
            TextColumn("{task.fields[rate]}"),
            TimeRemainingColumn(),
        )
        with Progress(*columns, console=console) as bar:
            task = bar.add_task(name, total=None, rate="compiling")

            def report(done: float, total: int) -> None:
                rate = f"{done / (time.perf_counter() - started):.1f} lanes/s"
                bar.update(task, completed=done, total=total, rate=rate)

            yield report


def main() -> None:
    """The ``memjax`` command: a user's mistake is one line on stderr and exit status 2."""
    from memjax.sweep.engine import use_all_cores

    use_all_cores()
    try:
        app()
    except UserError as error:
        typer.echo(f"memjax: {error}", err=True)
        sys.exit(2)
    except KeyboardInterrupt:
        typer.echo("memjax: interrupted; nothing was written", err=True)
        sys.exit(130)


if __name__ == "__main__":
    main()
