"""Devices advanced as cells do it: an update, then the array's own bounds."""

from memjax.devices.bounds import clip_to_bounds


def advance(device, array, g, n, noise):
    """The devices and their conductances after ``n`` pulses, with one noise for every purpose."""
    array, change = device.advance(array, g, n, lambda purpose: noise)
    return array, clip_to_bounds(array, g + change)


def pulsed(device, array, g, n, noise):
    """The conductances alone."""
    return advance(device, array, g, n, noise)[1]
