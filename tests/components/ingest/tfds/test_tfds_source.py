"""tfds_source: what identifies a data set, and what to do about a missing one."""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import components.ingest.tfds.tfds_source
from components.ingest.tfds.registered_files import RegisteredFile
from components.ingest.tfds.tfds_source import TfdsSource
from serving.errors import BeamlineError, InputError
from tests.conftest import ROOT
from tests.mnist_files import MNIST_SHA256


@pytest.fixture
def prepared(made, tmp_path):
    shutil.copytree(made.data_dir, tmp_path / "data")
    return TfdsSource("tiny", tmp_path / "data")


def test_set_that_is_not_prepared_has_no_fingerprint(tmp_path):
    assert TfdsSource("tiny", tmp_path).fingerprint() is None


def test_default_folder_without_a_home_folder_is_refused_with_what_to_give(no_home, tmp_path):
    with pytest.raises(InputError) as caught:
        TfdsSource("tiny").fingerprint()
    assert str(caught.value) == (
        "the folder of prepared data sets is ~/tensorflow_datasets, and no such home folder is known: give another one "
        "with --data-dir FOLDER, or set HOME"
    )
    assert TfdsSource("tiny", tmp_path).fingerprint() is None


def test_home_folder_of_an_unknown_user_is_refused():
    with pytest.raises(InputError, match=r"sets is ~no-such-user/sets, and no such home folder is known: give another"):
        _ = TfdsSource("tiny", Path("~no-such-user/sets")).folder


def test_unchanged_set_keeps_its_fingerprint_in_another_folder(made, prepared):
    fingerprint = prepared.fingerprint()
    assert list(fingerprint) == ["tiny/1.0.0"]
    assert fingerprint == TfdsSource("tiny", made.data_dir).fingerprint()


def test_interrupted_preparation_is_ignored(tmp_path):
    info = tmp_path / "tiny" / "incomplete.ABC123_1.0.0" / "dataset_info.json"
    info.parent.mkdir(parents=True)
    info.write_text("{}")
    assert TfdsSource("tiny", tmp_path).fingerprint() is None
    whole = tmp_path / "incomplete.sets" / "tiny" / "1.0.0" / "dataset_info.json"
    whole.parent.mkdir(parents=True)
    whole.write_text("{}")
    assert TfdsSource("tiny", tmp_path / "incomplete.sets").fingerprint() is not None


def test_larger_shard_changes_the_fingerprint(prepared):
    before = prepared.fingerprint()
    shard = next(prepared.folder.glob("tiny/1.0.0/*tfrecord*"))
    shard.write_bytes(shard.read_bytes() + b"more")
    assert prepared.fingerprint() != before


def test_changed_description_of_the_same_size_changes_the_fingerprint(prepared):
    before = prepared.fingerprint()
    info = prepared.folder / "tiny/1.0.0/dataset_info.json"
    text = info.read_text()
    info.write_text(text.replace("tiny_set", "tidy_set"))
    assert info.stat().st_size == len(text.encode())
    assert prepared.fingerprint() != before


def test_registered_checksums_are_in_the_fingerprint(tmp_path):
    info = tmp_path / "mnist/3.0.1/dataset_info.json"
    info.parent.mkdir(parents=True)
    info.write_text("{}")
    fingerprint = TfdsSource("mnist:3.0.1", tmp_path, None).fingerprint()
    assert {name: fingerprint[f"registered {name}"] for name in MNIST_SHA256} == MNIST_SHA256


def test_fingerprint_imports_neither_tfds_nor_tensorflow(made):
    program = (
        "import sys\nfrom pathlib import Path\nfrom components.ingest.tfds.tfds_source import TfdsSource\n"
        "assert TfdsSource('tiny', Path(sys.argv[1]), None).fingerprint()\n"
        "print([name for name in ('tensorflow', 'tensorflow_datasets', 'apache_beam') if name in sys.modules])"
    )
    root = ROOT
    command = [sys.executable, "-c", program, str(made.data_dir)]
    assert subprocess.run(command, cwd=root, check=True, capture_output=True, text=True).stdout == "[]\n"


def test_manual_folder_must_be_a_folder(tmp_path):
    with pytest.raises(InputError, match=r"--manual-dir .*absent is not a folder.*files of mnist"):
        TfdsSource("mnist", tmp_path, tmp_path / "absent").fingerprint()


