"""A program that forks while it has a loaded scorer: the child scores in another folder.

It is a process of its own, as a user's program is: a child of the tests' process would have the locks that threads of
TensorFlow and Beam held in the moment of the fork, and could wait for one for ever.
"""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Callable

import numpy as np
import onnxruntime

from serving import Scorer


class Session(onnxruntime.InferenceSession):
    """onnxruntime supports no session in a child of a fork: another thread may have held its locks."""

    def __init__(self, *arguments, **named):
        self.process = os.getpid()
        super().__init__(*arguments, **named)

    def run(self, *arguments):
        assert self.process == os.getpid()
        return super().run(*arguments)


def in_child(work: Callable[[], bool]) -> int:
    """The exit code of a forked child: 0 if the work returned true."""
    with warnings.catch_warnings():
        # From Python 3.12 on, a fork beside other threads warns.
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        code = 1
        try:
            code = 0 if work() else 2
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def main(images: str) -> int:
    """The exit code of the child, which scores the images with the model `tiny` of the working folder."""
    onnxruntime.InferenceSession = Session
    pixels = np.load(images)
    scorer = Scorer.promoted("tiny", threads=2, batch_size=20)
    expected = scorer.score(pixels).probabilities

    def same() -> bool:
        os.chdir("/")
        return np.array_equal(scorer.score(pixels).probabilities, expected)

    code = in_child(same)
    np.testing.assert_array_equal(scorer.score(pixels).probabilities, expected)
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
