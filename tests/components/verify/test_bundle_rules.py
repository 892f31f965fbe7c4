"""bundle_rules: what was found of a converted bundle holds for a bundle with the same files, and for no other."""

from __future__ import annotations

from dataclasses import replace

import pytest

from components.artifacts.bundle import Bundle
from components.export import export
from components.verify import agree, verify
from tests.components.verify.changed_bundles import seal_again


@pytest.fixture(scope="module")
def agreement(made, tmp_path_factory):
    given = (made.model, made.transform, made.bundle, made.examples, made.evaluation, agree.Params())
    return agree.run(*given, tmp_path_factory.mktemp("agreement"))


@pytest.fixture
def verified(made, agreement, tmp_path):
    """Bundle, changes of agreement and evaluation -> Verification."""

    def run(bundle, converted=made.bundle, min_accuracy=0.9, **changes):
        out = tmp_path / "verified"
        out.mkdir()
        evaluation = replace(made.evaluation, min_accuracy=min_accuracy)
        given = (bundle, converted, replace(agreement, **changes), made.examples, evaluation, verify.Params())
        return verify.run(*given, out)

    return run


def refused(verification):
    return [rule.name for rule in verification.rules if not rule.passed]


def test_bundle_with_the_compared_files_is_verified(made, verified):
    assert refused(verified(made.bundle)) == []


def test_bundle_whose_int8_the_gate_left_out_is_verified_without_its_rules(made, verified, tmp_path):
    (tmp_path / "exported").mkdir()
    strict = replace(made.evaluation, min_accuracy=1.0)
    exported = export.run(made.bundle, made.examples, strict, tmp_path / "exported")
    verification = verified(exported)
    assert refused(verification) == []
    assert not [rule.name for rule in verification.rules if rule.name.startswith("int8")]


@pytest.mark.parametrize("file", ["saved_model.pb", "sample/images.npy", "drift.json", "schema.json"])
def test_bundle_with_another_file_is_refused(made, verified, bundle_copy, file):
    changed = bundle_copy / file
    changed.write_bytes(changed.read_bytes() + b" ")
    verification = verified(seal_again(bundle_copy, made.bundle.opened().manifest))
    assert "files" in refused(verification)
    assert "its files are not those that were compared with the model: export again" in verification.reasons


def test_bundle_with_one_file_more_is_refused(made, verified, bundle_copy):
    (bundle_copy / "more.txt").write_text("more")
    assert refused(verified(seal_again(bundle_copy, made.bundle.opened().manifest))) == ["files"]


@pytest.mark.parametrize(
    "change", [{"labels": ("a", "b", "c", "d")}, {"model": "other"}, {"versions": {}}, {"preprocessing": {}}]
)
def test_bundle_with_another_manifest_is_refused(made, verified, bundle_copy, change):
    manifest = replace(made.bundle.opened().manifest, **change)
    assert refused(verified(seal_again(bundle_copy, manifest))) == ["files"]


def test_figures_of_the_float_model_are_those_of_the_conversion(made, verified, bundle_copy):
    manifest = made.bundle.opened().manifest
    other = {**manifest.precisions, "float32": {**manifest.precisions["float32"], "accuracy": 0.5}}
    assert refused(verified(seal_again(bundle_copy, replace(manifest, precisions=other)))) == ["files"]


def test_agreement_of_another_bundle_is_refused(made, verified):
    assert refused(verified(made.bundle, bundle_sha256="0" * 64)) == ["files"]


def test_bundle_that_cannot_be_opened_is_refused(made, verified, bundle_copy):
    (bundle_copy / "model.onnx").write_bytes(b"")
    verification = verified(Bundle.load(bundle_copy))
    assert refused(verification) == ["bundle"]
    assert not verification.passed


def test_limits_of_the_gate_are_applied_to_both_precisions(made, verified):
    names = refused(verified(made.bundle, min_accuracy=1.0))
    assert names == ["ONNX accuracy", "int8 accuracy"]
