"""Do memory and the cost of a lane stay as they are when a sweep grows? Prints a line a size.

    python tests/benchmarks/sweep_scale.py [--lanes 1000 100000] [--local-cluster 2] [--plot FILE]

Digits network 64-32-10, batch 1, one epoch of 400 images, from an empty directory to saved results
and pictures; each size in a process of its own. The aims: 100,000 lanes cost a lane within 15 % of
what 1,000 do, in the same memory; two workers on two cores are within 15 % of one process.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time

from memjax.sweep import Spec, run
from memjax.sweep.engine.cluster import connect
from memjax.sweep.show import plots

LANES = (1_000, 10_000, 100_000)


def one(lanes: int, workers: int) -> dict[str, float]:
    """Runs one sweep in this process: seconds a lane once compiled, and megabytes at the peak."""
    raw = {"seeds": 10, "data": {"train_size": 400}, "train": {"epochs": 1}}
    raw["axes"] = {
        "sigma_c2c": {"linspace": [0, 2, 10]},
        "levels": {"linspace": [8, 107, lanes // 100]},
    }
    clock: list[tuple[float, float]] = []

    def tell(done: float, total: int) -> None:
        del total
        clock.append((time.perf_counter(), done))

    with tempfile.TemporaryDirectory() as place:
        if workers:
            with connect(local=workers) as client:
                found = run(Spec.from_dict(raw), place, client=client, progress=tell)
        else:
            found = run(Spec.from_dict(raw), place, progress=tell)
        plots.draw(found, place)
        ended = time.perf_counter()
    first, done = clock[0]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"lanes": lanes, "ms_a_lane": 1e3 * (ended - first) / (lanes - done), "peak_MB": peak}


def draw(rows: list[dict[str, float]], path: str) -> None:
    """Memory and cost against the number of lanes."""
    import matplotlib.pyplot as plt

    figure, places = plt.subplots(1, 2, figsize=(9, 3.5), layout="constrained")
    lanes = [row["lanes"] for row in rows]
    for place, name, label in zip(
        places, ("peak_MB", "ms_a_lane"), ("peak memory (MB)", "cost of a lane (ms)"), strict=True
    ):
        place.plot(lanes, [row[name] for row in rows], "o-")
        place.set(xscale="log", xlabel="lanes", ylabel=label, ylim=(0, None))
    figure.savefig(path, dpi=150)


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--lanes", type=int, nargs="+", default=LANES)
    parser.add_argument("--local-cluster", type=int, default=0)
    parser.add_argument("--plot")
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(one(options.lanes[0], options.local_cluster)))
        return
    rows = []
    for lanes in options.lanes:
        command = [sys.executable, __file__, "--one", "--lanes", str(lanes)]
        command += ["--local-cluster", str(options.local_cluster)]
        said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        rows.append(json.loads(said.splitlines()[-1]))
        print("{lanes:>8,} lanes: {ms_a_lane:.2f} ms a lane, {peak_MB:.0f} MB".format(**rows[-1]))
    if options.plot:
        draw(rows, options.plot)


if __name__ == "__main__":
    main()
