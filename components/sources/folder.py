"""A folder with a folder for each class: `--dataset folder:PATH`."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from components.sources import naming
from components.sources.class_folders import ClassFolders, Picture, find_pictures
from components.sources.content import content_digest
from components.sources.header import read_header
from components.sources.resize import resize
from components.sources.slicing import choose_rows, cut
from components.sources.source import Images, Labels, Lack, Opened, Slice, Source, Wanted
from serving.errors import InputError
from serving.inputs.open_file import shown
from serving.inputs.picture import MAX_PICTURE_BYTES, decode, read_size

# Of pictures before they are resized: those of one size are resized together, which takes a tenth of the time.
WAITING_BYTES = 1 << 22
# Of one picture; more is a mistake or an attack, of which Pillow warns a little later.
MAX_PIXELS = 80_000_000
# Bad pictures that are named.
NAMED = 20


@dataclass(frozen=True)
class FolderSlice(Slice):
    """Pictures of one block.

    Attributes:
        root: the set's folder.
        names: of the pictures below it.
        labels: of the same.
        image_shape: (height, width, channels) of every image.
        resize: whether pictures may have another size than that, and get it.
    """

    root: Path
    names: tuple[str, ...]
    labels: tuple[int, ...]
    image_shape: tuple[int, int, int]
    resize: bool

    @property
    def files(self) -> tuple[str, ...]:
        r"""Each picture's path below the set's folder; bytes that are no UTF-8 are written as \xff."""
        return tuple(map(shown, self.names))

    def read(self) -> tuple[Images, Labels]:
        """Decodes the pictures with the scorer's own decoder: uint8 (n, h, w, c) and int64 (n,)."""
        images = np.empty((len(self.names), *self.image_shape), np.uint8)
        waiting: dict[tuple[int, ...], dict[int, Images]] = {}
        waiting_bytes = 0
        bad: list[str] = []
        for row, name in enumerate(self.names):
            try:
                image = self._decode(name)
            except ValueError as error:
                bad.append(f"{shown(name)} {error}")
                continue
            waiting.setdefault(image.shape, {})[row] = image
            waiting_bytes += image.nbytes
            if waiting_bytes >= WAITING_BYTES:
                self._take(waiting, images)
                waiting, waiting_bytes = {}, 0
        self._take(waiting, images)
        _require_none(bad, self.root)
        return images, np.array(self.labels, np.int64)

    def _take(self, decoded: Mapping[tuple[int, ...], Mapping[int, Images]], images: Images) -> None:
        """Resizes images, by shape and row, and puts each into its row."""
        for same in decoded.values():
            images[list(same)] = resize(np.stack(list(same.values())), self.image_shape[:2])

    def _decode(self, name: str) -> Images:
        """uint8 (h, w, c) of any size where it is changed afterwards. Raises: ValueError, to go on after the name."""
        try:
            with (self.root / name).open("rb") as file:
                content = file.read(MAX_PICTURE_BYTES + 1)
        except OSError as error:
            raise ValueError(f"cannot be read ({error.strerror}): make it readable") from error
        if len(content) > MAX_PICTURE_BYTES:
            raise ValueError(f"has more than {MAX_PICTURE_BYTES:,} bytes, which is too much for a picture: resize it")
        if not self.resize:
            return decode(content, self.image_shape)
        width, height = read_size(content)
        if width * height > MAX_PIXELS:
            raise ValueError(f"is {width}×{height} pixels, which is too much: make it smaller")
        return decode(content, (height, width, self.image_shape[2]))


@dataclass(frozen=True)
class Folder(Source):
    """Pictures, PNG or JPEG, in `<class>/` or `<split>/<class>/`.

    Attributes:
        path: of the folder.
        memory: the folder where digests of contents are remembered; None remembers none.
    """

    path: Path
    memory: Path | None

    @property
    def model(self) -> str:
        """The folder's last name and digits of its path."""
        return naming.model_name(self.path)

    @property
    def origin(self) -> str:
        """The folder."""
        return f"is in {shown(self.path)}"

    @property
    def written(self) -> Path | None:
        """None: nothing has to be prepared."""
        return None

    def fingerprint(self) -> Mapping[str, str]:
        """The digest of the pictures and their names, and the classes that have none."""
        root = naming.find_place(self.path)
        found = find_pictures(root)
        return {"content": content_digest(root, found.names, self.memory), "empty classes": json.dumps(found.empty)}

    def prepare(self) -> None:
        """Nothing, where the folder is what it should be. Raises: InputError."""
        find_pictures(naming.find_place(self.path))

    def lack(self) -> Lack | None:
        """None: what is not there is a mistake."""
        return None

    def open(self, wanted: Wanted, scratch: Path) -> Opened:
        """Reads the headers of the pictures that are wanted, and decodes none."""
        root = naming.find_place(self.path)
        found = find_pictures(root)
        _require_classes(wanted, found, root)
        chosen = choose_rows(wanted, {split: len(rows) for split, rows in found.splits.items()}, shown(root))
        names = [picture.name for parts in chosen.values() for picture in found.pictures(parts)]
        shape = _image_shape(root, names, wanted.resize)
        pieces = [
            (split, index, found.pictures(piece))
            for split, parts in chosen.items()
            for index, piece in enumerate(cut(parts, wanted.rows_of_block(shape)))
        ]
        return Opened(
            dataset=f"folder:{naming.set_name(self.path)}",
            version=content_digest(root, found.names, self.memory)[:12],
            class_names=found.class_names,
            image_shape=shape,
            slices=tuple(_slice(*piece, root, shape, wanted.resize is not None) for piece in pieces),
        )


def _slice(
    split: str, index: int, pictures: list[Picture], root: Path, shape: tuple[int, int, int], resize: bool
) -> FolderSlice:
    names, labels = zip(*pictures, strict=True)
    return FolderSlice(split, index, root, names, labels, shape, resize)


def _require_classes(wanted: Wanted, found: ClassFolders, root: Path) -> None:
    if wanted.classes not in (None, len(found.class_names)):
        raise InputError(
            f"--ingest.classes {wanted.classes}: {shown(root)} has {len(found.class_names)} class folders: "
            "leave the option out, or add the folders"
        )


def _image_shape(root: Path, names: Sequence[str], resize: tuple[int, int] | None) -> tuple[int, int, int]:
    """The one shape of all pictures, from their headers; one that says nothing is told when it is decoded.

    Raises:
        InputError: none says anything, or two have different sizes.
    """
    headers = {name: header for name in names if (header := read_header(root / name)) is not None}
    if not headers:
        _require_none([f"{shown(name)} is a damaged picture: mend or remove it" for name in names], root)
    sizes = Counter((header.height, header.width) for header in headers.values())
    height, width = most = sizes.most_common(1)[0][0]
    for name, header in headers.items():
        if resize is None and (header.height, header.width) != most:
            raise InputError(
                f"{shown(root / name)} is {header.width}×{header.height} pixels, {sizes[most]:,} of {len(headers):,} "
                f"pictures are {width}×{height} (width × height): mend it, or give --ingest.resize {height} {width}"
            )
    channels = 3 if any(header.coloured for header in headers.values()) else 1
    return *(resize or most), channels


def _require_none(bad: Sequence[str], root: Path) -> None:
    if bad:
        more = f"; and {len(bad) - NAMED:,} more" if len(bad) > NAMED else ""
        raise InputError(f"{shown(root)} holds pictures that cannot be taken: {'; '.join(bad[:NAMED])}{more}")
