"""Reading tables as ingest does."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from components.ingest.ingest import Params, source_of
from components.ingest.read_options import ReadOptions
from components.ingest.read_plan import ReadPlan
from components.run_context import RunContext
from serving.errors import InputError


def plan(path: Path, kind: str = "table", **options) -> ReadPlan:
    """The plan of a set; unpacked files go into a new folder beside it."""
    scratch = path.parent / f"scratch-{len(list(path.parent.glob('scratch-*')))}"
    scratch.mkdir()
    source = source_of(Params(dataset=f"{kind}:{path.name}", **options), RunContext(source=path))
    source.prepare()
    assert source.fingerprint()
    return source.plan(ReadOptions(**options), scratch)


def rows(planned: ReadPlan, split: str) -> tuple[np.ndarray, np.ndarray]:
    """All images and labels of a split, in order."""
    parts = [reader.read() for reader in planned.readers if reader.split == split]
    images, labels = zip(*parts, strict=True)
    return np.concatenate(images), np.concatenate(labels)


def refusal(path: Path, **options) -> str:
    """The sentence that a set is refused with."""
    try:
        planned = plan(path, **options)
        for reader in planned.readers:
            reader.read()
    except InputError as error:
        return str(error)
    raise AssertionError(f"{path} was read")


def same_rows(found: tuple[np.ndarray, np.ndarray], images: np.ndarray, labels: np.ndarray) -> bool:
    """Whether the same images with the same labels were found, in any order."""

    def keys(images: np.ndarray, labels: np.ndarray) -> list[tuple[bytes, int]]:
        return sorted((image.tobytes(), int(label)) for image, label in zip(images, labels, strict=True))

    return keys(*found) == keys(images, labels)
