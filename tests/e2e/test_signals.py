"""A stop from outside, twice in a row, while data are prepared, and in the commands that write single files."""

from __future__ import annotations

import re
import signal

import numpy as np
import pytest

from serving.registry.registry import Registry
from tests.e2e.stops import contents, flags, require_tidy, stop_from_outside
from tests.serving import tiny_bundle

pytestmark = pytest.mark.exhaustive

CODES = [(signal.SIGINT, 130), (signal.SIGTERM, 143)]

# Wraps a function of a module so that its n-th call sends a signal to its own process first.
AT_A_CALL = """
import importlib, runpy, signal, sys

place, nth, number, command = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
del sys.argv[1:5]
module, _, path = place.partition(":")
*parents, name = path.split(".")
owner = importlib.import_module(module)
for parent in parents:
    owner = getattr(owner, parent)
real, calls = getattr(owner, name), 0

def stopped(*given, **named):
    global calls
    calls += 1
    if calls == nth:
        signal.raise_signal(number)
    return real(*given, **named)

setattr(owner, name, stopped)
runpy.run_module(command, run_name="__main__", alter_sys=True)
"""


def test_training_answers_to_ctrl_c_and_goes_on_after_the_last_whole_epoch(new_project, data_dir):
    project = new_project()
    # More epochs than any test waits for: both runs are stopped while they train.
    command = ("pipeline", "run", *flags(data_dir), "--train.epochs", "50000")
    first = project.started(*command)
    output = stop_from_outside(first, lambda line: line.startswith("epoch 3/"), signal.SIGINT)
    assert first.returncode == 130
    assert "interrupted at train after" in output
    assert "Traceback" not in output
    require_tidy(project)

    second = project.started(*command)
    output = stop_from_outside(second, lambda line: line.startswith("epoch"), signal.SIGINT, signal.SIGINT)
    assert second.returncode == 130
    assert "Traceback" not in output
    finished = int(re.search(r"continuing after epoch (\d+):", output)[1])
    assert finished >= 3
    assert re.search(r"^epoch (\d+)/", output, re.MULTILINE)[1] == str(finished + 1)
    require_tidy(project)


def test_stop_while_data_are_prepared_leaves_them_to_be_prepared_again(new_project, tmp_path):
    project = new_project()
    place = "tensorflow_datasets.core.writer:Writer.write"
    command = ("sample", "--dataset", "digits", "--data-dir", str(tmp_path / "tfds"))
    done = project.python("-c", AT_A_CALL, place, "700", str(int(signal.SIGTERM)), "pipeline", *command)
    assert (done.returncode, done.stderr) == (143, "sample: terminated\n")
    assert contents(tmp_path / "tfds") == {}
    assert list(project.folder.glob("*images*")) == []
    require_tidy(project)
    again = project.command("pipeline", *command)
    assert again.returncode == 0, again.stdout + again.stderr
    assert np.load(project.folder / "images.npy").shape == (500, 8, 8, 1)


def test_sample_writes_both_files_or_none(new_project, data_dir):
    project = new_project()
    command = ("sample", "--dataset", "tiny", "--data-dir", str(data_dir))
    place = "components.artifacts.examples:Examples.labels"
    done = project.python("-c", AT_A_CALL, place, "1", str(int(signal.SIGINT)), "pipeline", *command)
    assert (done.returncode, done.stderr) == (130, "sample: interrupted\n")
    assert list(project.folder.glob("*images*")) == []
    require_tidy(project)


@pytest.mark.parametrize(("number", "exit_code"), CODES)
def test_scoring_that_is_stopped_leaves_the_last_output_as_it_was_and_goes_on(new_project, tmp_path, number, exit_code):
    project = new_project()
    tiny_bundle.publish(Registry(project.folder / "models"), tiny_bundle.seal(tmp_path / "sealed"), "tiny", "0001")
    np.save(project.folder / "images.npy", tiny_bundle.random_images(40_000))
    scored = project.command("serving.batch_score", "images.npy")
    assert scored.returncode == 0, scored.stderr
    before = contents(project.folder)
    again = ("serving.batch_score", "images.npy", "--probabilities")
    done = project.python("-c", AT_A_CALL, "serving.batch.output:Output.write", "3", str(number), *again)
    assert (done.returncode, done.stdout) == (exit_code, "")
    what = "interrupted" if exit_code == 130 else "terminated"
    assert (
        done.stderr
        == f"batch_score: {what}; the predictions of the first 5,120 images are kept: continue with --resume\n"
    )
    left = {name: digest for name, digest in contents(project.folder).items() if "__pycache__" not in name}
    kept = [left.pop(f".images.predictions.csv.{name}", None) for name in ("journal", "staged")]
    assert None not in kept
    assert left == {name: digest for name, digest in before.items() if "__pycache__" not in name}
    done = project.command(*again, "--resume")
    assert (done.returncode, "5,120 of them by an earlier run" in done.stdout) == (0, True)
    resumed = (project.folder / "images.predictions.csv").read_bytes()
    assert project.command(*again).returncode == 0
    assert (project.folder / "images.predictions.csv").read_bytes() == resumed
    require_tidy(project)
