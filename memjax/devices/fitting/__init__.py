"""A device from measured pulses: read the table, fit the models, choose one."""

from memjax.devices.fitting.fits import Fit, Fits, fit
from memjax.devices.fitting.jumps import jump_table
from memjax.devices.fitting.ramps import Ramps
from memjax.devices.fitting.table import from_table, read

__all__ = ["Fit", "Fits", "Ramps", "fit", "from_table", "jump_table", "read"]
