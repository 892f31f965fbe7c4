"""digits.csv.gz -> digits: the test part of UCI's Optical Recognition of Handwritten Digits, as a TFDS builder."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import tensorflow_datasets as tfds

FILE = Path(__file__).with_name("digits.csv.gz")
SIDE = 8
# The rest is the test split: cut in the order of the file, by which nothing is mixed.
TRAIN_ROWS = 1297


class Builder(tfds.core.GeneratorBasedBuilder):
    """DatasetBuilder for digits."""

    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES: ClassVar[dict[str, str]] = {"1.0.0": "Initial release."}

    def _info(self) -> tfds.core.DatasetInfo:
        return self.dataset_info_from_configs(
            features=tfds.features.FeaturesDict(
                {
                    "image": tfds.features.Image(shape=(SIDE, SIDE, 1), dtype=np.uint8),
                    "label": tfds.features.ClassLabel(num_classes=10),
                }
            ),
            supervised_keys=("image", "label"),
            homepage="https://archive.ics.uci.edu/dataset/80/optical+recognition+of+handwritten+digits",
            license="CC BY 4.0",
        )

    def _split_generators(self, dl_manager: tfds.download.DownloadManager) -> dict[str, Any]:
        return {"train": self._generate_examples(0, TRAIN_ROWS), "test": self._generate_examples(TRAIN_ROWS, None)}

    def _generate_examples(self, start: int, stop: int | None) -> Iterator[tuple[int, dict[str, Any]]]:
        images, labels = read_file(FILE)
        for row in range(len(labels))[start:stop]:
            yield row, {"image": images[row], "label": int(labels[row])}


def read_file(file: Path) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    """The images and labels of the file, in its order.

    Args:
        file: gzipped lines of 64 counts of ink, 0 to 16, and the digit.

    Returns:
        uint8 (n, 8, 8, 1), the counts as round(count · 255 / 16), and int64 (n,), 0 to 9.
    """
    with gzip.open(file, "rt", encoding="ascii") as lines:
        values = np.loadtxt(lines, delimiter=",", dtype=np.int64, ndmin=2)
    pixels = np.round(values[:, :-1] * (255 / 16)).astype(np.uint8)
    return pixels.reshape(-1, SIDE, SIDE, 1), values[:, -1]
