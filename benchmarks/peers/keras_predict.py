"""Bundle, images, batch size, seconds -> the rate of `keras.Model.predict`, printed in images/s.

The network has the bundle's layers and new weights, which do not change its speed. The images are normalized before
the measurement.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np

from components.train.network import build_model
from components.train.recipe import Recipe
from serving.bundle.bundle import load_bundle

folder, source, batch_size, seconds = sys.argv[1:]
manifest = load_bundle(Path(folder)).manifest
names = ("convolutions", "hidden", "hidden_activation", "dropout", "output_activation")
recipe = Recipe(**{name: manifest.training[name] for name in names})
model = build_model(manifest.image_shape, len(manifest.labels), recipe)
images = np.load(source).reshape(-1, *manifest.image_shape).astype(np.float32) / 255
model.predict(images, batch_size=int(batch_size), verbose=0)
scored, started = 0, time.perf_counter()
while time.perf_counter() - started < float(seconds):
    scored += len(model.predict(images, batch_size=int(batch_size), verbose=0))
print(scored / (time.perf_counter() - started))
