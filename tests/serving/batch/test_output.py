"""output: a commit puts the file in place with its sidecar; without a commit the target is unchanged."""

from __future__ import annotations

import errno
import hashlib
import json
import os

import pytest

from serving.batch.output import Output
from serving.errors import BeamlineError, InputError
from tests.serving.batch.outputs import (
    BLOCKS,
    DEPENDENCIES,
    STAGED,
    WHOLE,
    names,
    no_earlier_output,
    save,
    stop_after,
    unconverted,
    write,
)


def test_commit_writes_the_output_and_a_sidecar_with_metadata_and_digest(target):
    save(target, model="tiny", rows=6)
    assert target.read_bytes() == WHOLE
    sidecar_data = json.loads(target.with_name("out.csv.json").read_text(encoding="utf-8"))
    digest = hashlib.sha256(WHOLE).hexdigest()
    assert sidecar_data == {"model": "tiny", "rows": 6, "output_sha256": digest, "replaces_sha256": None}
    assert names(target.parent) == ["out.csv", "out.csv.json"]


def test_next_commit_names_the_replaced_output(target):
    save(target)
    save(target, BLOCKS[:1], replaced=hashlib.sha256(WHOLE).hexdigest())
    sidecar_data = json.loads(target.with_name("out.csv.json").read_text(encoding="utf-8"))
    assert sidecar_data["replaces_sha256"] == hashlib.sha256(WHOLE).hexdigest()
    assert sidecar_data["output_sha256"] == hashlib.sha256(target.read_bytes()).hexdigest()


def test_converted_file_is_the_output(target):
    def backwards(written, finished):
        finished.write_bytes(written.read_bytes()[::-1])
        return finished

    with Output(target, DEPENDENCIES) as output:
        output.begin(b"header\n")
        write(output)
        output.commit({}, backwards, no_earlier_output)
    assert target.read_bytes() == WHOLE[::-1]
    sidecar_data = json.loads(target.with_name("out.csv.json").read_text(encoding="utf-8"))
    assert sidecar_data["output_sha256"] == hashlib.sha256(WHOLE[::-1]).hexdigest()
    assert names(target.parent) == ["out.csv", "out.csv.json"]


def test_target_is_unchanged_until_the_commit(target):
    target.write_text("last night's")
    with Output(target, DEPENDENCIES) as output:
        output.begin(b"header\n")
        write(output)
        assert target.read_text() == "last night's"
        output.commit({}, unconverted, no_earlier_output)
    assert target.read_bytes() == WHOLE


@pytest.mark.parametrize("error", [RuntimeError, OSError, InputError])
def test_failure_leaves_no_files(target, error):
    stop_after(target, BLOCKS, error=error)
    assert names(target.parent) == []


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit])
def test_stop_before_the_first_block_leaves_no_files(target, error):
    stop_after(target, [], error=error)
    assert names(target.parent) == []


def test_leaving_without_a_commit_leaves_no_files(target):
    with Output(target, DEPENDENCIES) as output:
        output.begin(b"header\n")
        write(output)
    assert names(target.parent) == []


@pytest.mark.parametrize("name", ["nowhere/out.csv", "file/out.csv"])
def test_missing_folder_is_refused_with_advice(tmp_path, name):
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(InputError, match=r"--out .* cannot be written: .*: give another path"):
        Output(tmp_path / name, DEPENDENCIES)


@pytest.mark.parametrize("refused", ["out.csv.json", "out.csv"])
def test_failed_commit_keeps_the_earlier_output_and_leaves_no_other_files(target, monkeypatch, refused):
    save(target)
    rename = os.replace

    def fail(source, where):
        if os.path.basename(where) == refused:
            raise OSError(errno.EIO, "no rename")
        rename(source, where)

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(BeamlineError, match="no rename; no predictions were written"):
        save(target, BLOCKS[:1])
    assert target.read_bytes() == WHOLE
    assert names(target.parent) == ["out.csv", "out.csv.json"]


def test_file_that_appears_at_the_target_is_not_replaced(target):
    def refuse():
        assert target.read_text() == "mine"
        raise InputError("mine")

    with pytest.raises(InputError, match="mine"), Output(target, DEPENDENCIES) as output:  # noqa: PT012
        output.begin(b"header\n")
        write(output)
        target.write_text("mine")
        output.commit({}, unconverted, refuse)
    assert target.read_text() == "mine"
    assert names(target.parent) == ["out.csv"]


def test_stop_after_the_commit_reports_the_complete_output_and_keeps_the_files_of_the_next_run(target):
    with pytest.raises(KeyboardInterrupt) as caught, Output(target, DEPENDENCIES) as output:  # noqa: PT012
        output.begin(b"header\n")
        write(output)
        output.commit({}, unconverted, no_earlier_output)
        following = Output(target, DEPENDENCIES)
        following.begin(b"header\n")
        raise KeyboardInterrupt
    assert caught.value.__notes__ == [f"{target} is complete"]
    with following:
        write(following)
        following.commit({}, unconverted, no_earlier_output)
    assert target.read_bytes() == WHOLE


def test_unwritable_staged_path_is_refused_and_unchanged(target):
    target.with_name(STAGED).mkdir()
    with pytest.raises(InputError, match=r"--out .* cannot be written: .*: give another path"):
        Output(target, DEPENDENCIES)
    assert names(target.parent) == [STAGED]
