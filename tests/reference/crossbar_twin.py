"""A product of an array as a loop over tiles, slices and cycles, in float64: no line in common."""

import math

import numpy as np


def cuts(size, limit, cut):
    count = 1 if not limit else math.ceil(size / limit)
    if size % count == 0:
        return [size // count] * count
    if cut == "even":
        return [size // count + (1 if k < size % count else 0) for k in range(count)]
    each = int(np.rint(size / count)) if cut == "equal" else limit
    return [each] * (count - 1) + [size - each * (count - 1)]


def convert(value, low, high, bits, kind):
    if bits is None:
        return np.clip(value, low, high)
    if kind == "sign_magnitude":
        step = 2 * high / (2**bits - 2)
        return np.clip(step * np.rint(value / step), low, high)
    levels = 2**bits - 1
    share = (np.clip(value, low, high) - low) / (high - low)
    return low + np.rint(share * levels) / levels * (high - low)


def digits_of(integer, base, count):
    found = []
    for k in range(count):
        found.append(integer if k == count - 1 else integer % base)
        integer //= base
    return found


class Twin:
    """One matrix, held and multiplied by as the options of ``memjax.crossbar.Array`` say."""

    def __init__(self, W, **options):
        self.W = np.asarray(W, np.float64)
        self.o = {
            "mapping": "differential", "slices": 1, "weight_bits": None, "levels": None,
            "on_off": None, "scale": "column", "tile_rows": None, "tile_columns": None,
            "cut": "even", "x_max": 1.0, "input_scale": "fixed", "dac": "sign_magnitude",
            "dac_bits": None, "slice_bits": None, "adc": "sign_magnitude", "adc_bits": None,
            "adc_range": "max", "adc_high": None, "adc_per_cycle": False, "subtract": "analog",
            "significance": None, "r_series": None, "s_shape": None, "percentile": 1.0,
        } | options  # fmt: skip
        on_off = self.o["on_off"]
        self.gmin = 0.0 if on_off is None else 1 / on_off

    def __matmul__(self, x):
        o = self.o
        rows = cuts(self.W.shape[1], o["tile_rows"], o["cut"])
        columns = cuts(self.W.shape[0], o["tile_columns"], o["cut"])
        y = np.zeros(self.W.shape[0])
        for i, first in zip(rows, np.cumsum([0, *rows]), strict=False):
            for j, top in zip(columns, np.cumsum([0, *columns]), strict=False):
                tile = self.W[top : top + j, first : first + i]
                y[top : top + j] += self.tile(tile, np.asarray(x, np.float64)[first : first + i])
        return y

    def tile(self, W, x):
        o = self.o
        limit = {
            "layer": np.full(len(W), np.abs(self.W).max()),
            "tile": np.full(len(W), np.abs(W).max()),
            "column": np.abs(W).max(axis=1),
        }[o["scale"]]
        limit = o["percentile"] * np.where(limit > 0, limit, 1.0)
        scale = np.abs(x).max() if o["input_scale"] == "abs_max" else o["x_max"]
        x = x / (scale or 1.0)
        if o["dac_bits"] is not None:
            low = 0.0 if o["dac"] == "unsigned" else -1.0
            x = convert(x, low, 1.0, o["dac_bits"], o["dac"])
        y = np.zeros(len(W))
        for part, significance in enumerate(self.significances()):
            y += significance * self.read(
                [self.cells(w, part) for w in W / limit[:, None]], x, part
            )
        return y * limit * scale

    def significances(self):
        o = self.o
        if o["significance"]:
            return np.array(o["significance"]) / sum(o["significance"])
        if o["slices"] == 1:
            return [1.0]
        b = self.bits_a_slice()
        top = 2 ** (o["weight_bits"] - 1) - 1
        return [2 ** (b * s) * (2**b - 1) / top for s in range(o["slices"])]

    def bits_a_slice(self):
        bits, count = self.o["weight_bits"], self.o["slices"]
        if bits % count == 0:
            return bits // count
        return math.ceil((bits - self.is_pair) / count)

    @property
    def is_pair(self):
        return self.o["mapping"] in ("differential", "two_sided")

    def digit(self, w, part):
        o = self.o
        if o["significance"]:
            f = o["significance"]
            left = min(max(abs(w) * sum(f) - sum(f[:part]), 0), f[part]) / f[part]
            return math.copysign(left, w)
        if o["slices"] == 1:
            return w
        b, middle = self.bits_a_slice(), 2 ** (o["weight_bits"] - 1)
        k = int(np.rint(w * (middle - 1)))
        whole = abs(k) if self.is_pair else k + middle
        digit = digits_of(whole, 2**b, o["slices"])[part] / (2**b - 1)
        return math.copysign(digit, k) if self.is_pair else digit

    def shares(self, w, part):
        o, d = self.o, self.digit(np.clip(w, -1, 1), part)
        if o["mapping"] == "differential":
            return [max(d, 0), max(-d, 0)]
        if o["mapping"] == "two_sided":
            return [(1 + d) / 2, (1 - d) / 2]
        if o["slices"] > 1:
            return [d]
        if o["levels"] is None:
            return [(1 + d) / 2]
        return [(1 + (o["levels"] - 2) * (1 + d) / 2) / (o["levels"] - 1)]

    def cells(self, weights, part):
        """A pair of rows of conductances, or one, for the weights of one output."""
        shares = np.array([self.shares(w, part) for w in weights]).T
        if self.o["levels"] is not None:
            shares = np.rint(shares * (self.o["levels"] - 1)) / (self.o["levels"] - 1)
        return self.gmin + (1 - self.gmin) * shares

    def read(self, cells, x, part):
        """Digits times inputs: I+ - I- over the range, or I less its middle."""
        span = 1 - self.gmin
        cells = np.array(cells)  # outputs, sides, inputs
        if self.is_pair:
            if self.o["subtract"] == "analog":
                return self.current(cells[:, 0] - cells[:, 1], x, signed=True) / span
            signed = self.o["dac"] != "unsigned"
            up, down = (self.current(cells[:, side], x, signed=signed) for side in (0, 1))
            return (up - down) / span
        double = 1.0 if self.o["slices"] > 1 else 2.0
        signed = self.o["dac"] != "unsigned"
        y = self.current(cells[:, 0], x, signed=signed)
        if self.o["mapping"] == "unit_column":
            unit = self.cells(np.zeros(len(x)), part)
            return double * (y - self.current(unit, x, signed=signed)) / span
        middle = self.gmin + span * self.shares(0.0, part)[0]
        return double * (y - middle * x.sum()) / span

    def current(self, g, x, signed):
        o = self.o
        if o["slice_bits"] is None:
            return self.digitise(g @ x, len(x), signed, x)
        magnitude = o["dac_bits"] - (o["dac"] == "sign_magnitude")
        base = 2 ** o["slice_bits"]
        whole = np.rint(np.abs(x) * (2**magnitude - 1)).astype(int)
        count = math.ceil(magnitude / o["slice_bits"])
        total = np.zeros(len(g))
        for k in range(count):
            cycle = np.sign(x) * (whole // base**k % base) / (base - 1)
            y = g @ cycle
            y = self.digitise(y, len(x), signed, cycle) if o["adc_per_cycle"] else y
            total += y * base**k * (base - 1) / (2**magnitude - 1)
        return total if o["adc_per_cycle"] else self.digitise(total, len(x), signed, x)

    def digitise(self, y, inputs, signed, x):
        o = self.o
        if o["r_series"] is not None:
            up, reference = y + x.sum(), x.sum()
            y = up / (1 + o["r_series"] * np.abs(up))
            y = y - reference / (1 + o["r_series"] * np.abs(reference))
        high = inputs if o["adc_range"] == "max" else o["adc_high"]
        if o["s_shape"] is not None:
            y = y / (1 + o["s_shape"] / high * np.abs(y))
        if o["adc_bits"] is None and o["adc_range"] == "max":
            return y
        low = -high if signed or o["adc_range"] == "fixed" else 0.0
        return convert(y, low, high, o["adc_bits"], o["adc"])
