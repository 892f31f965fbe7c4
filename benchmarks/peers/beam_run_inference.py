"""Model, images, number of images -> the rate of Beam's RunInference, one element per image, printed in images/s."""

from __future__ import annotations

import logging
import sys
import time

import apache_beam
import numpy as np
from apache_beam.ml.inference.base import RunInference
from apache_beam.ml.inference.onnx_inference import OnnxModelHandlerNumpy

model, source, count = sys.argv[1:]
logging.disable(logging.WARNING)
images = np.resize(np.load(source), (int(count), *np.load(source, mmap_mode="r").shape[1:]))
found: list[int] = []
started = time.perf_counter()
with apache_beam.Pipeline(runner="FnApiRunner") as pipeline:
    (
        pipeline
        | apache_beam.Create(list(images), reshuffle=False)
        | RunInference(OnnxModelHandlerNumpy(model, providers=["CPUExecutionProvider"]))
        | apache_beam.Map(lambda result: found.append(int(result.inference.argmax())))
    )
print(int(count) / (time.perf_counter() - started))
