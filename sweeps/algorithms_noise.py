"""The study `algorithms` with more noise, and with less.

    python sweeps/algorithms_noise.py R
    memjax sweep R/one_array.toml --out R/one_array
    memjax sweep R/two_arrays.toml --out R/two_arrays
    python sweeps/algorithms.py R

The first writes devices and, beside them, the specifications of ``algorithms.toml`` and
``algorithms_transfers.toml`` with these: every preset with its cycle-to-cycle noise taken off and
threefold, and soft bounds of 20 and 200 levels, whose spread is 20 %, with noise of 0 to 10 steps.
"""

import dataclasses
import itertools
import sys
import tomllib
from pathlib import Path

import tomli_w

from memjax import devices

SCALES = {"none": 0.0, "threefold": 3.0}
LEVELS, SIGMAS = (20, 200), (0, 0.3, 1, 3, 10)


def noisy(names: list[str]) -> dict[str, devices.Device]:
    """The devices by the names of their files."""
    found = {}
    for name, (label, scale) in itertools.product(names, SCALES.items()):
        device = devices.get(name)
        own = {noise: getattr(device, noise) for noise in ("sigma_c2c", "sigma_g")}
        scaled = {noise: scale * size for noise, size in own.items() if size}
        if scaled:
            file = name.replace("/", "-").replace(":", "")
            found[f"{file}, {label}"] = dataclasses.replace(device, **scaled)
    for levels, sigma in itertools.product(LEVELS, SIGMAS):
        found[f"soft bounds, {levels} levels, σ {sigma}"] = devices.SoftBounds(
            levels=levels, sigma_c2c=sigma, sigma_d2d=0.2, sigma_up_down=0.05
        )
    return found


def main() -> None:
    """Writes a file for each device, and the specifications."""
    folder, here = Path(sys.argv[1]), Path(__file__).parent
    (folder / "devices").mkdir(parents=True, exist_ok=True)
    for name, source in (("one_array", "algorithms"), ("two_arrays", "algorithms_transfers")):
        spec = tomllib.loads((here / f"{source}.toml").read_text())
        found = noisy(spec["axes"]["device"])
        for file, device in found.items():
            devices.save(folder / "devices" / f"{file}.toml", device)
        spec["axes"]["device"] = [f"devices/{file}.toml" for file in found]
        (folder / f"{name}.toml").write_text(tomli_w.dumps(spec | {"name": f"noise_{name}"}))


if __name__ == "__main__":
    main()
