"""Wrong invocations: each is one sentence with what to do, the right exit code, no traceback, and nothing written."""

from __future__ import annotations

import os
import pickle
import shutil
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

import components.sources.tfds_set
from pipeline.__main__ import main
from serving import batch_score
from tests.components.sources.test_tfds_set import MNIST_SHA256
from tests.serving import tiny_bundle

IMAGES = np.zeros((3, 8, 8, 1), np.uint8)


@dataclass(frozen=True)
class Mistake:
    """What somebody typed, with what it ends, and what the sentence has to say."""

    typed: str
    exit_code: int
    words: tuple[str, ...]


def wrong(typed: str, *words: str, code: int = 2) -> Mistake:
    return Mistake(typed, code, words)


PIPELINE = [
    wrong("rum", "no such command", "did you mean run?"),
    wrong("deploy", "no such command", "give one of run, runs, show"),
    wrong("run --datset mnist", "--datset", "did you mean --dataset?"),
    wrong("run --xyzzy", "--xyzzy", "no such option", "--help"),
    wrong("run --train.epoch 3", "--train.epoch", "did you mean --train.epochs?"),
    wrong("run mnist", "mnist", "no such option"),
    wrong("run --preset cnnn", "--preset cnnn", "did you mean cnn?"),
    wrong("run --preset", "--preset", "expected one argument"),
    wrong("run --dataset", "--dataset", "expected one argument"),
    wrong("run --seed", "--seed", "--help"),
    wrong("run --seed seven", "--seed", "seven"),
    wrong("run --seed -1", "--seed -1", "give 0 to"),
    wrong("run --train.epochs five", "--train.epochs", "five"),
    wrong("run --train.epochs 0", "--train.epochs 0", "give 1"),
    wrong("run --train.batch-size 0", "--train.batch-size 0", "give 1"),
    wrong("run --train.hidden -3", "--train.hidden", "give 1"),
    wrong("run --train.optimizer adamm", "--train.optimizer", "adamm", "adam"),
    wrong("run --train.learning-rate nan", "--train.learning-rate nan", "above 0"),
    wrong("run --train.learning-rate inf", "--train.learning-rate inf", "above 0"),
    wrong("run --train.validation-fraction 1.5", "--train.validation-fraction 1.5", "below 1"),
    wrong("run --evaluate.min-accuracy 2", "--evaluate.min-accuracy 2", "from 0 to 1"),
    wrong("run --evaluate.min-accuracy nan", "--evaluate.min-accuracy nan", "from 0 to 1"),
    wrong("run --evaluate.min-recall -0.5", "--evaluate.min-recall -0.5", "from 0 to 1"),
    wrong("run --evaluate.min-recall inf", "--evaluate.min-recall inf", "from 0 to 1"),
    wrong("run --evaluate.min-recall high", "--evaluate.min-recall", "high"),
    wrong("run --evaluate.min-recal 0.9", "--evaluate.min-recal", "did you mean --evaluate.min-recall?"),
    wrong("run --verify.tolerance 1", "--verify.tolerance 1", "0.001"),
    wrong("run --transform.normalization unt", "--transform.normalization", "unt", "unit"),
    wrong("run --ingest.block-rows 0", "--ingest.block-rows 0", "give 1"),
    wrong("run --validate.off nan", "--validate.off nan", "cannot be set", "leaks"),
    wrong("run --validate.warn leeks", "--validate.warn", "leeks"),
    wrong("run --validate.off skew --validate.warn skew", "--validate.warn skew", "contradict each other"),
    wrong("run --validate.max-leaked-fraction 2", "--validate.max-leaked-fraction 2", "from 0 to 1"),
    wrong("run --validate.min-class-rows -1", "--validate.min-class-rows -1", "0 or more"),
    wrong("run --validate.schema nowhere.json", "nowhere.json cannot be read", "python -m pipeline schema"),
    wrong("run --validate.schema file", "file is no schema", "python -m pipeline schema"),
    wrong("run --model a/b", "'a/b' is no model name", "letters"),
    wrong("run --promote.compare best", "--promote.compare", "best", "not-worse"),
    wrong("run --promote.max-drop-fraction 2", "--promote.max-drop-fraction 2", "from 0 to 1"),
    wrong("run --promote.max-drop 0.1", "--promote.max-drop", "did you mean --promote.max-drop-fraction?"),
    wrong("run --promote.reason x", "--promote.reason", "no such option"),
    wrong("run --verify.max-load-seconds 0", "--verify.max-load-seconds 0", "above 0"),
    wrong("run --dataset ../mnist", "--dataset ../mnist", "give the name"),
    wrong("run --quiet --verbose", "--quiet", "--verbose", "one of them"),
    wrong("run --manual-dir nowhere", "--manual-dir nowhere is no folder", "give the one"),
    wrong("run --manual-dir empty", "--manual-dir empty has no", "t10k-images-idx3-ubyte.gz", "put them there"),
    wrong("run --manual-dir changed", "SHA-256", "fetch the file again"),
    wrong("run --data-dir file", "--data-dir file", "cannot be written", "give another place"),
    wrong("run --runs file/runs", "--runs file/runs cannot be written", "give another place"),
    wrong("run --models /proc/models", "--models /proc/models cannot be written", "give another place"),
    wrong("run -- --direct_num_workrs=2", "--direct_num_workrs=2", "did you mean --direct_num_workers?"),
    wrong("run -- --help", "--help after --", "Beam"),
    wrong("run -- --runner=Flunk", "--runner=Flunk", "give one of", "FlinkRunner"),
    wrong("run -- --direct_num_workers=two", "--direct_num_workers", "two"),
    wrong("runs", "runs has no runs yet", "python -m pipeline run"),
    wrong("runs --run x", "--run", "--help"),
    wrong("show", "required: run", "--help"),
    wrong("show 3", "run 3", "has no such run", "list them"),
    wrong("show newest", "run newest", "has no such run"),
    wrong("show 1 --runs damaged", "0001.json is no run's record", "move it away"),
    wrong("diff 1", "required: other"),
    wrong("diff 1 2", "run 1", "has no such run"),
    wrong("promote", "required: run", "--help"),
    wrong("promote 1", "--reason is missing", "say why"),
    wrong("promote 1 --reason good", "run 1", "has no such run"),
    wrong("promote 1 --reason good --promote.compare best", "--promote.compare", "not-worse"),
    wrong("promote 1 --reason good --promote.max-drop-fraction x", "--promote.max-drop-fraction", "x"),
    wrong("rollback mnist --reason \x1b", "--reason is missing", "say why"),
    wrong(f"rollback mnist --reason slow --to {'9' * 5000}", "is no version", "1 or more"),
    wrong("run --model Models.config", "'Models.config' is no model name"),
    wrong("rollback", "required: model", "--help"),
    wrong("rollback mnist", "--reason is missing", "say why"),
    wrong("rollback mnist --reason=", "--reason is missing", "say why"),
    wrong("rollback mnist --reason slow", "models has no model mnist", "it has none"),
    wrong("rollback ../mnist --reason slow", "'../mnist' is no model name"),
    wrong("rollback mnist --reason slow --to one", "--to one is no version", "1 or more"),
    wrong("history", "required: model", "--help"),
    wrong("history mnist", "models has no model mnist", "say where with --models"),
    wrong("compare cnn", "one preset alone", "give two or more"),
    wrong("compare cnn cnn", "cnn is given twice", "names of their own"),
    wrong("compare cnn cnnn", "--preset cnnn", "did you mean cnn?"),
    wrong("compare cnn nowhere.json", "nowhere.json", "no such file"),
    wrong("compare mlp-128-128 same.json", "mlp-128-128 and same are the same recipe", "nothing to compare"),
    wrong("compare cnn linear --preset cnn", "--preset is no flag of compare", "come first"),
    wrong("compare cnn linear --no-promotion", "--no-promotion is no flag of compare"),
    wrong("compare cnn --train.epochs 3 linear", "linear", "no such option"),
    wrong("compare --train.epoch 3", "--train.epoch", "did you mean --train.epochs?"),
    wrong("compare --runs file/runs", "--runs file/runs cannot be written"),
    wrong("compare -- --runner=Flunk", "--runner=Flunk", "give one of"),
    wrong("tune --trials 0", "--trials 0", "give 1 or more"),
    wrong("tune --trials many", "--trials", "many"),
    wrong("tune --timeout 0", "--timeout 0", "more than 0"),
    wrong("tune --timeout nan", "--timeout nan", "more than 0"),
    wrong("tune --out best.txt", "--out best.txt", "ends in .json"),
    wrong("tune --out cnn.json", "--out cnn.json", "built in"),
    wrong("tune --out nowhere/best.json", "nowhere is no folder", "make it first"),
    wrong("tune --out damaged/history/0001.json", "is no preset", "move it away"),
    wrong("tune --train.epochs 99", "--train.epochs", "begins with 99", "give 3 to 10"),
    wrong("tune --trails 3", "--trails", "no such option"),
    wrong("tune --preset cnnn", "--preset cnnn", "did you mean cnn?"),
    wrong("doctor --run x", "--run", "--help"),
    wrong("schema", "required: run", "--help"),
    wrong("schema 3", "run 3", "has no such run", "list them"),
    wrong("sample --split validation", "'validation'", "train", "test"),
    wrong("sample --split", "--split", "expected one argument"),
    wrong("sample --out images.csv", "--out images.csv", "ends in .npy"),
    wrong("sample --out nowhere/images.npy", "nowhere is no folder", "make it first"),
    wrong("sample --datset mnist", "--datset", "did you mean --dataset?"),
]
SCORER = [
    wrong("", "required: images", "--help"),
    wrong("nowhere.npy", "nowhere.npy cannot be read", "give a .npy file"),
    wrong("empty", "empty", ".npy"),
    wrong("nothing.npy", "nothing.npy is not a .npy file", "numpy.save"),
    wrong("text.npy", "text.npy", "is not a .npy file"),
    wrong("objects.npy", "objects.npy", "uint8"),
    wrong("pickle.npy", "pickle.npy", "is not a .npy file"),
    wrong("zip.npy", "zip.npy", "is not a .npy file"),
    wrong("floats.npy", "float64", "uint8", "astype"),
    wrong("complex.npy", "complex128", "uint8"),
    wrong("rank.npy", "shape", "(2,)"),
    wrong("size.npy --model bundle", "size.npy", "(9, 9)", "8"),
    wrong("cut.npy", "cut.npy", "bytes"),
    wrong("more.npy", "more.npy", "bytes"),
    wrong("huge.npy", "huge.npy", "its header says 784,000,000,000,000"),
    wrong("records.npy", "records.npy", "records"),
    wrong("labels.npy", "labels.npy", "int64"),
    wrong("empty --model bundle", "empty", "PNG or JPEG"),
    wrong("none-*.npy --model bundle", "none-*.npy matches nothing"),
    wrong("images.npy floats.npy --model bundle", "floats.npy", "float64"),
    wrong("images.npy images.npy --model bundle", "several inputs", "--out FILE"),
    wrong("cut.png --model bundle", "cut.png"),
    wrong("cut.png --model bundle --skip-bad", "cut.png"),
    wrong("images.npy --model bundle --labels more.npy", "more.npy"),
    wrong("images.npy --model bundle --labels labels.npy", "labels.npy holds 4 labels for 3 images"),
    wrong("images.npy --model bundle --labels nowhere.npy", "nowhere.npy cannot be read"),
    wrong("images.npy --model bundle --top 0", "--top", "from 1 to"),
    wrong("images.npy --model bundle --top 9", "--top 9", "4 classes"),
    wrong("images.npy --model bundle --top 2 --probabilities --out x.npy", "--top and --probabilities", ".csv"),
    wrong("images.npy --model float --fail-on-drift", "--fail-on-drift", "promote the model again"),
    wrong("images.npy", "models holds no promoted model", "python -m pipeline run"),
    wrong("images.npy --model nowhere", "--model nowhere", "give one of these"),
    wrong("images.npy --models nowhere", "nowhere holds no promoted model", "--models"),
    wrong("images.npy --model bundle --threads 0", "--threads", "from 1 to"),
    wrong("images.npy --model bundle --batch-size x", "--batch-size", "from 1 to"),
    wrong("images.npy --model bundle --precision int16", "--precision", "int16", "'float32', 'int8'"),
    wrong("images.npy --model float --precision int8", "--precision int8", "p 0.00098 < 0.05", "--precision float32"),
    wrong("images.npy --model bundle --out scores.txt", "scores.txt", ".csv"),
    wrong("images.npy --model bundle --out foreign.csv", "foreign.csv", "--overwrite"),
    wrong("images.npy --model bundle --out nowhere/scores.csv", "nowhere"),
    wrong("images.npy --model bundle --out images.npy", "images.npy"),
    wrong("images.npy --moddel bundle", "--moddel", "--help"),
    wrong("images.npy --model tampered", "tampered", "model.onnx", code=4),
]


