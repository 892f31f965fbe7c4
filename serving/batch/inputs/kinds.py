"""The first bytes of a file -> what it is; names are never trusted."""

from __future__ import annotations

import re

# Enough to tell all kinds.
HEAD_BYTES = 64
# By kind, what the file of a picture begins with.
PICTURES: dict[str, re.Pattern[bytes]] = {
    "PNG": re.compile(rb"\x89PNG\r\n\x1a\n"),
    "JPEG": re.compile(rb"\xff\xd8\xff"),
    "WebP": re.compile(rb"RIFF....WEBP", re.DOTALL),
    "GIF": re.compile(rb"GIF8[79]a"),
    # Reserved bytes, then the size of the next header: text can begin with BM too.
    "BMP": re.compile(rb"BM....\0\0\0\0....[\x0c\x28\x34\x38\x40\x6c\x7c]\0\0\0", re.DOTALL),
    "TIFF": re.compile(rb"II\x2a\0|MM\0\x2a"),
    "PNM": re.compile(rb"P[1-6][ \t\r\n]+[0-9#]"),
}
# Pictures that are not decoded.
OTHER_PICTURES: dict[str, re.Pattern[bytes]] = {
    "HEIC": re.compile(rb"....ftyp(?:heic|heix|hevc|mif1|msf1)", re.DOTALL),
    "AVIF": re.compile(rb"....ftypavi[fs]", re.DOTALL),
    "JPEG XL": re.compile(rb"\0\0\0\x0cJXL \r\n\x87\n"),
    "JPEG 2000": re.compile(rb"\0\0\0\x0cjP  |\xff\x4f\xff\x51"),
}
# Names of further kinds, and the remedy for files that only say where the content is.
LFS = "a Git LFS pointer without the content: run `git lfs pull` in its repository"
ANNEX = "a git-annex pointer without the content: run `git annex get` in its repository"
OTHERS: tuple[tuple[str, re.Pattern[bytes]], ...] = (
    (LFS, re.compile(rb"version https://git-lfs")),
    (ANNEX, re.compile(rb"/annex/objects/|(?:\.\./)*\.git/annex/objects/")),
    # Without its container. Two bytes do not make a file a picture, but tell what a file named as one is.
    ("a JPEG XL picture", re.compile(rb"\xff\x0a")),
    ("a sound or video", re.compile(rb"RIFF")),
    ("a zip file, as numpy.savez writes it", re.compile(rb"PK\x03\x04")),
    ("a pickle", re.compile(rb"\x80[\x02-\x05]")),
    ("a MATLAB file", re.compile(rb"MATLAB ")),
    ("an HDF5 file", re.compile(rb"\x89HDF")),
    ("a Parquet file", re.compile(rb"PAR1")),
    ("compressed with bzip2", re.compile(rb"BZh")),
    ("compressed with xz", re.compile(rb"\xfd7zXZ")),
)


def picture_kind(head: bytes) -> str | None:
    """The kind of a picture that can be decoded, e.g. `PNG`; None for all other files."""
    return next((kind for kind, start in PICTURES.items() if start.match(head)), None)


def other_picture_kind(head: bytes) -> str | None:
    """The kind of a picture that cannot be decoded, e.g. `HEIC`; None for all other files."""
    return next((kind for kind, start in OTHER_PICTURES.items() if start.match(head)), None)


def describe_kind(head: bytes) -> str:
    """What a file with these first bytes is, as the end of a sentence that starts with `is`."""
    if not head:
        return "empty"
    if (kind := picture_kind(head) or other_picture_kind(head)) is not None:
        return f"{'an' if kind.startswith('A') else 'a'} {kind} picture"
    return next((name for name, start in OTHERS if start.match(head)), f"starts with {head[:8]!r}")


def pointer(head: bytes) -> str | None:
    """What a file is that only says where its content is, and the remedy; None for all other files."""
    return next((name for name, start in OTHERS[:2] if start.match(head)), None)
