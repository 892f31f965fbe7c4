"""manifest: values of wrong types with recomputed digests are refused, or the bundle works; never another error."""

from __future__ import annotations

import copy
import json
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from serving.bundle.bundle import load_bundle
from serving.errors import BundleError
from serving.files import canonical_json
from serving.scoring.scorer import Scorer
from tests.serving import tiny_bundle
from tests.serving.bundle.refusals import sealed_with

TEXTS = ["", "x", "\\x00", "../x"]
LISTS = [[], [7], ["a"], [[]], [None, 4, 3], {}, {"a": 7}, {"left_out": []}]
WRONG = st.sampled_from([None, True, 0, 7, -1, 1.5, 10**400, *TEXTS, *LISTS])


def paths(value, path=()):
    """The path of every value in a JSON document."""
    yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in inner:
        yield from paths(part, (*path, key))


def replaced(data, path, value):
    if not path:
        return value
    changed = copy.copy(data)
    changed[path[0]] = replaced(data[path[0]], path[1:], value)
    return changed


@given(data=st.data())
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_wrong_value_is_refused_or_works(data, tmp_path_factory):
    folder = tmp_path_factory.getbasetemp() / "fuzzed"
    if not folder.exists():
        tiny_bundle.seal(folder)
        (folder.with_suffix(".json")).write_bytes((folder / "manifest.json").read_bytes())
    manifest = json.loads(folder.with_suffix(".json").read_bytes())
    changed = replaced(manifest, data.draw(st.sampled_from(list(paths(manifest)))), data.draw(WRONG))
    (folder / "manifest.json").write_text(canonical_json(changed), encoding="utf-8")
    # Every other error than this one would be a traceback.
    with suppress(BundleError):
        bundle = load_bundle(folder)
        scores = Scorer(bundle).score(tiny_bundle.random_images(3))
        assert all(0 <= label < len(bundle.manifest.labels) for label in scores.labels)


@pytest.mark.parametrize("labels", [["a"], list("abcde")])
def test_other_number_of_labels_than_the_models_classes_is_refused(sealed, labels):
    sealed_with(sealed, lambda data: data.update(labels=labels))
    with pytest.raises(BundleError, match=rf"has classes: 4, manifest.json describes {len(labels)}: promote the model"):
        Scorer(load_bundle(sealed.path))


def test_other_shape_than_the_models_is_refused(sealed):
    sealed_with(sealed, lambda data: data["inputs"]["images"].update(shape=[None, 8, 8, 1]))
    with pytest.raises(BundleError, match=r"has images of the shape \(4, 3, 2\), manifest.json describes \(8, 8, 1\)"):
        Scorer(load_bundle(sealed.path))
