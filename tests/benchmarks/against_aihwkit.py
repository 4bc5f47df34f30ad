"""memjax's CPU training rate over aihwkit's: both measured in turn, in one run, on one machine.

    python tests/benchmarks/against_aihwkit.py --aihwkit-python V/bin/python [--rounds 3]

`V` is an environment with aihwkit; `aihwkit_rate.py` says how to make one and what it times. Each
round runs `aihwkit_rate.py` (in V's Python, about half a minute) and then `memjax bench --json` (in
the Python that runs this script); a figure is its median over the rounds. Leave the machine to
itself meanwhile. What cannot be run or read is said in one line, with exit status 2.

It prints Markdown. Units: aihwkit's rate is in samples per second (it trains one network at a
time), memjax's in variant-samples per second (samples seen, summed over the variants trained at
once), their ratio is a plain number. The last column is the span of the ratios of single rounds.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
AIHWKIT_RATE = Path(__file__).resolve().with_name("aihwkit_rate.py")
# Name: what it is, the ratio wanted at least, the ratio aimed at.
NETWORKS = {
    "digits_b1": ("64-32-10, batch 1", 250, 500),
    "mnist_b1": ("784-256-128-10, batch 1", 8, 15),
    "mnist_b10": ("784-256-128-10, batch 10", 4, 10),
}


def fail(message: str) -> None:
    """Say what is wrong in one line and exit with status 2."""
    print(f"against_aihwkit: {message}", file=sys.stderr)
    raise SystemExit(2)


def run_json(name: str, command: list[str]) -> dict:
    """Run a command that prints a JSON object with `rates`; return the object."""
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        last = (done.stderr.strip() or done.stdout.strip() or "no message").splitlines()[-1]
        fail(f"{name} failed with status {done.returncode}: {last}")
    try:
        report = json.loads(done.stdout)
        missing = [network for network in NETWORKS if not report["rates"][network] > 0]
    except (ValueError, KeyError, TypeError) as error:
        fail(f"{name} did not print the JSON object expected: {error!r}")
    if missing:
        fail(f"{name} printed no positive rate for {', '.join(missing)}")
    return report


def table(memjax: list[dict], aihwkit: list[dict]) -> list[str]:
    """Return the lines of the Markdown table, from the reports of each round."""
    lines = [
        "| network | aihwkit samples/s | memjax variant-samples/s | ratio "
        "| wanted at least | aim | reached | ratio in single rounds |",
        "|---|---:|---:|---:|---:|---:|---|---|",
    ]
    for network, (description, least, aim) in NETWORKS.items():
        ours = [report["rates"][network] for report in memjax]
        theirs = [report["rates"][network] for report in aihwkit]
        ratio = statistics.median(ours) / statistics.median(theirs)
        ratios = [a / b for a, b in zip(ours, theirs, strict=True)]
        reached = "aim" if ratio >= aim else "least" if ratio >= least else "no"
        lines.append(
            f"| `{network}` ({description}) | {statistics.median(theirs):,.0f} "
            f"| {statistics.median(ours):,.0f} | {ratio:.3g} | {least} | {aim} | {reached} "
            f"| {min(ratios):.3g} to {max(ratios):.3g} |"
        )
    return lines


def versions(report: dict) -> str:
    """Return a report's versions as text."""
    return ", ".join(f"{name} {number}" for name, number in report.get("versions", {}).items())


def settings(aihwkit: list[dict]) -> str:
    """Return which of aihwkit's settings were the fastest, over the rounds."""
    parts = []
    for network in NETWORKS:
        best = [report["best"][network] for report in aihwkit]
        chosen = sorted({f"{run['passes']} on {run['threads']} thread(s)" for run in best})
        parts.append(f"`{network}`: {' / '.join(chosen)}")
    return "; ".join(parts)


def parse_arguments() -> argparse.Namespace:
    """Read the command line; make the interpreter's path absolute."""
    parser = argparse.ArgumentParser(
        description="Compare the CPU training rates of memjax and aihwkit; print Markdown."
    )
    parser.add_argument(
        "--aihwkit-python", required=True, metavar="PYTHON", help="the Python that has aihwkit"
    )
    parser.add_argument("--rounds", type=int, default=3, help="times each is measured (default 3)")
    options = parser.parse_args()
    if options.rounds < 1:
        parser.error("--rounds must be at least 1")
    found = shutil.which(options.aihwkit_python)
    if found is None:
        fail(
            f"no Python interpreter at {options.aihwkit_python!r}; "
            f"{AIHWKIT_RATE.name} says how to make an environment with aihwkit"
        )
    # Not resolved: an environment's python is a link, and following it would leave the environment.
    options.aihwkit_python = os.path.abspath(found)
    return options


def main() -> int:
    """Measure both in turn and print the comparison."""
    options = parse_arguments()
    load = os.getloadavg()[0]
    memjax, aihwkit = [], []
    for done in range(1, options.rounds + 1):
        print(f"round {done} of {options.rounds}", file=sys.stderr)
        aihwkit.append(run_json("aihwkit_rate.py", [options.aihwkit_python, str(AIHWKIT_RATE)]))
        memjax.append(run_json("memjax bench", [sys.executable, "-m", "memjax", "bench", "--json"]))
    print("\n".join(table(memjax, aihwkit)))
    print()
    print(
        f"- Machine: {aihwkit[0]['device']}, {aihwkit[0]['cores']} cores; load average before the "
        f"first round {load:.2f}; medians over {options.rounds} round(s), measured in turn."
    )
    print(
        f"- memjax ran on {memjax[0].get('device', '?')}, {memjax[0].get('cores', '?')} cores: "
        f"{versions(memjax[0])}."
    )
    busy = [report["best"][network]["busy"] for report in aihwkit for network in NETWORKS]
    print(
        f"- aihwkit: {versions(aihwkit[0])}; fastest settings: {settings(aihwkit)}; it got "
        f"{min(busy):.2f} to {max(busy):.2f} s of CPU time a second (below 0.95 on one thread: "
        "the machine was shared, do not quote these figures)."
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
