"""Kills sweeps at random moments, goes on, and compares with an undisturbed one bit for bit.

    python tests/benchmarks/kill_and_resume.py [--kills 20] [--seed 0] [--spec SPEC.toml]

The process itself, one worker of a Dask cluster, its scheduler, and a disk that is full (a small
tmpfs: Linux, as root). About ten minutes. The tests hold a short form of it, at chosen moments.
"""

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from memjax.sweep.store import directory as store

SPEC = """
seeds = 2
[axes]
levels = [8, 16, 32, 64]
sigma_c2c = [0, 0.5, 1, 2]
[data]
name = "digits"
train_size = 400
[train]
epochs = 3
[engine]
width = 2
checkpoint_minutes = 0
"""
MEMJAX = [sys.executable, "-m", "memjax"]
DASK = [sys.executable, "-m", "dask"]


def sweep(spec: Path, out: Path, *options: str) -> subprocess.Popen:
    """A sweep in a process of its own."""
    command = [*MEMJAX, "sweep", str(spec), "--out", str(out), "--no-progress", *options]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


def finish(process: subprocess.Popen, status: int = 0) -> str:
    """What it says on stderr, when it ends as it should."""
    said = process.communicate(timeout=600)[1]
    assert process.returncode == status, (process.returncode, said)
    return said


def killed_process(spec: Path, out: Path, rng: random.Random, kills: int) -> int:
    """Kills it again and again until it is done, or has been killed so often."""
    count = 0
    while count < kills:
        process = sweep(spec, out)
        try:
            process.wait(timeout=rng.uniform(2.0, 12.0))
            break
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            count += 1
    if not store.has_results(out):
        finish(sweep(spec, out))
    return count


def killed_worker(spec: Path, out: Path, rng: random.Random) -> int:
    """Kills one worker of two: the sweep ends without help."""
    process = sweep(spec, out, "--local-cluster", "2")
    workers: list[str] = []
    while process.poll() is None and len(workers) < 2:
        time.sleep(0.2)
        children = ["pgrep", "-P", str(process.pid), "-f", "spawn_main"]
        workers = subprocess.run(children, capture_output=True, text=True).stdout.split()
    time.sleep(rng.uniform(1.0, 8.0))
    count = 0
    if process.poll() is None:
        os.kill(int(rng.choice(workers)), signal.SIGKILL)
        count = 1
    finish(process)
    return count


def killed_scheduler(spec: Path, out: Path, rng: random.Random) -> int:
    """Kills the scheduler: the sweep says so in one line, and goes on with another."""
    count = 0
    for deadly in (True, False):
        port = rng.randrange(20_000, 60_000)
        address = f"tcp://127.0.0.1:{port}"
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        place = ["--host", "127.0.0.1", "--port", str(port), "--no-dashboard"]
        scheduler = subprocess.Popen([*DASK, "scheduler", *place], **quiet)
        options = ["--nthreads", "1", "--nworkers", "2", "--death-timeout", "20", "--no-dashboard"]
        workers = subprocess.Popen([*DASK, "worker", address, *options], **quiet)
        time.sleep(6.0)
        process = sweep(spec, out, "--scheduler", address)
        if deadly:
            time.sleep(rng.uniform(3.0, 10.0))
            if process.poll() is None:
                scheduler.kill()
                said = finish(process, 2)
                assert said.count("\n") == 1 and "scheduler" in said, said
                count = 1
        if process.poll() is None:
            finish(process)
        for other in (workers, scheduler):
            other.kill()
            other.wait()
        if store.has_results(out):
            break
    return count


def full_disk(spec: Path, out: Path) -> int:
    """A disk of 200 kB: the sweep says so in one line, and goes on when there is room."""
    out.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=200k", "memjax", str(out)], check=True)
    try:
        said = finish(sweep(spec, out), 2)
        assert said.count("\n") == 1 and "No space left" in said, said
        subprocess.run(["mount", "-o", "remount,size=64M", str(out)], check=True)
        finish(sweep(spec, out))
        shutil.copytree(out, kept := out.with_name("kept"))
    finally:
        subprocess.run(["umount", str(out)], check=True)
    out.rmdir()
    kept.rename(out)
    return 1


def main() -> None:
    """Prints a line a sweep."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--spec", type=Path, help="a short sweep of your own (default: digits)")
    options = parser.parse_args()
    rng, done = random.Random(options.seed), 0
    with tempfile.TemporaryDirectory() as place:
        where = Path(place)
        (where / "spec.toml").write_text(SPEC)
        spec = options.spec or where / "spec.toml"
        finish(sweep(spec, where / "whole"))
        whole = store.load(where / "whole").drop_attrs()
        kinds = ["disk", "worker", "scheduler", "worker", "scheduler"]
        number = 0
        while done < options.kills or kinds:
            out, number = where / f"run{number}", number + 1
            kind = kinds.pop(0) if kinds else "process"
            if kind == "process":
                count = killed_process(spec, out, rng, options.kills - done)
            elif kind == "worker":
                count = killed_worker(spec, out, rng)
            elif kind == "scheduler":
                count = killed_scheduler(spec, out, rng)
            else:
                count = full_disk(spec, out)
            done += count
            same = store.load(out).drop_attrs().identical(whole)
            print(f"{kind}: {count} kills, {done} in all; same bits: {same}", flush=True)
            assert same


if __name__ == "__main__":
    main()
