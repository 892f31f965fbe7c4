"""Wrong invocations of the scorer: one sentence says what to do, and no file is written."""

from __future__ import annotations

import pytest

from serving import batch_score
from serving.resize import METHOD
from tests.mistakes.mistake import check, listing, wrong

SCORER = [
    wrong("", "required: images", "--help"),
    wrong("nowhere.npy", "nowhere.npy cannot be read", "give a .npy file"),
    wrong("empty", "empty", ".npy"),
    wrong("nothing.npy", "nothing.npy is not a .npy or IDX file", "numpy.save"),
    wrong("text.npy", "text.npy has the columns '0', '1', '2'", "neither pixels"),
    wrong("objects.npy", "objects.npy", "uint8"),
    wrong("pickle.npy", "pickle.npy", "is not a .npy or IDX file"),
    wrong("zip.npy", "zip.npy holds 2 arrays (images, more): save the images alone", "numpy.load"),
    wrong("floats.npy", "float64", "uint8", "astype"),
    wrong("complex.npy", "complex128", "uint8"),
    wrong("rank.npy", "shape", "(2,)"),
    wrong("size.npy --model bundle", "size.npy", "(9, 9)", "8", "resize them to fit"),
    wrong("size.npy --model bundle --resize", "--resize", "bundle", "not resized", "8×8 pixels", "--ingest.resize 8 8"),
    wrong("size.npy --model float --resize", "--resize", "float", "an older release made it", "--ingest.resize 8 8"),
    wrong("size.npy --model other --resize", "--resize", "other", "'nearest'", repr(METHOD)),
    wrong("size.npy --model resized", "size.npy", "(9, 9)", "add --resize"),
    wrong("flat.npy --model resized --resize", "flat.npy", "(81,)", "(n, height, width, 1)"),
    wrong("cut.npy", "cut.npy", "bytes"),
    wrong("more.npy", "more.npy", "bytes"),
    wrong("huge.npy", "huge.npy", "its header says 784,000,000,000,000"),
    wrong("records.npy", "records.npy", "records"),
    wrong("labels.npy", "labels.npy", "int64"),
    wrong("empty --model bundle", "empty", "PNG or JPEG"),
    wrong("none-*.npy --model bundle", "none-*.npy matches no file"),
    wrong("images.npy floats.npy --model bundle", "floats.npy", "float64"),
    wrong("images.npy images.npy --model bundle", "cannot be taken from several inputs", "--out FILE"),
    wrong("cut.png --model bundle", "cut.png"),
    wrong("cut.png --model bundle --skip-bad", "cut.png"),
    wrong("images.npy --model bundle --labels more.npy", "more.npy"),
    wrong("images.npy --model bundle --labels labels.npy", "labels.npy holds 4 labels for 3 images"),
    wrong("images.npy --model bundle --labels nowhere.npy", "nowhere.npy cannot be read"),
    wrong("images.npy --model bundle --top 0", "--top", "give a whole number, 1 to"),
    wrong("images.npy --model bundle --top 9", "--top 9", "4 classes"),
    wrong("images.npy --model bundle --top 2 --probabilities --out x.npy", "--top and --probabilities", ".csv"),
    wrong("images.npy --model float --fail-on-drift", "--fail-on-drift", "promote the model again"),
    wrong("images.npy", "models has no promoted model", "python -m pipeline run"),
    wrong("images.npy --model nowhere", "--model nowhere", "give one of these"),
    wrong("images.npy --models nowhere", "nowhere has no promoted model", "--models"),
    wrong("images.npy --model bundle --threads 0", "--threads", "give a whole number, 1 to"),
    wrong("images.npy --model bundle --batch-size x", "--batch-size", "give a whole number, 1 to"),
    wrong("images.npy --model bundle --precision int16", "--precision", "int16", "'float32', 'int8'"),
    wrong("images.npy --model float --precision int8", "--precision int8", "p 0.00098 < 0.05", "--precision float32"),
    wrong("images.npy --model bundle --out scores.txt", "scores.txt", ".csv"),
    wrong("images.npy --model bundle --out foreign.csv", "foreign.csv", "--overwrite"),
    wrong("images.npy --model bundle --out nowhere/scores.csv", "nowhere"),
    wrong("images.npy --model bundle --out images.npy", "images.npy"),
    wrong("images.npy --moddel bundle", "--moddel", "--help"),
    wrong("images.npy --model tampered", "tampered", "model.onnx", code=4),
]


def test_table_is_long_and_names_each_invocation_once():
    assert len({mistake.typed for mistake in SCORER}) == len(SCORER) >= 40


@pytest.mark.parametrize("mistake", SCORER, ids=lambda mistake: mistake.typed)
def test_scorer_refuses(mistake, place, capfd):
    before = listing(place)
    check(mistake, batch_score.main(mistake.typed.split()), capfd.readouterr(), before, place)
