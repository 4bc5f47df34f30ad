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
_KINDS: dict[str, tuple[str, ...]] = {kind: (kind,) for kind in _NAMES}  # that a unit may be of
_KINDS["conductance"] += ("step", "mean", "sd")
_QUANTITIES = ("voltage", *READINGS)  # kinds that one word of a ramp's name may say
_LARGE = {"": 1.0, "k": 1e3, "K": 1e3, "M": 1e6, "G": 1e9, "T": 1e12}
_UNITS = {unit: ("conductance", size) for unit, size in PREFIXES.items()}
_UNITS |= {unit.replace("S", "A/V"): ("conductance", size) for unit, size in PREFIXES.items()}
_UNITS |= {unit.replace("S", "A"): ("current", size) for unit, size in PREFIXES.items()}
_UNITS |= {"V": ("voltage", 1.0), "mV": ("voltage", 1e-3)}
_UNITS |= {
    f"{prefix}{ohm}": ("resistance", size)
    for prefix, size in _LARGE.items()
    for ohm in ("Ω", "\u2126", "ohm", "Ohm", "ohms", "Ohms")
}
_UNIT = "|".join(sorted(map(re.escape, _UNITS), key=len, reverse=True))
_UNITED = (  # a unit in brackets, wherever they are, or at the end
    re.compile(rf"^(?P<name>.*?)\s*(?P<mark>[\[(])\s*(?P<unit>{_UNIT})\s*[\])](?P<rest>.*)$"),
    re.compile(rf"^(?P<name>.*?)(?:\s*(?P<mark>/)\s*|_|\s)(?P<unit>{_UNIT})(?P<rest>)$"),
)
_MARKED = re.compile(r"[\[(]([^\[\]()]*)[\])]|/\s*(\S+)$")  # where a unit is expected
_LETTERS = ("S", "A", "V")  # units that may as well be the letter of a ramp, as in LTP A, LTP B
_WAYS = re.compile(r"ltp|potentiation|pot|set|up|ltd|depression|dep|reset|down")
_COUNTS = re.compile(r"pulse|#|number|count")
_OTHERS = re.compile(  # what goes with a ramp's readings and is none of them
    r"errors?|err|std|stdev|sd|sem?|sigma|σ|deviation|uncertainty|spread|variance|ci|lower|upper|"
    r"min|max|fit|fitted|model|simulat(?:ed|ion)|theory|residuals?|change|step|dg|δg|delta|"
    r"amplitude|width|duration|time|energy|power|temperature|retention"
)
_LABELS = re.compile(r"cycle|run|ramp|device|dev|sample|die|chip|no|nr|st|nd|rd|th")
_DEVICE = re.compile(
    r"(?<![a-z])(?:(?:device|dev|sample|die)[\s_#.-]*(?:[a-z]?\d+|[a-z])|(?P<short>d[\s_#]?\d+))"
    r"(?![a-z0-9])",
    re.IGNORECASE,
)
_PAIRED = re.compile(r"([pd])[\s_#]?\d+")


class Column(NamedTuple):
    """A column of a table.

    Attributes:
      name: as the table has it.
      kind: what it holds, of the keys of ``_NAMES``; ``"other"`` of what goes with a ramp's
        readings, such as their errors or a fit; ``""`` where the name means nothing.
      scale: its unit in siemens, ampere or ohm; nan where it names none.
      sign: of the direction that its name says; 0 where it says none.
      unknown: what stands for its unit and is none that is known.
      device: the device that it names; ``""`` where it names none.
    """

    name: str
    kind: str
    scale: float
    sign: int
    unknown: str = ""
    device: str = ""

    @property
    def is_reading(self) -> bool:
        """Whether it holds conductances, or what they follow from."""
        return self.kind in READINGS

    @property
    def may_be_ramp(self) -> bool:
        """Whether a table with a column a ramp may have a ramp in it."""
        return self.is_reading or self.kind in ("", "mean")


