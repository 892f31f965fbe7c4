"""The errors that a user meets, each with the exit code that it stands for."""


class BeamlineError(Exception):
    """A failure that can be told in one sentence: what, where, got, and what to do."""

    exit_code = 1


class InputError(BeamlineError):
    """Wrong usage or bad input: an option, a file or a folder that the user gave."""

    exit_code = 2


class BundleError(BeamlineError):
    """A bundle that is not, byte for byte, what its manifest says: it is never loaded."""

    exit_code = 4


class RefusedError(BeamlineError):
    """A gate said no: data, evaluation, verification or champion."""

    exit_code = 3
