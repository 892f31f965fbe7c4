"""FolderBlockReader: decodes the pictures of one block."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from components.ingest.folders.class_folders import Picture
from components.ingest.read_plan import BlockReader, Images, Labels
from components.ingest.resize import resize
from serving.batch.inputs.open_file import shown
from serving.batch.inputs.picture import MAX_PICTURE_BYTES, decode, read_size
from serving.errors import InputError

# Size of decoded pictures that wait for resizing. Pictures of one size are resized together, in a tenth of the time.
WAITING_BYTES = 1 << 22
# Limit for one picture. Larger ones are a mistake or an attack; Pillow warns at a slightly larger size.
MAX_PIXELS = 80_000_000
# Number of pictures in an error message.
MAX_NAMED = 20


@dataclass(frozen=True)
class FolderBlockReader(BlockReader):
    """Pictures of one block.

    Attributes:
        root: the set's folder.
        pictures: in order.
        image_shape: (height, width, channels) of every image.
        resize: whether pictures of other sizes are resized to `image_shape`.
    """

    root: Path
    pictures: tuple[Picture, ...]
    image_shape: tuple[int, int, int]
    resize: bool

    @property
    def files(self) -> tuple[str, ...]:
        r"""Each picture's path below the set's folder; bytes that are not UTF-8 are written as \xff."""
        return tuple(shown(picture.path) for picture in self.pictures)

    def read(self) -> tuple[Images, Labels]:
        """Decodes the pictures with the scorer's decoder: uint8 (n, h, w, c) and int64 (n,)."""
        images = np.empty((len(self.pictures), *self.image_shape), np.uint8)
        waiting: dict[tuple[int, ...], dict[int, Images]] = {}
        waiting_bytes = 0
        errors: list[str] = []
        for row, (name, _) in enumerate(self.pictures):
            try:
                image = self._decode(name)
            except ValueError as error:
                errors.append(f"{shown(name)} {error}")
                continue
            waiting.setdefault(image.shape, {})[row] = image
            waiting_bytes += image.nbytes
            if waiting_bytes >= WAITING_BYTES:
                self._resize_into(images, waiting)
                waiting, waiting_bytes = {}, 0
        self._resize_into(images, waiting)
        refuse_pictures(errors, self.root)
        return images, np.array([picture.label for picture in self.pictures], np.int64)

    def _resize_into(self, images: Images, waiting: Mapping[tuple[int, ...], Mapping[int, Images]]) -> None:
        """Resizes pictures, by shape and row, and puts each into its row of `images`."""
        for same_shape in waiting.values():
            images[list(same_shape)] = resize(np.stack(list(same_shape.values())), self.image_shape[:2])

    def _decode(self, name: str) -> Images:
        """uint8 (h, w, c); of any size if it is resized later. Raises: ValueError: text to follow the name."""
        try:
            with (self.root / name).open("rb") as file:
                content = file.read(MAX_PICTURE_BYTES + 1)
        except OSError as error:
            raise ValueError(f"cannot be read ({error.strerror}): make it readable") from error
        if len(content) > MAX_PICTURE_BYTES:
            raise ValueError(f"has more than {MAX_PICTURE_BYTES:,} bytes, which is too large for a picture: resize it")
        if not self.resize:
            return decode(content, self.image_shape)
        width, height = read_size(content)
        if width * height > MAX_PIXELS:
            raise ValueError(f"is {width}×{height} pixels, which is too large: make it smaller")
        return decode(content, (height, width, self.image_shape[2]))


def refuse_pictures(errors: Sequence[str], root: Path) -> None:
    """Raises one InputError for all errors, if there are any; each error begins with a picture's name."""
    if errors:
        more = f"; and {len(errors) - MAX_NAMED:,} more" if len(errors) > MAX_NAMED else ""
        raise InputError(f"{shown(root)} holds pictures that cannot be used: {'; '.join(errors[:MAX_NAMED])}{more}")
