"""Address space: where a shell or a batch system gives too little, XLA's threads die unheard."""

import os

from memjax.errors import UserError

# Of a small sweep: 2.15 GB suffice on two cores, 2.05 do not; a core has its threads' stacks.
_LEAST, _OF_A_CORE = 2.2e9, 0.05e9


def check_address_space() -> None:
    """Asks before JAX starts.

    Raises:
      UserError: the process may have less address space than a small sweep takes.
    """
    try:
        import resource
    except ImportError:  # Windows
        return
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    needed = _LEAST + _OF_A_CORE * (os.cpu_count() or 1)
    if limit != resource.RLIM_INFINITY and limit < needed:
        raise UserError(
            f"ulimit -v: allows {limit / 1e9:.1f} GB of address space, and JAX needs "
            f"{needed / 1e9:.1f} GB here, most of it never used; run `ulimit -v unlimited` first"
        )
