"""EncodedPictures: a source of images whose rows are the bytes of picture files."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

from serving.batch.decoding.channels import require_channels
from serving.batch.decoding.many_pictures import decode_all
from serving.batch.decoding.picture import read_size, require_size
from serving.batch.decoding.picture_error import OTHER_SIZE, PictureError
from serving.blocks import Images, OtherSizes, Source, Unreadable
from serving.errors import InputError


@dataclass(frozen=True, eq=False, kw_only=True)
class EncodedPictures(Source):
    """Pictures, each decoded only when its row is read: there may be a million of them.

    Attributes:
        skip_bad: whether an unreadable picture becomes a black image that the block lists, instead of an error.
    """

    skip_bad: bool
    pictures: bool = True

    @abstractmethod
    def content(self, row: int) -> bytes:
        """The bytes of a picture. Raises: InputError: they cannot be read."""

    @abstractmethod
    def name(self, row: int) -> str:
        """How a message names a picture; a sentence starts with it."""

    @property
    def described(self) -> str:
        """The first readable picture, and its size."""
        if self._first is None:
            return f"{self.name(0)} and {self.rows - 1:,} more unreadable pictures"
        row, (width, height) = self._first
        return f"{self.name(row)} with {width}×{height} pixels"

    def with_other_sizes(self, other_sizes: OtherSizes) -> Self:
        """The same pictures, with those of other sizes treated in another way."""
        return replace(self, other_sizes=other_sizes)

    def fits(self, image_shape: tuple[int, int, int]) -> bool:
        """Whether the first readable picture has the model's size, or can be resized to it."""
        return self._first is not None and self._fits(self._first[0], image_shape)

    def require_fit(self, image_shape: tuple[int, int, int]) -> None:
        """Refuses pictures if none is readable, or if the first readable one has another size.

        If bad pictures are skipped, one picture of the right size is enough.

        Raises: InputError: they are refused.
        """
        if self._first is None:
            self._size(0)
        elif not (self.skip_bad and any(self._fits(row, image_shape) for row in range(self.rows))):
            row, size = self._first
            with self._name_in_errors(row):
                self._require_fit(size, image_shape)

    def fill(self, images: Images, start: int) -> list[Unreadable]:
        """Decodes pictures."""
        errors: list[tuple[int, InputError]] = []

        def contents() -> Iterator[bytes | None]:
            for row in range(start, start + len(images)):
                try:
                    yield self.content(row)
                except InputError as error:
                    errors.append((row, error))
                    yield None

        resizing = self.other_sizes is OtherSizes.RESIZED
        for index, error in decode_all(contents(), images, resizing, self.background):
            errors.append((start + index, self._named(start + index, error)))
        errors.sort(key=lambda found: found[0])
        if errors and not self.skip_bad:
            raise errors[0][1]
        for row, _ in errors:
            images[row - start] = 0
        return [(row, str(error)) for row, error in errors]

    @cached_property
    def _first(self) -> tuple[int, tuple[int, int]] | None:
        """The first readable picture: its row, and its width and height."""
        for row in range(self.rows):
            try:
                return row, self._size(row)
            except InputError:
                continue
        return None

    def _fits(self, row: int, image_shape: tuple[int, int, int]) -> bool:
        try:
            self._require_fit(self._size(row), image_shape)
        except (InputError, PictureError):
            return False
        return True

    def _require_fit(self, size: tuple[int, int], image_shape: tuple[int, int, int]) -> None:
        """Raises: PictureError: a picture of this width and height does not fit."""
        require_channels(image_shape[2])
        if self.other_sizes is not OtherSizes.RESIZED:
            require_size(size, image_shape[:2])

    def _size(self, row: int) -> tuple[int, int]:
        with self._name_in_errors(row):
            return read_size(self.content(row))

    def _named(self, row: int, error: PictureError) -> InputError:
        """The error of a picture, which starts with its name."""
        advice = self.other_sizes.advice("it") if error.kind == OTHER_SIZE else error.advice
        return InputError(f"{self.name(row)} {error.fact}: {advice}")

    @contextmanager
    def _name_in_errors(self, row: int) -> Iterator[None]:
        """Puts the picture's name before the message of a PictureError."""
        try:
            yield
        except PictureError as error:
            raise self._named(row, error) from error
