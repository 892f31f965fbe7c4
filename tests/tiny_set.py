"""A small data set of the real kind: 8×8 images of four shapes with noise, as a TensorFlow Datasets builder."""

from __future__ import annotations

from pathlib import Path

import numpy as np

CLASS_NAMES = ("bar", "cross", "ring", "corner, left")
SIDE = 8


def shapes(rows: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """uint8 (rows, 8, 8, 1) and int64 (rows,): each class a bright shape on a dark ground, with noise."""
    random = np.random.default_rng(seed)
    templates = np.zeros((4, SIDE, SIDE), np.int64)
    templates[0, :, 3:5] = 1
    templates[1, range(SIDE), range(SIDE)] = templates[1, range(SIDE), range(SIDE)[::-1]] = 1
    templates[2, 1:7, 1:7] = 1
    templates[2, 3:5, 3:5] = 0
    templates[3, :, :2] = templates[3, 6:, :] = 1
    labels = np.arange(rows, dtype=np.int64) % 4
    random.shuffle(labels)
    noise = random.integers(0, 70, (rows, SIDE, SIDE))
    return (templates[labels] * 180 + noise).astype(np.uint8)[..., None], labels


def prepare(
    data_dir: Path,
    train_rows: int = 600,
    test_rows: int = 200,
    class_names: tuple[str, ...] = CLASS_NAMES,
    supervised: bool = True,
    leaked: int = 0,
) -> None:
    """Prepares the set `tiny` 1.0.0 below `data_dir`, where TensorFlow Datasets finds it by its name.

    Args:
        data_dir: the folder of prepared sets.
        train_rows: number of training images.
        test_rows: number of test images.
        class_names: by integer label.
        supervised: whether the builder declares supervised keys.
        leaked: number of test images that are also training images.
    """
    import tensorflow_datasets as tfds

    class Tiny(tfds.core.GeneratorBasedBuilder, skip_registration=True):
        """Shapes."""

        VERSION = tfds.core.Version("1.0.0")
        name = "tiny"

        def _info(self) -> tfds.core.DatasetInfo:
            return tfds.core.DatasetInfo(
                builder=self,
                features=tfds.features.FeaturesDict(
                    {
                        "image": tfds.features.Image(shape=(SIDE, SIDE, 1), dtype=np.uint8),
                        "label": tfds.features.ClassLabel(names=list(class_names)),
                    }
                ),
                supervised_keys=("image", "label") if supervised else None,
            )

        def _split_generators(self, dl_manager):
            return {"train": self._generate_examples(train_rows, 1), "test": self._generate_examples(test_rows, 2)}

        def _generate_examples(self, rows, seed):
            images, labels = shapes(rows, seed)
            if seed == 2:
                images[:leaked], labels[:leaked] = (part[:leaked] for part in shapes(train_rows, 1))
            for index, (image, label) in enumerate(zip(images, labels, strict=True)):
                yield index, {"image": image, "label": int(label)}

    tfds.disable_progress_bar()
    Tiny(data_dir=data_dir).download_and_prepare()
