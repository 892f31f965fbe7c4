"""tfds_set: what identifies a data set, and what a person is told who does not have it."""

from __future__ import annotations

import functools
import hashlib
import http.server
import shutil
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

import components.sources.reach
import components.sources.tfds_set
from components.sources.reach import refusal
from components.sources.registered import RegisteredFile
from components.sources.tfds_set import TfdsSet
from serving.errors import BeamlineError, InputError

# As published with MNIST, and as fetched by many: the digests of the four original files.
MNIST_SHA256 = {
    "train-images-idx3-ubyte.gz": "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
    "train-labels-idx1-ubyte.gz": "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
    "t10k-images-idx3-ubyte.gz": "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
    "t10k-labels-idx1-ubyte.gz": "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
}


@pytest.fixture
def prepared(made, tmp_path):
    shutil.copytree(made.data_dir, tmp_path / "data")
    return TfdsSet("tiny", tmp_path / "data")


def test_nothing_prepared_has_no_fingerprint(tmp_path):
    assert TfdsSet("tiny", tmp_path).fingerprint() is None


def test_unchanged_set_keeps_its_fingerprint_in_another_place(made, prepared):
    fingerprint = prepared.fingerprint()
    assert list(fingerprint) == ["tiny/1.0.0"]
    assert fingerprint == TfdsSet("tiny", made.data_dir).fingerprint()


def test_preparation_that_was_stopped_is_no_prepared_set(tmp_path):
    info = tmp_path / "tiny" / "incomplete.ABC123_1.0.0" / "dataset_info.json"
    info.parent.mkdir(parents=True)
    info.write_text("{}")
    assert TfdsSet("tiny", tmp_path).fingerprint() is None
    whole = tmp_path / "incomplete.sets" / "tiny" / "1.0.0" / "dataset_info.json"
    whole.parent.mkdir(parents=True)
    whole.write_text("{}")
    assert TfdsSet("tiny", tmp_path / "incomplete.sets").fingerprint() is not None


def test_shard_of_another_size_changes_the_fingerprint(prepared):
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
    fingerprint = TfdsSet("mnist:3.0.1", tmp_path, None).fingerprint()
    assert {name: fingerprint[f"registered {name}"] for name in MNIST_SHA256} == MNIST_SHA256


def test_fingerprint_imports_neither_tfds_nor_tensorflow(made):
    program = (
        "import sys\nfrom pathlib import Path\nfrom components.sources.tfds_set import TfdsSet\n"
        "assert TfdsSet('tiny', Path(sys.argv[1]), None).fingerprint()\n"
        "print([name for name in ('tensorflow', 'tensorflow_datasets', 'apache_beam') if name in sys.modules])"
    )
    root = Path(components.__path__[0]).parent
    command = [sys.executable, "-c", program, str(made.data_dir)]
    assert subprocess.run(command, cwd=root, check=True, capture_output=True, text=True).stdout == "[]\n"


def test_manual_folder_must_be_a_folder(tmp_path):
    with pytest.raises(InputError, match=r"--manual-dir .*absent is no folder.*files of mnist"):
        TfdsSet("mnist", tmp_path, tmp_path / "absent").fingerprint()


def test_missing_manual_files_are_named_and_only_these(tmp_path):
    given = ["train-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"]
    for name in given:
        (tmp_path / name).write_bytes(b"not read yet")
    with pytest.raises(InputError) as caught:
        TfdsSet("mnist", tmp_path / "data", tmp_path).fingerprint()
    message = str(caught.value)
    assert all((name in message) == (name not in given) for name in MNIST_SHA256)
    assert "put them there" in message


def test_manual_file_with_another_digest_is_named_with_both_digests(tmp_path):
    for name in MNIST_SHA256:
        (tmp_path / name).write_bytes(b"something else")
    with pytest.raises(InputError) as caught:
        TfdsSet("mnist", tmp_path / "data", tmp_path).fingerprint()
    message = str(caught.value)
    first = next(name for name in MNIST_SHA256 if str(tmp_path / name) in message)
    assert hashlib.sha256(b"something else").hexdigest() in message
    assert MNIST_SHA256[first] in message


