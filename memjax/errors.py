"""What a person did wrong, said in one line: what, where, and the remedy."""


class UserError(ValueError):
    """A mistake in what the user gave: the message is one line and names the remedy.

    The command line prints it without a traceback and exits with status 2.
    """


class SpecError(UserError):
    """A sweep specification that cannot be run; names the file, the line and the key."""


class DataError(UserError):
    """A data set that is missing, broken or of the wrong shape; names the file."""
