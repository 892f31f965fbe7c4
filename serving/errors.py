"""The errors that a user sees, each with its exit code."""


class BeamlineError(Exception):
    """A failure with a message of one sentence: what, where, got, and what to do."""

    exit_code = 1


def one_line(error: BaseException) -> str:
    """The message of an error on one line: what cannot be printed, as a line end in a path, is escaped."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in str(error))


class InputError(BeamlineError):
    """Wrong usage or bad input: an option, a file or a folder that the user gave."""

    exit_code = 2


class BundleError(BeamlineError):
    """A bundle or an artifact that differs from its digests, or a damaged pointer: it is never loaded."""

    exit_code = 4


class RefusedError(BeamlineError):
    """A gate did not pass: data, evaluation, verification or champion."""

    exit_code = 3
