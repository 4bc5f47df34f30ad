"""Compiled programs kept on disk: the second sweep of one shape starts in seconds.

They lie in ``MEMJAX_CACHE_DIR``, or in the user's cache directory (``~/.cache/memjax`` on Linux), a
directory for each jaxlib and kind of processor, of at most 2 GB. ``MEMJAX_CACHE_DIR=""`` turns
keeping off; a directory that JAX itself has been given (``JAX_COMPILATION_CACHE_DIR``) stays.
"""

import contextlib
import hashlib
import os
import platform
from pathlib import Path

import jax
import jaxlib
from platformdirs import user_cache_path

VARIABLE = "MEMJAX_CACHE_DIR"

_MOST_BYTES = 2 * 10**9
_LEAST_SECONDS = 0.2  # of compiling, for a program that is kept


def keep_compilations() -> None:
    """Lets JAX keep what it compiles from now on, where the user has not said otherwise.

    Results do not depend on it. Where nothing can be written nothing is kept.
    """
    if jax.config.jax_compilation_cache_dir is not None:  # type: ignore[attr-defined]
        return
    if (path := directory()) is None:
        return
    with contextlib.suppress(OSError):
        path.mkdir(parents=True, exist_ok=True)
        jax.config.update("jax_compilation_cache_dir", str(path))
        jax.config.update("jax_compilation_cache_max_size", _MOST_BYTES)
        jax.config.update("jax_persistent_cache_min_compile_time_secs", _LEAST_SECONDS)


def directory() -> Path | None:
    """Where compiled programs lie; None where they are not to be kept."""
    given = os.environ.get(VARIABLE)
    if given == "":
        return None
    base = Path(given) if given else user_cache_path("memjax")
    return base / f"jaxlib-{jaxlib.__version__}-{_processor()}"


def _processor() -> str:
    """A digest of what this processor can do: programs are compiled for that."""
    able = platform.processor() or platform.machine()
    with contextlib.suppress(OSError):  # not on Linux
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        able += next((line for line in lines if line.startswith(("flags", "Features"))), "")
    return hashlib.blake2b(able.encode(), digest_size=4).hexdigest()
