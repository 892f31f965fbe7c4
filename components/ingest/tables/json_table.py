"""JsonTable: names of picture files and their labels in JSON: records, a mapping, or annotations of COCO."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from components.ingest.tables.table_files import split_of
from serving.batch.inputs.open_file import shown
from serving.batch.tables.table import Column, Kind, Read, Table, import_pyarrow, require_no_gaps
from serving.errors import InputError

if TYPE_CHECKING:
    import pyarrow

FILE, LABEL = "file_name", "label"
COCO = {"images", "annotations", "categories"}
FORMS = (
    'give a list of objects such as {"file_name": "a.png", "label": "cat"}, one such object on each line, one object '
    'of names and labels {"a.png": "cat"}, or COCO annotations'
)


@dataclass(frozen=True, eq=False, kw_only=True)
class JsonTable(Table):
    """Records with text in each column; `records` are in memory, because they hold no pixels."""

    records: Sequence[Mapping[str, str | None]]

    @classmethod
    def open(cls, path: Path) -> Self:
        """Reads the whole file. Raises: InputError: it is not JSON, or holds no records of text and numbers."""
        try:
            text = path.read_text(encoding="utf-8-sig")
        except (OSError, ValueError) as error:
            raise InputError(f"{shown(path)} cannot be read as text in UTF-8 ({error}): save it as such") from error
        records = _records(path, _parsed(path, text))
        names = dict.fromkeys(name for record in records for name in record)
        if not names:
            raise InputError(f"{shown(path)} has no rows: {FORMS}")
        return cls(path=path, columns=[Column(name, Kind.TEXT) for name in names], class_names={}, records=records)

    def batches(self, reads: Mapping[str, Read]) -> Iterator[pyarrow.RecordBatch]:
        """Yields all rows at once."""
        arrow = import_pyarrow()
        columns = [arrow.array([record.get(name) for record in self.records], arrow.string()) for name in reads]
        batch = arrow.record_batch(columns, list(reads))
        require_no_gaps(self, batch, 0)
        yield batch


def _parsed(path: Path, text: str) -> Any:
    def distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            name = next(name for name, count in Counter(name for name, _ in pairs).items() if count > 1)
            raise InputError(f"{shown(path)} has {name!r} twice in one object: leave one of them out")
        return found

    try:
        return json.loads(text, object_pairs_hook=distinct)
    except ValueError as whole:
        try:
            return [json.loads(line, object_pairs_hook=distinct) for line in text.split("\n") if line.strip()]
        except ValueError:
            raise InputError(f"{shown(path)} is not valid JSON ({whole}): {FORMS}") from whole


def _records(path: Path, content: Any) -> Sequence[Mapping[str, str | None]]:
    if isinstance(content, dict) and content.keys() >= COCO:
        return _coco_records(path, content)
    if isinstance(content, dict) and all(isinstance(value, str | int) for value in content.values()):
        return [{FILE: name, LABEL: str(value)} for name, value in content.items()]
    if isinstance(content, dict) and all(_is_list_of_text(value) for value in content.values()):
        if all(split_of(name) for name in content):
            raise InputError(f"{shown(path)} lists the pictures of splits, but not their classes: {FORMS}")
        return [{FILE: name, LABEL: label} for label, names in content.items() for name in names]
    if isinstance(content, list) and all(isinstance(record, dict) for record in content):
        # A value of another kind is missing when its column is read.
        return [
            {name: str(value) if isinstance(value, str | int | float) else None for name, value in record.items()}
            for record in content
        ]
    raise InputError(f"{shown(path)} holds no labels in a known form: {FORMS}")


def _is_list_of_text(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _coco_records(path: Path, content: Mapping[str, Any]) -> list[dict[str, str]]:
    """One record for each image with the only category of its annotations. Raises: InputError: there are several."""
    try:
        for part in ("categories", "images"):
            _require_distinct(path, part, [item["id"] for item in content[part]])
        names = {category["id"]: str(category["name"]) for category in content["categories"]}
        files = {image["id"]: str(image["file_name"]) for image in content["images"]}
        found: dict[Any, set[str]] = {}
        for annotation in content["annotations"]:
            found.setdefault(annotation["image_id"], set()).add(names[annotation["category_id"]])
    except (KeyError, TypeError) as error:
        raise InputError(f"{shown(path)} is not complete as COCO annotations ({error!r}): write it again") from error
    several = [files[image] for image, labels in found.items() if len(labels) > 1 and image in files]
    if several:
        raise InputError(
            f"{shown(path)}: {len(several):,} of {len(files):,} images have objects of several categories, e.g. "
            f"{several[0]}: an image has one class: cut each object out into a picture of its own, or leave these "
            "images out"
        )
    without = [name for image, name in files.items() if image not in found]
    if without:
        raise InputError(
            f"{shown(path)}: {len(without):,} of {len(files):,} images have no annotation, e.g. {without[0]}: leave "
            "them out, or add a category for them"
        )
    return [{FILE: files[image], LABEL: labels.copy().pop()} for image, labels in found.items() if image in files]


def _require_distinct(path: Path, part: str, identifiers: Sequence[Any]) -> None:
    """Refuses one id of two objects: the second would replace the first. Raises: InputError."""
    identifier, count = max(Counter(identifiers).items(), key=lambda item: item[1], default=(None, 0))
    if count > 1:
        raise InputError(f"{shown(path)} has {count:,} {part} with the id {identifier!r}: give each its own")
