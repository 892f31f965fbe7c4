"""Scores -> a file of predictions, which appears whole, beside a sidecar that says what made it."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
from abc import ABC, abstractmethod
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from serving.errors import InputError
from serving.files import fsync_folder, replace_json, sha256_file
from serving.interrupts import finishing
from serving.scorer import Scores


class PredictionsWriter(ABC):
    """Writes into a staged file beside the target; `commit` puts it in place, leaving without it removes it."""

    def __init__(self, target: Path, rows: int, labels: tuple[str, ...], with_probabilities: bool) -> None:
        """Opens the staged file.

        Args:
            target: where the predictions shall stand.
            rows: how many there will be.
            labels: the class names by integer label.
            with_probabilities: whether each row carries the probability of every class.

        Raises:
            InputError: the folder does not exist or may not be written.
        """
        self.target = target
        self._rows = rows
        self._labels = labels
        self._with_probabilities = with_probabilities
        self._written = 0
        self._digest = hashlib.sha256()
        self._staged = target.with_name(f".{target.name}.{os.getpid()}")
        try:
            self._file = self._staged.open("wb")
        except OSError as error:
            raise InputError(
                f"{target} cannot be written: {error.strerror}: give another place with --out FILE"
            ) from error
        self._append(self._header())

    @abstractmethod
    def _header(self) -> bytes:
        """What stands before the first row."""

    @abstractmethod
    def _encode(self, scores: Scores, first_index: int) -> bytes:
        """The rows of one block; `first_index` is the index of its first image in the whole input."""

    def write(self, scores: Scores) -> None:
        """Adds the predictions of the next images, in their order."""
        self._append(self._encode(scores, self._written))
        self._written += len(scores.labels)

    def commit(self, facts: dict[str, Any]) -> None:
        """Flushes the predictions and puts them in place, with the sidecar `<target>.json`.

        Args:
            facts: what the sidecar says besides the predictions' own digest.
        """
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        # The sidecar goes first and vouches for what it replaces too: after a crash in between, what stands
        # there is still known to be ours.
        replaced = sha256_file(self.target) if self.target.is_file() else None
        digests = {"output_sha256": self._digest.hexdigest(), "replaces_sha256": replaced}
        with finishing():
            replace_json(sidecar_of(self.target), {**facts, **digests})
            os.replace(self._staged, self.target)
            fsync_folder(self.target.parent)

    def _append(self, content: bytes) -> None:
        self._digest.update(content)
        self._file.write(content)

    def __enter__(self) -> Self:
        """The writer itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Removes what was staged and not committed."""
        try:
            self._file.close()
        finally:
            self._staged.unlink(missing_ok=True)


class CsvWriter(PredictionsWriter):
    """`index,label,class,confidence`, then `p0…`: label an integer, probabilities with 7 digits."""

    def _header(self) -> bytes:
        # Class names come from outside: the csv module knows when a name needs quotes.
        self._named = [_csv_line([label, name]) for label, name in enumerate(self._labels)]
        columns = ["index", "label", "class", "confidence"]
        if self._with_probabilities:
            columns += [f"p{label}" for label in range(len(self._labels))]
        return (_csv_line(columns) + "\n").encode()

    def _encode(self, scores: Scores, first_index: int) -> bytes:
        named = self._named
        lines = [
            f"{index},{named[label]},{confidence:.7g}"
            for index, (label, confidence) in enumerate(
                zip(scores.labels.tolist(), scores.confidences.tolist(), strict=True), start=first_index
            )
        ]
        if self._with_probabilities:
            lines = [
                line + "".join(f",{p:.7g}" for p in row)
                for line, row in zip(lines, scores.probabilities.tolist(), strict=True)
            ]
        return "".join(line + "\n" for line in lines).encode()


class NpyWriter(PredictionsWriter):
    """Labels int64 (n,), or with probabilities float32 (n, classes)."""

    def _header(self) -> bytes:
        shape: tuple[int, ...] = (self._rows,)
        dtype = "<i8"
        if self._with_probabilities:
            shape, dtype = (self._rows, len(self._labels)), "<f4"
        header = io.BytesIO()
        np.lib.format.write_array_header_1_0(header, {"descr": dtype, "fortran_order": False, "shape": shape})
        return header.getvalue()

    def _encode(self, scores: Scores, first_index: int) -> bytes:
        if self._with_probabilities:
            return scores.probabilities.astype("<f4").tobytes()
        return scores.labels.astype("<i8").tobytes()


WRITERS: dict[str, type[PredictionsWriter]] = {".csv": CsvWriter, ".npy": NpyWriter}


def writer_for(target: Path) -> type[PredictionsWriter]:
    """The writer of the format that the file's name ends in. Raises: InputError."""
    try:
        return WRITERS[target.suffix]
    except KeyError:
        raise InputError(f"--out {target} ends in {target.suffix!r}: give a name that ends in .csv or .npy") from None


def require_replaceable(target: Path, images: Path, overwrite: bool) -> None:
    """Refuses to write over anything but an output of ours, known by its sidecar and unchanged.

    Args:
        target: where predictions shall stand.
        images: the input, which is never written over.
        overwrite: whether a file that is not ours may be replaced too.

    Raises:
        InputError: the target is the input, a folder, or a file that is somebody else's or was edited since.
    """
    sidecar = sidecar_of(target)
    for file in (target, sidecar):
        if file.exists() and (file.is_dir() or file.samefile(images)):
            what = "is a folder" if file.is_dir() else "is the input itself"
            raise InputError(f"--out {target}: {file} {what}: give another name for the predictions")
    if overwrite or not (target.exists() or sidecar.exists()):
        return
    try:
        said = json.loads(sidecar.read_text(encoding="utf-8"))
        ours = [said["output_sha256"], said["replaces_sha256"]]
    except (OSError, ValueError, KeyError, TypeError):
        ours = []
    if not ours or (target.exists() and sha256_file(target) not in ours):
        raise InputError(
            f"{target} exists and its sidecar {sidecar.name} does not show it to be an output of this command: "
            "move both away, give another place with --out FILE, or replace them with --overwrite"
        )


def sidecar_of(target: Path) -> Path:
    """The file that says what made an output: `<output>.json`."""
    return target.with_name(target.name + ".json")


def _csv_line(values: list[Any]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="\r\n").writerow(values)
    return line.getvalue().removesuffix("\r\n")
