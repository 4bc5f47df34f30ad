"""Noise on the test images: how gracefully does what was learnt degrade?"""

import numpy as np

from memjax.errors import UserError
from memjax.pytree import params, static


@params
class Corruptions:
    """Noise levels under which the test images are classified once more, after the last epoch.

    ``gaussian s``: ``clip(x + s xi, 0, 1)``; ``salt_and_pepper p``: a fraction p of the pixels is
    set to 0 or 1 with equal chance. The noise is the same for every lane and every run.
    """

    gaussian: tuple[float, ...] = static(
        default=(), doc="sd of normal noise", each={"more_than": 0}, swept=False
    )
    salt_and_pepper: tuple[float, ...] = static(
        default=(),
        doc="fraction of the pixels set to 0 or 1",
        each={"more_than": 0, "at_most": 1},
        swept=False,
    )

    def __post_init__(self) -> None:
        for kind in _KINDS:
            levels = getattr(self, kind)
            if len(set(levels)) < len(levels):
                raise UserError(f"Corruptions: {kind} = {list(levels)!r} must be distinct levels")

    def names(self) -> list[str]:
        """Every corruption, ``clean`` first; none where there is no level."""
        noisy = [f"{kind} {level:.12g}" for kind in _KINDS for level in getattr(self, kind)]
        return ["clean", *noisy] if noisy else []

    def apply(self, clean: np.ndarray) -> list[np.ndarray]:
        """The images under every corruption, in the order of ``names``.

        Args:
          clean: images in [0, 1].
        """
        noisy = [
            make(clean, level) for kind, make in _KINDS.items() for level in getattr(self, kind)
        ]
        return [clean, *noisy] if noisy else []


def _gaussian(clean: np.ndarray, sd: float) -> np.ndarray:
    noise = np.random.default_rng(0).standard_normal(clean.shape, np.float32)
    return np.clip(clean + np.float32(sd) * noise, 0.0, 1.0)


def _salt_and_pepper(clean: np.ndarray, fraction: float) -> np.ndarray:
    u = np.random.default_rng(1).random(clean.shape, np.float32)
    salted = np.where(u < fraction / 2, np.float32(1.0), clean)
    return np.where(u > 1 - fraction / 2, np.float32(0.0), salted)


_KINDS = {"gaussian": _gaussian, "salt_and_pepper": _salt_and_pepper}
