"""A set's name -> the original files that TFDS has registered for it, and a check of a folder that holds them."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.machinery import PathFinder
from pathlib import Path

from serving.errors import BeamlineError, InputError
from serving.files import sha256_file


@dataclass(frozen=True)
class RegisteredFile:
    """An original file of a data set, as registered in TFDS: its name, its digest, and where it can be fetched."""

    name: str
    sha256: str
    url: str


def registered_files(name: str) -> tuple[RegisteredFile, ...]:
    """The original files of a set; empty if TFDS has registered none."""
    found = PathFinder.find_spec("tensorflow_datasets")
    if found is None or found.origin is None:
        raise BeamlineError("tensorflow-datasets is not installed: pip install '.[pipeline]' in Beamline's folder")
    package = Path(found.origin).parent
    for file in (package / "url_checksums" / f"{name}.txt", package / "datasets" / name / "checksums.tsv"):
        if file.is_file():
            rows = [line.split("\t") for line in file.read_text(encoding="utf-8").splitlines() if line]
            return tuple(RegisteredFile(name=row[3], sha256=row[2], url=row[0]) for row in rows if len(row) > 3)
    return ()


def require_files(folder: Path, files: tuple[RegisteredFile, ...], dataset: str, check_digests: bool) -> None:
    """Checks that the folder of --manual-dir holds the files, and, if `check_digests` is set, their content.

    Raises:
        InputError: no such folder, a file is missing, or a file has another digest.
    """
    if not folder.is_dir():
        raise InputError(f"--manual-dir {folder} is not a folder: give the folder with the files of {dataset}")
    if missing := [file.name for file in files if not (folder / file.name).is_file()]:
        raise InputError(
            f"--manual-dir {folder} has no {', '.join(missing)}: put {'it' if len(missing) == 1 else 'them'} there"
        )
    for file in files if check_digests else ():
        if (got := sha256_file(folder / file.name)) != file.sha256:
            raise InputError(
                f"{folder / file.name} has SHA-256 {got}, {dataset} needs {file.sha256}: fetch the file again"
            )
