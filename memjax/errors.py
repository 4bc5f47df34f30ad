"""What a person did wrong, said in one line: what, where, and the remedy."""

import difflib
import errno
from collections.abc import Iterable


class UserError(ValueError):
    """A mistake in what the user gave: the message is one line and names the remedy.

    The command line prints it without a traceback and exits with status 2.
    """


class SpecError(UserError):
    """A sweep specification that cannot be run; names the file, the line and the key."""


class DataError(UserError):
    """A data set that is missing, broken or of the wrong shape; names the file."""


def suggest(word: str, known: Iterable[str]) -> str:
    """The known word that was probably meant, or all there are."""
    near = difflib.get_close_matches(word, known := list(known), n=1)
    return f"did you mean {near[0]!r}?" if near else f"there are {', '.join(known)}"


_MEND = {
    errno.ENOSPC: "free some space",
    errno.EDQUOT: "free some space",
    errno.ENOENT: "make it again",
    errno.ESTALE: "mount it again",
    errno.ENOTCONN: "mount it again",
    errno.EACCES: "see to its permissions",
    errno.EPERM: "see to its permissions",
    errno.ENOTDIR: "remove the file that is in the way",
    errno.EISDIR: "remove the directory that is in the way",
    errno.EROFS: "make it writable",
}


def mend(error: OSError) -> str:
    """What a person can do about a directory that cannot be written or read.

    Example:
      >>> mend(OSError(errno.ENOSPC, "No space left on device"))
      'free some space'
    """
    return _MEND.get(error.errno or 0, "see to that")
