"""What devices there are, and what each parameter means: read from the models themselves."""

import dataclasses
import difflib
import inspect
from typing import Any

from memjax.devices import MODELS, Device
from memjax.errors import UserError


def find(name: str) -> type[Device]:
    """A response model by its name, whatever its case.

    Args:
      name: such as ``"softbounds"``.

    Raises:
      UserError: there is none of this name; the message says which was probably meant.

    Example:
      >>> from memjax.devices import catalogue
      >>> catalogue.find("softbounds").__name__
      'SoftBounds'
    """
    by_lower = {known.lower(): model for known, model in MODELS.items()}
    if name.lower() in by_lower:
        return by_lower[name.lower()]
    near = difflib.get_close_matches(name.lower(), by_lower, n=1)
    hint = (
        f"did you mean {by_lower[near[0]].__name__}?" if near else f"there are {', '.join(MODELS)}"
    )
    raise UserError(f"no device is called {name!r}; {hint}")


def summary(model: type[Device]) -> str:
    """What the model is, in a line."""
    return _doc(model).splitlines()[0]


def source(model: type[Device]) -> str:
    """The paper that the model is from."""
    _, _, cited = _doc(model).partition("Source:")
    return " ".join(cited.split())


def parameters(model: type[Device]) -> list[tuple[str, Any, str, str]]:
    """Every parameter's name, default (``None``: the effect is absent), unit and meaning."""
    return [
        (field.name, field.default, field.metadata["unit"], field.metadata["doc"])
        for field in dataclasses.fields(model)
    ]


def _doc(model: type[Device]) -> str:
    return inspect.getdoc(model) or ""
