"""The law of switching from measured counts, with intervals."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np
from scipy import optimize, stats

from memjax.bitstreams.switching_device import SwitchingDevice
from memjax.bitstreams.switching_table import SwitchingCounts
from memjax.devices.files import plain, write
from memjax.errors import DataError

_QUARTER = stats.chi2.ppf(0.95, 1) / 2.0


@dataclasses.dataclass(frozen=True)
class SwitchingFit:
    """What counts say of a device.

    Attributes:
      counts: the measurement.
      device: the most likely one.
      intervals: 95 % intervals of ``v0`` (V) and ``tau0`` (s), by the profile of the likelihood.
      covariance: of ``-ln tau0`` and ``1 / V0``.
      log_likelihood: of the counts, less their binomial coefficients.
      deviance: twice what the likelihood is below that of a probability a pulse.
      freedom: degrees of freedom of the deviance.
    """

    counts: SwitchingCounts
    device: SwitchingDevice
    intervals: dict[str, tuple[float, float]]
    covariance: np.ndarray
    log_likelihood: float
    deviance: float
    freedom: int

    @property
    def p_value(self) -> float:
        """The chance of a larger deviance, were the law true and the trials independent."""
        return float(stats.chi2.sf(self.deviance, self.freedom)) if self.freedom else 1.0

    def band(self, voltage: np.ndarray, width: float) -> tuple[np.ndarray, np.ndarray]:
        """The 95 % band of the curve, point by point.

        Args:
          voltage: where, V.
          width: of the pulses, s.
        """
        at = np.stack([np.ones_like(voltage), voltage])
        sd = np.sqrt(np.einsum("ik,ij,jk->k", at, self.covariance, at))
        line = np.log(width) - np.log(float(self.device.tau0)) + voltage / float(self.device.v0)
        low, high = (-np.expm1(-np.exp(line + z * sd)) for z in (-1.96, 1.96))
        return low, high

    def sentences(self) -> list[str]:
        """What a person reads."""
        (low, high), (short, long) = self.intervals["v0"], self.intervals["tau0"]
        found = [
            f"V0 = {self.device.v0:.4g} V (95 % interval {low:.4g} to {high:.4g})",
            f"tau0 = {self.device.tau0:.3g} s (95 % interval {short:.3g} to {long:.3g})",
            f"deviance {self.deviance:.1f} of {self.freedom} degrees of freedom",
        ]
        if self.p_value < 0.01:
            found.append(
                f"pulses scatter more than independent trials of this law do (p = "
                f"{self.p_value:.1g}): deviations that last, several devices or another law; "
                "intervals are too narrow"
            )
        return found

    def save(self, path: str | Path) -> None:
        """Writes the device as the section ``[device]`` of a sweep of bitstreams.

        Args:
          path: the TOML file.

        Raises:
          UserError: the file cannot be written.
        """
        device = {"tau0": plain(self.device.tau0), "v0": plain(self.device.v0)}
        facts = {
            "pulses": len(self.counts.trials),
            "trials": int(self.counts.trials.sum()),
            "deviance": self.deviance,
            "v0_interval": list(self.intervals["v0"]),
            "tau0_interval": list(self.intervals["tau0"]),
        }
        write(Path(path), {"device": device, "fit": facts})


def fit_switching(counts: SwitchingCounts) -> SwitchingFit:
    """The most likely ``V0`` and ``tau0``: binomial counts of ``P = 1 - exp(-t / tau(V))``.

    ``ln(-ln(1 - P)) = ln t - ln tau0 + V / V0`` is straight in ``V``, so that the likelihood has
    one maximum. Intervals are where its profile is 1.92 below it.

    Args:
      counts: the measurement.

    Raises:
      DataError: no slope can be found in it.

    Example:
      >>> import numpy as np
      >>> from memjax.bitstreams import SwitchingCounts, SwitchingDevice, fit_switching
      >>> volts, trials = np.linspace(2.5, 3.2, 8), np.full(8, 1000)
      >>> likely = np.round(1000 * np.asarray(SwitchingDevice().probability(volts, 1e-3)))
      >>> found = fit_switching(SwitchingCounts(volts, np.full(8, 1e-3), likely, trials))
      >>> print(f"{found.device.v0:.3f} V")
      0.155 V
    """
    _check(counts)
    centre = float(np.average(counts.voltage, weights=counts.trials))
    x, offset = counts.voltage - centre, np.log(counts.width)

    def loss(beta: np.ndarray) -> tuple[float, np.ndarray]:
        return _loss(beta[0] + offset + beta[1] * x, np.stack([np.ones_like(x), x]), counts)

    mean = np.clip(counts.switched.sum() / counts.trials.sum(), 1e-3, 1 - 1e-3)
    start = np.array([np.log(-np.log1p(-mean)) - np.mean(offset), 0.0])
    found = optimize.minimize(loss, start, jac=True, method="BFGS", options={"gtol": 1e-7})
    alpha, slope = found.x
    if not (np.isfinite(found.x).all() and slope > 0):
        raise DataError("fit: switching does not become likelier with the voltage; check the table")
    best = float(found.fun)

    def profile(at: Callable[[float, float], np.ndarray], guess: float) -> Callable:
        def excess(value: float) -> float:
            inner = optimize.minimize_scalar(
                lambda other: loss(at(value, other))[0], bracket=(guess - 0.1, guess + 0.1)
            )
            return float(inner.fun) - best - _QUARTER

        return excess

    of_slope = profile(lambda b, a: np.array([a, b]), alpha)
    of_start = profile(lambda a, b: np.array([a + b * centre, b]), slope)
    covariance = np.linalg.inv(_information(found.x, x, offset, counts))
    turn = np.array([[1.0, -centre], [0.0, 1.0]])
    covariance = turn @ covariance @ turn.T
    first = alpha - slope * centre
    slopes = _ends(of_slope, slope, float(np.sqrt(covariance[1, 1])), lowest=0.0)
    starts = _ends(of_start, first, float(np.sqrt(covariance[0, 0])))
    device = SwitchingDevice(tau0=float(np.exp(-first)), v0=float(1.0 / slope))
    return SwitchingFit(
        counts,
        device,
        {
            "v0": (1.0 / slopes[1], 1.0 / slopes[0] if slopes[0] > 0 else np.inf),
            "tau0": (float(np.exp(-starts[1])), float(np.exp(-starts[0]))),
        },
        covariance,
        -best,
        max(2.0 * (best - _saturated(counts)), 0.0),
        len(counts.trials) - 2,
    )


def _check(counts: SwitchingCounts) -> None:
    if len(np.unique(counts.voltage)) < 2:
        raise DataError("fit: one voltage tells no slope: give pulses of at least two")
    inside = (counts.switched > 0) & (counts.switched < counts.trials)
    if not inside.any():
        raise DataError(
            "fit: no voltage at which some trials switch and some do not: measure between the "
            "last that never does and the first that always does"
        )
    never = counts.voltage[counts.switched == 0]
    always = counts.voltage[counts.switched == counts.trials]
    within = counts.voltage[inside]
    if len(np.unique(within)) == 1 and np.all(never < within[0]) and np.all(always > within[0]):
        raise DataError(
            f"fit: only at {within[0]:.4g} V do some trials switch and some not: the slope may be "
            "anything; measure more voltages beside it"
        )


def _loss(line: np.ndarray, of: np.ndarray, counts: SwitchingCounts) -> tuple[float, np.ndarray]:
    """The negative log-likelihood, and its derivatives by what ``of`` multiplies."""
    dose = np.exp(np.minimum(line, 500.0))
    stay = counts.trials - counts.switched
    log_p = np.where(dose > 1e-12, np.log(-np.expm1(-np.maximum(dose, 1e-12))), line)
    value = -np.sum(counts.switched * log_p - stay * dose)
    growth = np.where(dose > 1e-8, dose / np.maximum(np.expm1(np.minimum(dose, 700.0)), 1e-300), 1)
    slope = counts.switched * growth - stay * dose
    return float(value), -(of @ slope)


def _information(
    beta: np.ndarray, x: np.ndarray, offset: np.ndarray, counts: SwitchingCounts
) -> np.ndarray:
    dose = np.exp(beta[0] + offset + beta[1] * x)
    weight = counts.trials * dose**2 / np.maximum(np.expm1(np.minimum(dose, 700.0)), 1e-300)
    of = np.stack([np.ones_like(x), x])
    return (of * weight) @ of.T


def _saturated(counts: SwitchingCounts) -> float:
    share = counts.switched / counts.trials
    stay = counts.trials - counts.switched
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = np.where(counts.switched > 0, counts.switched * np.log(share), 0.0)
        terms += np.where(stay > 0, stay * np.log1p(-share), 0.0)
    return -float(terms.sum())


def _ends(
    excess: Callable[[float], float], best: float, sd: float, lowest: float = -np.inf
) -> tuple[float, float]:
    """Where the profile crosses its level on both sides; the lowest, or infinity, if nowhere."""
    ends = []
    for sign in (-1.0, 1.0):
        far = 2.0 * sd
        while excess(max(best + sign * far, lowest)) < 0 and far < 1e3 * sd:
            far *= 1.6
            if best + sign * far <= lowest:
                break
        outer = max(best + sign * far, lowest)
        ends.append(
            float(optimize.brentq(excess, best, outer)) if excess(outer) > 0 else sign * np.inf
        )
    return max(ends[0], lowest), ends[1]
