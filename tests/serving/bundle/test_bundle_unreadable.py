"""bundle: a file that cannot be read at the moment is not damage: nothing is refused, and no version is made twice."""

from __future__ import annotations

import errno
import os

import pytest

from serving.bundle.bundle import load_bundle
from serving.errors import BundleError
from serving.registry.registry import POINTER
from serving.registry.versions import is_intact, versions
from serving.scoring.scorer import Scorer
from serving.scoring.smoke_test import run_smoke_test
from tests.failing_files import fail_to_open
from tests.serving.bundle.refusals import FILES
from tests.serving.tiny_bundle import publish, random_images

NUMBERS = [errno.EIO, errno.EMFILE, errno.ENOMEM, errno.ESTALE, errno.EACCES]


@pytest.mark.parametrize("number", NUMBERS)
@pytest.mark.parametrize("name", [*FILES, "manifest.json", "variables"])
def test_file_that_cannot_be_read_is_neither_damaged_nor_missing(sealed, monkeypatch, name, number):
    with monkeypatch.context() as failing:
        fail_to_open(failing, name.split("/")[-1], number)
        for check in (load_bundle, lambda path: is_intact(path, sealed.sha256)):
            with pytest.raises(OSError, match=os.strerror(number)):
                check(sealed.path)
    assert is_intact(sealed.path, sealed.sha256)


def test_version_that_cannot_be_read_gets_no_second_copy(promoted, registry, sealed, monkeypatch):
    with monkeypatch.context() as failing:
        fail_to_open(failing, "model.onnx", errno.EIO)
        with pytest.raises(OSError, match="Input/output error"):
            publish(registry, sealed, "tiny", "run-2")
    assert versions(registry.root / "tiny") == [1]
    assert publish(registry, sealed, "tiny", "run-2").version == 1


def test_pointer_that_cannot_be_read_is_not_damaged(promoted, registry, sealed, monkeypatch):
    fail_to_open(monkeypatch, POINTER, errno.EIO)
    for use in (lambda: registry.promoted("tiny"), lambda: publish(registry, sealed, "tiny", "run-2")):
        with pytest.raises(OSError, match="Input/output error"):
            use()


@pytest.mark.parametrize("name", ["model.onnx", "manifest.json", POINTER])
def test_scorer_says_what_cannot_be_read_and_exits_with_1(score, monkeypatch, name):
    fail_to_open(monkeypatch, name, errno.EIO)
    code, out, error = score()
    assert (code, out) == (1, "")
    assert f"{name} cannot be read or written (Input/output error): check the disk" in error
    assert error.endswith("; nothing was written\n")
    assert error.count("\n") == 1


@pytest.mark.parametrize("failure", [MemoryError("Unable to allocate"), RuntimeError("std::bad_alloc")], ids=repr)
def test_missing_memory_is_not_a_fault_of_the_model(sealed, score, monkeypatch, failure):
    def fail(*arguments):
        raise failure

    monkeypatch.setattr("serving.scoring.network.Network.probabilities", fail)
    for use in (run_smoke_test, lambda bundle: Scorer(bundle).score(random_images(2))):
        with pytest.raises(type(failure)):
            use(sealed)
    code, _, error = score()
    assert code == 1
    assert error.startswith("batch_score: there is not enough memory (Cannot allocate memory): ")


def test_other_errors_of_onnxruntime_are_faults_of_the_model(sealed, monkeypatch):
    def fail(*arguments):
        raise RuntimeError("[ONNXRuntimeError] : 9 : NOT_IMPLEMENTED")

    monkeypatch.setattr("serving.scoring.network.Network.probabilities", fail)
    with pytest.raises(BundleError, match="NOT_IMPLEMENTED"):
        run_smoke_test(sealed)
