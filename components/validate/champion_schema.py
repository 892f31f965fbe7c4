"""models/<model> -> Schema: the training data of the version that serves now."""

from __future__ import annotations

from pathlib import Path

from components.artifacts.schema import SCHEMA, Schema
from serving.bundle.manifest import MANIFEST, read_file, read_manifest
from serving.errors import BundleError
from serving.registry.registry import Registry


class NoSchemaError(Exception):
    """The champion's schema cannot be read; the message, which can be in an artifact, names no path."""


def champion_schema(folder: Path) -> Schema | None:
    """Reads the schema of the champion's training data; None if there is no champion in the model's folder.

    Only the manifest and the schema are checked; promote checks the other files.
    Raises: NoSchemaError: the pointer, the manifest or the schema is damaged, or the bundle has no schema.
    """
    try:
        champion = Registry(folder.parent).promoted(folder.name)
    except BundleError as error:
        raise NoSchemaError("the champion is unknown, its pointer is damaged") from error
    if champion is None:
        return None
    file = MANIFEST
    try:
        _, _, files = read_manifest(champion.path, champion.sha256)
        if SCHEMA not in files:
            raise NoSchemaError(f"version {champion.version} was made without a {SCHEMA}")
        file = SCHEMA
        return Schema.parse(read_file(champion.path, SCHEMA, files[SCHEMA][0]), champion.path / SCHEMA)
    except (BundleError, ValueError) as error:
        raise NoSchemaError(f"the {file} of version {champion.version} is missing or was changed") from error
