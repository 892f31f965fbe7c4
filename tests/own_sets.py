"""Data sets in the formats of users: picture folders and arrays of patterns that a small network can classify."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image


def patterns(rows: int, classes: int, size: tuple[int, int], channels: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """uint8 (rows, *size, channels) and int64 (rows,): each class has its own coarse pattern, with noise."""
    random = np.random.default_rng(seed)
    # The patterns themselves are the same for every seed.
    coarse = np.random.default_rng(0).integers(40, 200, (classes, 5, 5, channels)).astype(np.uint8)
    bands = [
        [
            np.asarray(Image.fromarray(pattern[..., channel]).resize(size[::-1], Image.Resampling.BICUBIC))
            for channel in range(channels)
        ]
        for pattern in coarse
    ]
    clean = np.moveaxis(np.array(bands), 1, -1)
    labels = random.permutation(np.arange(rows) % classes)
    noisy = clean[labels] + random.normal(0, 12, (rows, *size, channels))
    return np.clip(noisy, 0, 255).astype(np.uint8), labels


def write_pictures(folder: Path, images: np.ndarray, labels: np.ndarray, suffix: str = ".png") -> None:
    """Writes one file per image, in a folder per class: `class 03/00017.png`."""
    for row, (image, label) in enumerate(zip(images, labels.tolist(), strict=True)):
        file = folder / f"class {label:02d}" / f"{row:05d}{suffix}"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image).save(file)
