"""The study `algorithms` with the cycle-to-cycle noise of every device taken off, and threefold.

    python sweeps/algorithms_noise.py DIRECTORY
    memjax sweep DIRECTORY/algorithms_noise.toml --out results/algorithms_noise
    python sweeps/algorithms.py results/algorithms_noise

The first writes the devices and, beside them, the specification: that of ``algorithms.toml``.
"""

import dataclasses
import sys
import tomllib
from pathlib import Path

import tomli_w

from memjax import devices

SCALES = (0, 3)


def main() -> None:
    """Writes a device's file for every preset and scale, and the specification."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    spec = tomllib.loads((Path(__file__).parent / "algorithms.toml").read_text())
    files = []
    for name in spec["axes"]["device"]:
        device = devices.get(name)
        for scale in SCALES:
            noises = {
                n: scale * getattr(device, n) for n in ("sigma_c2c", "sigma_g") if has(device, n)
            }
            if not noises:
                continue
            files.append(f"{name.replace('/', '-').replace(':', '')} x{scale}.toml")
            devices.save(folder / files[-1], dataclasses.replace(device, **noises))
    spec["name"], spec["axes"]["device"] = "algorithms_noise", files
    (folder / "algorithms_noise.toml").write_text(tomli_w.dumps(spec))


def has(device: devices.Device, noise: str) -> bool:
    """Whether a device has a noise at all."""
    return bool(getattr(device, noise))


if __name__ == "__main__":
    main()
