"""How aihwkit's devices answer pulses: the figures that `devices_against_aihwkit.py` compares.

The script runs in an environment of its own (it imports aihwkit and torch, never memjax):

    python3.11 -m venv V
    V/bin/pip install torch==2.10.0
    V/bin/pip install --only-binary=:all: aihwkit==1.1.0
    echo '{"a": ["SoftBoundsDevice", {"dw_min": 0.01}]}' | V/bin/python \
        tests/benchmarks/aihwkit_devices.py --tiles 20 --devices 1000 --pulses 1000

It reads one JSON object, a device of aihwkit for each name: its class and the parameters that
differ from the defaults. It prints one: for each name `curve`, the weight of one device without
spread and noise from w = 0 after each pulse, `--pulses` up and as many down, and `moments`, the
mean and the sd over devices at each checkpoint of `SCHEDULES`, with their standard errors. Weights
are those that are seen, with write noise; every update is one pulse, and decay follows it.

Each tile draws the noise of its pulses from a finite table of about 2^15 normal numbers, whose own
mean (0 +- 0.0055) and sd every device of the tile shares, pulse after pulse. So the devices of one
tile are no independent sample. A standard error is the larger of that over devices, as if they
were independent, and that between tiles, of which there have to be many.
"""

import argparse
import dataclasses
import json
import platform
import sys
import warnings
from importlib.metadata import version

import numpy as np

# Name: pulses up, then down; the numbers of pulses after which to look.
SCHEDULES = {
    "{} up": (100, 0, (1, 10, 100)),
    "{} down": (0, 100, (1, 10, 100)),
    "50 up, 50 down": (50, 50, (100,)),
}
NOISES = ("dw_min_std", "dw_min_std_add", "dw_min_std_slope", "write_noise_std", "reference_std")


def without_noise(device):
    """Return a copy of the device's parameters with neither spread nor noise; decay stays."""
    names = (field.name for field in dataclasses.fields(device))
    quiet = {name: 0.0 for name in names if name in NOISES or name.endswith("_dtod")}
    # Some fields are no arguments of the constructor, so they are set on a copy.
    twin = dataclasses.replace(device)
    for name, value in quiet.items():
        if hasattr(twin, name):
            setattr(twin, name, value)
    return twin


class Row:
    """Devices side by side in one tile; an update gives each of them exactly one pulse."""

    def __init__(self, device, count: int, seed: int):
        """Fabricate the devices (`seed` fixes their spread; their noise has no seed)."""
        import torch
        from aihwkit.simulator.configs import SingleRPUConfig
        from aihwkit.simulator.parameters import UpdateParameters
        from aihwkit.simulator.tiles import AnalogTile

        torch.manual_seed(seed)
        device = dataclasses.replace(device, construction_seed=seed)
        # A learning rate beyond any step: the one slot of the train fires for certain.
        update = UpdateParameters(desired_bl=1, update_bl_management=False, update_management=False)
        self.tile = AnalogTile(count, 1, SingleRPUConfig(device=device, update=update))
        self.tile.set_learning_rate(1.0)
        self.lines = torch.ones(1, 1), torch.ones(1, count)

    def run(self, ups: int, downs: int):
        """Start at w = 0; yield the weights that are seen after each pulse."""
        import torch

        self.tile.tile.set_weights(torch.zeros(self.lines[1].shape[1], 1))
        for sign in [-1.0] * ups + [1.0] * downs:  # an update is subtracted
            self.tile.tile.update(sign * self.lines[0], self.lines[1], False)
            self.tile.post_update_step()
            yield self.tile.tile.get_weights().numpy().reshape(-1)


def moments(tiles: np.ndarray) -> dict:
    """Mean and sd of weights (tile, device), each with its standard error."""
    pooled = tiles.reshape(-1)
    mean, sd = pooled.mean(), pooled.std()
    fourth = ((pooled - mean) ** 4).mean()
    of_devices = sd, np.sqrt(max(fourth - sd**4, 0.0)) / (2.0 * sd) if sd > 0 else 0.0
    many = len(tiles) > 1
    between = (tiles.mean(1).std(ddof=1), tiles.std(1).std(ddof=1)) if many else (0.0, 0.0)
    errors = [
        max(a / np.sqrt(pooled.size), b / np.sqrt(len(tiles)))
        for a, b in zip(of_devices, between, strict=True)
    ]
    return {"mean": mean, "sd": sd, "se_mean": errors[0], "se_sd": errors[1]}


def measure(device, options: argparse.Namespace) -> dict:
    """Measure one device with and without noise."""
    curve = [float(w[0]) for w in Row(without_noise(device), 1, 1).run(*[options.pulses] * 2)]
    seen: dict[str, list[np.ndarray]] = {}
    for seed in range(1, options.tiles + 1):
        row = Row(device, options.devices, seed)
        for name, (ups, downs, at) in SCHEDULES.items():
            for k, weights in enumerate(row.run(ups, downs), 1):
                if k in at:
                    seen.setdefault(name.format(k), []).append(weights.astype(np.float64))
    return {"curve": curve, "moments": {k: moments(np.stack(v)) for k, v in seen.items()}}


def main() -> int:
    """Measure what stands on stdin and print."""
    parser = argparse.ArgumentParser(description="Pulse aihwkit's devices; print JSON.")
    parser.add_argument("--tiles", type=int, default=40, help="tiles of each device, at least 20")
    parser.add_argument("--devices", type=int, default=5000, help="devices in a tile")
    parser.add_argument("--pulses", type=int, default=1000, help="pulses up, and down, no noise")
    options = parser.parse_args()
    if options.tiles < 20:
        parser.error("--tiles must be at least 20: see the docstring")
    try:
        versions = {name: version(name) for name in ("aihwkit", "torch")}
    except ModuleNotFoundError as error:
        print(f"aihwkit_devices: {sys.executable} has no {error.name}", file=sys.stderr)
        return 2
    warnings.filterwarnings("ignore")
    import torch
    from aihwkit.simulator.configs import devices
    from aihwkit.simulator.presets import devices as presets

    torch.set_num_threads(1)
    report = {"versions": {"python": platform.python_version(), **versions}, "devices": {}}
    for name, (model, parameters) in json.load(sys.stdin).items():
        print(f"aihwkit: {name}", file=sys.stderr)
        device = getattr(presets if "Preset" in model else devices, model)(**parameters)
        report["devices"][name] = measure(device, options)
    print(json.dumps(report))
    return 0


if __name__ == "__main__":
    sys.exit(main())
