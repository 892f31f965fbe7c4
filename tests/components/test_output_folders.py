"""components: each writes only into its own folder, promote also into the registry."""

from __future__ import annotations

import pytest

from components.analyze import analyze
from components.beam import BeamOptions
from components.evaluate import evaluate, predict
from components.export import convert, export
from components.ingest import ingest
from components.promote import promote
from components.run_context import RunContext
from components.train import train
from components.transform import transform
from components.validate import validate
from components.verify import agree, verify
from tests.components.whole_steps import verify_bundle

COMPONENTS = {
    "ingest": lambda made, out: ingest.run(
        ingest.Params(dataset="tiny", block_rows=300), RunContext(data_dir=made.data_dir), BeamOptions(), out
    ),
    "analyze": lambda made, out: analyze.run(made.examples, BeamOptions(), out),
    "validate": lambda made, out: validate.run(made.examples, made.statistics, validate.Params(), RunContext(), out),
    "transform": lambda made, out: transform.run(made.statistics, made.anomalies, transform.Params("standardize"), out),
    "train": lambda made, out: train.run(made.examples, made.transform, train.Params(hidden=(), epochs=1), out),
    "predict": lambda made, out: predict.run(made.model, made.examples, made.transform, out),
    "evaluate": lambda made, out: evaluate.run(made.evaluation, made.examples, evaluate.Params(0.9), out),
    "convert": lambda made, out: convert.run(
        made.model, made.transform, made.statistics, made.examples, convert.Params("other"), out
    ),
    "export": lambda made, out: export.run(made.bundle, made.examples, made.evaluation, out),
    "agree": lambda made, out: agree.run(
        made.model, made.transform, made.bundle, made.examples, made.evaluation, agree.Params(), out
    ),
    "verify": lambda made, out: verify_bundle(
        made.model, made.transform, made.bundle, made.examples, made.evaluation, verify.Params(), out
    ),
}


def run_watched(made, tmp_path, monkeypatch, contents, run):
    """Runs a component and returns the files that appeared outside of `out`; no file of another artifact may change."""
    before = {folder: contents(folder) for folder in made.folders}
    for folder in ("out", "working", "temporary"):
        (tmp_path / folder).mkdir()
    monkeypatch.chdir(tmp_path / "working")
    monkeypatch.setenv("HOME", str(tmp_path / "working"))
    artifact = run(made, tmp_path / "out")
    assert artifact.path == tmp_path / "out"
    assert contents(tmp_path / "out")
    assert {folder: contents(folder) for folder in made.folders} == before
    return sorted(name for name in contents(tmp_path) if not name.startswith("out/"))


@pytest.mark.parametrize("name", COMPONENTS)
def test_a_component_writes_only_into_its_own_folder(made, tmp_path, monkeypatch, contents, name):
    assert run_watched(made, tmp_path, monkeypatch, contents, COMPONENTS[name]) == []


def test_promote_writes_only_into_its_own_folder_and_the_registry(made, verification, tmp_path, monkeypatch, contents):
    params, context = promote.Params(), RunContext(model="tiny", models=tmp_path / "models", run="run-1")
    checked = contents(verification.path)
    written = run_watched(
        made,
        tmp_path,
        monkeypatch,
        contents,
        lambda made, out: promote.run(made.bundle, made.evaluation, verification, made.examples, params, context, out),
    )
    assert {name.split("/")[0] for name in written} == {"models"}
    assert contents(verification.path) == checked
