"""What a measured table's columns hold, by their names and units."""

import re
from typing import NamedTuple

from memjax.devices.units import PREFIXES

READING = "conductance_S"
"""How a message calls the column of readings."""
READINGS = ("conductance", "resistance", "current", "weight")
"""Kinds of columns that readings may be in, the first that is there."""
_UP = ("up", "potentiation", "pot", "p", "ltp", "set", "+1", "1", "1.0")
_DOWN = ("down", "depression", "dep", "d", "ltd", "reset", "-1", "-1.0")
SIGNS = dict.fromkeys(_UP, 1) | dict.fromkeys(_DOWN, -1)
"""The sign of a direction's name."""
_NAMES = {
    "direction": ("direction", "polarity", "type", "operation"),
    "pulse": ("pulse", "pulses", "pulse number", "pulse no", "pulse no.", "pulse #", "#", "n"),
    "cycle": ("cycle", "cycles", "cycle number"),
    "device": ("device", "sample"),
    "voltage": ("voltage", "v", "pulse voltage", "v_pulse", "vpulse", "pulse amplitude"),
    "conductance": ("conductance", "g", "gds", "g_ds"),
    "resistance": ("resistance", "r"),
    "current": ("current", "i", "ids", "i_ds", "read current"),
    "step": ("δg", "dg", "d_g", "delta", "delta g", "delta_g", "step", "change"),
    "mean": ("mean", "mean step", "mean δg", "average"),
    "sd": ("sd", "std", "sigma", "standard deviation"),
    "weight": ("weight", "weights", "w", "normalised conductance", "normalized conductance"),
}
_STEPS = ("step", "mean", "sd")  # kinds that are differences of conductances
_LARGE = {"": 1.0, "k": 1e3, "K": 1e3, "M": 1e6, "G": 1e9, "T": 1e12}
_UNITS = {unit: ("conductance", size) for unit, size in PREFIXES.items()}
_UNITS |= {unit.replace("S", "A"): ("current", size) for unit, size in PREFIXES.items()}
_UNITS |= {"V": ("voltage", 1.0), "mV": ("voltage", 1e-3)}
_UNITS |= {
    f"{prefix}{ohm}": ("resistance", size)
    for prefix, size in _LARGE.items()
    for ohm in ("Ω", "\u2126", "ohm", "Ohm", "ohms", "Ohms")
}
_UNITED = re.compile(
    r"^(?P<name>.*?)(?:\s*(?P<mark>[\[(/])\s*|_|\s)(?P<unit>[^\s\[\]()_/]+)[\])]?$"
)
_LETTERS = ("S", "A", "V")  # units that may as well be the letter of a ramp, as in LTP A, LTP B
_DIRECTED = re.compile(
    r"(?:^|[^a-z])(ltp|potentiation|pot|set|up|ltd|depression|dep|reset|down)(?![a-z])",
    re.IGNORECASE,
)
_COUNTS = re.compile(r"pulse|#|number|count")


class Column(NamedTuple):
    """A column of a table.

    Attributes:
      name: as the table has it.
      kind: what it holds, of the keys of ``_NAMES``; ``""`` where the name means nothing.
      scale: its unit in siemens, ampere or ohm; nan where it names none.
      sign: of the direction that its name says; 0 where it says none.
    """

    name: str
    kind: str
    scale: float
    sign: int

    @property
    def is_reading(self) -> bool:
        """Whether it holds conductances, or what they follow from."""
        return self.kind in READINGS


def column(name: str, is_ramp: bool = False) -> Column:
    """What a header's cell says.

    Args:
      name: the cell.
      is_ramp: whether it is known to head a ramp's readings, whatever it calls them; so do names
        that say a direction.

    Example:
      >>> column("G (µS)").kind, column("G (µS)").scale, column("LTD 2").sign
      ('conductance', 1e-06, -1)
      >>> column("LTP_mS").scale, column("die 7 (nS)", is_ramp=True).scale
      (0.001, 1e-09)
    """
    plain, kind, scale = name.casefold(), "", float("nan")
    if plain == READING.casefold():
        return Column(name, "conductance", 1.0, 0)
    found = _UNITED.match(name)
    if found and found["unit"] in _UNITS:
        of_unit, size = _UNITS[found["unit"]]
        words = found["name"].casefold().strip()
        is_named = bool(found["mark"]) or found["unit"] not in _LETTERS
        if words in _NAMES[of_unit] or (is_named and (is_ramp or _DIRECTED.search(words))):
            plain, kind, scale = words, of_unit, size
        elif of_unit == "conductance" and any(words in _NAMES[kind] for kind in _STEPS):
            plain, scale = words, size
    if not kind:
        kind = next((kind for kind, names in _NAMES.items() if plain in names), "")
    said = {SIGNS[word.casefold()] for word in _DIRECTED.findall(plain)}
    sign = said.pop() if len(said) == 1 else 0
    if sign and not kind and _COUNTS.search(plain):
        kind = "pulse"
    return Column(name, kind, scale, sign)


def is_header(cells: list[str]) -> bool:
    """Whether a row has the names of a table's columns: of a tidy one, or of ramps.

    Args:
      cells: of the row.
    """
    columns = [column(cell) for cell in cells]
    kinds = {at.kind for at in columns}
    ways = kinds & {"direction", "voltage"} or any(at.sign for at in columns)
    return "pulse" in kinds and bool(ways)


def is_unit(cell: str) -> bool:
    """Whether a cell is a unit alone, in brackets or not.

    Args:
      cell: of a row below the header.
    """
    return cell.strip("[]() ") in _UNITS
