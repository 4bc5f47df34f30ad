"""Noise on the test images: how gracefully does what was learnt degrade?"""

import numpy as np

from memjax.data import Dataset
from memjax.sweep.spec.spec import Spec


def corruption_names(spec: Spec) -> list[str]:
    """Every corruption of ``[evaluate]``, ``clean`` first; none where the sweep asks for none."""
    wanted = spec.sections["evaluate"]
    noisy = [f"{kind} {level:.12g}" for kind in _KINDS for level in wanted[kind]]
    return ["clean", *noisy] if noisy else []


def corrupted_sets(spec: Spec, dataset: Dataset) -> list[np.ndarray]:
    """The test images under every corruption, in the order of ``corruption_names``.

    ``gaussian s``: ``clip(x + s xi, 0, 1)``; ``salt_and_pepper p``: a fraction p of the pixels is
    set to 0 or 1 with equal chance. The noise is the same for every lane and every run.

    Args:
      spec: the sweep.
      dataset: its data.
    """
    wanted, clean = spec.sections["evaluate"], dataset.x_test
    noisy = [make(clean, level) for kind, make in _KINDS.items() for level in wanted[kind]]
    return [clean, *noisy] if noisy else []


def _gaussian(clean: np.ndarray, sd: float) -> np.ndarray:
    noise = np.random.default_rng(0).standard_normal(clean.shape, np.float32)
    return np.clip(clean + np.float32(sd) * noise, 0.0, 1.0)


def _salt_and_pepper(clean: np.ndarray, fraction: float) -> np.ndarray:
    u = np.random.default_rng(1).random(clean.shape, np.float32)
    salted = np.where(u < fraction / 2, np.float32(1.0), clean)
    return np.where(u > 1 - fraction / 2, np.float32(0.0), salted)


_KINDS = {"gaussian": _gaussian, "salt_and_pepper": _salt_and_pepper}
