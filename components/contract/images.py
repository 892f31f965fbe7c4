"""The rules of the images of one split: type, shape, values."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from components.artifacts.anomalies import Anomaly
from components.artifacts.statistics import SplitStatistics
from components.contract.rows import Describe, odd_rows, share

# Of each kind of image that is none, what they have, and what a row's value is.
ODD = {
    "nan": ("have pixels that are no finite numbers", " has {:,.0f}"),
    "range": ("have pixels outside 0 to 255", " has {:.15g}"),
}


def find_in_images(
    split: str, counted: SplitStatistics, image_shape: tuple[int, int, int], describe: Describe
) -> Iterator[Anomaly]:
    """What is wrong with the images of a split.

    Args:
        split: its name.
        counted: its statistics.
        image_shape: (height, width, channels) that every image should have.
        describe: a row in words.
    """
    for seen in sorted(counted.image_types):
        dtype, shape = seen.split(" ", 1)
        if dtype != "uint8":
            yield Anomaly(
                "type", split, f"images are {dtype}, the pipeline takes uint8: save them as 0 to 255 of that type"
            )
        if shape != str(image_shape):
            yield Anomaly("shape", split, f"images have shape {shape}, the data set declares {image_shape}")
    for kind, (what, each) in ODD.items():
        if kind in counted.odd:
            odd = counted.odd[kind]
            yield odd_rows(kind, split, odd, f"{share(odd.rows, counted.rows, 'images')} {what}", each, describe)
    if "constant" in counted.odd:
        odd = counted.odd["constant"]
        said = f"{share(odd.rows, counted.rows, 'images')} have one value throughout"
        # Nothing is learned from such an image, and nothing breaks.
        yield replace(odd_rows("constant", split, odd, said, " is {:.15g}", describe), severity="warn")
