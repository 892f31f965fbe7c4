"""MLflow: it has each tracked run, and its alias follows every promotion event."""

from __future__ import annotations

import hashlib
import json

import pytest

from tests.e2e.tracked import RUNS, Tracked

pytestmark = pytest.mark.exhaustive

PREDICT = """
import json, sys
import mlflow, numpy
from serving import Scorer
mlflow.set_tracking_uri(sys.argv[1])
images = numpy.load(sys.argv[2])
served = Scorer.promoted("models/tiny").score(images)
found = mlflow.pyfunc.load_model("models:/tiny@champion").predict({"images": images})["probabilities"]
import onnx
graph = mlflow.onnx.load_model("models:/tiny@champion").graph
names = [[value.name for value in values] for values in (graph.input, graph.output)]
model = mlflow.models.get_model_info("models:/tiny@champion")
print(json.dumps(dict(
    same=bool((found.argmax(1) == served.labels).all()), rows=len(found), names=names,
    inputs=model.signature.inputs.to_dict(), outputs=model.signature.outputs.to_dict(), labels=model.metadata["labels"],
)))
"""


@pytest.fixture(scope="module")
def tracked(mlflow_client, new_project, data_dir):
    """Five runs: two that promote, one refused, one with nothing to do, one that fails."""
    here = Tracked(new_project(), mlflow_client, data_dir)
    ends = [
        here.run("--track", "mlflow", "--train.epochs", "5"),
        here.run("--track", "mlflow", "--train.epochs", "6"),
        here.run("--track", "mlflow", "--train.epochs", "6", "--evaluate.min-accuracy", "0.9999"),
        here.run("--track", "mlflow", "--train.epochs", "6"),
        here.run("--track", "mlflow", "--train.optimizer", "sgd", "--train.learning-rate", "1e38"),
    ]
    assert [end.returncode for end in ends] == [0, 0, 3, 0, 1], [end.stdout for end in ends]
    assert [end.stderr for end in ends] == [""] * 5
    assert all("tracked: sqlite:///" in end.stdout for end in ends)
    return here


@pytest.fixture
def back(tracked):
    """Version 2 serves again after the test."""
    yield tracked
    if tracked.serving()["version"] != 2:
        assert tracked.command("promote", "2", "--reason", "as it was").returncode == 0


def test_every_run_is_there_with_its_verdict_and_reasons(tracked):
    runs = tracked.read()["runs"]
    assert [run["name"] for run in runs] == [f"tiny 000{number}" for number in range(1, 6)]
    assert [run["status"] for run in runs] == ["FINISHED"] * 4 + ["FAILED"]
    verdicts = [run["tags"]["beamline.verdict"] for run in runs]
    assert verdicts == ["promoted", "promoted", "refused", "promoted", "failed"]
    assert "lower bound 0.9812 < 0.9999" in runs[2]["tags"]["beamline.reasons"]
    assert "training diverged" in runs[4]["tags"]["beamline.reasons"]
    assert all(run["tags"]["beamline.dataset"] == "tiny" for run in runs)


def test_parameters_figures_epochs_and_pictures_are_those_of_the_run(tracked):
    first, second, refused, *_ = tracked.read()["runs"]
    record = json.loads((tracked.project.folder / RUNS / "history/0002.json").read_text())
    artifacts = {
        step["name"]: tracked.project.folder / RUNS / "artifacts" / step["artifact"] for step in record["steps"]
    }
    model = json.loads((artifacts["train"] / "payload/model.json").read_text())
    evaluation = json.loads((artifacts["evaluate"] / "payload/evaluation.json").read_text())
    measured = json.loads((artifacts["verify"] / "payload/measured.json").read_text())
    assert second["losses"] == [[n, pytest.approx(epoch["loss"])] for n, epoch in enumerate(model["history"], start=1)]
    wanted = {"accuracy_lower": evaluation["interval"][0], "loss": evaluation["loss"], "test_rows": 200.0} | measured
    assert wanted.items() <= second["metrics"].items()
    differing = {name for name, value in first["params"].items() if second["params"][name] != value}
    assert differing == {"train.epochs"}
    assert (second["params"]["train.epochs"], second["params"]["train.hidden"]) == ("6", "[128, 128]")
    assert second["tags"]["beamline.train_sha256"] == {s["name"]: s["sha256"] for s in record["steps"]}["train"]
    assert {"pictures/learning-curves.png", "model/model.onnx", "model/MLmodel"} <= set(second["files"])
    assert "pictures/confusion-matrix.png" in refused["files"]
    assert not any(file.startswith("model/") for file in refused["files"])


