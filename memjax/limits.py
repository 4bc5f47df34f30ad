"""What a process may have: address space, without which XLA's threads die unheard, and mappings."""

import os
from pathlib import Path

from memjax.errors import UserError

# Measured on two cores: a small sweep ends with 2.15 GB, not with 2.05; pictures are drawn with
# 1.8, words are told with 1.55 and not with 1.35, parameters with 0.6. A core has threads' stacks.
_LEAST, _OF_A_CORE = 2.2e9, 0.05e9
_LEAST_OF = {"status": 1.6e9, "explain": 1.6e9, "report": 1.6e9, "devices": 0.5e9}


def check_address_space(command: str = "sweep") -> None:
    """Asks before JAX starts.

    Args:
      command: of the command line; those that neither compile nor draw need less.

    Raises:
      UserError: the process may have less address space than the command takes on a small sweep.
    """
    try:
        import resource
    except ImportError:  # Windows
        return
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    needed = _LEAST_OF.get(command, _LEAST) + _OF_A_CORE * (os.cpu_count() or 1)
    if limit != resource.RLIM_INFINITY and limit < needed:
        raise UserError(
            f"ulimit -v: allows {limit / 1e9:.1f} GB of address space, and JAX needs "
            f"{needed / 1e9:.1f} GB here, most of it never used; run `ulimit -v unlimited` first"
        )


def is_near_most_mappings() -> bool:
    """Whether half of the memory mappings that Linux allows a process are in use.

    A compiled program takes some hundreds on CPUs; at the limit LLVM ends the process.
    """
    try:
        most = int(Path("/proc/sys/vm/max_map_count").read_text())
        used = Path("/proc/self/maps").read_bytes().count(b"\n")
    except (OSError, ValueError):  # no Linux
        return False
    return used > most // 2
