"""reference: what was written is what is read, whatever else is given is refused, and the champion's is trusted."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.artifacts.reference import Reference
from components.contract.references import NoReferenceError, champion_reference
from serving.errors import InputError
from serving.files import canonical_json
from serving.registry import Registry
from tests.components.statistics_by_hand import DECLARED, split
from tests.serving.tiny_bundle import publish, seal

GOOD = Reference.of(DECLARED, split(4, 5, 6)).to_json()
REMEDY = "write one with python -m pipeline schema RUN --out FILE"


@given(st.lists(st.integers(0, 2**59), min_size=3, max_size=3), st.integers(0, 2**62))
def test_what_was_written_is_what_is_read(label_counts, pixels):
    counts = np.full((2, 256), pixels, np.int64)
    reference = Reference.of(DECLARED, split(*label_counts, pixel_counts=counts))
    read = Reference.parse(canonical_json(reference.to_json()).encode())
    assert read == reference
    assert read.digest() == reference.digest()
    assert hash(read) == hash(reference)


def test_it_says_what_the_statistics_say(made):
    train = made.statistics.splits["train"]
    reference = Reference.of(made.examples, train)
    images, labels = made.examples.all_images("train"), made.examples.all_labels("train")
    assert (reference.dataset, reference.image_shape, reference.rows) == ("tiny", (8, 8, 1), 600)
    assert reference.class_names == made.examples.class_names
    assert reference.label_counts == tuple(np.bincount(labels, minlength=4))
    assert reference.pixel_counts == (tuple(np.bincount(images.ravel(), minlength=256)),)


def test_labels_that_are_no_class_are_left_out():
    counted = split(9, label_counts={-1: 2, 0: 3, 2: 3, 7: 1})
    assert Reference.of(DECLARED, counted).label_counts == (3, 0, 3)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"format": 2}, "it has format 2, this release reads 1"),
        ({"rows": None}, "its rows is damaged"),
        ({"rows": -1}, "its rows is damaged"),
        ({"rows": True}, "its rows is damaged"),
        ({"dataset": 3}, "its dataset is damaged"),
        ({"image_shape": [2, 2]}, "its image_shape is damaged"),
        ({"image_shape": 4}, "it is damaged"),
        ({"class_names": ["cat", "dog"]}, "its label_counts is damaged"),
        ({"class_names": ["cat", "dog", 3]}, "its class_names is damaged"),
        ({"label_counts": [1, 2, 3.5]}, "its label_counts is damaged"),
        ({"pixel_counts": [[1] * 255]}, "its pixel_counts is damaged"),
        ({"pixel_counts": [1]}, "it is damaged"),
        ({"pixel_counts": [[1] * 255 + [2**64]]}, "its pixel_counts is damaged"),
    ],
)
def test_damaged_file_is_refused_in_one_sentence(tmp_path, change, words):
    (tmp_path / "schema.json").write_text(json.dumps({**GOOD, **change}))
    with pytest.raises(InputError) as error:
        Reference.load(tmp_path / "schema.json")
    assert str(error.value).startswith(f"{tmp_path}/schema.json is no schema ({words}")
    assert str(error.value).endswith(REMEDY)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("field", list(GOOD))
def test_missing_field_is_named(tmp_path, field):
    (tmp_path / "schema.json").write_text(json.dumps({name: value for name, value in GOOD.items() if name != field}))
    with pytest.raises(InputError, match=f"is no schema \\(it has no {field}\\)"):
        Reference.load(tmp_path / "schema.json")


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"[1]", b"null", b"{", b"[" * 100_000])
def test_foreign_file_is_refused(tmp_path, content):
    (tmp_path / "schema.json").write_bytes(content)
    with pytest.raises(InputError, match="is no schema"):
        Reference.load(tmp_path / "schema.json")


def test_file_that_cannot_be_read_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"schema .*nowhere cannot be read \(No such file"):
        Reference.load(tmp_path / "nowhere")
    with pytest.raises(InputError, match=r"cannot be read \(Is a directory\)"):
        Reference.load(tmp_path)


@pytest.fixture
def champion(made, tmp_path):
    """The folder of a model whose champion is the bundle of the small data set."""
    publish(Registry(tmp_path / "models"), made.bundle.opened())
    return tmp_path / "models" / "tiny"


def test_export_writes_the_champions_reference(champion, made):
    assert champion_reference(champion) == Reference.of(made.examples, made.statistics.splits["train"])
    assert "schema.json" in made.bundle.opened().files


def test_without_a_champion_there_is_none(tmp_path):
    assert champion_reference(tmp_path / "models" / "tiny") is None


def damage_pointer(folder):
    (folder / "promoted.json").write_text("{")
    return "what serves is not known, its pointer is damaged"


def change_manifest(folder):
    file = folder / "1" / "manifest.json"
    file.write_text(file.read_text().replace("tiny", "tinY"))
    return "the manifest.json of version 1 was changed"


def change_schema(folder):
    file = folder / "1" / "schema.json"
    file.write_text(file.read_text().replace("600", "601"))
    return "the schema.json of version 1 was changed"


def remove_schema(folder):
    (folder / "1" / "schema.json").unlink()
    return "version 1 is damaged"


def remove_version(folder):
    shutil.rmtree(folder / "1")
    return "version 1 is damaged"


@pytest.mark.parametrize("damage", [damage_pointer, change_manifest, change_schema, remove_schema, remove_version])
def test_damaged_champion_is_said_to_be_none(champion, damage):
    words = damage(champion)
    with pytest.raises(NoReferenceError) as error:
        champion_reference(champion)
    assert str(error.value) == words


def test_bundle_without_a_reference_is_said_to_have_none(tmp_path):
    promoted = publish(Registry(tmp_path / "models"), seal(tmp_path / "bundle"))
    with pytest.raises(NoReferenceError, match=r"^version 1 was made without a schema\.json$"):
        champion_reference(promoted.path.parent)
