"""resources: a data set that the user names must be available."""

from __future__ import annotations

from tests.pipeline.health.doctor_output import findings, to_do


def test_named_data_set_must_be_available(healthy_project, capsys):
    (line,) = to_do(capsys, "--dataset", "mnist")
    assert "cannot be reached (no network): download these files on another machine into a folder, and" in line
    (line,) = to_do(capsys, "--manual-dir", "nowhere")
    assert "--manual-dir nowhere is not a folder" in line


def test_embedded_and_prepared_data_sets_are_available(healthy_project, made, capsys):
    assert findings(capsys, "--dataset", "digits")[1][-1].endswith(
        "digits will be prepared from files included in Beamline"
    )
    code, lines = findings(capsys, "--dataset", "tiny", "--data-dir", str(made.data_dir))
    assert (code, lines[-1]) == (0, f"ok    data         tiny is prepared in {made.data_dir}")
