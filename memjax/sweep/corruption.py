"""Noise on the test images: how gracefully does what was learnt degrade?"""

import numpy as np

from memjax.data import Dataset
from memjax.sweep.spec import Spec


def corrupted_sets(spec: Spec, dataset: Dataset) -> dict[str, np.ndarray]:
    """The test images under every corruption of ``[evaluate]``, the clean ones first.

    ``gaussian s``: ``clip(x + s xi, 0, 1)``; ``salt_and_pepper p``: a fraction p of the pixels is
    set to 0 or 1 with equal chance. The noise is the same for every lane and every run.

    Args:
      spec: the sweep.
      dataset: its data.

    Returns:
      Images by name; empty where the sweep asks for no corruption.
    """
    wanted = spec.sections["evaluate"]
    clean = dataset.x_test
    sets = {"clean": clean} if wanted["gaussian"] or wanted["salt_and_pepper"] else {}
    for sd in wanted["gaussian"]:
        noise = np.random.default_rng(0).standard_normal(clean.shape, np.float32)
        sets[f"gaussian {sd:.12g}"] = np.clip(clean + np.float32(sd) * noise, 0.0, 1.0)
    for fraction in wanted["salt_and_pepper"]:
        u = np.random.default_rng(1).random(clean.shape, np.float32)
        salted = np.where(u < fraction / 2, np.float32(1.0), clean)
        sets[f"salt_and_pepper {fraction:.12g}"] = np.where(
            u > 1 - fraction / 2, np.float32(0.0), salted
        )
    return sets
