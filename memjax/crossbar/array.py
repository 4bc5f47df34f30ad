"""The description of an array: what a specification's ``[array]`` holds."""

from typing import Any

import jax
import numpy as np

from memjax.crossbar.access import Access
from memjax.crossbar.adc import Adc
from memjax.crossbar.analog import Analog
from memjax.crossbar.current_voltage import CurrentVoltage, outside
from memjax.crossbar.dac import Dac
from memjax.crossbar.ir_drop import IRDrop
from memjax.crossbar.management import Management
from memjax.crossbar.mapping import Mapping
from memjax.crossbar.tiling import Tiling
from memjax.errors import UserError
from memjax.pytree import align, check, params


@params
class Array(Access, Adc, Analog, CurrentVoltage, Dac, IRDrop, Management, Tiling, Mapping):
    """How a matrix is held by memristive devices and multiplied by: everything, ideal by default.

    A product goes, in this order, through the input scale, the DAC, input noise, the cells of a
    tile, the drop along bit lines, series resistance, read noise, saturation, noise before the ADC,
    the ADC, the decoding of conductances, and a digital sum over tiles
    (``memjax.crossbar.Crossbar``). Every number may be swept, traced or a batch for ``vmap``; what
    is ``None`` is absent and costs nothing.

    The parameters are those of ``Mapping`` and ``Slicing``, ``Tiling``, ``Management``, ``Dac``,
    ``CurrentVoltage``, ``Access``, ``IRDrop``, ``Analog`` and ``Adc``, each in a file of its name.

    Example:
      >>> from memjax.crossbar import Array
      >>> array = Array(levels=16, on_off=10, tile_rows=128, dac_bits=8, adc_bits=6)
      >>> array.idle()
      []
      >>> Array(adc_bits=6, subtract="digital", mapping="offset").idle()
      ["subtract = 'digital' has no effect: only pairs are subtracted"]

    Source of the order: aihwkit documentation, AnalogTile forward pass.
    """

    def __post_init__(self) -> None:
        for name in ("dac_bits", "adc_bits", "slice_bits", "levels", "tile_rows", "tile_columns"):
            _check_not_off(name, getattr(self, name))
        if _least(self.on_off) <= 1:
            raise UserError(
                f"Array: on_off = {self.on_off} must be more than 1: Gmax > Gmin; leave it out for "
                "a Gmin of 0"
            )
        check(self)
        _check_together(self)
        align(self)

    def idle(self) -> list[str]:
        """What is said to no effect, a sentence an option."""
        return [
            f"{name} = {getattr(self, name)!r} has no effect: {why}"
            for names, acts, why in _CONDITIONS
            if not acts(self)
            for name in names.split()
            if _is_given(self, name)
        ]

    @property
    def is_random(self) -> bool:
        """Whether a product draws random numbers, so that it needs a key."""
        noises = (self.input_noise, self.w_noise, self.out_noise)
        rounds = (self.dac_bits is not None and self.dac_rounding == "stochastic") or (
            self.adc_bits is not None and self.adc_rounding == "stochastic"
        )
        return rounds or any(noise is not None for noise in noises)

    @property
    def is_calibrated(self) -> bool:
        """Whether a range is found from data."""
        return self.adc_range == "calibrated" or self.input_scale in (
            "calibrated",
            "average_abs_max",
        )

    @property
    def is_matrix(self) -> bool:
        """Whether a product is one with a matrix: nothing is quantised, clipped or distorted."""
        absent = (
            *(self.dac_bits, self.input_bound, self.adc_bits, self.v_offset_sigma),
            *(self.r_series, self.s_shape, self.slope_calibration, self.gain_sigma),
            *(self.offset_sigma, self.ir_drop),
        )
        clips = self.adc_range in ("fixed", "calibrated")
        distorts = self.is_random or clips or self.iv != "linear"
        return not distorts and all(part is None for part in absent)

    @property
    def reads_slices(self) -> bool:
        """Whether the product with each input slice matters, and not only their sum.

        It does not where the ADC converts the sum of what linear cells give, with neither noise, a
        series resistance nor a drop that depends on the load: slices take time then, and change
        nothing.
        """
        distortions = (self.w_noise, self.r_series, self.v_offset_sigma, self.ir_drop)
        is_linear = self.iv == "linear" and all(distortion is None for distortion in distortions)
        return self.slice_bits is not None and (self.adc_per_cycle or not is_linear)

    @property
    def has_signed_currents(self) -> bool:
        """Whether what an ADC reads may be negative."""
        is_difference = self.is_pair and self.subtract == "analog"
        return is_difference or self.dac != "unsigned"