@pytest.fixture(scope="module")
def filled(tmp_path_factory, made):
    """A folder with all that goes wrong; no mistake changes it, so all of them share it."""
    tmp_path = tmp_path_factory.mktemp("place")
    (tmp_path / "file").write_text("in the way")
    (tmp_path / "empty").mkdir()
    (tmp_path / "changed").mkdir()
    for name in MNIST_SHA256:
        (tmp_path / "changed" / name).write_bytes(b"something else")
    (tmp_path / "damaged" / "history").mkdir(parents=True)
    (tmp_path / "damaged" / "history" / "0001.json").write_text("{")
    (tmp_path / "same.json").write_text("{}")
    write_files(tmp_path)
    tiny_bundle.seal(tmp_path / "float", image_shape=(8, 8, 1))
    shutil.copytree(made.bundle.path, tmp_path / "bundle")
    shutil.copytree(made.bundle.path, tmp_path / "tampered")
    with (tmp_path / "tampered" / "model.onnx").open("ab") as model:
        model.write(b"more")
    return tmp_path


@pytest.fixture
def place(filled, monkeypatch):
    """That folder, to work in, and no network."""
    monkeypatch.chdir(filled)
    monkeypatch.setattr(components.sources.tfds_set, "refusal", lambda url: "cannot be reached (no network)")
    monkeypatch.setenv("TFDS_DATA_DIR", str(filled / "tfds"))
    return filled


