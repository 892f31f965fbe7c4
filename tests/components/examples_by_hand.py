"""Examples with chosen pixels."""

from __future__ import annotations

from components.artifacts.block_files import write_block
from components.artifacts.examples import Examples


def write_examples(folder, splits, class_names, block_rows=1000):
    blocks = {}
    for split, (images, labels) in splits.items():
        starts = range(0, len(images), block_rows)
        blocks[split] = tuple(
            write_block(folder, split, index, [(images[start:stop], labels[start:stop])])
            for index, (start, stop) in enumerate((start, start + block_rows) for start in starts)
        )
    shape = splits["train"][0].shape[1:]
    return Examples(
        path=folder, dataset="by-hand", version="1.0.0", class_names=class_names, image_shape=shape, blocks=blocks
    ).save()