def test_manual_folder_with_the_right_files_is_taken(tmp_path, monkeypatch):
    wanted = RegisteredFile("a.gz", hashlib.sha256(b"a").hexdigest(), "https://host/a.gz")
    monkeypatch.setattr(components.sources.tfds_set, "registered_files", lambda name: (wanted,))
    (tmp_path / "a.gz").write_bytes(b"a")
    (tmp_path / "unrelated.txt").write_bytes(b"left alone")
    assert TfdsSet("any", tmp_path / "data", tmp_path).fingerprint() is None


def test_unknown_set_is_refused_with_the_nearest_name(tmp_path):
    with pytest.raises(InputError, match=r"--dataset mnistt: .*did you mean mnist\?"):
        TfdsSet("mnistt", tmp_path).prepare()


def test_name_like_no_other_is_refused_with_what_to_give(tmp_path):
    with pytest.raises(InputError, match="give the name of a TensorFlow Datasets set"):
        TfdsSet("qqqqzzzz0000", tmp_path).builder()


def test_without_network_and_files_the_four_files_are_asked_for(tmp_path, monkeypatch):
    monkeypatch.setattr(components.sources.tfds_set, "refusal", lambda url: "did not answer within 8 s")
    with pytest.raises(BeamlineError) as caught:
        TfdsSet("mnist", tmp_path).prepare()
    message = str(caught.value)
    assert caught.value.exit_code == 1
    assert "--manual-dir" in message
    assert all(f"{sha256}  {name}" in message for name, sha256 in MNIST_SHA256.items())
    assert list(tmp_path.iterdir()) == []


def test_prepared_set_needs_no_network(made, monkeypatch):
    def asked(url):
        raise AssertionError(f"{url} was asked for")

    monkeypatch.setattr(components.sources.tfds_set, "refusal", asked)
    TfdsSet("tiny", made.data_dir).prepare()
    assert TfdsSet("tiny", made.data_dir).lack() is None


def test_what_is_lacking_is_said_and_only_then(tmp_path, monkeypatch):
    monkeypatch.setattr(components.sources.tfds_set, "refusal", lambda url: "cannot be reached (no route)")
    lack = TfdsSet("mnist", tmp_path).lack()
    assert "mnist is not prepared" in lack.tried
    assert "cannot be reached (no route)" in lack.tried
    assert TfdsSet("tiny", tmp_path, tmp_path).lack() is None
    # Its data need no network.
    assert TfdsSet("digits", tmp_path).lack() is None
    monkeypatch.setattr(components.sources.tfds_set, "refusal", lambda url: None)
    assert TfdsSet("mnist", tmp_path).lack() is None


def test_host_that_refuses_is_told_so():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        # Bound and not listening: whoever connects is refused.
        told = refusal(f"http://127.0.0.1:{taken.getsockname()[1]}/file")
    assert "cannot be reached (" in told


def test_host_that_is_silent_is_given_up_on(monkeypatch):
    monkeypatch.setattr(components.sources.reach, "NETWORK_SECONDS", 0.05)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        told = refusal(f"http://127.0.0.1:{silent.getsockname()[1]}/file")
    assert "0.05 s" in told or "timed out" in told


@pytest.mark.parametrize(("file", "told"), [("there.gz", None), ("gone.gz", "answered 404 File not found")])
def test_host_must_have_the_file(tmp_path, file, told):
    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *words):
            pass

    (tmp_path / "there.gz").write_bytes(b"content")
    handler = functools.partial(Quiet, directory=tmp_path)
    with http.server.HTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.handle_request, daemon=True).start()
        assert refusal(f"http://127.0.0.1:{server.server_port}/{file}") == told


def test_data_dir_defaults_to_that_of_tfds(tmp_path, monkeypatch):
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path))
    assert TfdsSet("tiny", None).folder == tmp_path
    assert TfdsSet("tiny", tmp_path / "given").folder == tmp_path / "given"
