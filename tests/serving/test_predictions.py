"""predictions: read back with csv and numpy; in place whole, or not at all."""

from __future__ import annotations

import csv
import hashlib
import itertools
import json
import os

import numpy as np
import pytest

from serving.errors import InputError
from serving.predictions import CsvWriter, NpyWriter, require_replaceable, writer_for
from serving.scorer import Scores
from tests.conftest import interrupted_at

NAMES = ("plain", "comma, inside", 'quote "inside"', "snow 雪")
HARD_NAMES = (*NAMES, "two\nlines", "carriage\rreturn", '"', " spaces ", "")


def random_scores(rows, classes=4, seed=3):
    probabilities = np.random.default_rng(seed).dirichlet(np.full(classes, 0.3), rows).astype(np.float32)
    return Scores(probabilities.argmax(axis=1), probabilities)


def save(kind, target, scores, with_probabilities=False, names=NAMES, block_rows=7, **facts):
    """Writes scores in blocks, as the command does."""
    rows = len(scores.labels)
    with kind(target, rows, names, with_probabilities) as writer:
        for start in range(0, rows, block_rows):
            piece = slice(start, start + block_rows)
            writer.write(Scores(scores.labels[piece], scores.probabilities[piece]))
        writer.commit(facts)


def read_csv(path):
    with path.open(newline="", encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    return header, rows


@pytest.fixture
def images(tmp_path):
    path = tmp_path / "images.npy"
    np.save(path, np.zeros((2, 24), np.uint8))
    return path


@pytest.fixture
def ours(tmp_path):
    save(CsvWriter, tmp_path / "out.csv", random_scores(10))
    return tmp_path / "out.csv"


@pytest.mark.parametrize("rows", [0, 1, 7, 40])
def test_csv_has_a_row_an_image(tmp_path, rows):
    scores = random_scores(rows)
    save(CsvWriter, tmp_path / "out.csv", scores)
    header, read = read_csv(tmp_path / "out.csv")
    assert header == ["index", "label", "class", "confidence"]
    assert [int(row[0]) for row in read] == list(range(rows))
    assert [int(row[1]) for row in read] == scores.labels.tolist()
    best = [float(f"{p:.7g}") for p in scores.probabilities.max(axis=1, initial=0).tolist()]
    assert [float(row[3]) for row in read] == best
    assert all(len(row) == 4 for row in read)


@pytest.mark.parametrize("name", HARD_NAMES)
def test_csv_keeps_any_class_name(tmp_path, name):
    scores = Scores(np.array([1, 1]), np.full((2, 2), 0.5, np.float32))
    save(CsvWriter, tmp_path / "out.csv", scores, names=("other", name))
    _, read = read_csv(tmp_path / "out.csv")
    assert read == [[str(index), "1", name, "0.5"] for index in range(2)]


def test_csv_with_probabilities_has_a_column_a_class(tmp_path):
    scores = random_scores(20, classes=3)
    save(CsvWriter, tmp_path / "out.csv", scores, with_probabilities=True, names=("a", "b,", "c"))
    header, read = read_csv(tmp_path / "out.csv")
    assert header == ["index", "label", "class", "confidence", "p0", "p1", "p2"]
    probabilities = np.array([row[4:] for row in read], float)
    np.testing.assert_allclose(probabilities, scores.probabilities, rtol=5e-7, atol=0)
    assert [row[3] for row in read] == [row[4 + int(row[1])] for row in read]


@pytest.mark.parametrize("rows", [0, 1, 20])
def test_npy_holds_labels(tmp_path, rows):
    scores = random_scores(rows)
    save(NpyWriter, tmp_path / "out.npy", scores)
    read = np.load(tmp_path / "out.npy")
    assert read.dtype == np.int64
    np.testing.assert_array_equal(read, scores.labels)


@pytest.mark.parametrize("rows", [0, 1, 20])
def test_npy_with_probabilities_holds_them_exactly(tmp_path, rows):
    scores = random_scores(rows)
    save(NpyWriter, tmp_path / "out.npy", scores, with_probabilities=True)
    read = np.load(tmp_path / "out.npy")
    assert read.dtype == np.float32
    np.testing.assert_array_equal(read, scores.probabilities)


@pytest.mark.parametrize(("kind", "name"), [(CsvWriter, "out.csv"), (NpyWriter, "out.npy")])
def test_sidecar_says_the_facts_and_the_outputs_digest(tmp_path, kind, name):
    save(kind, tmp_path / name, random_scores(40), model="tiny", rows=40)
    digest = hashlib.sha256((tmp_path / name).read_bytes()).hexdigest()
    said = json.loads((tmp_path / f"{name}.json").read_text(encoding="utf-8"))
    assert said == {"model": "tiny", "rows": 40, "output_sha256": digest, "replaces_sha256": None}
    assert sorted(path.name for path in tmp_path.iterdir()) == [name, f"{name}.json"]


def test_target_stays_as_it_is_until_the_commit(tmp_path):
    target = tmp_path / "out.csv"
    target.write_text("last night's")
    with CsvWriter(target, 10, NAMES, False) as writer:
        writer.write(random_scores(10))
        assert target.read_text() == "last night's"
        writer.commit({})
    assert len(read_csv(target)[1]) == 10


def test_leaving_without_a_commit_leaves_nothing(tmp_path):
    with CsvWriter(tmp_path / "out.csv", 10, NAMES, False) as writer:
        writer.write(random_scores(10))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_failing_before_the_commit_leaves_nothing(tmp_path, error):
    def fail():
        with NpyWriter(tmp_path / "out.npy", 20, NAMES, False) as writer:
            writer.write(random_scores(10))
            raise error

    with pytest.raises(error):
        fail()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("refused", ["out.csv.json", "out.csv"])
def test_failed_commit_leaves_last_nights_output_ours_and_nothing_else(images, ours, monkeypatch, refused):
    before = ours.read_bytes()
    rename = os.replace

    def fail(source, where):
        if os.path.basename(where) == refused:
            raise OSError("no rename")
        rename(source, where)

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match="no rename"):
        save(CsvWriter, ours, random_scores(10, seed=4))
    assert ours.read_bytes() == before
    assert sorted(path.name for path in ours.parent.iterdir()) == ["images.npy", "out.csv", "out.csv.json"]
    require_replaceable(ours, images, overwrite=False)


