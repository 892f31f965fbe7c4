"""Reference: what the images and labels of a split are like, in one small file that others are held against."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from components.artifacts.examples import Examples
from components.artifacts.statistics import SplitStatistics
from serving.errors import InputError
from serving.files import canonical_json

FORMAT = 1
SCHEMA = "schema.json"


@dataclass(frozen=True)
class Reference:
    """What a split is like.

    Attributes:
        dataset: the data set's name, e.g. `mnist`.
        image_shape: (height, width, channels).
        class_names: by integer label.
        rows: number of images.
        label_counts: rows by integer label, one a class.
        pixel_counts: pixels by channel and value, 256 a channel.
    """

    dataset: str
    image_shape: tuple[int, int, int]
    class_names: tuple[str, ...]
    rows: int
    label_counts: tuple[int, ...]
    pixel_counts: tuple[tuple[int, ...], ...]

    @classmethod
    def of(cls, examples: Examples, counted: SplitStatistics) -> Self:
        """What a split's statistics say; labels that are no class are not in it."""
        return cls(
            dataset=examples.dataset,
            image_shape=examples.image_shape,
            class_names=examples.class_names,
            rows=counted.rows,
            label_counts=tuple(counted.label_counts.get(label, 0) for label in range(len(examples.class_names))),
            pixel_counts=tuple(tuple(channel) for channel in counted.pixel_counts.tolist()),
        )

    @classmethod
    def load(cls, file: Path) -> Self:
        """Reads what `to_json` said. Raises: InputError: the file cannot be read, or is no such file."""
        remedy = "write one with python -m pipeline schema RUN --out FILE"
        try:
            return cls.parse(file.read_bytes())
        except OSError as error:
            raise InputError(f"schema {file} cannot be read ({error.strerror}): {remedy}") from error
        except ValueError as error:
            raise InputError(f"{file} is no schema ({error}): {remedy}") from error

    @classmethod
    def parse(cls, content: bytes) -> Self:
        """Reads what `to_json` said. Raises: ValueError: it says something else, and what."""
        try:
            said = json.loads(content)
            if said["format"] != FORMAT:
                raise ValueError(f"it has format {said['format']!r}, this release reads {FORMAT}")
            reference = cls(
                dataset=said["dataset"],
                image_shape=tuple(said["image_shape"]),
                class_names=tuple(said["class_names"]),
                rows=said["rows"],
                label_counts=tuple(said["label_counts"]),
                pixel_counts=tuple(tuple(channel) for channel in said["pixel_counts"]),
            )
        except KeyError as error:
            raise ValueError(f"it has no {error.args[0]}") from error
        except (TypeError, AttributeError, RecursionError) as error:
            raise ValueError(f"it is damaged: {error}") from error
        if (field := reference._wrong()) is not None:
            raise ValueError(f"its {field} is damaged")
        return reference

    def to_json(self) -> dict[str, Any]:
        """As it is written to JSON."""
        return {"format": FORMAT, **asdict(self)}

    def digest(self) -> str:
        """SHA-256 of what is written."""
        return hashlib.sha256(canonical_json(self.to_json()).encode()).hexdigest()

    def _wrong(self) -> str | None:
        """The field that cannot be as `of` makes it; None where all are."""
        channels = self.pixel_counts
        right = {
            "dataset": isinstance(self.dataset, str),
            "image_shape": len(self.image_shape) == 3 and _are_counts(self.image_shape),
            "class_names": all(isinstance(name, str) for name in self.class_names),
            "rows": _are_counts([self.rows]),
            "label_counts": len(self.label_counts) == len(self.class_names) and _are_counts(self.label_counts),
            "pixel_counts": all(len(channel) == 256 and _are_counts(channel) for channel in channels),
        }
        return next((field for field, holds in right.items() if not holds), None)


def _are_counts(values: Sequence[Any]) -> bool:
    return all(type(value) is int and 0 <= value < 1 << 63 for value in values)
