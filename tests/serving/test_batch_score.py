"""batch_score: the command, its exit codes, and what it leaves behind."""

from __future__ import annotations

import csv
import errno
import json
import os
import re
import signal

import numpy as np
import pytest
from onnx.reference import ReferenceEvaluator

from serving import batch_score
from serving.batch_score import main
from serving.scorer import Scorer
from tests.serving.tiny_bundle import LABELS, LEFT_OUT, npy, publish, random_images


@pytest.fixture(autouse=True)
def restored_signals():
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


@pytest.fixture
def promoted(registry, sealed):
    return publish(registry, sealed, "tiny", "run-1")


@pytest.fixture
def folder(tmp_path):
    """A folder with nothing but images.npy, 50 images."""
    folder = tmp_path / "night"
    folder.mkdir()
    np.save(folder / "images.npy", random_images(50))
    return folder


@pytest.fixture
def score(promoted, registry, folder, capsys):
    """Runs the command over images.npy; gives the exit code, what it said and its complaints."""

    def run(*flags, images=folder / "images.npy"):
        code = main([str(images), "--models", str(registry.root), *map(str, flags)])
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


def expected_labels(promoted, images):
    (probabilities,) = ReferenceEvaluator(str(promoted.path / "model.onnx")).run(None, {"images": images})
    return probabilities.argmax(axis=1)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def assert_refused(answer, exit_code, said):
    code, out, complaint = answer
    assert (code, out) == (exit_code, "")
    assert complaint.startswith("batch_score: ")
    assert said in complaint
    assert complaint.endswith("\n")
    assert complaint.count("\n") == 1


def test_predictions_stand_beside_the_images(score, folder, promoted):
    code, _, complaint = score()
    assert (code, complaint) == (0, "")
    assert names(folder) == ["images.npy", "images.predictions.csv", "images.predictions.csv.json"]
    with (folder / "images.predictions.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    labels = expected_labels(promoted, random_images(50))
    assert [int(row["label"]) for row in rows] == labels.tolist()
    assert [row["class"] for row in rows] == [LABELS[label] for label in labels]
    assert [int(row["index"]) for row in rows] == list(range(50))


def test_closing_line_says_how_many_how_fast_where_and_with_which_model(score, folder):
    out = folder / "out.npy"
    assert re.fullmatch(
        rf"50 images in \d+\.\d\d s, [\d,]+ images/s -> {re.escape(str(out))} \(tiny version 1\)\n",
        score("--out", out)[1],
    )


def test_bundles_folder_is_named_where_there_is_no_version(score, promoted):
    assert score("--model", promoted.path)[1].endswith(f"(tiny {promoted.path})\n")


def test_sidecar_says_what_made_the_output(score, folder, promoted):
    score("--probabilities")
    said = json.loads((folder / "images.predictions.csv.json").read_text(encoding="utf-8"))
    assert said["input"] == str(folder / "images.npy")
    assert (said["model"], said["version"], said["bundle_sha256"]) == ("tiny", 1, promoted.sha256)
    assert (said["rows"], said["probabilities"], said["precision"]) == (50, True, "float32")


def test_int8_model_scores_where_it_is_asked_for(score, seal, folder):
    bundle = seal(int8=True)
    assert score("--model", bundle.path, "--precision", "int8", "--probabilities", "--out", folder / "out.npy")[0] == 0
    expected = Scorer(bundle, precision="int8").score(random_images(50)).probabilities
    np.testing.assert_array_equal(np.load(folder / "out.npy"), expected)
    said = json.loads((folder / "out.npy.json").read_text(encoding="utf-8"))
    assert (said["precision"], said["bundle_sha256"]) == ("int8", bundle.sha256)


@pytest.mark.parametrize("flags", [[], ["--threads", 2], ["--batch-size", 7], ["--probabilities"]])
def test_flags_do_not_change_the_labels(score, folder, promoted, flags):
    assert score("--out", folder / "out.npy", *flags)[0] == 0
    read = np.load(folder / "out.npy")
    labels = read.argmax(axis=1) if "--probabilities" in flags else read
    np.testing.assert_array_equal(labels, expected_labels(promoted, random_images(50)))


def test_rows_keep_their_order_over_many_blocks(score, folder, promoted, monkeypatch):
    monkeypatch.setattr(batch_score, "BLOCK_ROWS", 8)
    assert score("--out", folder / "out.npy")[0] == 0
    np.testing.assert_array_equal(np.load(folder / "out.npy"), expected_labels(promoted, random_images(50)))


def test_no_images_have_no_predictions(score, folder):
    np.save(folder / "images.npy", random_images(0))
    code, out, _ = score()
    assert code == 0
    assert out.startswith("0 images in ")
    assert (folder / "images.predictions.csv").read_text() == "index,label,class,confidence\n"


def test_tonights_run_replaces_last_nights_and_nobody_elses(score, folder):
    output = folder / "images.predictions.csv"
    assert score()[0] == 0
    np.save(folder / "images.npy", random_images(20))
    assert score()[0] == 0
    assert len(output.read_text(encoding="utf-8").splitlines()) == 21
    output.write_text("edited by hand")
    assert_refused(score(), 2, "--overwrite")
    assert output.read_text() == "edited by hand"
    assert score("--overwrite")[0] == 0
    assert len(output.read_text(encoding="utf-8").splitlines()) == 21


@pytest.mark.parametrize("name", ["model.onnx", "saved_model.pb", "manifest.json"])
def test_tampered_bundle_is_exit_4_and_nothing_is_written(score, folder, promoted, name):
    content = (promoted.path / name).read_bytes()
    (promoted.path / name).write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    assert_refused(score(), 4, name)
    assert names(folder) == ["images.npy"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "numpy.save"),
        (b"PK\x03\x04 zip", "numpy.save"),
        (npy(random_images(3) / 255), "float64"),
        (npy(random_images(3).astype(np.int64)), "int64"),
        (npy(random_images(3))[:-5], "it was cut or added to"),
        (npy(random_images(3)) + b"more", "it was cut or added to"),
        (npy(np.asfortranarray(random_images(3))), "numpy.ascontiguousarray"),
        (npy(np.zeros(5, np.uint8)), "reshape it"),
        (npy(random_images(3, (4, 4, 1))), "resize them to fit"),
    ],
    ids=["empty", "zip", "float", "integer", "cut", "longer", "fortran", "flat", "shape"],
)  # fmt: skip
def test_bad_images_are_exit_2_and_nothing_is_written(score, folder, content, said):
    (folder / "images.npy").write_bytes(content)
    assert_refused(score(), 2, said)
    assert names(folder) == ["images.npy"]


