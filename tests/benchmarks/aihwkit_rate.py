"""How many samples a second aihwkit trains on this CPU: the figure that memjax is compared with.

The script runs in an environment of its own (it imports aihwkit and torch, never memjax):

    python3.11 -m venv V
    V/bin/pip install --only-binary=:all: torch==2.10.0 torchvision==0.25.0 aihwkit==1.1.0
    V/bin/python tests/benchmarks/aihwkit_rate.py

(torchvision has to be pinned, or pip replaces torch by one that aihwkit's wheel was not built for.)
It takes about half a minute, prints one JSON object, and is meant for a machine that does nothing
else. `against_aihwkit.py` runs it in turn with `memjax bench` and prints the ratios.

What is timed is the loop that a user of aihwkit writes: an `AnalogSequential` of `AnalogLinear`
layers (with their bias, as by default) with `Sigmoid` between them and `LogSoftmax` at the end,
`NLLLoss`, `AnalogSGD`, over tensors that are already in memory. The devices are those of
`GokmenVlasovPreset`: constant step, cycle-to-cycle and device-to-device spread on; pulse trains of
10 (`desired_bl=10`, BL management off so that the length stays fixed), update management on.

The cost of an update depends on how many pulses coincide, so the random inputs have the share of
non-zero pixels of the real images, and the learning rates are ones at which the networks learn on
those: 0.01 a sample. The labels are random. (Side by side on an AMD EPYC: learning rates ten times
smaller are 1 to 14 % faster, layers without bias 8 to 22 %; the real MNIST images and labels, after
10,000 samples of training, are 5 to 12 % slower.)

Every network is timed with the preset's own noisy forward and backward passes, with a perfect
forward pass, and with both passes perfect; each with one thread and with two. A figure is a median
over repetitions; the fastest of the six, the figure to beat, is in `rates`, so chance favours
aihwkit. All of them are in `runs`.

Units: `rates`, `median`, `lowest` and `highest` are samples per second (one network is trained, so
a sample here is one variant-sample of memjax); `busy` is the seconds of CPU time per second of
wall time. Below 1, the machine was shared; at 1 it may still have been, if its two cores are two
threads of one. (With two threads, aihwkit uses the second for batches only.)
"""

import argparse
import itertools
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path

# Name: layer sizes, batch, learning rate (of the batch's mean loss), share of non-zero inputs.
NETWORKS = {
    "digits_b1": ((64, 32, 10), 1, 0.01, 0.51),
    "mnist_b1": ((784, 256, 128, 10), 1, 0.01, 0.19),
    "mnist_b10": ((784, 256, 128, 10), 10, 0.1, 0.19),
}
# Name: whether the forward pass is perfect, whether the backward pass is.
PASSES = {
    "preset": (False, False),
    "perfect_forward": (True, False),
    "perfect_forward_and_backward": (True, True),
}
THREADS = (1, 2)
BL = 10
SAMPLES = 2000


class Trainer:
    """One network in training, resumed for a slice of time at a time."""

    def __init__(self, network: str, passes: str):
        """Build the network, its optimizer and its data."""
        import torch
        from aihwkit.nn import AnalogLinear, AnalogSequential
        from aihwkit.optim import AnalogSGD
        from aihwkit.simulator.configs import IOParameters
        from aihwkit.simulator.presets import GokmenVlasovPreset

        sizes, self.batch, learning_rate, nonzero = NETWORKS[network]
        config = GokmenVlasovPreset()
        config.update.desired_bl = BL
        config.update.update_bl_management = False
        config.update.update_management = True
        perfect_forward, perfect_backward = PASSES[passes]
        if perfect_forward:
            config.forward = IOParameters(is_perfect=True)
        if perfect_backward:
            config.backward = IOParameters(is_perfect=True)

        layers = []
        for fan_in, fan_out in itertools.pairwise(sizes):
            layers += [AnalogLinear(fan_in, fan_out, rpu_config=config), torch.nn.Sigmoid()]
        layers[-1] = torch.nn.LogSoftmax(dim=1)
        self.model = AnalogSequential(*layers)
        self.optimizer = AnalogSGD(self.model.parameters(), lr=learning_rate)
        self.optimizer.regroup_param_groups(self.model)
        self.loss = torch.nn.NLLLoss()

        mask = torch.rand(SAMPLES, sizes[0]) < nonzero
        inputs = torch.rand(SAMPLES, sizes[0]) * mask
        labels = torch.randint(sizes[-1], (SAMPLES,))
        batches = zip(inputs.split(self.batch), labels.split(self.batch), strict=True)
        self.batches = itertools.cycle(list(batches))

    def train(self, seconds: float) -> tuple[float, float]:
        """Train for about `seconds`; return the samples per second and the CPU's share."""
        samples = 0
        cpu, start = time.process_time(), time.perf_counter()
        while (wall := time.perf_counter() - start) < seconds:
            inputs, labels = next(self.batches)
            self.optimizer.zero_grad()
            self.loss(self.model(inputs), labels).backward()
            self.optimizer.step()
            samples += self.batch
        return samples / wall, (time.process_time() - cpu) / wall


