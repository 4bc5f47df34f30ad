"""A device from measured pulses: read the table, fit the models, choose one."""

from memjax.fitting.fit import fit
from memjax.fitting.jumps import jump_table
from memjax.fitting.ramps import Ramps
from memjax.fitting.result import Fit, Fits
from memjax.fitting.table import from_table, read

__all__ = ["Fit", "Fits", "Ramps", "fit", "from_table", "jump_table", "read"]
