"""Tables that name picture files -> the pictures and their labels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath

from components.ingest.folders.class_folders import by_name_hash
from components.ingest.folders.labelled_pictures import LabelledPictures, Picture
from components.ingest.tables.label_values import LabelValues
from components.ingest.tables.table_files import split_of
from components.ingest.tables.unpacked_tables import Tables
from serving.batch.folders.picture_walk import walk
from serving.batch.inputs.open_file import shown
from serving.batch.tables.columns import TableColumns, listed
from serving.batch.tables.table import Kind, Read, Table, import_pyarrow
from serving.errors import InputError

# Number of rows that tell which column names pictures.
SAMPLED_ROWS = 100
MAX_NAMED = 5
NOT_IN_TABLE = "in no table"


def find_named_pictures(
    root: Path, tables: Tables, columns: TableColumns, image_column: str | None
) -> LabelledPictures:
    """Finds the picture that each row names, and its label.

    A name is a path below the table's folder or the set's, or the end of one; its suffix may be missing.

    Args:
        root: the set's folder.
        tables: of each split.
        columns: of every table.
        image_column: the column of names, if the user named it; otherwise the one whose values are names of pictures.

    Raises: InputError: no column names pictures; a picture is missing, is meant twice, or has two labels; no label.
    """
    files = walk(str(root))
    index = PictureIndex(files.pictures)
    values = LabelValues(root, columns.label or "")
    found: dict[str, list[str]] = {}
    for split, table in ((split, table) for split, some in tables.items() for table in some):
        folder = table.path.parent.relative_to(root).as_posix()
        column = image_column or _file_column(root, table, columns, index, folder)
        rows = _rows(table, columns, column)
        paths = _resolved(table, index, folder, rows[column])
        labels = _labels(table, columns, column, rows)
        arrow = import_pyarrow()
        row_splits = (
            [split_of(value) or value for value in rows[columns.split]] if columns.split else [split] * len(paths)
        )
        for name in dict.fromkeys(row_splits):
            chosen = [number for number, row_split in enumerate(row_splits) if row_split == name]
            found.setdefault(name, []).extend(paths[number] for number in chosen)
            values.add(name, arrow.array([labels[number] for number in chosen], arrow.string()))
    numbers, names = values.classes(None)
    names = names or tuple(map(str, range(1 + max(int(split.max()) for split in numbers.values()))))
    pictures = {
        split: by_name_hash(_distinct(root, split, paths, numbers[split].tolist())) for split, paths in found.items()
    }
    unnamed = len(files.pictures) - len({picture.path for some in pictures.values() for picture in some})
    left_out = Counter(files.left_out)
    # Tables are read too.
    left_out.subtract(table.path.suffix.lower() for some in tables.values() for table in some)
    left_out[NOT_IN_TABLE] = unnamed
    return LabelledPictures(root, names, pictures, {kind: count for kind, count in left_out.items() if count > 0})


class PictureIndex:
    """The pictures of a folder by path, by the ends of their paths, and by these without a suffix."""

    def __init__(self, paths: Sequence[str]) -> None:
        """Takes paths below the set's folder."""
        self._paths = frozenset(paths)
        self._ends: dict[str, list[str]] = {}
        for path in paths:
            for key in {PurePosixPath(path).name, PurePosixPath(path).stem}:
                self._ends.setdefault(key, []).append(path)

    def find(self, name: str, folder: str) -> list[str]:
        """The pictures that a name may mean, as a table in a folder gives it; none, one or more."""
        plain = PurePosixPath(name.replace("\\", "/").strip())
        for exact in (str(PurePosixPath(folder) / plain), str(plain)):
            if exact in self._paths:
                return [exact]
        found = [path for path in self._ends.get(plain.name, ()) if _ends_with(path, plain)]
        found = found or list(self._ends.get(plain.name, ()))
        inside = [path for path in found if folder == "." or path.startswith(f"{folder}/")]
        return inside or found


def _ends_with(path: str, end: PurePosixPath) -> bool:
    whole = PurePosixPath(path)
    return str(whole).endswith(f"/{end}") or str(whole.with_suffix("")).endswith(f"/{end}")


