"""The errors that a user sees, each with its exit code."""


class BeamlineError(Exception):
    """A failure with a message of one sentence: what, where, got, and what to do."""

    exit_code = 1


class ModelError(BeamlineError):
    """A model that no machine scores: onnxruntime refuses its graph, or it returns NaN."""


def one_line(message: object) -> str:
    """A message on one line: what cannot be printed, as a line end in a path, is escaped."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in str(message))


class InputError(BeamlineError):
    """Wrong usage or bad input: an option, a file or a folder that the user gave."""

    exit_code = 2


class BundleError(BeamlineError):
    """A bundle or an artifact that differs from its digests, or a damaged pointer: it is never loaded."""

    exit_code = 4


class RefusedError(BeamlineError):
    """A gate did not pass: data, evaluation, verification or champion."""

    exit_code = 3