_CONDITIONS: tuple[tuple[str, Any, str], ...] = (
    (
        "weight_bits",
        lambda a: a.slices > 1 or a.adc_range == "granular",
        "weights are sliced by `slices` alone; cells have `levels`",
    ),
    ("percentile scale omega", lambda a: a.weight_limit is None, "weight_limit is given"),
    ("cut", lambda a: a.tile_rows or a.tile_columns, "tiles have no limit"),
    ("x_max", lambda a: a.input_scale == "fixed", "input_scale is not fixed"),
    ("input_cap", lambda a: a.input_scale == "abs_max", "input_scale is not abs_max"),
    ("input_quantile", lambda a: a.input_scale == "calibrated", "input_scale is not calibrated"),
    ("dac_rounding", lambda a: a.dac_bits is not None, "inputs are not quantised (dac_bits)"),
    (
        "dac",
        lambda a: a.dac_bits is not None or a.dac == "unsigned",
        "inputs are not quantised (dac_bits)",
    ),
    (
        "cycles adc_per_cycle",
        lambda a: a.slice_bits is not None,
        "inputs come at once (slice_bits)",
    ),
    ("coding v_read", lambda a: a.iv != "linear", "cells are linear (iv)"),
    ("sinh_shape", lambda a: a.iv == "sinh", "iv is not sinh"),
    ("cubic_loss", lambda a: a.iv == "cubic", "iv is not cubic"),
    (
        "iv",
        lambda a: a.iv != "sinh" or _sees_other_voltages(a),
        "all reads are at v_read (coding, slice_bits)",
    ),
    ("ir_drop_ratio", lambda a: a.ir_drop is not None, "there is no ir_drop"),
    ("ir_drop", lambda a: _is_not_zero(a.ir_drop), "it is multiplied by 0; leave it out"),
    ("r_access", lambda a: _is_not_zero(a.r_access), "it is 0; leave it out"),
    ("w_noise_kind", lambda a: a.w_noise is not None, "there is no w_noise"),
    (
        "v_offset_w_min",
        lambda a: a.r_series is not None or a.v_offset_sigma is not None,
        "there is neither r_series nor v_offset_sigma",
    ),
    (
        "slope_calibration",
        lambda a: a.r_series is not None or a.s_shape is not None,
        "there is neither s_shape nor r_series",
    ),
    (
        "adc adc_rounding",
        lambda a: a.adc_bits is not None and a.adc_range != "batch_max_pow2",
        "outputs are not quantised by it (adc_bits, adc_range)",
    ),
    (
        "adc_range",
        lambda a: a.adc_bits is not None or a.adc_range in ("fixed", "calibrated"),
        "outputs are not quantised (adc_bits)",
    ),
    (
        "adc_share",
        lambda a: a.adc_range == "max" and a.adc_bits is not None,
        "no range max is converted (adc_range, adc_bits)",
    ),
    ("adc_high adc_low", lambda a: a.adc_range == "fixed", "adc_range is not fixed"),
    ("adc_quantile", lambda a: a.adc_range == "calibrated", "adc_range is not calibrated"),
    ("adc_overflow", lambda a: a.adc_range == "batch_max_pow2", "adc_range is not batch_max_pow2"),
    ("subtract", lambda a: a.is_pair, "only pairs are subtracted"),
    (
        "bound_factor bound_resolution",
        lambda a: a.bound_management == "iterative",
        "bound_management is none",
    ),
)
"""Options, when they act, and why else they do not."""


def _sees_other_voltages(a: Array) -> bool:
    """Whether a cell may be read at another voltage than v_read."""
    if a.coding == "pulse_width":
        return False
    digits_are_bits = a.slice_bits is not None and _is_known(a.slice_bits, 1)
    return not digits_are_bits or a.input_noise is not None


def _is_not_zero(value: Any) -> bool:
    return value is not None and not _is_known(value, 0)


def _is_known(value: Any, number: int) -> bool:
    """Whether all of a value is known to be a number."""
    return not isinstance(value, jax.core.Tracer) and bool(np.all(np.asarray(value) == number))


def _is_given(array: Array, name: str) -> bool:
    """Whether a field is known to say something else than its default."""
    value, default = getattr(array, name), Array.__dataclass_fields__[name].default
    if default is None:
        return value is not None
    if isinstance(value, jax.core.Tracer):
        return False
    return bool(np.any(np.asarray(value) != np.asarray(default)))


