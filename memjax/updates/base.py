"""What a learning algorithm is: parameters, and the transform that they make of a device."""

import dataclasses
import inspect
from typing import Any, ClassVar

import optax
from jaxtyping import Array, Key

from memjax.cells import Cell, ReferenceCell
from memjax.devices import Device
from memjax.errors import UserError, suggest
from memjax.pulses import Scheme
from memjax.pytree import params
from memjax.updates.pulsed_update import check_cell, check_device, check_key


@params
class Algorithm:
    """Parameters of a learning algorithm, each in its paper's letters or the name for them.

    ``transform`` gives the last link of an Optax chain: wanted weight changes in, what the devices
    did out; a new algorithm defines ``build``. ``memjax.sweep`` knows one by its name in
    ``ALGORITHMS``.
    """

    wants_gradients: ClassVar[bool] = False
    """Whether it must see gradients and makes pulses of them itself: counts will not do."""

    arrays: ClassVar[int] = 1
    """Arrays a weight, the params themselves among them, on reference cells without spread."""

    def check(self, device: Device, cell: Cell) -> None:
        """Raises ``UserError`` where the algorithm needs what the device or the cell lacks."""
        del device, cell

    def transform(
        self,
        device: Device,
        *,
        key: Key[Array, ""],
        cell: Cell | None = None,
        pulses: Scheme | None = None,
        exact_noise: bool = False,
        diagnostics: bool = False,
        **more: Any,
    ) -> optax.GradientTransformationExtraArgs:
        """The Optax transform.

        Args:
          device: the device of every weight.
          key: one typed key.
          cell: how devices make a weight (default: ``ReferenceCell()``).
          pulses: how wanted changes become pulses, where the algorithm leaves that open.
          exact_noise: exact normal numbers instead of the fast ones (static).
          diagnostics: counts what pulses do (``memjax.updates.diagnostics``; static).
          more: what else the algorithm's ``build`` takes, such as ``slow_device``.

        Raises:
          UserError: an argument of the wrong kind, a keyword that there is not, pulses for an
            algorithm that makes its own, or a device or cell on which it cannot run.
        """
        name = type(self).__name__
        check_device(name, device)
        check_key(name, key)
        cell = ReferenceCell() if cell is None else cell
        check_cell(name, cell)
        self._check_keywords(more)
        if self.wants_gradients and pulses is not None:
            raise UserError(f"{name}: pulses = {pulses!r} has no use: it makes them; leave it out")
        self.check(device, cell)
        options: dict[str, Any] = {"exact_noise": exact_noise, "diagnostics": diagnostics, **more}
        if not self.wants_gradients:
            options["pulses"] = pulses
        return self.build(device, key=key, cell=cell, **options)

    def _check_keywords(self, more: dict[str, Any]) -> None:
        known = _keywords("build", type(self))
        for keyword in more:
            if keyword not in known:
                letters = [field.name for field in dataclasses.fields(self)]
                others = _keywords("transform", type(self)) | known | {"momentum": None}
                useless = {"key", "more", "pulses"} if self.wants_gradients else {"key", "more"}
                hint = suggest(keyword, [*letters, *(k for k in others if k not in useless)])
                raise UserError(f"{type(self).__name__}: unknown keyword {keyword!r}; {hint}")

    def build(
        self, device: Device, *, key: Key[Array, ""], cell: Cell, **options: Any
    ) -> optax.GradientTransformationExtraArgs:
        """What ``transform`` gives, of arguments that have been checked.

        Args:
          device, key, cell: as of ``transform``.
          options: ``exact_noise`` and ``diagnostics``; ``pulses``, unless ``wants_gradients``.
        """
        raise NotImplementedError(f"{type(self).__name__} must define build")


def _keywords(function: str, kind: type) -> dict[str, None]:
    """What a method may be given by name: of its class, and while that passes on any, of others."""
    found: dict[str, None] = {}
    for parent in kind.__mro__:
        if function not in vars(parent):
            continue
        parameters = list(inspect.signature(vars(parent)[function]).parameters.values())[2:]
        found |= {p.name: None for p in parameters if p.kind is not inspect.Parameter.VAR_KEYWORD}
        if all(p.kind is not inspect.Parameter.VAR_KEYWORD for p in parameters):
            break
    return found
