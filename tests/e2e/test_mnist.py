"""The whole pipeline on the real MNIST, from its four files to scored images."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from tests.e2e.browser import faults
from tests.e2e.drifted import wrong_verdicts
from tests.e2e.test_tiny import STEPS

LABEL_COUNTS = [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]


@dataclass(frozen=True)
class OnMnist:
    """Runs a command of the pipeline on the four files, prepared in a folder of the test's own."""

    manual_dir: Path
    data_dir: Path

    def __call__(self, project, *arguments, blocked=False):
        source = ("--manual-dir", str(self.manual_dir), "--data-dir", str(self.data_dir))
        return project.command("pipeline", *arguments, *source, blocked=blocked)


@pytest.fixture(scope="module")
def run(mnist_dir, mnist_data_dir):
    return OnMnist(mnist_dir, mnist_data_dir)


@pytest.fixture(scope="module")
def promoted(promoted_mnist, tmp_path_factory):
    return promoted_mnist.copied(tmp_path_factory.mktemp("mnist") / "beamline")


def test_nine_steps_promote_a_model_of_at_least_97_percent(promoted):
    assert [step["name"] for step in promoted.last_run()["steps"]] == STEPS
    manifest = json.loads((promoted.folder / "models/mnist/1/manifest.json").read_text())
    assert manifest["gate"]["accuracy"] >= 0.97
    assert manifest["dataset"]["splits"]["train"]["rows"] == 60_000
    model = json.loads((promoted.artifact("train") / "payload/model.json").read_text())
    assert model["parameters"] == 118_282


def test_statistics_are_the_published_ones(promoted):
    statistics = json.loads((promoted.artifact("analyze") / "payload/statistics.json").read_text())
    train = statistics["splits"]["train"]
    assert train["mean"][0] / 255 == pytest.approx(0.1307, abs=5e-5)
    assert train["deviation"][0] / 255 == pytest.approx(0.3081, abs=5e-5)
    assert [train["label_counts"][str(label)] for label in range(10)] == LABEL_COUNTS


def test_no_image_stands_twice_and_the_contract_is_kept(promoted):
    statistics = json.loads((promoted.artifact("analyze") / "payload/statistics.json").read_text())
    found = statistics["duplicates"]
    assert (found["repeated"], found["leaked"], found["contradicting"]) == ({"test": 0, "train": 0}, 0, 0)
    anomalies = json.loads((promoted.artifact("validate") / "payload/anomalies.json").read_text())
    assert (anomalies["found"], len(anomalies["checked"])) == ([], 20)


def test_scores_of_the_test_images_have_the_gates_accuracy(promoted, run):
    sampled = run(promoted, "sample", "--dataset", "mnist", "--split", "test", "--out", "images.npy", blocked=True)
    assert sampled.returncode == 0, sampled.stderr
    scored = promoted.command("serving.batch_score", "images.npy", blocked=True)
    assert scored.returncode == 0, scored.stderr
    assert "10,000 images" in scored.stdout
    with (promoted.folder / "images.predictions.csv").open(newline="") as file:
        predicted = np.array([int(row["label"]) for row in csv.DictReader(file)])
    accuracy = (predicted == np.load(promoted.folder / "images.labels.npy")).mean()
    manifest = json.loads((promoted.folder / "models/mnist/1/manifest.json").read_text())
    assert accuracy == manifest["gate"]["accuracy"]


def test_test_images_have_not_drifted_and_changed_ones_have(promoted, run):
    sampled = run(promoted, "sample", "--dataset", "mnist", "--split", "test", "--out", "drift.npy", blocked=True)
    assert sampled.returncode == 0, sampled.stderr
    images, labels = (np.load(promoted.folder / name) for name in ("drift.npy", "drift.labels.npy"))
    assert wrong_verdicts(promoted.folder / "models/mnist/1", images, labels) == []


def test_images_are_those_of_the_original_file(promoted, mnist_dir):
    import gzip

    raw = gzip.decompress((mnist_dir / "t10k-images-idx3-ubyte.gz").read_bytes())
    original = np.frombuffer(raw, np.uint8, offset=16).reshape(10_000, 28, 28, 1)
    ours = np.load(promoted.folder / "images.npy")
    assert sorted(map(bytes, ours)) == sorted(map(bytes, original))


def test_unchanged_run_has_nothing_to_do(promoted, run):
    assert run(promoted, "run", blocked=True).returncode == 0
    assert promoted.executed() == []


def test_limit_out_of_reach_refuses_and_changes_nothing(promoted, run):
    before = promoted.registry()
    done = run(promoted, "run", "--evaluate.min-accuracy", "0.999")
    assert done.returncode == 3
    assert "< 0.999" in done.stdout
    assert promoted.executed() == ["evaluate"]
    assert promoted.registry() == before


def test_manual_folder_with_a_wrong_file_is_refused_by_name(promoted, mnist_dir, tmp_path):
    for file in mnist_dir.glob("*.gz"):
        (tmp_path / file.name).symlink_to(file)
    wrong = tmp_path / "t10k-labels-idx1-ubyte.gz"
    wrong.unlink()
    missing = promoted.command("pipeline", "run", "--manual-dir", str(tmp_path))
    assert missing.returncode == 2
    assert "has no t10k-labels-idx1-ubyte.gz" in missing.stderr
    wrong.write_bytes(b"something else")
    changed = promoted.command("pipeline", "run", "--manual-dir", str(tmp_path))
    assert changed.returncode == 2
    assert "t10k-labels-idx1-ubyte.gz has SHA-256" in changed.stderr


def test_cards_of_a_promoted_and_a_refused_run_are_whole_in_a_browser(promoted):
    reports = promoted.folder / "runs" / "reports"
    verdicts = {file.stem: json.loads(file.read_text())["verdict"] for file in promoted.folder.glob("runs/history/*")}
    pages = [reports / f"{run}.html" for run, verdict in sorted(verdicts.items()) if verdict in ("promoted", "refused")]
    assert {verdicts[page.stem] for page in pages} == {"promoted", "refused"}
    assert all(page.stat().st_size < 3_000_000 for page in pages)
    assert faults([*pages, promoted.folder / "runs" / "index.html"]) == []
