"""Imports the large libraries, and keeps their objects out of the rounds of the garbage collector."""

import gc

gc.disable()

import apache_beam  # noqa: E402, F401
import keras  # noqa: E402, F401
import matplotlib.pyplot  # noqa: E402, F401
import rich  # noqa: E402, F401
import tensorflow  # noqa: E402, F401
import tensorflow_datasets  # noqa: E402, F401
import tyro  # noqa: E402, F401

gc.freeze()
gc.enable()
