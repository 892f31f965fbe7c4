"""Model, images, batch size, output path -> the predictions as .npy, in the fewest lines."""

import sys

import numpy as np
import onnxruntime

model, source, batch_size, target = sys.argv[1:]
images = np.load(source, mmap_mode="r")
session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
labels = np.empty(len(images), np.int64)
for start in range(0, len(images), int(batch_size)):
    batch = images[start : start + int(batch_size)]
    labels[start : start + len(batch)] = session.run(["probabilities"], {"images": batch})[0].argmax(axis=1)
np.save(target, labels)