def test_only_missing_manual_files_are_named(tmp_path):
    given = ["train-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"]
    for name in given:
        (tmp_path / name).write_bytes(b"not read yet")
    with pytest.raises(InputError) as caught:
        TfdsSource("mnist", tmp_path / "data", tmp_path).fingerprint()
    message = str(caught.value)
    assert all((name in message) == (name not in given) for name in MNIST_SHA256)
    assert "put them there" in message


def test_manual_file_with_another_digest_is_named_with_both_digests(tmp_path):
    for name in MNIST_SHA256:
        (tmp_path / name).write_bytes(b"something else")
    with pytest.raises(InputError) as caught:
        TfdsSource("mnist", tmp_path / "data", tmp_path).fingerprint()
    message = str(caught.value)
    first = next(name for name in MNIST_SHA256 if str(tmp_path / name) in message)
    assert hashlib.sha256(b"something else").hexdigest() in message
    assert MNIST_SHA256[first] in message


def test_manual_folder_with_the_registered_files_is_accepted(tmp_path, monkeypatch):
    wanted = RegisteredFile("a.gz", hashlib.sha256(b"a").hexdigest(), "https://host/a.gz")
    monkeypatch.setattr(components.ingest.tfds.tfds_source, "registered_files", lambda name: (wanted,))
    (tmp_path / "a.gz").write_bytes(b"a")
    (tmp_path / "unrelated.txt").write_bytes(b"left alone")
    assert TfdsSource("any", tmp_path / "data", tmp_path).fingerprint() is None


def test_unknown_set_is_refused_with_the_nearest_name(tmp_path):
    with pytest.raises(InputError, match=r"--dataset mnistt: .*did you mean mnist\?"):
        TfdsSource("mnistt", tmp_path).prepare()


def test_name_unlike_any_other_is_refused_without_a_suggestion(tmp_path):
    with pytest.raises(InputError, match="give the name of a TensorFlow Datasets set"):
        TfdsSource("qqqqzzzz0000", tmp_path).builder()


def test_error_without_network_lists_the_files_to_provide(tmp_path, monkeypatch):
    monkeypatch.setattr(
        components.ingest.tfds.tfds_source, "unreachable_reason", lambda url: "did not answer within 8 s"
    )
    with pytest.raises(BeamlineError) as caught:
        TfdsSource("mnist", tmp_path).prepare()
    message = str(caught.value)
    assert caught.value.exit_code == 1
    assert "--manual-dir" in message
    for name, sha256 in MNIST_SHA256.items():
        assert re.search(rf"\n  {sha256}  https://\S+/{re.escape(name)}(\n|$)", message)
    assert list(tmp_path.iterdir()) == []


def test_prepared_set_needs_no_network(made, monkeypatch):
    def asked(url):
        raise AssertionError(f"{url} was asked for")

    monkeypatch.setattr(components.ingest.tfds.tfds_source, "unreachable_reason", asked)
    TfdsSource("tiny", made.data_dir).prepare()
    assert TfdsSource("tiny", made.data_dir).missing_reason() is None


def test_missing_reason_is_given_only_if_the_data_cannot_be_obtained(tmp_path, monkeypatch):
    monkeypatch.setattr(
        components.ingest.tfds.tfds_source, "unreachable_reason", lambda url: "cannot be reached (no route)"
    )
    reason = TfdsSource("mnist", tmp_path).missing_reason()
    assert "mnist is not prepared" in reason.cause
    assert "cannot be reached (no route)" in reason.cause
    assert TfdsSource("tiny", tmp_path, tmp_path).missing_reason() is None
    # Its data need no network.
    assert TfdsSource("digits", tmp_path).missing_reason() is None
    monkeypatch.setattr(components.ingest.tfds.tfds_source, "unreachable_reason", lambda url: None)
    assert TfdsSource("mnist", tmp_path).missing_reason() is None


def test_data_dir_defaults_to_the_folder_of_tfds(tmp_path, monkeypatch):
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path))
    assert TfdsSource("tiny", None).folder == tmp_path
    assert TfdsSource("tiny", tmp_path / "given").folder == tmp_path / "given"


def test_space_that_tfds_needs_is_named_with_the_flag(tmp_path, monkeypatch):
    monkeypatch.setattr("tensorflow_datasets.core.utils.has_sufficient_disk_space", lambda *given, **named: False)
    with pytest.raises(BeamlineError) as caught:
        TfdsSource("digits", tmp_path).prepare()
    assert str(caught.value).startswith(f"the disk of --data-dir {tmp_path} is full (No space left on device: ")
    assert str(caught.value).endswith("or give another folder with --data-dir")
