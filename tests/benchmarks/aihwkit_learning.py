"""What aihwkit's devices learn by each algorithm: run by `against_aihwkit_learning.py`.

The script runs in an environment of its own (it imports aihwkit and torch, never memjax):

    python3.11 -m venv V
    V/bin/pip install --only-binary=:all: torch==2.10.0 torchvision==0.25.0 aihwkit==1.1.0

It reads one JSON object: `data`, an npz file with `x_train`, `y_train`, `x_test`, `y_test`, and
`jobs`, a list of objects with `device` (a preset), `algorithm`, `learning_rate`, `seed` and, where
the algorithm has them, `transfer_rate`, `flip_probability`, `chop_every`. It prints the accuracies.

A network is a perceptron of one hidden layer, 32 sigmoid units, two tiles with the bias as one more
input that is always 1, trained one sample an update for 6 epochs, the rate times 0.8 after each.
Forward and backward passes and the reads of transfers are exact. The tiles are called themselves
(`tile.forward`, `backward`, `update`), not through torch's autograd.
"""

import json
import sys

import numpy as np
import torch
from aihwkit.simulator.configs import (
    DigitalRankUpdateRPUConfig,
    IOParameters,
    SingleRPUConfig,
    UnitCellRPUConfig,
    UpdateParameters,
    compounds,
)
from aihwkit.simulator.presets import devices
from aihwkit.simulator.tiles import AnalogTile

HIDDEN, EPOCHS, DECAY = 32, 6, 0.8
PULSES, MOST = 10, 31


def config(job):
    """The configuration of a tile that does what memjax's algorithm of that name does."""
    preset = getattr(devices, f"{job['device']}PresetDevice")
    exact = IOParameters(is_perfect=True)
    most = MOST if job["algorithm"] == "mixed_precision" else PULSES  # as many as memjax fires
    update = UpdateParameters(desired_bl=most, update_bl_management=False, update_management=True)
    passes = {"forward": exact, "backward": exact, "update": update}
    algorithm = job["algorithm"]
    if algorithm == "sgd":
        return SingleRPUConfig(device=preset(), **passes)
    if algorithm == "mixed_precision":
        cell = compounds.MixedPrecisionCompound(device=preset(), transfer_every=1)
        return DigitalRankUpdateRPUConfig(device=cell, **passes)
    transfer = {
        "unit_cell_devices": [preset(), preset()],
        "transfer_every": 1,
        "units_in_mbatch": True,
        "fast_lr": 0.0,  # the rate of now
        "transfer_lr": job["transfer_rate"],
        "scale_transfer_lr": False,
        "transfer_forward": exact,
        "transfer_update": UpdateParameters(
            desired_bl=MOST, update_bl_management=False, update_management=False
        ),
    }
    if algorithm == "tiki_taka":
        cell = compounds.TransferCompound(gamma=0.0, **transfer)
    elif algorithm == "tiki_taka_v2":
        cell = compounds.BufferedTransferCompound(
            gamma=0.0, momentum=0.0, forget_buffer=False, **transfer
        )
    elif algorithm == "chopped_tiki_taka":
        cell = compounds.ChoppedTransferCompound(
            in_chop_prob=job["flip_probability"], forget_buffer=False, **transfer
        )
    else:
        cell = compounds.DynamicTransferCompound(
            in_chop_prob=1.0 / job["chop_every"], forget_buffer=False, **transfer
        )
    return UnitCellRPUConfig(device=cell, **passes)


class Layer:
    """A tile, its input with a 1 at the end."""

    def __init__(self, rows, columns, job):
        """Weights uniform in +-1 / sqrt(rows), biases 0."""
        wrapper = AnalogTile(columns, rows + 1, config(job), bias=False)
        weights = torch.zeros(columns, rows + 1)
        weights[:, :-1] = (2 * torch.rand(columns, rows) - 1) * rows**-0.5
        wrapper.tile.set_weights(weights)
        self.wrapper, self.tile = wrapper, wrapper.tile

    def forward(self, x):
        """Outputs of [batch, rows]."""
        self.x = torch.cat([x, torch.ones(len(x), 1)], 1)
        return self.tile.forward(self.x, False, False, False, False, False)

    def backward(self, d):
        """The error of the inputs."""
        return self.tile.backward(d, False, False, False, False)[:, :-1]

    def update(self, d, rate):
        """Pulses for the last inputs and their error."""
        self.tile.set_learning_rate(rate)
        self.tile.update(self.x, d, False, False, False, False)


def train(job, data):
    """The accuracy on the test set after training, in %."""
    torch.manual_seed(job["seed"])
    one, two = Layer(data["x_train"].shape[1], HIDDEN, job), Layer(HIDDEN, 10, job)
    x, y = data["x_train"], torch.eye(10)[data["y_train"]]
    rate = job["learning_rate"]
    for _ in range(EPOCHS):
        for i in torch.randperm(len(x)).tolist():
            hidden = torch.sigmoid(one.forward(x[i : i + 1]))
            d = torch.softmax(two.forward(hidden), 1) - y[i : i + 1]
            inner = two.backward(d) * hidden * (1 - hidden)
            two.update(d, rate)
            one.update(inner, rate)
        rate *= DECAY
    answers = two.forward(torch.sigmoid(one.forward(data["x_test"]))).argmax(1)
    return 100.0 * float((answers == data["y_test"]).float().mean())


def main():
    """Read jobs, print accuracies."""
    torch.set_num_threads(1)
    asked = json.load(sys.stdin)
    with np.load(asked["data"]) as arrays:
        data = {name: torch.from_numpy(arrays[name]) for name in arrays.files}
    found = []
    for number, job in enumerate(asked["jobs"], 1):
        found.append(train(job, data))
        print(f"{number} of {len(asked['jobs'])}: {job}: {found[-1]:.1f}", file=sys.stderr)
    print(json.dumps({"accuracies": found}))


if __name__ == "__main__":
    main()
