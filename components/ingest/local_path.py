"""The path of a data set -> the existing file or folder, its last component, and the default name of its models."""

from __future__ import annotations

import hashlib
import os
import re
import unicodedata
from pathlib import Path

from serving.batch.inputs.open_file import shown
from serving.errors import InputError
from serving.suggestions import nearest

SUFFIXES = (
    *(".npz", ".mat", ".csv", ".csv.gz", ".tsv", ".parquet", ".json", ".jsonl"),
    *(".tfrecord", ".array_record", ".tar", ".tar.gz", ".tgz"),
)
# A model's name is a folder's name, which most file systems limit to 255 bytes.
MAX_NAME_LENGTH = 100


def existing_path(path: Path) -> Path:
    """The absolute path, with `~` expanded.

    Raises:
        InputError: it does not exist; the message suggests a similar name in the same folder.
    """
    absolute = _absolute(path)
    if os.path.exists(absolute):
        return absolute
    folder = absolute.parent
    siblings = [entry.name for entry in folder.iterdir()] if os.access(folder, os.R_OK | os.X_OK) else []
    near = nearest(absolute.name, siblings)
    advice = "give the path of an existing one" if near is None else f"did you mean {shown(folder / near)}?"
    raise InputError(f"{shown(absolute)} does not exist: {advice}")


def path_name(path: Path) -> str:
    r"""The last component of the absolute path, without the suffix of a file of images.

    Bytes that are not UTF-8 are written as \xff.
    """
    name = shown(_absolute(path).name)
    return name.removesuffix(max((suffix for suffix in SUFFIXES if name.endswith(suffix)), key=len, default=""))


def default_model_name(path: Path) -> str:
    """The last component of the path and six hex digits of the digest of the whole path, e.g. `flowers-3f09ab`.

    The digits tell two sets with the same last component apart. Links are not followed: a link `current` that points to
    another folder each day stays the same set.
    """
    digest = hashlib.sha256(os.fsencode(_absolute(path))).hexdigest()
    return f"{plain_name(path_name(path))}-{digest[:6]}"


def plain_name(text: str) -> str:
    """The start of a model name from any text: ASCII letters without accents, digits, `_`, `.`, `-`; `set` if none."""
    ascii_text = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    plain = re.sub(r"[^A-Za-z0-9_.]+", "-", ascii_text)[:MAX_NAME_LENGTH].lstrip("_.-").rstrip("-")
    return plain or "set"


def _absolute(path: Path) -> Path:
    """The absolute path, with `~` expanded. Links are not followed, and the path need not exist."""
    # pathlib's methods raise for an unknown user, and keep `..` as the last component.
    return Path(os.path.abspath(os.path.expanduser(path)))