def _file_column(root: Path, table: Table, columns: TableColumns, index: PictureIndex, folder: str) -> str:
    """The column whose first values are all names of pictures. Raises: InputError: there is none."""
    names = [c.name for c in table.columns if c.name not in (columns.label, columns.split) and c.kind is not Kind.OTHER]
    head = table.head(names).slice(0, SAMPLED_ROWS) if names else None
    hits = {
        name: sum(bool(index.find(value, folder)) for value in head.column(name).to_pylist() if value)
        for name in names
        if head is not None
    }
    best = max(names, key=lambda name: hits[name], default=None)
    if best is None or not hits[best]:
        raise InputError(
            f"{shown(table.path)} has the columns {listed([column.name for column in table.columns])}: none of them "
            f"holds pixels (pixel0, pixel1, …), pictures as bytes, or names of pictures below {shown(root)}: put the "
            "table beside the pictures, or name the column with --ingest.image-column"
        )
    return best


def _rows(table: Table, columns: TableColumns, column: str) -> dict[str, list[str]]:
    """The values of the columns that are read: names, labels and splits, and numbers that may be one-hot labels."""
    wanted = [column, *([columns.label] if columns.label else _others(table, columns, column))]
    wanted += [columns.split] if columns.split else []
    rows: dict[str, list[str]] = {name: [] for name in wanted}
    for batch in table.batches(dict.fromkeys(wanted, Read.TEXT)):
        for name in wanted:
            rows[name] += batch.column(name).to_pylist()
    if not rows[column]:
        raise InputError(f"{shown(table.path)} has no rows: give a table with one row for each picture")
    return rows


def _others(table: Table, columns: TableColumns, column: str) -> list[str]:
    """The columns that may be the label: the only other one, or several of numbers 0 and 1, one for each class."""
    others = [c for c in table.columns if c.name not in (column, columns.split)]
    if len(others) == 1 or (len(others) > 1 and all(c.kind is Kind.NUMBER for c in others)):
        return [c.name for c in others]
    raise InputError(
        f"{shown(table.path)} has the columns {listed([c.name for c in table.columns])}, none of them named label: say "
        "which one holds the labels with --ingest.label-column"
    )


def _labels(table: Table, columns: TableColumns, column: str, rows: Mapping[str, list[str]]) -> list[str]:
    """The label of each row as text. Raises: InputError: a row of numbers for each class has not exactly one 1."""
    names = [columns.label] if columns.label else _others(table, columns, column)
    if len(names) == 1:
        return rows[names[0]]
    labels = []
    for number, values in enumerate(zip(*(rows[name] for name in names), strict=True)):
        ones = [name for name, value in zip(names, values, strict=True) if float(value) == 1]
        if len(ones) != 1 or any(float(value) not in (0, 1) for value in values):
            raise InputError(
                f"{shown(table.path)}, row {number:,}: the columns {listed(names)} have {len(ones)} ones, a label has "
                "exactly one: leave the row out, or name the column of the labels with --ingest.label-column"
            )
        labels.append(ones[0].strip())
    return labels


def _resolved(table: Table, index: PictureIndex, folder: str, names: Sequence[str]) -> list[str]:
    """The path of the picture of each row. Raises: InputError: a picture does not exist, or several may be meant."""
    found = [index.find(name, folder) for name in names]
    missing = [name for name, paths in zip(names, found, strict=True) if not paths]
    if missing:
        more = ", …" if len(missing) > MAX_NAMED else ""
        raise InputError(
            f"{shown(table.path)} names {len(missing):,} of {len(names):,} pictures that do not exist: "
            f"{', '.join(missing[:MAX_NAMED])}{more}: add them, or leave their rows out"
        )
    for name, paths in zip(names, found, strict=True):
        if len(paths) > 1:
            raise InputError(
                f"{shown(table.path)}: {name} may be {shown(paths[0])} or {shown(paths[1])}: write the path from the "
                "table's folder"
            )
    return [paths[0] for paths in found]


def _distinct(root: Path, split: str, paths: Sequence[str], labels: Sequence[int]) -> Iterator[Picture]:
    """Each picture once. Raises: InputError: one has two labels."""
    known: dict[str, int] = {}
    for path, label in zip(paths, labels, strict=True):
        if known.setdefault(path, label) != label:
            raise InputError(f"{shown(root / path)} has two labels in {split}, a picture has one: leave such rows out")
    return (Picture(path, label) for path, label in known.items())
