"""batch_score: the command, its exit codes, and what it leaves behind."""

from __future__ import annotations

import csv
import errno
import json
import os
import re
import signal
from datetime import datetime

import numpy as np
import pytest
import scipy.stats
from onnx.reference import ReferenceEvaluator

from serving import job as job_module
from serving.batch_score import main
from serving.output import Output
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
    assert said["inputs"] == [str(folder / "images.npy")]
    stat = (folder / "images.npy").stat()
    assert (said["input_files"], said["input_bytes"]) == (1, stat.st_size)
    assert datetime.fromisoformat(said["input_modified"]).timestamp() == pytest.approx(stat.st_mtime, abs=1e-5)
    assert (said["batch_size"], said["block_rows"], said["top"], said["resumed_rows"]) == (256, 2560, 1, 0)
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
    monkeypatch.setattr(job_module, "MAX_BLOCK_ROWS", 8)
    assert score("--out", folder / "out.npy", "--batch-size", 4)[0] == 0
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
        (npy(np.zeros(5, np.uint8)), "reshape it"),
        (npy(random_images(3, (4, 4, 1))), "resize them to fit"),
    ],
    ids=["empty", "zip", "float", "integer", "cut", "longer", "flat", "shape"],
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
        (["--out", "out.txt"], "give a name that ends in .csv, .npy, .jsonl or .parquet"),
        (["--top", "5"], "--top 5: the model has 4 classes"),
        (["--top", "2", "--probabilities", "--out", "out.npy"], ".npy holds one array"),
        (["--labels", "nowhere.npy"], "nowhere.npy"),
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
    assert_refused(score("--out", folder / "images.npy", "--overwrite"), 2, "is an input itself")
    np.testing.assert_array_equal(np.load(folder / "images.npy"), random_images(50))


def interrupt(output):
    raise KeyboardInterrupt


def terminate(output):
    os.kill(os.getpid(), signal.SIGTERM)
    for _ in range(1000):  # The signal is taken between two steps of the interpreter.
        pass


def break_down(output):
    raise OSError(errno.EIO, "Input/output error")


@pytest.fixture
def stopped_after(monkeypatch):
    """Has something happen when so many blocks of 20 images are written."""
    monkeypatch.setattr(job_module, "MAX_BLOCK_ROWS", 20)
    write = Output.write

    def when(blocks, stop):
        written = []

        def stopped(output, *said):
            write(output, *said)
            written.append(said)
            if len(written) == blocks:
                stop(output)

        monkeypatch.setattr(Output, "write", stopped)
        return written

    return when


@pytest.mark.parametrize(
    ("stop", "exit_code", "said"), [(interrupt, 130, "interrupted"), (terminate, 143, "terminated")]
)
def test_stopped_in_the_middle_it_goes_on_to_the_same_bytes(score, folder, stopped_after, stop, exit_code, said):
    flags = ("--batch-size", 10, "--probabilities")
    assert score(*flags)[0] == 0
    whole = (folder / "images.predictions.csv").read_bytes()
    (folder / "images.predictions.csv").unlink()
    written = stopped_after(2, stop)
    assert_refused(score(*flags), exit_code, f"{said}; the first 40 images are kept: go on with --resume")
    assert names(folder) == [
        ".images.predictions.csv.journal",
        ".images.predictions.csv.staged",
        "images.npy",
        "images.predictions.csv.json",
    ]
    del written[:]
    code, out, complaint = score(*flags, "--resume")
    assert (code, complaint, len(written)) == (0, "", 1)
    assert "40 of them by an earlier run" in out
    assert (folder / "images.predictions.csv").read_bytes() == whole
    said = json.loads((folder / "images.predictions.csv.json").read_text(encoding="utf-8"))
    assert (said["rows"], said["resumed_rows"]) == (50, 40)
    assert names(folder) == ["images.npy", "images.predictions.csv", "images.predictions.csv.json"]


def test_failure_in_the_middle_leaves_nothing(score, folder, stopped_after):
    stopped_after(2, break_down)
    assert_refused(score("--batch-size", 10), 1, "Input/output error; nothing was written")
    assert names(folder) == ["images.npy"]


@pytest.mark.parametrize(
    "changed", [["--probabilities"], ["--top", 2], ["--batch-size", 5], ["--out", "x.npy"], ["--labels", "labels.npy"]]
)
def test_run_of_other_settings_does_not_go_on(score, folder, stopped_after, changed, monkeypatch):
    monkeypatch.chdir(folder)
    np.save("labels.npy", np.zeros(50, int))
    written = stopped_after(2, interrupt)
    assert score("--batch-size", 10)[0] == 130
    del written[:]
    monkeypatch.setattr(job_module, "MAX_BLOCK_ROWS", 20)
    code, out, _ = score("--batch-size", 10, "--resume", *changed)
    assert (code, len(written), "earlier" in out) == (130 if len(written) == 2 else 0, len(written), False)


def test_images_that_changed_meanwhile_are_scored_anew_from_there_on(score, folder, promoted, stopped_after):
    written = stopped_after(2, interrupt)
    assert score("--batch-size", 10, "--out", folder / "out.npy")[0] == 130
    images = random_images(50)
    images[30] = 255 - images[30]
    stat = (folder / "images.npy").stat()
    np.save(folder / "images.npy", images)
    os.utime(folder / "images.npy", ns=(stat.st_atime_ns, stat.st_mtime_ns))
    del written[:]
    assert score("--batch-size", 10, "--out", folder / "out.npy", "--resume")[0] in (0, 130)
    assert score("--batch-size", 10, "--out", folder / "out.npy", "--resume")[0] == 0
    np.testing.assert_array_equal(np.load(folder / "out.npy"), expected_labels(promoted, images))


