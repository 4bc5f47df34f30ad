"""What a learning algorithm is: parameters, and the transform that they make of a device."""

from typing import Any, ClassVar

import optax
from jaxtyping import Array, Key

from memjax.cells import Cell
from memjax.devices import Device
from memjax.errors import UserError
from memjax.pulses import Scheme
from memjax.pytree import params
from memjax.updates.checks import check_polarity, checked_cell
from memjax.updates.digital_scale import WeightRange, is_fit, ranged
from memjax.updates.memristive import Memristive
from memjax.updates.on_devices import on_devices


@params
class Algorithm:
    """Parameters of a learning algorithm, each in its paper's letters or the name for them.

    ``transform`` gives the last link of an Optax chain: wanted weight changes in, what the devices
    did out; a new algorithm defines ``build``. ``memjax.sweep`` knows one by its name in
    ``ALGORITHMS``.
    """

    wants_gradients: ClassVar[bool] = False
    """Whether it must see gradients and makes ``Counts`` of them itself: given ones will not do."""

    arrays: ClassVar[int] = 1
    """Arrays a weight, the params themselves among them, on reference cells without spread."""

    def check(self, device: Device, cell: Cell) -> None:
        """Raises ``UserError`` where the algorithm or the cell needs what the device lacks."""
        check_polarity(type(self).__name__, device, cell)
        cell.check(device)

    def last_to_be_written(self, params: Any) -> tuple[str, int]:
        """The path of an array, and the update that may be the first to write its last weight.

        Args:
          params: a tree of weights; of its arrays the one that waits longest. Where each update
            writes what it wants, none waits: the update is the first.
        """
        del params
        return "", 1

    def constant_rate(self, learning_rate: Any) -> Any:
        """The rate at which gradients become pulses, or ``None`` where it follows from gradients.

        Args:
          learning_rate: that of the training.
        """
        return learning_rate

    def rates(self, learning_rate: Any, state: Any, most: float | int) -> Any:
        """The rate at which layers that make pulses of their own are to make them of gradients.

        Args:
          learning_rate: that of the training.
          state: the algorithm's, of ``bare``.
          most: pulses of the longest train.

        Returns:
          One number, or a tree congruent with the params.
        """
        del state, most
        return self.constant_rate(learning_rate)

    def rate_options(self, learning_rate: optax.ScalarOrSchedule) -> dict[str, Any]:
        """What ``build`` must be told of the learning rate that the chain before applies."""
        del learning_rate
        return {}

    def transform(
        self,
        device: Device,
        *,
        key: Key[Array, ""],
        cell: Cell | None = None,
        pulses: Scheme | None = None,
        memristive: Memristive = None,
        weight_range: WeightRange = None,
        watch: bool = True,
        exact_noise: bool = False,
        diagnostics: bool = False,
        **options: Any,
    ) -> optax.GradientTransformationExtraArgs:
        """The Optax transform, with state ``OnDevicesState``.

        Args:
          device: the device of every weight.
          key: one typed key.
          cell: how devices make a weight (default: ``ReferenceCell()``).
          pulses: how wanted changes become pulses, where the algorithm leaves that open.
          memristive: which weights are on devices, as of ``pulsed_update``.
          weight_range: the largest weight R, or ``"fit"``, as of ``pulsed_update``.
          watch: whether to compare the weights with what the last update left (static).
          exact_noise: exact normal numbers instead of the fast ones (static).
          diagnostics: counts what pulses do (``memjax.updates.diagnostics``; static).
          options: what else the algorithm's ``build`` takes, such as ``slow_device``.

        Raises:
          UserError: an argument of the wrong kind, pulses for an algorithm that makes its own, or a
            device or cell on which it cannot run.
          TypeError: an option that ``build`` does not take.
        """
        name = type(self).__name__
        cell = ranged(name, checked_cell(name, device, cell, key), weight_range)
        inner = self.bare(
            device,
            key=key,
            cell=cell,
            pulses=pulses,
            exact_noise=exact_noise,
            diagnostics=diagnostics,
            **options,
        )
        return on_devices(
            inner,
            who=name,
            device=device,
            cell=cell,
            memristive=memristive,
            fits=is_fit(weight_range),
            watch=watch,
            last_to_be_written=self.last_to_be_written,
        )

    def bare(
        self,
        device: Device,
        *,
        key: Key[Array, ""],
        cell: Cell | None = None,
        pulses: Scheme | None = None,
        exact_noise: bool = False,
        diagnostics: bool = False,
        **options: Any,
    ) -> optax.GradientTransformationExtraArgs:
        """The algorithm without ``on_devices``: all weights are on devices, the state is its own.

        For loops in which nothing else has a hand, as those of sweeps. Arguments and errors as of
        ``transform``.
        """
        name = type(self).__name__
        cell = checked_cell(name, device, cell, key)
        if self.wants_gradients and pulses is not None:
            raise UserError(f"{name}: pulses = {pulses!r} has no use: it makes them; leave it out")
        self.check(device, cell)
        if not self.wants_gradients:
            options["pulses"] = pulses
        return self.build(
            device,
            key=key,
            cell=cell,
            exact_noise=exact_noise,
            diagnostics=diagnostics,
            **options,
        )

    def build(
        self, device: Device, *, key: Key[Array, ""], cell: Cell, **options: Any
    ) -> optax.GradientTransformationExtraArgs:
        """What ``bare`` gives, of arguments that have been checked.

        Args:
          device, key, cell: as of ``transform``.
          options: ``exact_noise`` and ``diagnostics``; ``pulses``, unless ``wants_gradients``; and
            what ``transform`` was given beyond its own keywords.
        """
        raise NotImplementedError(f"{type(self).__name__} must define build")
