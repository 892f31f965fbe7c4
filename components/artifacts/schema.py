"""Schema: shape, classes and distributions of a split, in one small file that other data are compared with."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from components.artifacts.examples import Examples
from components.artifacts.statistics import SplitStatistics
from serving.codec import FormatError, from_json, parse, to_json
from serving.errors import InputError
from serving.files import canonical_json
from serving.process.program import PIPELINE

FORMAT = 1
SCHEMA = "schema.json"


@dataclass(frozen=True)
class Schema:
    """Shape, classes and distributions of a split.

    Attributes:
        dataset: the data set's name, e.g. `mnist`.
        image_shape: (height, width, channels).
        class_names: by integer label.
        rows: number of images.
        label_counts: rows by integer label, one for each class.
        pixel_counts: pixels by channel and value, 256 for each channel.
    """

    dataset: str
    image_shape: tuple[int, int, int]
    class_names: tuple[str, ...]
    rows: int
    label_counts: tuple[int, ...]
    pixel_counts: tuple[tuple[int, ...], ...]

    @classmethod
    def of(cls, examples: Examples, counted: SplitStatistics) -> Self:
        """The schema of a split with these statistics; labels that are not a class are left out."""
        return cls(
            dataset=examples.dataset,
            image_shape=examples.image_shape,
            class_names=examples.class_names,
            rows=counted.rows,
            label_counts=tuple(counted.label_counts.get(label, 0) for label in range(len(examples.class_names))),
            pixel_counts=counted.pixel_counts,
        )

    def __post_init__(self) -> None:
        """Refuses counts that do not match each other or the range of int64. Raises: ValueError."""
        if len(self.label_counts) != len(self.class_names):
            raise ValueError(f"{len(self.label_counts)} label_counts do not match {len(self.class_names)} class_names")
        if any(len(channel) != 256 for channel in self.pixel_counts):
            raise ValueError("pixel_counts must hold 256 counts for each channel")
        pixels = (count for channel in self.pixel_counts for count in channel)
        for count in (self.rows, *self.image_shape, *self.label_counts, *pixels):
            if not 0 <= count < 1 << 63:
                raise ValueError(f"counts must be from 0 to 2⁶³ - 1, one is {count}")

    @classmethod
    def load(cls, file: Path) -> Self:
        """Reads a schema that a person gave. Raises: InputError: the file cannot be read, or is not a schema."""
        remedy = f"write a schema with {PIPELINE} schema RUN --out FILE"
        try:
            return cls.parse(file.read_bytes(), file)
        except OSError as error:
            raise InputError(f"schema {file} cannot be read ({error.strerror}): {remedy}") from error
        except FormatError as error:
            raise InputError(f"{error}; {remedy}") from error

    @classmethod
    def parse(cls, content: bytes, where: str | Path) -> Self:
        """Reads the JSON of `to_json`. Raises: FormatError: it does not hold a schema of this format."""
        values = parse(dict[str, Any], content, where)
        if (found := values.pop("format", None)) != FORMAT:
            raise FormatError(f"{where}: the schema has format {found!r}, this release reads format {FORMAT}")
        return from_json(cls, values, where)

    def to_json(self) -> dict[str, Any]:
        """The content of the file."""
        return {"format": FORMAT, **to_json(self)}

    def digest(self) -> str:
        """SHA-256 of the content of the file."""
        return hashlib.sha256(canonical_json(self.to_json()).encode()).hexdigest()
