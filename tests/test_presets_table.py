"""docs/presets.md: what it says follows from presets.json and presets.py, and from nothing else."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, replace

import pytest
from scipy.stats import binomtest

from components import evaluate, ingest, transform
from components.model import build_model
from docs import presets
from pipeline.history import plain
from pipeline.presets import MIN_ACCURACY, PRESETS
from tests.conftest import ROOT

TEXT = (ROOT / "docs" / "presets.md").read_text(encoding="utf-8")
SAID = {
    row["preset"]: row for row in json.loads((ROOT / "docs" / "presets.json").read_text(encoding="utf-8"))["presets"]
}


def parsed(text):
    """The one table of a page: {preset: {heading: cell}}."""
    heading, rule, *lines = (line for line in text.splitlines() if line.startswith("|"))
    names = [cell.strip() for cell in heading.strip("|").split("|")]
    assert len(rule.strip("|").split("|")) == len(names)
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    assert {len(cells) for cells in rows} == {len(names)}
    return {re.findall("`(.+)`", cells[0])[0]: dict(zip(names, cells, strict=True)) for cells in rows}


TABLE = parsed(TEXT)


def test_every_preset_has_its_line():
    assert list(TABLE) == list(SAID) == list(PRESETS)
    assert [name for name in TABLE if "(default)" in TABLE[name]["preset"]] == [presets.DEFAULT]


@pytest.mark.parametrize("name", list(PRESETS))
def test_figures_follow_from_the_recorded_values(name):
    line, said = TABLE[name], SAID[name]
    assert said["rows"] == 10_000
    assert line["test accuracy"].removesuffix(" (refused)") == f"{said['correct'] / 10_000:.4f}"
    wilson = binomtest(said["correct"], 10_000).proportion_ci(method="wilson")
    assert line["95 % interval"] == f"{wilson.low:.4f} to {wilson.high:.4f}"
    assert said["interval"] == pytest.approx([wilson.low, wilson.high], abs=1e-12)
    assert line["training"] == f"{said['training_seconds']:.1f} s"
    assert line["whole run"] == f"{said['run_seconds']:.1f} s"
    assert 0 < said["training_seconds"] < said["run_seconds"]
    if wilson.low < MIN_ACCURACY["mnist"]:
        assert said["verdict"] == "refused"
        assert said["onnx_bytes"] is None
        assert line["test accuracy"].endswith(" (refused)")
        assert line["ONNX"] == "–"
    else:
        # Four bytes a parameter, and some for the graph.
        assert 0 < said["onnx_bytes"] - 4 * said["parameters"] < 20_000
        assert line["ONNX"] == f"{said['onnx_bytes'] / 1000:,.0f} kB"


@pytest.mark.parametrize("name", list(PRESETS))
def test_recipe_is_that_of_the_preset(name):
    line, said, recipe = TABLE[name], SAID[name], PRESETS[name]
    assert int(line["epochs"]) == said["epochs"] == recipe.epochs
    assert int(line["batch"]) == said["batch_size"] == recipe.batch_size
    first, *layers = line["layers"].split(" → ")
    assert first == ("28×28×1" if recipe.convolutions else "784")
    dense = [f"{units} {recipe.hidden_activation}" for units in recipe.hidden]
    assert [layer for layer in layers if re.fullmatch(r"\d+ \w+", layer)] == [*dense, f"10 {recipe.output_activation}"]
    assert [int(layer.split()[0]) for layer in layers if "convolutions" in layer] == list(recipe.convolutions)
    assert [layer for layer in layers if "dropout" in layer] == [f"dropout {recipe.dropout:g}"] * bool(recipe.dropout)


@pytest.mark.parametrize("name", list(PRESETS))
def test_parameters_are_those_of_the_network(name):
    wanted = ("convolutions", "hidden", "hidden_activation", "dropout", "output_activation")
    network = build_model((28, 28, 1), 10, **{field: getattr(PRESETS[name], field) for field in wanted})
    assert int(TABLE[name]["parameters"].replace(",", "")) == SAID[name]["parameters"] == network.count_params()


class Runs:
    """A folder of runs that never ran: records and artifacts, as runs would leave them."""

    def __init__(self, folder, made):
        self.folder = folder
        self.made = made
        (folder / "history").mkdir(parents=True)

    def add(self, preset, correct, seconds, *, cached=False, refused=False, **changed):
        """One run more, of which training took half of the time."""
        number = len(list((self.folder / "history").iterdir())) + 1
        recipe = replace(PRESETS[preset], **changed)
        model = replace(self.made.model, path=self.artifact(f"train-{preset}-{recipe.epochs}"), parameters=1_234)
        replace(model, recipe={**asdict(recipe), "shape": (28, 28, 1), "classes": 10}).save()
        ends = binomtest(correct, 2_000).proportion_ci(method="wilson")
        evaluation = replace(self.made.evaluation, path=self.artifact(f"evaluate-{number}"), rows=2_000)
        replace(evaluation, correct=correct, interval=(ends.low, ends.high)).save()
        (self.artifact(f"export-{number}") / "model.onnx").write_bytes(bytes(5_600))
        outcome = "cached" if cached else "executed"
        steps = [
            {"name": "train", "outcome": outcome, "seconds": seconds / 2, "artifact": model.path.parent.name},
            {"name": "evaluate", "outcome": outcome, "artifact": f"evaluate-{number}"},
            {"name": "export", "outcome": "refused" if refused else outcome},
        ]
        if not refused:
            steps[2]["artifact"] = f"export-{number}"
        record = {
            "run": f"{number:04d}",
            "began": "2026-01-02T03:04:05+00:00",
            "verdict": "refused" if refused else "promoted",
            "seconds": seconds,
            "arguments": [],
            "config": {
                "ingest": {**plain(ingest.Params("mnist")), "data_dir": "/anywhere"},
                "transform": plain(transform.Params()),
                "train": plain(recipe),
                "evaluate": plain(evaluate.Params(0.96)),
            },
            "steps": steps,
            "environment": {"python": "3.11.7", "machine": "x86_64", "system": "Linux", "processors": 2},
        }
        (self.folder / "history" / f"{number:04d}.json").write_text(json.dumps(record))

    def artifact(self, name):
        payload = self.folder / "artifacts" / name / "payload"
        payload.mkdir(parents=True, exist_ok=True)
        return payload


@pytest.fixture
def runs(made, tmp_path):
    """One run of each preset but the last."""
    runs = Runs(tmp_path / "runs", made)
    for number, preset in enumerate(list(PRESETS)[:-1]):
        runs.add(preset, 1_900 + number, 20.0 + number)
    return runs


def written(runs, tmp_path):
    """The table that the command writes."""
    assert presets.main(["--runs", str(runs.folder), "--out", str(tmp_path)]) == 0
    return parsed((tmp_path / "presets.md").read_text(encoding="utf-8"))


def test_newest_run_counts_with_the_times_of_the_one_that_trained(runs, tmp_path):
    runs.add("cnn", 1_980, 100.0)
    runs.add("linear", 1_800, 3.0, cached=True)
    table = written(runs, tmp_path)
    assert list(table) == list(PRESETS)
    assert (table["cnn"]["test accuracy"], table["cnn"]["95 % interval"]) == ("0.9900", "0.9846 to 0.9935")
    assert (table["cnn"]["training"], table["cnn"]["whole run"]) == ("50.0 s", "100.0 s")
    assert (table["cnn"]["parameters"], table["cnn"]["ONNX"]) == ("1,234", "6 kB")
    assert table["linear"]["test accuracy"] == "0.9000"
    assert (table["linear"]["training"], table["linear"]["whole run"]) == ("11.5 s", "23.0 s")
    assert json.loads((tmp_path / "presets.json").read_text())["environment"]["processors"] == 2


def test_runs_with_other_values_do_not_count(runs, tmp_path):
    runs.add("cnn", 1_980, 100.0)
    runs.add("cnn", 1_000, 9.0, epochs=1)
    assert written(runs, tmp_path)["cnn"]["test accuracy"] == "0.9900"


def test_model_that_was_refused_is_marked_and_has_no_file(runs, tmp_path):
    runs.add("cnn", 1_000, 100.0, refused=True)
    cnn = written(runs, tmp_path)["cnn"]
    assert (cnn["test accuracy"], cnn["ONNX"]) == ("0.5000 (refused)", "–")


@pytest.mark.parametrize(
    ("added", "sentence"),
    [
        ([], "has no finished run of cnn on mnist as it stands: run python -m pipeline run --preset cnn"),
        ([{"cached": True}], "has no run that trained the model of run 0007 (cnn)"),
    ],
)
def test_preset_that_was_not_run_is_told_with_the_command(runs, tmp_path, capsys, added, sentence):
    for given in added:
        runs.add("cnn", 1_980, 100.0, **given)
    assert presets.main(["--runs", str(runs.folder), "--out", str(tmp_path)]) == 2
    assert sentence in capsys.readouterr().err
    assert not list(tmp_path.glob("presets.*"))


def test_artifact_that_was_removed_is_told_with_the_command(runs, tmp_path, capsys):
    runs.add("cnn", 1_980, 100.0)
    (runs.artifact("export-7") / "model.onnx").unlink()
    assert presets.main(["--runs", str(runs.folder), "--out", str(tmp_path)]) == 2
    assert "export-7/payload/model.onnx, which run 0007 (cnn) made, is gone: run python" in capsys.readouterr().err
