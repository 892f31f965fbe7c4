"""A run with the settings of another project trains the same model."""

from __future__ import annotations

import json
import sys

from tests.e2e.conftest import tiny_run


def test_settings_of_another_project_change_no_model(promoted_tiny, tmp_path, data_dir):
    """A keras.json with float64 and another backend, and variables that shorten the training."""
    project = promoted_tiny[0].copied(tmp_path / "beamline")
    expected = {step["name"]: step["sha256"] for step in project.last_run()["steps"]}
    (tmp_path / "home/.keras").mkdir(parents=True)
    other = {"floatx": "float64", "epsilon": 0.001, "backend": "jax", "image_data_format": "channels_first"}
    (tmp_path / "home/.keras/keras.json").write_text(json.dumps(other))
    variables = {"KERAS_BACKEND": "jax", "KERAS_MAX_EPOCHS": "1", "TF2_BEHAVIOR": "0", "TF_USE_LEGACY_KERAS": "1"}
    # Not `command`, whose process has imported Keras already.
    run = (sys.executable, "-m", *tiny_run(data_dir), "--force", "--no-promotion")
    done = project.process(*run, HOME=str(tmp_path / "home"), **variables)
    assert done.returncode == 0, done.stdout + done.stderr
    made = {step["name"]: step["sha256"] for step in project.last_run()["steps"]}
    assert {name: made[name] for name in ("train", "evaluate", "export")} == {
        name: expected[name] for name in ("train", "evaluate", "export")
    }
