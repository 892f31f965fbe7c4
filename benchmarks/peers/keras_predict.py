"""Bundle, images, batch size, seconds -> how many images a second `keras.Model.predict` scores, printed.

The network has the bundle's layers and fresh weights: its speed does not depend on them. What predict is given is
normalized before, which costs it nothing here.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np

from components.model import build_model
from serving import bundle

folder, source, batch_size, seconds = sys.argv[1:]
manifest = bundle.load(Path(folder)).manifest
names = ("convolutions", "hidden", "hidden_activation", "dropout", "output_activation")
model = build_model(manifest.image_shape, len(manifest.labels), **{name: manifest.training[name] for name in names})
images = np.load(source).reshape(-1, *manifest.image_shape).astype(np.float32) / 255
model.predict(images, batch_size=int(batch_size), verbose=0)
scored, started = 0, time.perf_counter()
while time.perf_counter() - started < float(seconds):
    scored += len(model.predict(images, batch_size=int(batch_size), verbose=0))
print(scored / (time.perf_counter() - started))
