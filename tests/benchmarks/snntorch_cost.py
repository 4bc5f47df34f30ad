"""What does the output layer of the same network take in snnTorch? Prints CPU microseconds.

    python -m venv V && V/bin/pip install torch snntorch==1.0.0 numpy
    V/bin/python tests/benchmarks/snntorch_cost.py

8,112 inputs of which 620 fire 6,400 spikes in 200 steps of 0.5 ms, ten outputs of two exponentials
and a membrane (``snntorch.Alpha``; it has neither a refractory time nor lateral inhibition nor
NormAD). The forward pass, and with it an update by its own learning, the gradient of a spike-count
loss through surrogate spikes, and a step of SGD; batches of one, as NormAD learns; one thread.
Beside them a product of two 1,024 x 1,024 matrices, as of spiking_cost.py, to compare by.
"""

import statistics
import time

import numpy as np
import snntorch
import torch
from snntorch import functional

STEPS, INPUTS, OUTPUTS, ROUNDS = 200, 8112, 10, 20


def seconds_of(function) -> float:
    """The median CPU time of a call."""
    function()
    found = []
    for _ in range(ROUNDS):
        started = time.process_time()
        function()
        found.append(time.process_time() - started)
    return statistics.median(found)


def main() -> None:
    """Measures and prints."""
    torch.set_num_threads(1)
    rng = np.random.default_rng(0)
    spikes = np.zeros((STEPS, 1, INPUTS), np.float32)
    fire = rng.permutation(INPUTS)[:620]
    spikes[:, 0, fire] = rng.random((STEPS, 620)) < 6400 / (STEPS * 620)
    x, label = torch.from_numpy(spikes), torch.tensor([3])
    layer = torch.nn.Linear(INPUTS, OUTPUTS, bias=False)
    alpha, beta = np.exp(-0.5 / 5.0), np.exp(-0.5 / 5.1)
    neuron = snntorch.Alpha(alpha=float(beta), beta=float(alpha))
    optimizer = torch.optim.SGD(layer.parameters(), lr=1e-3)
    loss = functional.ce_count_loss()

    def forward() -> torch.Tensor:
        excite, inhibit, membrane = neuron.reset_mem()
        found = []
        for now in layer(x):  # all steps in one product, as memjax does
            fires, excite, inhibit, membrane = neuron(now, excite, inhibit, membrane)
            found.append(fires)
        return torch.stack(found)

    def update() -> None:
        optimizer.zero_grad()
        loss(forward(), label).backward()
        optimizer.step()

    def plain() -> None:
        with torch.no_grad():
            forward()

    matrix = torch.ones(1024, 1024)
    print(f"snnTorch {snntorch.__version__}, torch {torch.__version__}")
    print(
        f"product of 1,024 x 1,024 matrices: {1e3 * seconds_of(lambda: matrix @ matrix):.1f} CPU ms"
    )
    print(f"forward: {1e6 * seconds_of(plain):.0f} us an image and variant")
    print(f"forward and update: {1e6 * seconds_of(update):.0f} us an image and variant")


if __name__ == "__main__":
    main()