def column(name: str, is_ramp: bool = False) -> Column:
    """What a header's cell says: a quantity and its unit, a direction, a device.

    Args:
      name: the cell.
      is_ramp: whether it is in a table of ramps of one direction, whatever it calls them.

    Example:
      >>> column("G (µS)").kind, column("G (µS)").scale, column("LTD 2").sign
      ('conductance', 1e-06, -1)
      >>> column("LTP_mS").scale, column("die 7 (nS)", is_ramp=True).scale
      (0.001, 1e-09)
      >>> column("LTP current").kind, column("LTP error (µS)").kind, column("LTP (a.u.)").unknown
      ('current', 'other', 'a.u.')
    """
    if name.casefold() == READING.casefold():
        return Column(name, "conductance", 1.0, 0)
    words, of_unit, scale = _split(name)
    kind = next((kind for kind, names in _NAMES.items() if words in names), "")
    if kind and (not of_unit or kind in _KINDS[of_unit]):
        return Column(name, kind, scale, 0)
    letters = set(re.findall(r"[^\W\d_]+", words))
    signs = {SIGNS[word] for word in letters if _WAYS.fullmatch(word)}
    is_other = any(map(_OTHERS.fullmatch, letters)) or "±" in words
    if is_other or not (is_ramp or len(signs) == 1):
        return Column(name, "other" if is_other and (is_ramp or signs) else "", float("nan"), 0)
    sign = signs.pop() if len(signs) == 1 else 0
    if sign and not of_unit and _COUNTS.search(words):
        return Column(name, "pulse", float("nan"), sign)
    alone = set(re.split(r"[\W_]+", words))
    kind = of_unit or next((kind for kind in _QUANTITIES if alone & set(_NAMES[kind])), "")
    found = _DEVICE.search(name)
    device = found[0] if found and (sign or not found["short"]) else ""
    return Column(name, kind, scale, sign, "" if of_unit else _unknown(name), device)


def columns(names: list[str]) -> list[Column]:
    """What the cells of a header say, also together: with P1 there, D1 is of depression.

    Args:
      names: the cells.

    Example:
      >>> [at.sign for at in columns(["P1", "D1"])], [at.sign for at in columns(["D1", "D2"])]
      ([1, -1], [0, 0])
    """
    found = [_PAIRED.fullmatch(_split(name)[0]) for name in names]
    if not {"p", "d"} <= {at[1] for at in found if at}:
        return [column(name) for name in names]
    return [
        column(name, is_ramp=True)._replace(sign=SIGNS[at[1]]) if at else column(name)
        for name, at in zip(names, found, strict=True)
    ]


def is_header(cells: list[str]) -> bool:
    """Whether a row has the names of a table's columns: of a tidy one, or of ramps.

    Args:
      cells: of the row.
    """
    every = columns(cells)
    kinds = {at.kind for at in every}
    ways = kinds & {"direction", "voltage"} or any(at.sign for at in every)
    return "pulse" in kinds and bool(ways)


def is_unit(cell: str) -> bool:
    """Whether a cell is a unit alone, in brackets or not.

    Args:
      cell: of a row below the header.
    """
    return cell.strip("[]() ") in _UNITS


def _split(name: str) -> tuple[str, str, float]:
    """A name without its unit, what that is of (``""`` where it names none), and its size."""
    for pattern in _UNITED:
        if found := pattern.match(name):
            kind, size = _UNITS[found["unit"]]
            words = f"{found['name']} {found['rest']}".casefold().strip()
            is_named = any(words in _NAMES[of] for of in _KINDS[kind])
            if found["mark"] or found["unit"] not in _LETTERS or is_named:
                return words, kind, size
    return name.casefold(), "", float("nan")


def _unknown(name: str) -> str:
    """What stands where a unit is expected; not the label of a ramp, such as ``(cycle 2)``."""
    for found in _MARKED.finditer(name):
        text = (found[1] or found[2] or "").strip()
        letters = set(re.findall(r"[^\W\d_]+", text.casefold()))
        is_label = all(_LABELS.fullmatch(word) or _WAYS.fullmatch(word) for word in letters)
        if not is_label or re.search(r"[%^]", text):
            return text
    return ""
