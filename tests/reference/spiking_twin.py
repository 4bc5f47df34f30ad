"""Spiking networks in float64, step by step as the equations stand, with ``d^`` formed."""

import numpy as np


class Neurons:
    """LIF neurons; ``strict`` fires above the threshold only, ``held`` begins with a hold."""

    def __init__(self, shape, dt, scheme="exact", strict=False, held=False):
        a = dt / 10.0
        self.f = a - a * a / 2 if scheme == "heun" else 1 - np.exp(-a)
        self.n_ref = round(3.0 / dt)
        self.strict = strict
        self.u = np.zeros(shape)
        self.hold = np.full(shape, self.n_ref if held else 0)

    def step(self, current):
        """nA in, spikes out."""
        free = self.hold == 0
        self.u = np.where(free, np.maximum(self.u + self.f * (current / 2.7 - self.u), 0), self.u)
        fires = free & ((self.u > 1) if self.strict else (self.u >= 1))
        self.u = np.where(fires, 0.0, self.u)
        self.hold = np.where(fires, self.n_ref, np.maximum(self.hold - 1, 0))
        return fires


class Trace:
    """``c``: decay, then add."""

    def __init__(self, shape, dt):
        self.e1, self.e2 = np.exp(-dt / 5), np.exp(-dt / 1.25)
        self.p, self.q = np.zeros(shape), np.zeros(shape)

    def step(self, spikes):
        self.p, self.q = self.p * self.e1 + spikes, self.q * self.e2 + spikes
        return self.p - self.q


def trains(dt, steps, scheme):
    """The spike trains of the 256 pixel values, ``[steps, 256]``."""
    current = 2.7 + 0.1012 * np.arange(256)
    neurons = Neurons(256, dt, scheme, strict=True, held=True)
    return np.stack([neurons.step(current) for _ in range(steps)])


def hidden(image, kernels, dt, steps, scheme):
    """Spikes of the hidden layer, ``[steps, kernels, rows, columns]``, of an image of bytes."""
    spikes = trains(dt, steps, scheme)
    height, width = image.shape[0] - 2, image.shape[1] - 2
    trace, found = Trace(image.shape, dt), []
    neurons = Neurons((len(kernels), height, width), dt, scheme)
    for now in spikes:
        c = trace.step(now[image])
        windows = np.lib.stride_tricks.sliding_window_view(c, (3, 3))
        found.append(neurons.step(5.0 * np.einsum("mij,yxij->myx", kernels, windows)))
    return np.array(found)


def outputs(spikes, weights, dt, scheme="exact", lateral=-1.0):
    """Spikes, currents (nA) and potentials u of outputs, of inputs ``[steps, rows]``."""
    columns = weights.shape[1]
    c, own, neurons = Trace(len(weights), dt), Trace(columns, dt), Neurons(columns, dt, scheme)
    before, found = np.zeros(columns), []
    for now in spikes:
        inhibition = own.step(before)
        current = c.step(now) @ weights + lateral * (inhibition.sum() - inhibition)
        before = neurons.step(current)
        found.append((before, current, neurons.u))
    return tuple(np.array(x) for x in zip(*found, strict=True))


def normad(spikes, error, dt, rate=0.2):
    """``dW``, ``[rows, columns]``."""
    trace, d = Trace(spikes.shape[1], dt), np.zeros(spikes.shape[1])
    change = np.zeros((spikes.shape[1], error.shape[1]))
    for now, e in zip(spikes, error, strict=True):
        d = d * np.exp(-dt / 1.0) + trace.step(now)
        if (norm := np.linalg.norm(d)) > 0:
            change += rate * np.outer(d / norm, e)
    return change