def measure(threads: int, repetitions: int, seconds: float) -> list[dict]:
    """Time every network and kind of pass in this process, their repetitions in turn."""
    import torch

    torch.set_num_threads(threads)
    torch.manual_seed(0)
    trainers = {key: Trainer(*key) for key in itertools.product(NETWORKS, PASSES)}
    for trainer in trainers.values():
        trainer.train(seconds)
    timings = {key: [] for key in trainers}
    for _ in range(repetitions):
        for key, trainer in trainers.items():
            timings[key].append(trainer.train(seconds))
    runs = []
    for (network, passes), timed in timings.items():
        rates, busy = zip(*timed, strict=True)
        runs.append(
            {
                "network": network,
                "passes": passes,
                "threads": threads,
                "median": round(statistics.median(rates), 1),
                "lowest": round(min(rates), 1),
                "highest": round(max(rates), 1),
                "busy": round(statistics.median(busy), 2),
            }
        )
    return runs


def measure_apart(threads: int, options: argparse.Namespace) -> list[dict]:
    """Call `measure` in a fresh process, whose thread pools (torch's, aihwkit's) all obey."""
    count = str(threads)
    pools = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), count)
    command = [sys.executable, __file__, "--threads", count]
    command += ["--repetitions", str(options.repetitions), "--seconds", str(options.seconds)]
    done = subprocess.run(command, env=os.environ | pools, stdout=subprocess.PIPE, check=False)
    if done.returncode:
        raise SystemExit(done.returncode)
    return json.loads(done.stdout)


def cpu_model() -> str:
    """Return the processor's name."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor() or platform.machine())


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description="Time aihwkit's training on this CPU; print JSON, in samples per second."
    )
    parser.add_argument("--repetitions", type=int, default=5, help="timings a median is over")
    parser.add_argument("--seconds", type=float, default=0.15, help="length of one timing")
    parser.add_argument("--threads", type=int, help="time this number only; print its runs only")
    options = parser.parse_args()
    if options.repetitions < 1 or options.seconds <= 0:
        parser.error("--repetitions must be at least 1 and --seconds above 0")
    if options.threads is not None and options.threads < 1:
        parser.error("--threads must be at least 1")
    return options


def main() -> int:
    """Measure and print."""
    options = parse_arguments()
    try:
        versions = {name: version(name) for name in ("aihwkit", "torch")}
    except ModuleNotFoundError as error:
        print(f"aihwkit_rate: {sys.executable} has no {error.name}", file=sys.stderr)
        return 2
    if options.threads is not None:
        print(json.dumps(measure(options.threads, options.repetitions, options.seconds)))
        return 0
    load = os.getloadavg()[0]
    runs = [run for threads in THREADS for run in measure_apart(threads, options)]
    best = {
        name: max((run for run in runs if run["network"] == name), key=lambda run: run["median"])
        for name in NETWORKS
    }
    report = {
        "device": cpu_model(),
        "cores": len(os.sched_getaffinity(0)),
        "load_before": round(load, 2),
        "versions": {"python": platform.python_version(), **versions},
        "settings": {
            "preset": "GokmenVlasovPreset",
            "desired_bl": BL,
            "update_bl_management": False,
            "update_management": True,
            "learning_rates": {name: network[2] for name, network in NETWORKS.items()},
            "repetitions": options.repetitions,
            "seconds": options.seconds,
        },
        "rates": {name: run["median"] for name, run in best.items()},
        "best": {
            name: {key: run[key] for key in ("passes", "threads", "lowest", "highest", "busy")}
            for name, run in best.items()
        },
        "runs": runs,
    }
    print(json.dumps(report, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
