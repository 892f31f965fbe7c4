"""Wrong invocations of the pipeline: one sentence says what to do, and no file is written."""

from __future__ import annotations

import os

import pytest

from pipeline.__main__ import main
from tests.mistakes.mistake import check, listing, wrong

PIPELINE = [
    wrong("rum", "no such command", "did you mean run?"),
    wrong("run --dataset huggingface:mnist", "huggingface:mnist", "Hugging Face Hub are not fetched", "table:FOLDER"),
    wrong("run --dataset hf:ylecun/mnist", "hf:ylecun/mnist", "Hugging Face Hub are not fetched", "hf download"),
    wrong("deploy", "no such command", "give one of run, runs, show"),
    wrong("run --datset mnist", "--datset", "did you mean --dataset?"),
    wrong("run --xyzzy", "--xyzzy", "no such option", "--help"),
    wrong("run --train.epoch 3", "--train.epoch", "did you mean --train.epochs?"),
    wrong("run mnist", "mnist", "no such option"),
    wrong("run --preset cnnn", "--preset cnnn", "did you mean cnn?"),
    wrong("run --preset", "--preset", "expected one argument"),
    wrong("run --dataset", "--dataset", "expected one argument"),
    wrong("run --seed", "--seed", "--help"),
    wrong("run --seed seven", "--seed", "seven"),
    wrong("run --seed -1", "--seed -1", "give 0 to"),
    wrong("run --train.epochs five", "--train.epochs", "five"),
    wrong("run --train.epochs 0", "--train.epochs 0", "give 1"),
    wrong("run --train.batch-size 0", "--train.batch-size 0", "give 1"),
    wrong("run --train.hidden -3", "--train.hidden", "give 1"),
    wrong("run --train.optimizer adamm", "--train.optimizer", "adamm", "adam"),
    wrong("run --train.learning-rate nan", "--train.learning-rate nan", "above 0"),
    wrong("run --train.learning-rate inf", "--train.learning-rate inf", "above 0"),
    wrong("run --train.validation-fraction 1.5", "--train.validation-fraction 1.5", "below 1"),
    wrong("run --evaluate.min-accuracy 2", "--evaluate.min-accuracy 2", "0 to 1"),
    wrong("run --evaluate.min-accuracy nan", "--evaluate.min-accuracy nan", "0 to 1"),
    wrong("run --evaluate.min-recall -0.5", "--evaluate.min-recall -0.5", "0 to 1"),
    wrong("run --evaluate.min-recall inf", "--evaluate.min-recall inf", "0 to 1"),
    wrong("run --evaluate.min-recall high", "--evaluate.min-recall", "high"),
    wrong("run --evaluate.min-recal 0.9", "--evaluate.min-recal", "did you mean --evaluate.min-recall?"),
    wrong("run --verify.max-memory-mb 0", "--verify.max-memory-mb 0", "above 0"),
    wrong("run --transform.normalization unt", "--transform.normalization", "unt", "unit"),
    wrong("run --ingest.block-rows 0", "--ingest.block-rows 0", "give 1"),
    wrong("run --ingest.skip-bad -1", "--ingest.skip-bad -1", "give 0"),
    wrong("run --ingest.skip-bad some", "--ingest.skip-bad", "some"),
    wrong("run --ingest.background pink", "--ingest.background: 'pink'", "white, black, or '#rrggbb'"),
    wrong("run --validate.off nan", "--validate.off nan", "cannot be changed", "leaks"),
    wrong("run --validate.warn leeks", "--validate.warn", "leeks"),
    wrong("run --validate.off skew --validate.warn skew", "--validate.warn skew", "contradict each other"),
    wrong("run --validate.max-leaked-fraction 2", "--validate.max-leaked-fraction 2", "0 to 1"),
    wrong("run --validate.min-class-rows -1", "--validate.min-class-rows -1", "0 to"),
    wrong("run --validate.schema nowhere.json", "nowhere.json cannot be read", "python -m pipeline schema"),
    wrong("run --validate.schema file", "file is not valid JSON", "python -m pipeline schema"),
    wrong("run --model a/b", "'a/b' is not a valid model name", "letters"),
    wrong("run --promote.compare best", "--promote.compare", "best", "not-worse"),
    wrong("run --promote.max-drop-fraction 2", "--promote.max-drop-fraction 2", "0 to 1"),
    wrong("run --promote.max-drop 0.1", "--promote.max-drop", "did you mean --promote.max-drop-fraction?"),
    wrong("run --promote.reason x", "--promote.reason", "no such option"),
    wrong("run --verify.max-load-seconds 0", "--verify.max-load-seconds 0", "above 0"),
    wrong("run --dataset ../mnist", "--dataset ../mnist", "give a name"),
    wrong("run --quiet --verbose", "--quiet", "--verbose", "one of them"),
    wrong("run --manual-dir nowhere", "--manual-dir nowhere is not a folder", "give the folder"),
    wrong("run --manual-dir empty", "--manual-dir empty has no", "t10k-images-idx3-ubyte.gz", "put them there"),
    wrong("run --manual-dir changed", "SHA-256", "fetch the file again"),
    wrong("run --data-dir file", "--data-dir file", "cannot be written", "give another folder"),
    wrong("run --runs file/runs", "--runs file/runs cannot be written", "give another folder"),
    wrong("run --models /proc/models", "--models /proc/models cannot be written", "give another folder"),
    wrong("run -- --direct_num_workrs=2", "--direct_num_workrs=2", "did you mean --direct_num_workers?"),
    wrong("run -- --direct_num_workers=100000", "--direct_num_workers=100000", "give 0 to 1,024"),
    wrong("run -- --direct_num_workers=-1", "--direct_num_workers=-1", "give 0 to 1,024"),
    wrong("run -- --help", "--help after --", "Beam"),
    wrong("run -- --runner=Flunk", "--runner=Flunk", "give one of", "FlinkRunner"),
    wrong("run -- --direct_num_workers=two", "--direct_num_workers", "two"),
    wrong("runs", "runs has no runs yet", "python -m pipeline run"),
    wrong("runs --run x", "--run", "--help"),
    wrong("show", "required: run", "--help"),
    wrong("show 3", "there is no run 3 in", "list the runs"),
    wrong("show newest", "there is no run newest in"),
    wrong("show 1 --runs damaged", "0001.json is not valid JSON", "move this file out of the folder"),
    wrong("diff 1", "required: other"),
    wrong("diff 1 2", "there is no run 1 in"),
    wrong("promote", "required: run", "--help"),
    wrong("promote 1", "--reason is missing", "give --reason TEXT"),
    wrong("promote 1 --reason good", "there is no run 1 in"),
    wrong("promote 1 --reason good --promote.compare best", "--promote.compare", "not-worse"),
    wrong("promote 1 --reason good --promote.max-drop-fraction x", "--promote.max-drop-fraction", "x"),
    wrong("rollback mnist --reason \x1b", "--reason is missing", "give --reason TEXT"),
    wrong(f"rollback mnist --reason slow --to {'9' * 5000}", "is not a version", "1 or more"),
    wrong("run --model Models.config", "'Models.config' is not a valid model name"),
    wrong("rollback", "required: model", "--help"),
    wrong("rollback mnist", "--reason is missing", "give --reason TEXT"),
    wrong("rollback mnist --reason=", "--reason is missing", "give --reason TEXT"),
    wrong("rollback mnist --reason slow", "models has no model mnist", "it has none"),
    wrong("rollback ../mnist --reason slow", "'../mnist' is not a valid model name"),
    wrong("rollback mnist --reason slow --to one", "--to one is not a version", "1 or more"),
    wrong("history", "required: model", "--help"),
    wrong("history mnist", "models has no model mnist", "another folder with --models"),
    wrong("compare cnn", "one preset cannot be compared with itself", "give at least two"),
    wrong("compare cnn cnn", "cnn is given twice", "give files different names"),
    wrong("compare cnn cnnn", "--preset cnnn", "did you mean cnn?"),
    wrong("compare cnn nowhere.json", "nowhere.json", "no such file"),
    wrong(
        "compare mlp-128-128 same.json",
        "mlp-128-128 and same have the same recipe with these flags",
        "leave one out",
    ),
    wrong("compare cnn linear --preset cnn", "compare does not accept --preset", "name the presets first"),
    wrong("compare cnn linear --no-promotion", "compare does not accept --no-promotion"),
    wrong("compare cnn --train.epochs 3 linear", "linear", "no such option"),
    wrong("compare --train.epoch 3", "--train.epoch", "did you mean --train.epochs?"),
    wrong("compare --runs file/runs", "--runs file/runs cannot be written"),
    wrong("compare -- --runner=Flunk", "--runner=Flunk", "give one of"),
    wrong("tune --trials 0", "--trials: '0'", "give a whole number, 1 to"),
    wrong("tune --trials many", "--trials", "many"),
    wrong("tune --timeout 0", "--timeout: '0'", "above 0"),
    wrong("tune --timeout nan", "--timeout: 'nan'", "above 0"),
    wrong("tune --out best.txt", "--out best.txt", "ends in .json"),
    wrong("tune --out cnn.json", "--out cnn.json", "built-in"),
    wrong("tune --out nowhere/best.json", "nowhere is not a folder", "create it first"),
    wrong("tune --out damaged/history/0001.json", "is not a preset", "move it away"),
    wrong("tune --train.epochs 99", "--train.epochs 99", "outside the search space", "give 3 to 10"),
    wrong("tune --trails 3", "--trails", "no such option"),
    wrong("tune --preset cnnn", "--preset cnnn", "did you mean cnn?"),
    wrong("doctor --run x", "--run", "--help"),
    wrong("schema", "required: run", "--help"),
    wrong("schema 3", "there is no run 3 in", "list the runs"),
    wrong("sample --split validation", "'validation'", "train", "test"),
    wrong("sample --split", "--split", "expected one argument"),
    wrong("sample --out images.csv", "--out images.csv", "ends in .npy"),
    wrong("sample --out nowhere/images.npy", "nowhere is not a folder", "create it first"),
    wrong("sample --datset mnist", "--datset", "did you mean --dataset?"),
]


def test_table_is_long_and_names_each_invocation_once():
    assert len({mistake.typed for mistake in PIPELINE}) == len(PIPELINE) >= 40


@pytest.mark.parametrize("mistake", PIPELINE, ids=lambda mistake: mistake.typed)
def test_pipeline_refuses(mistake, place, capfd):
    before = listing(place)
    check(mistake, main(mistake.typed.split()), capfd.readouterr(), before, place)


@pytest.mark.skipif(os.geteuid() == 0, reason="permissions do not bind root")
@pytest.mark.parametrize("flag", ["--runs", "--models", "--data-dir"])
def test_folder_without_permission_is_refused(flag, place, capfd):
    (place / "locked").mkdir(mode=0o500)
    assert main(["run", flag, "locked/here"]) == 2
    assert f"{flag} locked/here cannot be written: Permission denied" in capfd.readouterr().err
