"""isolated_process: scores as a user does, with the training libraries blocked."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest

from components.verify import isolated_process
from serving.errors import BeamlineError


def test_bundle_that_the_process_refuses_is_refused(made, verify_bundle, monkeypatch):
    refuse = "import sys; print('batch_score: it was changed', file=sys.stderr); sys.exit(4)"
    monkeypatch.setattr(isolated_process, "PROGRAM", refuse)
    refused = verify_bundle(made.bundle)
    assert not refused.passed
    assert refused.reasons == ("a process without TensorFlow refuses the bundle: it was changed",)
    assert [file.name for file in refused.path.iterdir()] == ["verification.json"]


@pytest.mark.parametrize(
    ("program", "reason"),
    [
        ("import os; os.kill(os.getpid(), 9)", "was ended by SIGKILL"),
        ("import sys; sys.exit('no more memory')", "ended with exit code 1: no more memory"),
        ("raise OSError(5, 'Input/output error')", r"ended with exit code 1: OSError: \[Errno 5\] Input/output error"),
        ("import sys; sys.exit(2)", "ended with exit code 2"),
    ],
)
def test_failure_of_the_machine_is_an_error_and_not_a_verdict(made, verify_bundle, monkeypatch, program, reason):
    monkeypatch.setattr(isolated_process, "PROGRAM", program)
    with pytest.raises(BeamlineError, match=f"without TensorFlow {reason}; nothing is decided") as caught:
        verify_bundle(made.bundle)
    assert caught.value.exit_code == 1


def test_bundle_that_the_process_scores_differently_is_refused(made, verify_bundle, monkeypatch):
    wrong = (
        "import json, sys, numpy; numpy.save(sys.argv[-1], numpy.zeros((200, 4), 'float32'));"
        "took = {'load_seconds': 0.1, 'images_per_second': 2.0, 'peak_memory_bytes': 3};"
        "json.dump(took, open(sys.argv[-1] + '.json', 'w'))"
    )
    monkeypatch.setattr(isolated_process, "PROGRAM", wrong)
    refused = verify_bundle(made.bundle)
    assert not refused.passed
    assert re.match(r"a process without TensorFlow, test image \d+, class \d: probability 0, ", refused.reasons[0])
    assert sorted(file.name for file in refused.path.iterdir()) == ["measured.json", "verification.json"]


@pytest.mark.parametrize("library", ["tensorflow", "keras", "apache_beam", "tensorflow_datasets"])
def test_process_cannot_import_the_training_libraries(tmp_path, library):
    (tmp_path / "serving").mkdir()
    (tmp_path / "serving/__init__.py").touch()
    (tmp_path / "serving/batch_score.py").write_text(f"import {library}\n\ndef main():\n    return 0\n")
    command = [sys.executable, "-c", isolated_process.PROGRAM]
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert f"{library} is blocked here" in done.stderr


def test_process_ignores_a_serving_package_in_the_current_folder(made, verify_bundle, foreign_folder, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", ".")
    assert verify_bundle(made.bundle).passed