def test_missing_images_are_exit_2(score, folder):
    assert_refused(score(images=folder / "nowhere.npy"), 2, "No such file")
    assert names(folder) == ["images.npy"]


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--colour"], "--colour"),
        (["--prob"], "--prob"),
        (["--threads", "0"], "'0' is no number from 1 to 1,024"),
        (["--threads", "999999999999"], "is no number from 1 to 1,024"),
        (["--batch-size", "many"], "'many' is no number from 1 to"),
        (["--precision", "int16"], "choose from 'float32', 'int8'"),
        (["--precision", "int8"], LEFT_OUT),
        (["--out", "out.txt"], ".csv or .npy"),
        (["--model", "unknown"], "unknown"),
    ],
)
def test_wrong_usage_is_exit_2_and_nothing_is_written(score, folder, flags, said):
    assert_refused(score(*flags), 2, said)
    assert names(folder) == ["images.npy"]


def test_no_images_named_is_exit_2(capsys):
    assert main([]) == 2
    assert "images" in capsys.readouterr().err


def test_folder_that_cannot_be_written_is_exit_2(score, folder):
    assert_refused(score("--out", folder / "images.npy" / "out.csv"), 2, "cannot be written")
    assert_refused(score("--out", folder / "nowhere" / "out.csv"), 2, "cannot be written")
    assert names(folder) == ["images.npy"]


def test_images_are_never_written_over(score, folder):
    assert_refused(score("--out", folder / "images.npy", "--overwrite"), 2, "is the input itself")
    np.testing.assert_array_equal(np.load(folder / "images.npy"), random_images(50))


def interrupt(scorer, images):
    raise KeyboardInterrupt


def terminate(scorer, images):
    os.kill(os.getpid(), signal.SIGTERM)
    for _ in range(1000):  # The signal is taken between two steps of the interpreter.
        pass


def fill_the_disk(scorer, images):
    raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize(
    ("stop", "exit_code", "said"),
    [(interrupt, 130, "interrupted"), (terminate, 143, "terminated"), (fill_the_disk, 1, "No space left")],
)
def test_stopped_in_the_middle_nothing_is_left(score, folder, monkeypatch, stop, exit_code, said):
    monkeypatch.setattr(batch_score, "BLOCK_ROWS", 20)
    calls = []
    whole = Scorer.score

    def stopped(scorer, images):
        calls.append(len(names(folder)))
        return whole(scorer, images) if len(calls) == 1 else stop(scorer, images)

    monkeypatch.setattr(Scorer, "score", stopped)
    assert_refused(score(), exit_code, said)
    assert calls == [2, 2]
    assert names(folder) == ["images.npy"]
