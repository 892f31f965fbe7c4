"""champion_schema: the champion's schema is read from its bundle, and a damaged one gives the reason."""

from __future__ import annotations

import shutil

import pytest

from components.artifacts.schema import Schema
from components.validate.champion_schema import NoSchemaError, champion_schema
from serving.registry.registry import Registry
from tests.serving.tiny_bundle import publish, seal


@pytest.fixture
def champion(made, tmp_path):
    """The folder of a model whose champion is the bundle of the small data set."""
    publish(Registry(tmp_path / "models"), made.bundle.opened())
    return tmp_path / "models" / "tiny"


def test_schema_that_export_wrote_is_read(champion, made):
    assert champion_schema(champion) == Schema.of(made.examples, made.statistics.splits["train"])
    assert "schema.json" in made.bundle.opened().files


def test_without_a_champion_there_is_no_schema(tmp_path):
    assert champion_schema(tmp_path / "models" / "tiny") is None


def damage_pointer(folder):
    (folder / "promoted.json").write_text("{")
    return "the champion is unknown, its pointer is damaged"


def change_manifest(folder):
    file = folder / "1" / "manifest.json"
    file.write_text(file.read_text().replace("tiny", "tinY"))
    return "the manifest.json of version 1 is missing or was changed"


def change_schema(folder):
    file = folder / "1" / "schema.json"
    file.write_text(file.read_text().replace("600", "601"))
    return "the schema.json of version 1 is missing or was changed"


def remove_schema(folder):
    (folder / "1" / "schema.json").unlink()
    return "the schema.json of version 1 is missing or was changed"


def remove_version(folder):
    shutil.rmtree(folder / "1")
    return "the manifest.json of version 1 is missing or was changed"


@pytest.mark.parametrize("damage", [damage_pointer, change_manifest, change_schema, remove_schema, remove_version])
def test_damaged_champion_gives_the_reason(champion, damage):
    message = damage(champion)
    with pytest.raises(NoSchemaError) as error:
        champion_schema(champion)
    assert str(error.value) == message


def test_bundle_without_a_schema_gives_the_reason(tmp_path):
    promoted = publish(Registry(tmp_path / "models"), seal(tmp_path / "bundle"))
    with pytest.raises(NoSchemaError, match=r"^version 1 was made without a schema\.json$"):
        champion_schema(promoted.path.parent)