@pytest.mark.parametrize("name", ["nowhere/out.csv", "file/out.csv"])
def test_folder_that_is_none_is_refused_with_what_to_do(tmp_path, name):
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(InputError, match=r"cannot be written: .*--out FILE"):
        CsvWriter(tmp_path / name, 10, NAMES, False)


def test_names_ending_decides_the_format(tmp_path):
    assert writer_for(tmp_path / "out.csv") is CsvWriter
    assert writer_for(tmp_path / "out.npy") is NpyWriter


@pytest.mark.parametrize("name", ["out", "out.txt", "out.csv.gz", "csv"])
def test_other_endings_are_refused_with_those_that_are_known(tmp_path, name):
    with pytest.raises(InputError, match=r"ends in \.csv or \.npy"):
        writer_for(tmp_path / name)


def test_new_file_and_our_own_may_be_written(tmp_path, images, ours):
    require_replaceable(tmp_path / "new.csv", images, overwrite=False)
    require_replaceable(ours, images, overwrite=False)


def edited(ours):
    ours.write_text(ours.read_text(encoding="utf-8") + "10,0,plain,1\n", encoding="utf-8")


def sidecar(content):
    return lambda ours: ours.with_name("out.csv.json").write_text(content)


def test_sidecars_place_is_never_the_input(tmp_path):
    images = tmp_path / "out.csv.json"
    images.write_bytes(b"pixels")
    with pytest.raises(InputError, match="is the input itself"):
        require_replaceable(tmp_path / "out.csv", images, overwrite=True)


@pytest.mark.parametrize(
    "change",
    [edited, lambda ours: ours.with_name("out.csv.json").unlink()]
    + [
        sidecar(content)
        for content in (
            "",
            "[]",
            "{}",
            '{"output_sha256": null, "replaces_sha256": null}',
            '{"output_sha256": "0", "replaces_sha256": "1"}',
        )
    ],
)
def test_what_is_not_shown_to_be_ours_is_replaced_only_with_overwrite(images, ours, change):
    change(ours)
    with pytest.raises(InputError, match="--overwrite"):
        require_replaceable(ours, images, overwrite=False)
    require_replaceable(ours, images, overwrite=True)


def test_sidecars_place_holds_somebody_elses_file(tmp_path, images):
    (tmp_path / "out.csv.json").write_text('{"somebody": "else"}')
    with pytest.raises(InputError, match="--overwrite"):
        require_replaceable(tmp_path / "out.csv", images, overwrite=False)


def test_sidecar_without_its_output_is_replaced(images, ours):
    ours.unlink()
    require_replaceable(ours, images, overwrite=False)


@pytest.mark.parametrize("overwrite", [False, True])
def test_folder_is_never_replaced(tmp_path, images, overwrite):
    (tmp_path / "out.csv").mkdir()
    with pytest.raises(InputError, match="is a folder"):
        require_replaceable(tmp_path / "out.csv", images, overwrite)


@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize("make", [os.symlink, os.link, None])
def test_input_is_never_replaced_under_any_name(tmp_path, images, overwrite, make):
    target = tmp_path / "out.npy" if make else images
    if make:
        make(images, target)
    with pytest.raises(InputError, match="is the input itself"):
        require_replaceable(target, images, overwrite)


@pytest.mark.usefixtures("handled_signals")
# Between the opening of a file and the block that closes it, the garbage collector is left to close it.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_commit_that_is_interrupted_anywhere_leaves_two_files_of_one_commit(tmp_path):
    target, sidecar = tmp_path / "out.csv", tmp_path / "out.csv.json"

    def commit(rows):
        with CsvWriter(target, rows, NAMES, False) as writer:
            writer.write(random_scores(rows))
            return interrupted_at(nth, lambda: writer.commit({}))

    for nth in itertools.count(1):
        interrupted = commit(1 + nth % 2)
        left = sorted(path.name for path in tmp_path.iterdir())
        assert left in ([], [target.name, sidecar.name]), nth
        if left:
            said = json.loads(sidecar.read_text())["output_sha256"]
            assert said == hashlib.sha256(target.read_bytes()).hexdigest(), nth
        if not interrupted:
            break
    assert nth > 20
    assert left
