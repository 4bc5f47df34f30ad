"""Sections of an inference specification: the trained model, its wires, when it is looked at."""

from memjax.crossbar import Wires
from memjax.pytree import Leaf, param, params, static


@params
class TrainedNetwork:
    """The model, and where its weights come from."""

    flax: str = static(
        default="",
        doc="the class or function that makes the model, 'my_cnn.py:CNN'",
        is_function=True,
        swept=False,
    )
    weights: str = static(
        default="",
        doc="an .npz file with an array a parameter, by its path; without, the model is trained",
        swept=False,
    )
    layers: tuple[str, ...] = static(
        default=("*",), doc="patterns of the paths of parameters on arrays", swept=False
    )


@params
class Times:
    """When the arrays are looked at."""

    times: tuple[float, ...] = static(
        default=(1.0, 3600.0, 86_400.0, 31_536_000.0),
        doc="seconds since programming",
        each={"at_least": 0},
        swept=False,
    )
    compensation: bool = static(
        default=False, doc="scale the outputs of a tile by what its devices have lost to drift"
    )
    calibration: int = static(
        default=500, doc="training samples that calibrated ranges are found from", at_least=1
    )
    batch_size: int = static(
        default=50,
        doc="most test samples of a call, few so that a processor's cache holds what is made of "
        "them; they share the range of adc_range = 'batch_max_pow2'",
        at_least=1,
        swept=False,
    )
    adapt_images: int = static(
        default=0,
        doc="training images from which batch norm's statistics are estimated again at each time",
        at_least=0,
    )


@params
class ArrayWires:
    """The wires of tiles; none by default."""

    r_row: Leaf | None = param(default=None, doc="a segment of a word line", unit="ohm", at_least=0)
    r_column: Leaf | None = param(
        default=None, doc="a segment of a bit line", unit="ohm", at_least=0
    )

    def made(self) -> Wires | None:
        """The wires, if there are any."""
        if self.r_row is None and self.r_column is None:
            return None
        row, column = (0.0 if r is None else r for r in (self.r_row, self.r_column))
        return Wires(r_row=row, r_column=column)
