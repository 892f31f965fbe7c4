"""Table: rows with named columns, read in batches; and what its columns hold."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, NamedTuple

from serving.batch.inputs.open_file import shown
from serving.errors import InputError

if TYPE_CHECKING:
    import pyarrow

# The size of the text, and the number of encoded pictures, that are in memory at once.
BATCH_BYTES = 1 << 22
PICTURES_PER_BATCH = 256


class Kind(Enum):
    """What the values of a column are.

    PICTURE is bytes, alone or in a record with a field `bytes`, as the Hugging Face Hub stores pictures.
    """

    NUMBER = "numbers"
    TEXT = "text"
    PICTURE = "pictures"
    OTHER = "other values"


class Column(NamedTuple):
    """A column: its name, and what its values are."""

    name: str
    kind: Kind


class Read(Enum):
    """The type in which the values of a column are read.

    PIXEL is uint8, TEXT a string, BYTES the content of a picture.
    """

    PIXEL = "pixel"
    TEXT = "text"
    BYTES = "bytes"


@dataclass(frozen=True, eq=False, kw_only=True)
class Table(ABC):
    """A file with rows.

    Attributes:
        path: the file, for messages too.
        columns: in their order in the file; the names differ.
        has_header: whether the file names its columns; otherwise they are named by their positions, from 0.
        class_names: the names of the classes by label, of columns for which the file declares them.
        file_column: the column of the picture's own file name; None if the rows are not files.
    """

    path: Path
    columns: Sequence[Column]
    has_header: bool = True
    class_names: Mapping[str, tuple[str, ...]]
    file_column: str | None = None

    @abstractmethod
    def batches(self, reads: Mapping[str, Read]) -> Iterator[pyarrow.RecordBatch]:
        """Yields the rows in order, some at a time: the given columns, in the given order.

        Raises:
            InputError: the file is damaged, or a value has another type, is missing, or is not from 0 to 255.
        """

    def head(self, names: Sequence[str]) -> pyarrow.RecordBatch:
        """The first rows of some columns as text. Raises: InputError: as `batches`; or there are no rows."""
        for batch in self.batches(dict.fromkeys(names, Read.TEXT)):
            if len(batch):
                return batch
        raise InputError(f"{shown(self.path)} has no rows: give a table with one row for each image")

    def damaged(self, error: Exception) -> InputError:
        """The error of a file that cannot be read as a table."""
        reason = str(error).partition("\n")[0].rstrip(".") or type(error).__name__
        return InputError(f"{shown(self.path)} is damaged ({reason}): write or copy it again")

    def unfit(self, column: str, found: str, row: int | None = None) -> InputError:
        """The error of a value that cannot be a pixel or a label."""
        where = "" if row is None else f", row {row:,}"
        return InputError(
            f"{shown(self.path)}, column {column}{where}: {found}; pixels are whole numbers from 0 to 255, and labels "
            'are not empty: correct it, or save pixels with .astype("uint8"), after multiplying by 255 if they range '
            "from 0 to 1"
        )


def require_no_gaps(table: Table, batch: pyarrow.RecordBatch, first_row: int) -> None:
    """Refuses missing values; an empty text is one too. Raises: InputError."""
    arrow = import_pyarrow()
    for name, values in zip(batch.schema.names, batch.columns, strict=True):
        missing = values.is_null()
        if arrow.types.is_string(values.type):
            missing = arrow.compute.or_kleene(missing, arrow.compute.equal(values, ""))
        row = arrow.compute.index(missing, True).as_py()
        if row >= 0:
            raise table.unfit(name, "there is no value", first_row + row)


def require_distinct_columns(path: Path, names: Sequence[str]) -> None:
    """Refuses columns of one name: readers take only the last. Raises: InputError."""
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise InputError(f"{shown(path)} has two columns {name!r}: rename one of them")
        seen.add(name)


def import_pyarrow() -> ModuleType:
    """The module pyarrow with its computations. Raises: InputError: it is not installed."""
    try:
        import pyarrow
        import pyarrow.compute
    except ModuleNotFoundError as error:
        raise InputError(
            "tables need pyarrow, which is not installed: pip install pyarrow, or save the images with numpy.save"
        ) from error
    module: ModuleType = pyarrow
    return module
