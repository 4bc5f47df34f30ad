"""Lanes of three studies are those of before the engine ran any experiment.

``recorded_lanes.json`` holds what commit dcb460d trained: the words of float32 numbers, on a
processor with AVX-512, by jaxlib 0.10.2 with the flags of these tests. There the bits must be
equal; elsewhere XLA rounds otherwise, and what a step of rounding grows to in two short epochs is
all that may differ.
"""

import json
from pathlib import Path

import jaxlib
import numpy as np
import pytest

from memjax.sweep import Spec, run

pytestmark = pytest.mark.optimized

RECORDED = json.loads(Path(__file__).with_name("recorded_lanes.json").read_text())


def is_the_same_machine() -> bool:
    info = Path("/proc/cpuinfo")
    flags = info.read_text() if info.exists() else ""
    return jaxlib.__version__ == RECORDED["jaxlib"] and "avx512f" in flags


@pytest.mark.parametrize("name", RECORDED["studies"])
def test_lanes_are_what_they_were(name):
    study = RECORDED["studies"][name]
    ds = run(Spec.from_dict(study["spec"], name))
    np.testing.assert_array_equal(ds.key_data.values.ravel().tolist(), study["key_data"])
    np.testing.assert_array_equal(ds.status.values.ravel(), study["status"])
    for column in ("test_accuracy", "train_loss", "baseline_accuracy"):
        found = ds[column].values.ravel()
        before = np.array(study[column], np.uint32).view(np.float32)
        if is_the_same_machine():
            np.testing.assert_array_equal(found, before)
        else:
            np.testing.assert_allclose(found, before, atol=0.05)
