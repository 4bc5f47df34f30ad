"""Where the values of a TOML file come from, so that a message can point at the place."""

import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

from memjax.errors import SpecError

_HEADER = re.compile(r"\s*\[\[?([^\[\]]+)\]\]?\s*(#.*)?$")
_ASSIGNMENT = re.compile(r"\s*([\w.\"'-]+)\s*=")

_DEEPEST = 32

Keys = tuple[str, ...]
"""The path to a value: section and key."""


@dataclass(frozen=True)
class Origin:
    """A TOML text and the settings that replace some of it.

    Attributes:
      file: its name, as messages show it.
      text: its text.
      settings: the ``--set`` that each replaced value comes from.
    """

    file: str = "spec"
    text: str = ""
    settings: dict[Keys, str] = field(default_factory=dict)

    def fail(self, keys: Keys, what: str) -> NoReturn:
        """Raises ``SpecError``: ``file:line: [section] key: what``, or ``--set`` for the place."""
        shown = keys[0] if len(keys) == 1 else f"[{'.'.join(keys[:-1])}] {keys[-1]}"
        raise SpecError(f"{self._place(keys)}: {shown}: {what}")

    def _place(self, keys: Keys) -> str:
        for path, setting in self.settings.items():
            if keys[: len(path)] == path or path[: len(keys)] == keys:
                return f"--set {setting}"
        line = self._line(keys)
        return f"{self.file}:{line}" if line else self.file

    def _line(self, keys: Keys) -> int | None:
        """The line of a key, or of the nearest table that holds it."""
        table: Keys = ()
        best, depth = None, 0
        for number, line in enumerate(self.text.splitlines(), start=1):
            if header := _HEADER.match(line):
                here = table = _split(header[1])
            elif assignment := _ASSIGNMENT.match(line):
                here = (*table, *_split(assignment[1]))
            else:
                continue
            if here == keys[: len(here)] and len(here) > depth:
                best, depth = number, len(here)
        return best


def read_toml(path: Path, what: str = "a sweep's TOML file") -> tuple[dict[str, Any], str]:
    """A TOML file's tables and its text.

    Args:
      path: the file.
      what: what it should be, for the message.

    Raises:
      SpecError: no such file, not a text file, or not valid TOML; names the line.
    """
    remedy = f"give the path of {what}"
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise SpecError(f"{path}: no such file; {remedy}") from None
    except UnicodeDecodeError:
        raise SpecError(f"{path}: not a text file in UTF-8; {remedy}") from None
    except OSError as error:
        raise SpecError(f"{path}: cannot be read: {error.strerror}; {remedy}") from None
    except ValueError:
        raise SpecError(f"{str(path)!r}: no path; {remedy}") from None
    try:
        return parse(text), text
    except tomllib.TOMLDecodeError as error:
        what, line = str(error), ""
        if at := re.search(r" \(at line (\d+), column (\d+)\)$", what):
            what, line = f"{what[: at.start()]} in column {at[2]}", f":{at[1]}"
        raise SpecError(f"{path}{line}: not valid TOML: {what}") from None


def parse(text: str) -> dict[str, Any]:
    """The tables of a TOML text.

    Raises:
      TOMLDecodeError: it is not valid, or more than Python's parser can take.
    """
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        raise
    except RecursionError:
        raise tomllib.TOMLDecodeError(f"nested more than {_DEEPEST} deep") from None
    except ValueError:  # of thousands of digits
        raise tomllib.TOMLDecodeError("a whole number of more than 64 bits") from None


def check_values(raw: dict[str, Any], origin: Origin) -> None:
    """Refuses what nothing in a file of ours can mean, wherever in its tables it is.

    Raises:
      SpecError: a value that is nested too deeply, a whole number of more than 64 bits, or a NUL.
    """
    waiting: list[tuple[Keys, Any, int]] = [((), raw, 0)]
    while waiting:
        keys, value, depth = waiting.pop()
        if depth > _DEEPEST:
            origin.fail(keys[:3], f"is nested more than {_DEEPEST} deep; write it flatter")
        if isinstance(value, dict):
            waiting += [((*keys, str(key)), inner, depth + 1) for key, inner in value.items()]
        elif isinstance(value, list):
            waiting += [(keys, inner, depth + 1) for inner in value]
        elif isinstance(value, int) and abs(value) > 2**64:
            origin.fail(keys, "is a whole number of more than 64 bits; give a smaller one")
        elif isinstance(value, str) and "\0" in value:
            origin.fail(keys, f"{value!r} has a NUL character; leave it out")


def override(raw: dict[str, Any], settings: list[str]) -> dict[Keys, str]:
    """Applies ``section.key=value`` settings to ``raw``.

    Returns:
      Each setting by the keys that it set.

    Raises:
      SpecError: a setting that is not of this form.
    """
    applied = {}
    for setting in settings:
        path, equals, value = setting.partition("=")
        keys = _split(path)
        if not equals or not all(keys):
            raise SpecError(f"--set {setting}: must be section.key=value, such as train.epochs=3")
        table = raw
        for key in keys[:-1]:
            table = table.setdefault(key, {})
            if not isinstance(table, dict):
                raise SpecError(f"--set {setting}: {key} is a value, not a table")
        table[keys[-1]] = _value(setting, value)
        applied[keys] = setting
    return applied


def _value(setting: str, text: str) -> Any:
    """A TOML value, or a string that needs no quotes."""
    try:
        return parse(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        if not text.strip() or text.lstrip()[0] in "[{\"'":
            raise SpecError(f"--set {setting}: {text!r} is not a TOML value") from None
        return text.strip()


def _split(dotted: str) -> Keys:
    return tuple(part.strip().strip("\"'") for part in dotted.split("."))
