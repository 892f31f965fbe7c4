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
from serving.batch.folders.picture_walk import FoundFiles, walk
from serving.batch.inputs.open_file import shown
from serving.batch.tables.columns import TableColumns, listed
from serving.batch.tables.table import Kind, Read, Table, import_pyarrow
from serving.errors import InputError

# Number of rows that tell which column names pictures.
SAMPLED_ROWS = 100
MAX_NAMED = 5
# The values of columns that are one class each.
BITS = {"0": False, "0.0": False, "false": False, "1": True, "1.0": True, "true": True}
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
        row_splits = _row_splits(columns, rows, [split] * len(paths))
        for name in dict.fromkeys(row_splits):
            chosen = [number for number, row_split in enumerate(row_splits) if row_split == name]
            found.setdefault(name, []).extend(paths[number] for number in chosen)
            values.add(name, arrow.array([labels[number] for number in chosen], arrow.string()))
    numbers, names = values.classes(None)
    names = names or tuple(map(str, range(1 + max(int(split.max()) for split in numbers.values()))))
    pictures = {
        split: by_name_hash(_distinct(root, split, paths, numbers[split].tolist())) for split, paths in found.items()
    }
    _require_apart(root, pictures)
    return LabelledPictures(root, names, pictures, _left_out(files, tables, sum(map(len, pictures.values()))))


def _left_out(files: FoundFiles, tables: Tables, named: int) -> dict[str, int]:
    """The number of files that are not read, by kind; tables are read too."""
    left_out = Counter(files.left_out)
    left_out.subtract(table.path.suffix.lower() for some in tables.values() for table in some)
    left_out[NOT_IN_TABLE] = len(files.pictures) - named
    return {kind: count for kind, count in left_out.items() if count > 0}


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
        named = self._ends.get(plain.name, ())
        found = [path for path in named if _ends_with(path, plain)]
        if not found:
            # The table was written where the pictures lay in other folders: the longest end of the name is meant.
            ends = [path for path in named if _is_end_of(path, plain)]
            found = [path for path in ends if path.count("/") == max(end.count("/") for end in ends)]
        inside = [path for path in found if folder == "." or path.startswith(f"{folder}/")]
        return inside or found


def _ends_with(path: str, end: PurePosixPath) -> bool:
    whole = PurePosixPath(path)
    return str(whole).endswith(f"/{end}") or str(whole.with_suffix("")).endswith(f"/{end}")


def _is_end_of(path: str, whole: PurePosixPath) -> bool:
    return f"/{whole}".endswith((f"/{path}", f"/{PurePosixPath(path).with_suffix('')}"))


def _file_column(root: Path, table: Table, columns: TableColumns, index: PictureIndex, folder: str) -> str:
    """The column whose first values are all names of pictures. Raises: InputError: there is none."""
    names = [c.name for c in table.columns if c.name not in (columns.label, columns.split) and c.kind is not Kind.OTHER]
    heads = {name: _head(table, name) for name in names}
    found = {name: [paths for value in heads[name] if (paths := index.find(value, folder))] for name in names}
    # Numbers of rows or classes may be names too: those with the most pictures, and text, are the names.
    kinds = dict(table.columns)
    ranks = {name: (len(paths), len(set(map(tuple, paths))), kinds[name] is Kind.TEXT) for name, paths in found.items()}
    best = max(names, key=lambda name: ranks[name], default=None)
    if best is not None and not any(heads.values()):
        # Raises with the reason.
        table.head([best])
    if best is None or not found[best]:
        raise InputError(
            f"{shown(table.path)} has the columns {listed([column.name for column in table.columns])}: none of them "
            f"holds pixels (pixel0, pixel1, …), pictures as bytes, or names of pictures below {shown(root)}: put the "
            "table beside the pictures, or name the column with --ingest.image-column"
        )
    for name in names:
        if ranks[name] == ranks[best] and found[name] != found[best]:
            raise InputError(
                f"{shown(table.path)}: the columns {listed([best, name])} name different pictures: say which one holds "
                "the names of the images with --ingest.image-column"
            )
    if table.has_header and index.find(best, folder):
        raise InputError(
            f"{shown(table.path)} has the picture {best} in its first line: put a line with the names of the columns, "
            "e.g. file and label, above it"
        )
    return best


def _head(table: Table, name: str) -> list[str]:
    """The first values of a column; none if some are missing, as a name of a picture never is."""
    try:
        values: list[str] = table.head([name]).column(0).slice(0, SAMPLED_ROWS).to_pylist()
    except InputError:
        return []
    return values


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


def _row_splits(columns: TableColumns, rows: Mapping[str, list[str]], otherwise: list[str]) -> list[str]:
    """The split of each row by the column of splits, if there is one."""
    return otherwise if columns.split is None else [split_of(value) or value for value in rows[columns.split]]


def _labels(table: Table, columns: TableColumns, column: str, rows: Mapping[str, list[str]]) -> list[str]:
    """The label of each row as text. Raises: InputError: a row of numbers for each class has not exactly one 1."""
    names = [columns.label] if columns.label else _others(table, columns, column)
    if len(names) == 1:
        return rows[names[0]]
    labels = []
    for number, values in enumerate(zip(*(rows[name] for name in names), strict=True)):
        bits = [BITS.get(value.lower()) for value in values]
        ones = [name for name, bit in zip(names, bits, strict=True) if bit]
        if len(ones) != 1 or None in bits:
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


def _require_apart(root: Path, splits: Mapping[str, Sequence[Picture]]) -> None:
    """Refuses a picture in two splits: the test would be one of what was learned. Raises: InputError."""
    known: dict[str, str] = {}
    for split, pictures in splits.items():
        for picture in pictures:
            if picture.path in known:
                raise InputError(
                    f"{shown(root / picture.path)} is in the splits {known[picture.path]} and {split}: leave it out of "
                    "one of them"
                )
            known[picture.path] = split