def test_resume_with_nothing_to_go_on_with_begins(score, folder):
    assert score("--resume")[0] == 0
    first = (folder / "images.predictions.csv").read_bytes()
    assert score("--resume")[0] == 0
    assert (folder / "images.predictions.csv").read_bytes() == first


def test_known_labels_give_the_accuracy_its_interval_and_the_confusion(score, folder, promoted):
    labels = expected_labels(promoted, random_images(50))
    labels[:5] = (labels[:5] + 1) % 4
    np.save(folder / "labels.npy", labels)
    code, out, _ = score("--labels", folder / "labels.npy")
    assert code == 0
    low, high = scipy.stats.binomtest(45, 50).proportion_ci(method="wilson")
    assert f"accuracy 0.9000 (45 of 50), 95 % interval {low:.4f} to {high:.4f}\n" in out
    assert "no accuracy is claimed" not in out
    said = json.loads((folder / "images.predictions.csv.json").read_text(encoding="utf-8"))["accuracy"]
    expected = np.zeros((4, 4), int)
    np.add.at(expected, (labels, expected_labels(promoted, random_images(50))), 1)
    assert said["confusion"] == expected.tolist()
    assert (said["rows"], said["correct"], said["accuracy"]) == (50, 45, 0.9)
    assert said["interval"] == pytest.approx([low, high])


def test_labels_of_other_images_are_refused(score, folder):
    np.save(folder / "labels.npy", np.zeros(49, int))
    assert_refused(score("--labels", folder / "labels.npy"), 2, "holds 49 labels for 50 images")
    np.save(folder / "labels.npy", np.array([0] * 30 + [4] + [0] * 19))
    assert_refused(score("--labels", folder / "labels.npy"), 2, "row 30 is 4, the model has the labels 0 to 3")
    np.save(folder / "labels.npy", np.array([0] * 30 + [-1] + [0] * 19))
    assert_refused(score("--labels", folder / "labels.npy"), 2, "row 30 is -1")
    assert names(folder) == ["images.npy", "labels.npy"]


def test_several_files_are_scored_as_one(score, folder, promoted):
    for number, part in enumerate(np.array_split(random_images(50), 3)):
        np.save(folder / f"part-{number}.npy", part)
    assert_refused(score(images=folder / "part-*.npy"), 2, "several inputs: say where")
    assert score("--out", folder / "out.npy", images=folder / "part-*.npy")[0] == 0
    np.testing.assert_array_equal(np.load(folder / "out.npy"), expected_labels(promoted, random_images(50)))
    said = json.loads((folder / "out.npy.json").read_text(encoding="utf-8"))
    assert (said["inputs"], said["input_files"], said["rows"]) == ([str(folder / "part-*.npy")], 3, 50)


def test_labels_are_an_input_too(score, folder):
    np.save(folder / "labels.npy", np.zeros(50, int))
    refused = score("--labels", folder / "labels.npy", "--out", folder / "labels.npy", "--overwrite")
    assert_refused(refused, 2, "is an input itself")


def test_input_that_is_removed_meanwhile_is_scored_whole(score, folder, promoted, stopped_after):
    stopped_after(1, lambda output: (folder / "images.npy").unlink())
    assert score("--batch-size", 10, "--out", folder / "out.npy")[0] == 0
    np.testing.assert_array_equal(np.load(folder / "out.npy"), expected_labels(promoted, random_images(50)))


def test_names_that_are_no_text_are_shown_as_bytes(score, folder):
    name = os.fsdecode(b"night-\xff.npy")
    (folder / "images.npy").rename(folder / name)
    assert score("--out", folder / "out.csv", images=folder / name)[0] == 0
    said = json.loads((folder / "out.csv.json").read_text(encoding="utf-8"))
    assert said["inputs"] == [f"{folder}/night-\\xff.npy"]


def test_file_with_brackets_in_its_name_is_one_file(score, folder):
    (folder / "images.npy").rename(folder / "images[1].npy")
    assert score(images=folder / "images[1].npy")[0] == 0
    assert "images[1].predictions.csv" in names(folder)


def test_what_makes_a_resumed_run_begin_anew_is_said(score, folder, stopped_after):
    stopped_after(1, interrupt)
    assert score("--batch-size", 10)[0] == 130
    code, _, complaint = score("--batch-size", 10, "--resume", "--top", 2)
    assert code in (0, 130)
    assert complaint.startswith("batch_score: begins anew: top is not as it was\n")


def test_skipped_pictures_may_be_missing_or_of_another_size_in_any_place(score, seal, tmp_path):
    from PIL import Image

    bundle = seal(image_shape=(4, 3, 1))
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    for number in range(1, 4):
        Image.new("L", (3, 4), number).save(pictures / f"{number}.png")
    Image.new("L", (9, 9)).save(pictures / "0.png")
    (pictures / "9.png").symlink_to("nowhere")
    assert score("--model", bundle.path, images=pictures)[0] == 2
    code, out, _ = score("--model", bundle.path, "--skip-bad", images=pictures)
    assert (code, "skipped 2 of " in out) == (0, True)
    with (tmp_path / "pictures.predictions.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["file"] for row in rows] == [str(pictures / f"{number}.png") for number in range(1, 4)]
