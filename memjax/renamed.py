"""Old names, which go on working for one version and warn."""

import warnings
from typing import Any


class Renamed:
    """A method or attribute of a class under its old name.

    Whoever uses the old name gets what the new one is, and a ``DeprecationWarning``.

    Args:
      new: what it is called now.

    Example:
      >>> from memjax.renamed import Renamed
      >>> class Pulse:
      ...     width = 2
      ...     length = Renamed("width")
      >>> import warnings
      >>> with warnings.catch_warnings(record=True, action="always") as told:
      ...     Pulse().length, str(told[0].message)
      (2, 'Pulse.length is called width now')
    """

    def __init__(self, new: str) -> None:
        self.new, self.old = new, ""

    def __set_name__(self, owner: type, name: str) -> None:
        self.old = name

    def __get__(self, obj: Any, owner: type) -> Any:
        self.warn(owner, stacklevel=3)
        return getattr(owner if obj is None else obj, self.new)

    def warn(self, owner: type, stacklevel: int) -> None:
        """Says what is called what now.

        Args:
          owner: the class that it is of.
          stacklevel: of the caller to blame, as in ``warnings.warn``.
        """
        said = f"{owner.__name__}.{self.old} is called {self.new} now"
        warnings.warn(said, DeprecationWarning, stacklevel=stacklevel)


def take_over(cls: type) -> None:
    """Gives what a class defines under an old name its new one, and warns.

    For ``__init_subclass__``, so that a subclass that overrides ``old`` overrides ``new``.

    Args:
      cls: the class, one of whose parents has ``Renamed`` attributes.
    """
    for parent in cls.__mro__[1:]:
        for old, alias in vars(parent).items():
            if isinstance(alias, Renamed) and old in vars(cls):
                alias.warn(cls, stacklevel=4)
                setattr(cls, alias.new, vars(cls)[old])
                delattr(cls, old)
