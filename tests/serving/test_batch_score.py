"""batch_score: the predictions, the sidecar and the lines on the screen."""

from __future__ import annotations

import csv
import json
import os
import re
from datetime import datetime

import numpy as np
import pytest
import scipy.stats

from serving.batch import job as job_module
from serving.scoring.scorer import Scorer
from tests.serving.score_command import assert_refused, expected_labels, names
from tests.serving.tiny_bundle import LABELS, random_images


def test_predictions_are_written_beside_the_images(score, folder, promoted):
    code, _, stderr = score()
    assert (code, stderr) == (0, "")
    assert names(folder) == ["images.npy", "images.predictions.csv", "images.predictions.csv.json"]
    with (folder / "images.predictions.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    labels = expected_labels(promoted, random_images(50))
    assert [int(row["label"]) for row in rows] == labels.tolist()
    assert [row["class"] for row in rows] == [LABELS[label] for label in labels]
    assert [int(row["index"]) for row in rows] == list(range(50))


def test_summary_line_has_the_number_the_rate_the_output_and_the_model(score, folder):
    out = folder / "out.npy"
    assert re.fullmatch(
        rf"50 images in \d+\.\d\d s, [\d,]+ images/s -> {re.escape(str(out))} \(tiny version 1\)\n",
        score("--out", out)[1],
    )


def test_summary_line_names_the_folder_of_a_bundle_without_a_version(score, promoted):
    assert score("--model", promoted.path)[1].endswith(f"(tiny {promoted.path})\n")


def test_sidecar_describes_the_model_and_the_input(score, folder, promoted):
    score("--probabilities")
    sidecar = json.loads((folder / "images.predictions.csv.json").read_text(encoding="utf-8"))
    assert sidecar["inputs"] == [str(folder / "images.npy")]
    stat = (folder / "images.npy").stat()
    assert (sidecar["input_files"], sidecar["input_bytes"]) == (1, stat.st_size)
    assert datetime.fromisoformat(sidecar["input_modified"]).timestamp() == pytest.approx(stat.st_mtime, abs=1e-5)
    assert (sidecar["batch_size"], sidecar["block_rows"], sidecar["top"], sidecar["resumed_rows"]) == (256, 2560, 1, 0)
    assert (sidecar["model"], sidecar["version"], sidecar["bundle_sha256"]) == ("tiny", 1, promoted.sha256)
    assert (sidecar["rows"], sidecar["probabilities"], sidecar["precision"]) == (50, True, "float32")


def test_precision_int8_uses_the_int8_model(score, seal, folder):
    bundle = seal(int8=True)
    assert score("--model", bundle.path, "--precision", "int8", "--probabilities", "--out", folder / "out.npy")[0] == 0
    expected = Scorer(bundle, precision="int8").score(random_images(50)).probabilities
    np.testing.assert_array_equal(np.load(folder / "out.npy"), expected)
    sidecar = json.loads((folder / "out.npy.json").read_text(encoding="utf-8"))
    assert (sidecar["precision"], sidecar["bundle_sha256"]) == ("int8", bundle.sha256)


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


def test_empty_input_has_an_empty_output(score, folder):
    np.save(folder / "images.npy", random_images(0))
    code, out, _ = score()
    assert code == 0
    assert out.startswith("0 images in ")
    assert (folder / "images.predictions.csv").read_text() == "index,label,class,confidence\n"


def test_own_output_is_replaced_and_an_edited_one_is_not(score, folder):
    output = folder / "images.predictions.csv"
    assert score()[0] == 0
    np.save(folder / "images.npy", random_images(20))
    assert score()[0] == 0
    assert len(output.read_text(encoding="utf-8").splitlines()) == 21
    output.write_text("edited manually")
    assert_refused(score(), 2, "--overwrite")
    assert output.read_text() == "edited manually"
    assert score("--overwrite")[0] == 0
    assert len(output.read_text(encoding="utf-8").splitlines()) == 21


def test_labels_give_the_accuracy_its_interval_and_the_confusion(score, folder, promoted):
    labels = expected_labels(promoted, random_images(50))
    labels[:5] = (labels[:5] + 1) % 4
    np.save(folder / "labels.npy", labels)
    code, out, _ = score("--labels", folder / "labels.npy")
    assert code == 0
    low, high = scipy.stats.binomtest(45, 50).proportion_ci(method="wilson")
    assert f"accuracy 0.9000 (45 of 50), 95 % interval {low:.4f} to {high:.4f}\n" in out
    assert "the accuracy is unknown" not in out
    sidecar = json.loads((folder / "images.predictions.csv.json").read_text(encoding="utf-8"))["accuracy"]
    expected = np.zeros((4, 4), int)
    np.add.at(expected, (labels, expected_labels(promoted, random_images(50))), 1)
    assert sidecar["confusion"] == expected.tolist()
    assert (sidecar["rows"], sidecar["correct"], sidecar["accuracy"]) == (50, 45, 0.9)
    assert sidecar["interval"] == pytest.approx([low, high])
    for same in (np.array(LABELS)[labels], np.eye(4, dtype=bool)[labels]):
        np.save(folder / "labels.npy", same)
        assert "accuracy 0.9000 (45 of 50)" in score("--labels", folder / "labels.npy")[1]


def test_several_files_are_scored_as_one(score, folder, promoted):
    for number, part in enumerate(np.array_split(random_images(50), 3)):
        np.save(folder / f"part-{number}.npy", part)
    assert_refused(score(images=folder / "part-*.npy"), 2, "from a pattern: name it with --out FILE")
    assert score("--out", folder / "out.npy", images=folder / "part-*.npy")[0] == 0
    np.testing.assert_array_equal(np.load(folder / "out.npy"), expected_labels(promoted, random_images(50)))
    sidecar = json.loads((folder / "out.npy.json").read_text(encoding="utf-8"))
    assert (sidecar["inputs"], sidecar["input_files"], sidecar["rows"]) == ([str(folder / "part-*.npy")], 3, 50)


def test_names_that_are_not_utf8_are_written_as_bytes(score, folder):
    name = os.fsdecode(b"night-\xff.npy")
    (folder / "images.npy").rename(folder / name)
    assert score("--out", folder / "out.csv", images=folder / name)[0] == 0
    sidecar = json.loads((folder / "out.csv.json").read_text(encoding="utf-8"))
    assert sidecar["inputs"] == [f"{folder}/night-\\xff.npy"]


def test_file_with_brackets_in_its_name_is_one_file(score, folder):
    (folder / "images.npy").rename(folder / "images[1].npy")
    assert score(images=folder / "images[1].npy")[0] == 0
    assert "images[1].predictions.csv" in names(folder)


def test_missing_pictures_and_pictures_of_another_size_are_skipped_at_any_position(score, seal, tmp_path):
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
    assert (code, "skipped 2 of 5 images:\n" in out) == (0, True)
    with (tmp_path / "pictures.predictions.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["file"] for row in rows] == [str(pictures / f"{number}.png") for number in range(1, 4)]
