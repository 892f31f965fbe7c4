"""Source: a data set of images with one label each, as the user named it; LocalSource: one in a file or folder."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from components.ingest.local_path import default_model_name, path_name
from components.ingest.read_options import ReadOptions
from serving.batch.inputs.open_file import shown

if TYPE_CHECKING:
    from components.ingest.read_plan import ReadPlan


@dataclass(frozen=True)
class MissingReason:
    """Why a data set cannot be obtained: where the data were searched and why they were not found, and what to do."""

    cause: str
    remedy: str


class Source(ABC):
    """A data set of images with one label each, as the user named it."""

    @property
    @abstractmethod
    def model(self) -> str:
        """The default name of its models: a valid folder name, unique to this data set."""

    @property
    @abstractmethod
    def availability(self) -> str:
        """The end of a sentence after the set's name: `is prepared in FOLDER`."""

    @property
    @abstractmethod
    def prepare_folder(self) -> Path | None:
        """The folder that `prepare` writes to; None if nothing has to be written."""

    @abstractmethod
    def fingerprint(self) -> Mapping[str, str] | None:
        """What identifies the data, without decoding them; None while they are not prepared.

        Two sets with the same fingerprint have the same content, in any folder. Digests of unchanged files are cached.

        Raises:
            InputError: the files are not those of a data set, or --manual-dir does not hold its original files.
        """

    @abstractmethod
    def prepare(self) -> None:
        """Prepares the data for `plan`.

        Raises:
            InputError: no such set, or --manual-dir does not hold its original files.
            BeamlineError: the data cannot be obtained.
        """

    @abstractmethod
    def missing_reason(self) -> MissingReason | None:
        """Why the data cannot be obtained; None if they are prepared or `prepare` can obtain them.

        Raises:
            InputError: --manual-dir does not hold the original files.
        """

    @abstractmethod
    def plan(self, options: ReadOptions, scratch: Path) -> ReadPlan:
        """Reads names, sizes and types, and plans how to read the rows.

        Args:
            options: which rows to read, and how.
            scratch: a folder for unpacked files, which the readers need until all blocks are read.

        Raises:
            InputError: no such split, no rows, rows in both splits, images of different shapes, or other data.
        """


@dataclass(frozen=True)
class LocalSource(Source):
    """A data set that is only read, and needs no preparation.

    Attributes:
        path: the path of the file or folder.
        digest_cache: the folder that keeps digests of unchanged files; None keeps none.
    """

    path: Path
    digest_cache: Path | None = None

    @property
    def name(self) -> str:
        """The last component of the path, without .npz."""
        return path_name(self.path)

    @property
    def model(self) -> str:
        """The last component of the path, and six hex digits of the digest of the whole path."""
        return default_model_name(self.path)

    @property
    def availability(self) -> str:
        """The end of a sentence after the set's name: `is in PATH`."""
        return f"is in {shown(self.path)}"

    @property
    def prepare_folder(self) -> Path | None:
        """None: nothing has to be written."""
        return None

    def missing_reason(self) -> MissingReason | None:
        """None: a path that does not exist is a mistake of the user."""
        return None