def _check_not_off(name: str, value: Any) -> None:
    """0 and -1, by which other simulators turn a thing off."""
    if _least(value) <= 0:
        raise UserError(
            f"Array: {name} = {value} must be at least 1; it does not mean off here: leave {name} "
            "out (None)"
        )


def _check_together(a: Array) -> None:
    """What each number allows and all of them do not."""

    def refuse(what: str) -> None:
        raise UserError(f"Array: {what}")

    for name, kind in (("dac_bits", a.dac), ("adc_bits", a.adc)):
        if _least(getattr(a, name)) < 2 and kind == "sign_magnitude":
            other = name.removesuffix("_bits")
            refuse(
                f"{name} = {getattr(a, name)} with {other} = 'sign_magnitude' has no code but 0; "
                f"give 2 or more, or {other} = 'plain'"
            )
    if a.slices > 1 and a.weight_bits is None:
        refuse(f"slices = {a.slices} needs weight_bits, such as weight_bits = 8")
    if a.slices > 1 and a.significance is not None:
        refuse(f"slices = {a.slices} and significance both share a weight; give one of them")
    if a.significance is not None and not a.is_pair:
        refuse(f"significance is of pairs; mapping = {a.mapping!r} has none: take 'differential'")
    if a.significance is not None and _least(a.significance) <= 0:
        refuse(f"significance = {np.asarray(a.significance).tolist()} must be more than 0")
    if a.slices > 1 and _least(a.weight_bits) < a.slices:
        refuse(
            f"weight_bits = {a.weight_bits} leaves some of slices = {a.slices} without a bit; give "
            "fewer slices"
        )
    if a.mapping in ("offset", "unit_column") and a.slices == 1 and _least(a.levels) < 3:
        refuse(
            f"levels = {a.levels} with mapping = {a.mapping!r} leaves one level, the lowest is not "
            "used; give 3 or more"
        )
    if a.slice_bits is not None and a.dac_bits is None:
        refuse(f"slice_bits = {a.slice_bits} needs dac_bits: inputs are sliced as whole numbers")
    if a.slice_bits is not None and a.dac == "plain":
        refuse("slice_bits needs inputs of magnitudes: dac = 'sign_magnitude' or 'unsigned'")
    if a.slice_bits is not None and a.input_bound is not None:
        refuse("slice_bits has digits up to 1, so no input_bound; give x_max")
    if a.adc_range == "fixed":
        _check_fixed_range(a, refuse)
    has_range = a.adc_bits is not None or a.adc_range in ("fixed", "calibrated")
    if a.bound_management == "iterative" and not has_range:
        refuse(
            "bound_management = 'iterative' needs a range that overflows: adc_range = 'fixed' with "
            "adc_high, or adc_bits"
        )
    if a.adc_range == "granular" and a.adc_bits is not None:
        if not a.adc_per_cycle or a.slice_bits is None:
            refuse("adc_range = 'granular' needs slice_bits and adc_per_cycle = true")
        if a.weight_bits is None:
            refuse("adc_range = 'granular' needs weight_bits: its steps are those of a weight")
    if (sentence := outside(a, a.gmax, a.on_off)) is not None:
        refuse(sentence)
    if a.iv != "linear" and a.r_access is not None:
        refuse(
            f"r_access is in series with linear cells, iv = {a.iv!r} is of others; leave out one"
        )
    if a.adc_range == "batch_max_pow2" and _least(a.adc_bits) < 2:
        refuse(f"adc_bits = {a.adc_bits} with adc_range = 'batch_max_pow2' must be at least 2")


def _check_fixed_range(a: Array, refuse: Any) -> None:
    if a.adc_high is None:
        refuse("adc_range = 'fixed' needs adc_high, in units of Gmax Vmax")
    if any(isinstance(end, jax.core.Tracer) for end in (a.adc_low, a.adc_high)):
        return
    high = np.asarray(a.adc_high)
    low = -high if a.adc_low is None else np.asarray(a.adc_low)
    if np.any(low >= high):
        refuse(f"adc_low = {low} must be less than adc_high = {high}")
    if a.adc == "sign_magnitude" and a.adc_bits is not None and np.any(low != -high):
        refuse(
            f"adc = 'sign_magnitude' needs adc_low = -adc_high, not {low} and {high}; take "
            "adc = 'plain'"
        )


def _least(value: Any) -> float:
    """The least of a number that may be swept; what is absent, traced or no number is large."""
    if value is None or isinstance(value, jax.core.Tracer):
        return np.inf
    numbers = np.asarray(value)
    return float(np.min(numbers)) if numbers.dtype.kind in "iuf" and numbers.size else np.inf
