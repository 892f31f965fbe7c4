"""The whole pipeline on a small set: what is executed, found, refused and served."""

from __future__ import annotations

import hashlib
import json
import shlex
import shutil
from pathlib import Path

import numpy as np
import pytest

from tests import tiny_set
from tests.e2e.conftest import LARGE, tiny_run

PICTURES = {"class-balance.png", "confusion-matrix.png", "learning-curves.png", "predictions.png", "samples.png"}
STEPS = ["ingest", "analyze", "validate", "transform", "train", "evaluate", "export", "verify", "promote"]


@pytest.fixture(scope="module")
def run(data_dir):
    """The command that the tests vary."""
    return lambda project, *more, blocked=False: project.command(*tiny_run(data_dir), *more, blocked=blocked)


@pytest.fixture
def first(promoted_tiny):
    return promoted_tiny


@pytest.fixture
def promoted(first, tmp_path):
    return first[0].copied(tmp_path / "beamline")


def change_a_byte(file: Path) -> None:
    """Changes a byte in the middle of a model, where the weights are."""
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


def test_first_run_executes_nine_steps_and_promotes(first):
    project, done = first
    assert done.returncode == 0, done.stderr
    assert project.executed() == STEPS
    assert project.last_run()["verdict"] == "promoted"
    assert json.loads((project.folder / "models/tiny/promoted.json").read_text())["version"] == 1
    assert not any(project.folder.rglob("*.incoming*"))
    assert list((project.folder / "runs/.staging").iterdir()) == []


def test_screen_has_the_steps_the_epochs_the_arithmetic_and_no_noise(first):
    _, done = first
    assert done.stderr == ""
    for step in STEPS:
        assert f"\n{step:<10} …\n" in done.stdout
    assert "epoch 5/5" in done.stdout
    assert "lower bound 0.9812 ≥ 0.95" in done.stdout
    assert "models/tiny: tiny version 1 serves now" in done.stdout


def test_every_run_has_its_pictures_and_an_unchanged_one_takes_them_over(first, promoted, run):
    _, done = first
    assert "\npictures: runs/reports/0001/\n" in done.stdout
    assert promoted.pictures("0001").keys() == PICTURES
    again = run(promoted, blocked=True)
    assert again.returncode == 0, again.stderr
    assert "\npictures: runs/reports/0002/\n" in again.stdout
    assert promoted.pictures("0002") == promoted.pictures("0001")
    reports = promoted.folder / "runs" / "reports"
    # The pictures are hard links to the cache: many runs need no more disk than one.
    drawn = {file.stat().st_ino for file in (reports / ".parts").iterdir()}
    assert {(reports / "0002" / name).stat().st_ino for name in PICTURES} <= drawn


def test_run_whose_pictures_cannot_be_drawn_is_done_all_the_same(promoted, run):
    shutil.rmtree(promoted.folder / "runs" / "reports")
    done = run(promoted, blocked=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert "the pictures of run 0002 could not be written: ImportError: matplotlib" in done.stdout
    assert "pictures: " not in done.stdout
    card = (promoted.folder / "runs/reports/0002.html").read_text()
    assert "confusion could not be drawn: ImportError: matplotlib" in card
    assert "reports/0002.html" in (promoted.folder / "runs/index.html").read_text()
    assert "Traceback" in (promoted.folder / "runs/logs/0002.log").read_text()
    assert promoted.last_run()["verdict"] == "promoted"


def test_command_that_is_shown_scores_what_sample_writes(first, promoted, data_dir):
    project, done = promoted, first[1]
    sampled = project.command("pipeline", "sample", "--dataset", "tiny", "--data-dir", str(data_dir))
    assert sampled.returncode == 0, sampled.stderr
    images, labels = tiny_set.shapes(200, seed=2)
    written = np.load(project.folder / "images.npy")
    assert sorted(map(bytes, written)) == sorted(map(bytes, images))
    assert np.bincount(np.load(project.folder / "images.labels.npy")).tolist() == np.bincount(labels).tolist()
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("score:")]
    python, flag, *command = shlex.split(line.removeprefix("score:"))
    assert (python, flag) == ("python", "-m")
    scored = project.command(*command, blocked=True)
    assert scored.returncode == 0, scored.stderr
    rows = (project.folder / "images.predictions.csv").read_text().splitlines()
    assert rows[0] == "index,label,class,confidence"
    assert len(rows) == 201
    assert '"corner, left"' in "".join(rows)


def test_unchanged_run_executes_nothing_and_needs_no_library_that_takes_long_to_import(promoted, data_dir):
    before = promoted.registry()
    others = ("numpy", "PIL", "onnxruntime", "pyarrow", "scipy", "tyro")
    done = promoted.command(*tiny_run(data_dir), blocked=True, without=(*LARGE, *others))
    assert done.returncode == 0, done.stderr
    assert promoted.outcomes() == dict.fromkeys(STEPS, "cached")
    assert "nothing to do" in done.stdout
    assert promoted.registry() == before


def test_blocked_imports_are_really_blocked(promoted, run):
    shutil.rmtree(promoted.artifact("analyze"))
    assert "is blocked" in run(promoted, blocked=True).stderr


def test_deleted_artifact_is_made_again_alone(promoted, run):
    shutil.rmtree(promoted.artifact("analyze"))
    assert run(promoted).returncode == 0
    assert promoted.executed() == ["analyze"]


