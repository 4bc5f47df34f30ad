"""How numbers and errors are told."""

import re


def count(number: int, noun: str) -> str:
    """So many of something: ``1 lane``, ``2 lanes``."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def clock(seconds: float) -> str:
    """Minutes and seconds, or hours too: ``1:02:03``."""
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def literal(words: str) -> str:
    """Words of which matplotlib takes no dollar for the start of a formula."""
    return re.sub(r"(?<!\\)\$", r"\\$", words)


def one_line(error: Exception) -> str:
    """An error's type and message."""
    return " ".join(f"{type(error).__name__}: {error}".split())[:500]
