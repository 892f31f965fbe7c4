"""batch_score: a stopped run is resumed to the same bytes; a failed run leaves no files."""

from __future__ import annotations

import errno
import json
import os
import signal

import numpy as np
import pytest

from serving.batch import job as job_module
from serving.batch.output import Output
from tests.serving.score_command import assert_refused, expected_labels, names
from tests.serving.tiny_bundle import random_images


def interrupt(output):
    raise KeyboardInterrupt


def terminate(output):
    os.kill(os.getpid(), signal.SIGTERM)
    for _ in range(1000):  # Python handles a signal between two instructions.
        pass


def break_down(output):
    raise OSError(errno.EIO, "Input/output error")


@pytest.fixture
def stopped_after(monkeypatch):
    """Calls a function after a number of blocks of 20 images is written."""
    monkeypatch.setattr(job_module, "MAX_BLOCK_ROWS", 20)
    write = Output.write

    def when(blocks, stop):
        written = []

        def stopped(output, *arguments):
            write(output, *arguments)
            written.append(arguments)
            if len(written) == blocks:
                stop(output)

        monkeypatch.setattr(Output, "write", stopped)
        return written

    return when


@pytest.mark.parametrize(
    ("stop", "exit_code", "word"), [(interrupt, 130, "interrupted"), (terminate, 143, "terminated")]
)
def test_stopped_run_is_resumed_to_the_same_bytes(score, folder, stopped_after, stop, exit_code, word):
    flags = ("--batch-size", 10, "--probabilities")
    assert score(*flags)[0] == 0
    whole = (folder / "images.predictions.csv").read_bytes()
    (folder / "images.predictions.csv").unlink()
    written = stopped_after(2, stop)
    assert_refused(
        score(*flags), exit_code, f"{word}; the predictions of the first 40 images are kept: continue with --resume"
    )
    assert names(folder) == [
        ".images.predictions.csv.journal",
        ".images.predictions.csv.staged",
        "images.npy",
        "images.predictions.csv.json",
    ]
    del written[:]
    code, out, stderr = score(*flags, "--resume")
    assert (code, stderr, len(written)) == (0, "", 1)
    assert "40 of them by an earlier run" in out
    assert (folder / "images.predictions.csv").read_bytes() == whole
    sidecar = json.loads((folder / "images.predictions.csv.json").read_text(encoding="utf-8"))
    assert (sidecar["rows"], sidecar["resumed_rows"]) == (50, 40)
    assert names(folder) == ["images.npy", "images.predictions.csv", "images.predictions.csv.json"]


def test_failure_after_some_blocks_leaves_no_files(score, folder, stopped_after):
    stopped_after(2, break_down)
    assert_refused(score("--batch-size", 10), 1, "(Input/output error): check the disk")
    assert names(folder) == ["images.npy"]


@pytest.mark.parametrize(
    "changed", [["--probabilities"], ["--top", 2], ["--batch-size", 5], ["--out", "x.npy"], ["--labels", "labels.npy"]]
)
def test_run_with_other_settings_does_not_resume(score, folder, stopped_after, changed, monkeypatch):
    monkeypatch.chdir(folder)
    np.save("labels.npy", np.zeros(50, int))
    written = stopped_after(2, interrupt)
    assert score("--batch-size", 10)[0] == 130
    del written[:]
    monkeypatch.setattr(job_module, "MAX_BLOCK_ROWS", 20)
    code, out, _ = score("--batch-size", 10, "--resume", *changed)
    assert (code, len(written), "earlier" in out) == (130 if len(written) == 2 else 0, len(written), False)


def test_changed_images_are_scored_again(score, folder, promoted, stopped_after):
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


def test_resume_without_earlier_blocks_starts_from_the_first_image(score, folder):
    assert score("--resume")[0] == 0
    first = (folder / "images.predictions.csv").read_bytes()
    assert score("--resume")[0] == 0
    assert (folder / "images.predictions.csv").read_bytes() == first


def test_input_that_is_removed_during_the_run_is_scored_completely(score, folder, promoted, stopped_after):
    stopped_after(1, lambda output: (folder / "images.npy").unlink())
    assert score("--batch-size", 10, "--out", folder / "out.npy")[0] == 0
    np.testing.assert_array_equal(np.load(folder / "out.npy"), expected_labels(promoted, random_images(50)))


def test_setting_that_prevents_a_resume_is_named(score, folder, stopped_after):
    stopped_after(1, interrupt)
    assert score("--batch-size", 10)[0] == 130
    code, _, stderr = score("--batch-size", 10, "--resume", "--top", 2)
    assert code in (0, 130)
    assert stderr.startswith(
        "batch_score: --resume starts again from the first image, because these inputs or settings are not those of "
        "the stopped run: top\n"
    )
