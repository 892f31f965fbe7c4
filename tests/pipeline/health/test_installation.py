"""installation: packages that are missing, too old, or not the locked ones."""

from __future__ import annotations

import sys
from importlib.metadata import PackageNotFoundError

import numpy as np
import onnxruntime
import pytest
from onnx.reference import ReferenceEvaluator

from pipeline.health import installation
from pipeline.health.finding import Finding
from pipeline.health.installation import EXPECTED, TINY_MODEL, package_findings, scorer_findings
from tests.pipeline.health.doctor_output import findings, to_do


@pytest.mark.parametrize("missing", ["tensorflow", "importlib_resources", "tqdm"])
def test_missing_and_old_packages_are_to_be_installed_with_the_extra(healthy_project, monkeypatch, capsys, missing):
    real = installation.version

    def version(name):
        if name == missing:
            raise PackageNotFoundError(name)
        return "1.16.2" if name == "tf2onnx" else real(name)

    monkeypatch.setattr(installation, "version", version)
    lines = to_do(capsys)
    assert f"{missing} is not installed" in lines[0]
    assert "tf2onnx 1.16.2 is older than 1.17" in lines[1]
    assert all("'.[pipeline]' in Beamline's folder" in line for line in lines)


def test_versions_other_than_the_locked_ones_are_noted(healthy_project, capsys):
    (healthy_project.folder / "requirements.lock").write_text("tensorflow==0.1 \\\n    --hash=sha256:0\n")
    code, lines = findings(capsys)
    assert code == 0
    assert any(
        line.startswith("note  packages") and "not the versions of requirements.lock: tensorflow" in line
        for line in lines
    )


def test_package_that_is_too_new_is_named(monkeypatch):
    monkeypatch.setattr(installation, "version", lambda name: "3.0.1" if name == "numpy" else "99")
    found = [finding.message for finding in package_findings() if finding.state == "fix"]
    assert found == ["numpy 3.0.1 is not older than 3: pip install 'numpy<3'"]


def test_any_version_that_the_lock_has_for_some_python_is_a_locked_one(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(installation, "version", lambda name: "99.1")
    lock = tmp_path / "requirements.lock"
    lock.write_text("".join(f"{name}==99.1 ; a \\\n{name}==99.2 ; b \\\n" for name in installation.REQUIRED))
    assert [finding.state for finding in package_findings() if "lock" in finding.message] == []
    lock.write_text("tqdm==99.2\n")
    assert "not the versions of requirements.lock: tqdm 99.1" in [finding.message for finding in package_findings()][-1]


def test_tiny_model_is_scored_as_the_reference_evaluator_does():
    images = np.array([[[[0], [1]]], [[[2], [0]]]], np.uint8)
    (expected,) = ReferenceEvaluator(str(TINY_MODEL)).run(["probabilities"], {"images": images})
    np.testing.assert_allclose(expected[0], EXPECTED, rtol=0, atol=1e-7)
    assert list(scorer_findings()) == [Finding("ok", "onnxruntime", "a tiny model has the right probabilities")]


class Broken:
    """An onnxruntime whose library cannot be loaded, or that calculates wrong values."""

    def __init__(self, *arguments, **named):
        raise RuntimeError("illegal instruction")


class Wrong(onnxruntime.InferenceSession):
    def run(self, *arguments):
        return [np.full((1, 2), 0.5, np.float32)]


@pytest.mark.parametrize(
    ("session", "message"),
    [
        (Broken, "it cannot score a tiny model (illegal instruction): pip install --force-reinstall onnxruntime"),
        (Wrong, "it scores a tiny model with [0.5, 0.5], right is [0.26894142, 0.73105858]: pip install"),
    ],
)
def test_onnxruntime_that_does_not_work_here_is_to_be_installed_again(
    healthy_project, monkeypatch, capsys, session, message
):
    monkeypatch.setattr(onnxruntime, "InferenceSession", session)
    lines = to_do(capsys)
    assert any(line.startswith(f"fix   onnxruntime  {message}") for line in lines)


@pytest.mark.parametrize("error", ["ImportError('libgomp.so.1 is missing')", "ValueError('numpy.dtype size changed')"])
def test_installed_package_that_cannot_be_imported_is_named(tmp_path, monkeypatch, error):
    (tmp_path / "tqdm.py").write_text(f"raise {error}")
    monkeypatch.syspath_prepend(tmp_path)
    for name in [name for name in sys.modules if name.partition(".")[0] == "tqdm"]:
        monkeypatch.delitem(sys.modules, name)
    first = next(scorer_findings())
    assert first.state == "fix"
    assert first.message == f"tqdm cannot be imported ({error.split(chr(39))[1]}): pip install --force-reinstall tqdm"