def test_each_bundle_is_one_version_with_the_bytes_that_serve(tracked):
    read = tracked.read()
    assert sorted(tags["beamline.version"] for tags in read["versions"].values()) == ["1", "2"]
    digests = {tags["beamline.bundle_sha256"] for tags in read["versions"].values()}
    manifests = [tracked.project.folder / f"models/tiny/{version}/manifest.json" for version in (1, 2)]
    assert digests == {hashlib.sha256(file.read_bytes()).hexdigest() for file in manifests}
    served = (tracked.project.folder / "models/tiny/2/model.onnx").read_bytes()
    assert served in [file.read_bytes() for file in (tracked.project.folder / RUNS / "mlflow").rglob("model.onnx")]
    assert tracked.champion() == 2


def test_model_that_mlflow_loads_predicts_as_the_scorer_does(tracked):
    sampled = tracked.command("sample", "--dataset", "tiny", "--data-dir", str(tracked.data_dir), "--out", "images.npy")
    assert sampled.returncode == 0, sampled.stderr
    done = tracked.project.python("-c", PREDICT, tracked.uri, "images.npy", packages=tracked.client)
    assert done.returncode == 0, done.stderr
    output = json.loads(done.stdout)
    assert (output["same"], output["rows"], output["names"]) == (True, 200, [["images"], ["probabilities"]])
    assert output["inputs"][0]["tensor-spec"] == {"dtype": "uint8", "shape": [-1, 8, 8, 1]}
    assert output["outputs"][0]["tensor-spec"] == {"dtype": "float32", "shape": [-1, 4]}
    assert output["labels"] == ["bar", "cross", "ring", "corner, left"]


def test_alias_follows_rollback_and_manual_promotion_without_a_flag(back):
    rolled = back.command("rollback", "tiny", "--reason", "slow at night")
    assert (rolled.returncode, rolled.stderr) == (0, "")
    assert (back.serving()["version"], back.champion()) == (1, 1)
    promoted = back.command("promote", "2", "--reason", "it was the disk")
    assert (promoted.returncode, promoted.stderr) == (0, "")
    assert (back.serving()["version"], back.champion()) == (2, 2)


def test_rollback_succeeds_without_mlflows_database_and_the_next_run_moves_the_alias(back):
    away = back.database.with_name("away.db")
    back.database.rename(away)
    rolled = back.command("rollback", "tiny", "--reason", "slow at night")
    away.rename(back.database)
    assert rolled.returncode == 0
    assert rolled.stdout.startswith("tiny version 1 serves now")
    assert rolled.stderr.startswith("WARNING: MLflow's alias of tiny was not moved")
    assert len(rolled.stderr.splitlines()) == 1
    assert (back.serving()["version"], back.champion()) == (1, 2)
    assert back.run("--train.epochs", "5").returncode == 0
    assert back.champion() == 1


def test_rollback_succeeds_without_the_client_and_names_what_to_install(back):
    rolled = back.command("rollback", "tiny", "--reason", "slow at night", with_client=False)
    assert rolled.returncode == 0
    assert back.serving()["version"] == 1
    assert "mlflow is not installed: pip install '.[mlflow]' in Beamline's folder" in rolled.stderr
    assert back.command("promote", "2", "--reason", "it was the disk").stderr == ""
    assert back.champion() == 2


def test_version_of_an_untracked_run_is_registered_when_it_is_promoted(tracked):
    done = tracked.run("--train.epochs", "7")
    assert done.returncode == 0, done.stdout
    assert tracked.champion() == 3
    assert tracked.command("rollback", "tiny", "--to", "2", "--reason", "as it was").returncode == 0
    assert tracked.champion() == 2


def test_server_that_does_not_answer_is_a_warning_without_the_password(tracked):
    address = "http://alice:hunter2@127.0.0.1:9"
    done = tracked.run("--track", "mlflow", "--train.epochs", "5", "--model", "other", MLFLOW_TRACKING_URI=address)
    assert done.returncode == 0
    assert "WARNING: run " in done.stdout
    assert "http://127.0.0.1:9" in done.stdout
    written = [file.read_text() for file in (tracked.project.folder / RUNS / "logs").iterdir()]
    assert any("Max retries exceeded" in text for text in written)
    assert not any("hunter2" in text for text in (done.stdout, done.stderr, *written))


def test_run_that_cannot_be_tracked_is_refused_at_the_start(mlflow_client, new_project, data_dir):
    here = Tracked(new_project(), mlflow_client, data_dir)
    without = here.run("--track", "mlflow", with_client=False)
    assert (without.returncode, without.stdout) == (1, "")
    expected = "run: --track mlflow: mlflow is not installed: pip install '.[mlflow]' in Beamline's folder\n"
    assert without.stderr == expected
    wrong = here.run("--track", "mlflow", MLFLOW_TRACKING_URI="htp://nowhere")
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert wrong.stderr.startswith("run: MLFLOW_TRACKING_URI htp://nowhere cannot be used (")
    assert not (here.project.folder / RUNS).exists()
