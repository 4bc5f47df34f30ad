"""Libraries that log what goes wrong, where memjax tells it itself in one line."""

import contextlib
import logging
from collections.abc import Iterator


@contextlib.contextmanager
def silence_loggers(*names: str) -> Iterator[None]:
    """Loggers of these names say nothing meanwhile."""
    loggers = [logging.getLogger(name) for name in names]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