def write_files(folder: Path) -> None:
    """Files that are no images that fit, each named after what is wrong with it."""
    np.save(folder / "images.npy", IMAGES)
    np.save(folder / "floats.npy", IMAGES / 255)
    np.save(folder / "complex.npy", IMAGES.astype(np.complex128))
    np.save(folder / "rank.npy", np.zeros(2, np.uint8))
    np.save(folder / "size.npy", np.zeros((3, 9, 9), np.uint8))
    np.save(folder / "objects.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    np.save(folder / "records.npy", np.zeros(3, [("pixel", np.uint8)]))
    np.save(folder / "labels.npy", np.zeros(4, np.int64))
    header = "{'descr': '|u1', 'fortran_order': False, 'shape': (1000000000000, 28, 28)}"
    (folder / "huge.npy").write_bytes(tiny_bundle.npy_with_header(header, bytes(100)))
    (folder / "cut.png").write_bytes(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR")
    whole = (folder / "images.npy").read_bytes()
    (folder / "cut.npy").write_bytes(whole[:-5])
    (folder / "more.npy").write_bytes(whole + b"more")
    (folder / "nothing.npy").touch()
    (folder / "text.npy").write_text("0,1,2\n")
    (folder / "pickle.npy").write_bytes(pickle.dumps([1, 2]))
    (folder / "foreign.csv").write_text("somebody's own\n")
    with zipfile.ZipFile(folder / "zip.npy", "w") as archive:
        archive.writestr("images.npy", whole)


def listing(folder: Path) -> dict[str, bytes | None]:
    """Every file with its bytes, and every folder."""
    entries = sorted(folder.rglob("*"))
    return {str(entry.relative_to(folder)): entry.read_bytes() if entry.is_file() else None for entry in entries}


def check(mistake: Mistake, code: int, said, before, folder: Path) -> None:
    assert "Traceback" not in said.out + said.err
    assert code == mistake.exit_code, said
    assert said.out == ""
    assert said.err.count("\n") == 1, said.err
    for words in mistake.words:
        assert words in said.err
    assert listing(folder) == before


def test_there_are_enough_of_them():
    typed = {mistake.typed for mistake in [*PIPELINE, *SCORER]}
    assert len(typed) == len(PIPELINE) + len(SCORER) >= 40


@pytest.mark.parametrize("mistake", PIPELINE, ids=lambda mistake: mistake.typed)
def test_pipeline_refuses(mistake, place, capfd):
    before = listing(place)
    check(mistake, main(mistake.typed.split()), capfd.readouterr(), before, place)


@pytest.mark.parametrize("mistake", SCORER, ids=lambda mistake: mistake.typed)
def test_scorer_refuses(mistake, place, capfd):
    before = listing(place)
    check(mistake, batch_score.main(mistake.typed.split()), capfd.readouterr(), before, place)


@pytest.mark.skipif(os.geteuid() == 0, reason="permissions do not bind root")
@pytest.mark.parametrize("flag", ["--runs", "--models", "--data-dir"])
def test_folder_without_permission_is_refused(flag, place, capfd):
    (place / "locked").mkdir(mode=0o500)
    assert main(["run", flag, "locked/here"]) == 2
    assert f"{flag} locked/here cannot be written: Permission denied" in capfd.readouterr().err


# What is known only once the run has begun: told on the screen and in the log, kept in the history, nothing else left.
BEGUN = [
    wrong("run --dataset mnistt", "--dataset mnistt", "no such data set", "did you mean mnist?"),
    wrong("run --dataset qqqqzzzz0", "no such data set", "give the name"),
    wrong("run --dataset mnist", "cannot be reached", "--manual-dir FOLDER", code=1),
    wrong("run --dataset tiny --ingest.train-split tain", "--ingest.train-split tain", "train, test"),
    wrong("run --dataset tiny --ingest.test-split train[:10%]", "share", "do not overlap"),
    wrong("run --dataset tiny --ingest.test-split test[:0]", "--ingest.test-split", "has no rows"),
]


@pytest.mark.parametrize("mistake", BEGUN, ids=lambda mistake: mistake.typed)
def test_run_that_had_begun_says_what_stopped_it(mistake, place, made, monkeypatch, capfd):
    monkeypatch.setenv("TFDS_DATA_DIR", str(made.data_dir))
    before = listing(place)
    assert main(mistake.typed.split()) == mistake.exit_code
    said = capfd.readouterr()
    assert "Traceback" not in said.out + said.err
    assert said.err == ""
    (stopped,) = [line for line in said.out.splitlines() if line.startswith("failed at ingest")]
    for words in mistake.words:
        assert words in stopped
    left = {name for name, content in listing(place).items() if content is not None} - before.keys()
    shutil.rmtree(place / "runs")
    # What was remembered of the data is as good for the next run.
    left = {name for name in left if not name.startswith("runs/fingerprints/")}
    assert left == {"runs/history/0001.json", "runs/logs/0001.log", "runs/reports/0001.html", "runs/index.html"}