def test_edited_component_runs_again_and_nothing_after_it(promoted, run):
    source = promoted.folder / "components" / "validate" / "split_rules.py"
    text = source.read_text()
    assert "the pipeline takes uint8" in text
    source.write_text(text.replace("the pipeline takes uint8", "the pipeline wants uint8"))
    assert run(promoted).returncode == 0
    assert promoted.executed() == ["validate"]


def test_edited_docstring_changes_nothing(promoted, run):
    source = promoted.folder / "components" / "validate" / "validate.py"
    source.write_text(source.read_text().replace("Every breach of the contract;", "All problems of the data;"))
    assert run(promoted, blocked=True).returncode == 0
    assert promoted.executed() == []


@pytest.mark.exhaustive
def test_other_epochs_execute_training_and_what_follows(promoted, run):
    done = run(promoted, "--train.epochs", "7")
    assert done.returncode == 0, done.stderr
    assert promoted.executed() == STEPS[4:]
    pointer = json.loads((promoted.folder / "models/tiny/promoted.json").read_text())
    assert (pointer["version"], pointer["event"]["run"]) == (2, "0002")


def test_gate_refuses_with_its_arithmetic_and_nothing_is_exported(promoted, run):
    before = promoted.registry()
    done = run(promoted, "--evaluate.min-accuracy", "0.99", "--evaluate.min-recall", "0.95")
    assert done.returncode == 3
    assert "1.0000 (50 of 50), 95 % interval 0.9287 to 1.0000, lower bound 0.9287 < 0.95" in done.stdout
    assert "accuracy 1.0000 (200 of 200), 95 % interval 0.9812 to 1.0000, lower bound 0.9812 < 0.99" in done.stdout
    assert promoted.executed() == ["evaluate"]
    assert [promoted.outcomes()[step] for step in STEPS[6:]] == ["refused"] * 3
    assert promoted.last_run()["verdict"] == "refused"
    assert promoted.registry() == before
    assert promoted.pictures("0002").keys() == PICTURES


def test_weight_changed_between_export_and_verify_is_refused(promoted, run):
    before = promoted.registry()
    change_a_byte(promoted.artifact("export") / "payload" / "model.onnx")
    shutil.rmtree(promoted.artifact("verify"))
    done = run(promoted)
    assert done.returncode == 3
    assert "model.onnx was changed" in done.stdout
    assert promoted.outcomes()["verify"] == promoted.outcomes()["promote"] == "refused"
    assert promoted.registry() == before


def test_promoted_bundle_with_a_changed_byte_is_refused_and_a_run_mends_it(promoted, run):
    np.save(promoted.folder / "images.npy", tiny_set.shapes(10, seed=5)[0])
    change_a_byte(promoted.folder / "models/tiny/1/model.onnx")
    scored = promoted.command("serving.batch_score", "images.npy")
    assert scored.returncode == 4
    assert "model.onnx" in scored.stderr
    assert not (promoted.folder / "images.predictions.csv").exists()
    assert run(promoted).returncode == 0
    assert promoted.executed() == ["promote"]
    assert promoted.command("serving.batch_score", "images.npy").returncode == 0


@pytest.mark.exhaustive
def test_second_project_from_nothing_makes_the_same_bytes(first, new_project, data_dir):
    project, _ = first
    other = new_project()
    # This one compiles its network itself.
    assert other.command(*tiny_run(data_dir), TF_XLA_FLAGS="").returncode == 0
    assert project.pictures("0001") == other.pictures("0001")
    ours, theirs = project.digests(), other.digests()
    assert {name: ours[name] for name in STEPS} == {name: theirs[name] for name in STEPS}
    manifests = [(p.folder / "models/tiny/1/manifest.json").read_bytes() for p in (project, other)]
    assert hashlib.sha256(manifests[0]).hexdigest() == hashlib.sha256(manifests[1]).hexdigest()


@pytest.mark.exhaustive
def test_class_that_is_missing_stops_the_run_before_training_where_that_is_an_error(new_project, tmp_path):
    tiny_set.prepare(tmp_path / "tfds", class_names=(*tiny_set.CLASS_NAMES, "never seen"))
    project = new_project()
    flags = ("pipeline", "run", "--dataset", "tiny", "--data-dir", str(tmp_path / "tfds"))
    done = project.command(*flags, "--validate.error", "class-unused")
    assert done.returncode == 3
    assert "1 of 5 classes have no row: class 4 (never seen)" in done.stdout
    assert project.executed() == STEPS[:3]
    assert not (project.folder / "models").exists()
    assert project.pictures("0001").keys() == {"class-balance.png", "samples.png"}


def test_failure_shows_one_sentence_and_keeps_the_traceback(new_project, tmp_path):
    project = new_project()
    done = project.command("pipeline", "run", "--dataset", "mnistt", "--data-dir", str(tmp_path))
    assert done.returncode == 2
    assert "did you mean mnist?" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr
    assert "Traceback" in (project.folder / "runs/logs/0001.log").read_text()
    assert project.last_run()["verdict"] == "failed"
    assert "pictures" not in done.stdout
    assert "\ncard: runs/reports/0001.html\n" in done.stdout
    card = (project.folder / "runs/reports/0001.html").read_text()
    assert card.index("Failed at the step <strong>ingest") < card.index("did you mean mnist?") < card.index("Preset")


def test_sample_hands_out_no_damaged_images(promoted, data_dir):
    (block,) = (promoted.artifact("ingest") / "payload").glob("test-*.images.npy")
    change_a_byte(block)
    done = promoted.command("pipeline", "sample", "--dataset", "tiny", "--data-dir", str(data_dir))
    assert done.returncode == 1
    assert f"{block.name} was changed" in done.stderr
    assert not (promoted.folder / "images.npy").exists()
